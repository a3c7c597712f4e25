/** Compares BSON as the host writes and reads it with the library, over documents made by chance from the seed SEED. */
import "../../src/wasmedge/web/install.ts";
import * as library from "bson:library";
import * as ours from "../../src/wasmedge/node/bson.ts";

/** What the guest prints. */
export interface BsonOutcome {
	differences: string[];
	/** Documents that the host wrote, and read, itself. */
	written: number;
	read: number;
}

const { SEED, COUNT } = host.environment();
const DIFFERENCES_MAX = 5;
const DEPTH_MAX = 4;
/** Copies of each document that are damaged. */
const DAMAGED = 3;

let state = Number(SEED) >>> 0;

/** mulberry32 */
function random(): number {
	state = (state + 0x6d2b79f5) >>> 0;
	let mixed = Math.imul(state ^ (state >>> 15), state | 1);
	mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
	return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

const below = (count: number) => Math.floor(random() * count);

function pick<Item>(items: readonly Item[]): Item {
	return items[below(items.length)] as Item;
}

const PIECES = ["a", "Z", " ", "ß", "€", "\u{1f600}", "\ud7ff", "\u007f"];
const ODD_PIECES = [...PIECES, "\ud800", "\udc00", "\0"];
const KEYS = ["$ref", "$id", "__proto__", "", "0", "17", "_bsontype", "a\0b"];
const NUMBERS = [
	...[0, -0, 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300],
	...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, 2 ** 53],
];

function text(): string {
	const pieces = random() < 0.9 ? PIECES : ODD_PIECES;
	return Array.from({ length: below(20) }, () => pick(pieces)).join("");
}

class Point {
	x = below(9);
}

function special(): unknown {
	return pick([
		() => new library.ObjectId(),
		() => new library.Long(below(2 ** 31), below(2 ** 31) - 2 ** 30),
		() => new library.Timestamp({ t: below(2 ** 31), i: below(9) }),
		() =>
			new library.Binary(
				Uint8Array.from({ length: below(20) }, () => below(256)),
				pick([0, 1, 2, 3, 5, 128]),
			),
		() => new library.UUID(),
		() => Uint8Array.from({ length: below(20) }, () => below(256)),
		() => new Date(below(2 ** 31) * 1000 - 1e12),
		() => new library.Int32(5),
		() => new library.Double(2),
		() => new library.Decimal128("1.50"),
		() => new library.MinKey(),
		() => new library.Code("x"),
		() => /a/i,
		() => 7n,
		() => () => 1,
		() => new Map<string, unknown>([["a", { b: undefined }]]),
		() => ({ toBSON: () => ({ z: 1 }) }),
		() => ({ toBSON: () => undefined }),
		() => new Point(),
	])();
}

function value(depth: number): unknown {
	const kind = below(depth > DEPTH_MAX ? 10 : 14);
	switch (kind) {
		case 0:
		case 1:
		case 2:
			return text();
		case 3:
		case 4:
			return random() < 0.5 ? pick(NUMBERS) : below(10_000);
		case 5:
			return random() < 0.5;
		case 6:
			return null;
		case 7:
			return random() < 0.3 ? undefined : "";
		case 8:
		case 9:
			return random() < 0.4 ? special() : new library.ObjectId();
		case 10:
		case 11:
			return Array.from({ length: below(5) }, () => value(depth + 1));
		default:
			return document(depth + 1);
	}
}

function document(depth: number): object {
	const made = random() < 0.05 ? Object.create(null) : {};
	for (let count = below(8); count > 0; count -= 1) {
		const name = random() < 0.03 ? pick(KEYS) : text().replaceAll("\0", "");
		Object.defineProperty(made, name, {
			value: value(depth),
			enumerable: true,
			configurable: true,
			writable: true,
		});
	}
	return made;
}

/** Everything of a value that JavaScript could tell apart. */
function shown(item: unknown): string {
	if (typeof item !== "object" || item === null) {
		return `${typeof item} ${Object.is(item, -0) ? "-0" : JSON.stringify(String(item))}`;
	}
	const name = Object.getPrototypeOf(item)?.constructor?.name;
	if (item instanceof Uint8Array) {
		return `${name} ${host.encodeHex(item)}`;
	}
	if (item instanceof Date || item instanceof RegExp) {
		return `${name} ${item instanceof Date ? item.getTime() : item}`;
	}
	const entries = Object.getOwnPropertyNames(item).map(
		(key) =>
			`${JSON.stringify(key)}: ${shown((item as Record<string, unknown>)[key])}`,
	);
	return `${name} {${entries.join()}}`;
}

function outcome(work: () => string): string {
	try {
		return work();
	} catch (error) {
		return String(error);
	}
}

const differences: string[] = [];

function compare(what: string, theirs: string, own: string): void {
	if (theirs !== own && differences.length < DIFFERENCES_MAX) {
		differences.push(`${what}\nlibrary: ${theirs}\nhost: ${own}`);
	}
}

function damaged(bytes: Uint8Array): Uint8Array {
	const copy = bytes.slice();
	copy[below(copy.length)] = random() < 0.5 ? below(256) : below(20);
	return random() < 0.2 ? copy.slice(0, below(copy.length)) : copy;
}

function compareReading(bytes: Uint8Array): boolean {
	const promoteBuffers = random() < 0.5;
	const hex = host.encodeHex(bytes);
	compare(
		`read ${hex}`,
		outcome(() => shown(library.deserialize(bytes, { promoteBuffers }))),
		outcome(() => shown(ours.deserialize(bytes, { promoteBuffers }))),
	);
	const begin = below(9);
	const within = new Uint8Array(begin + bytes.length + below(9));
	within.set(bytes, begin);
	const options = { index: begin, allowObjectSmallerThanBufferSize: true };
	compare(
		`read at ${begin} of ${host.encodeHex(within)}`,
		outcome(() => shown(library.deserialize(within, options))),
		outcome(() => shown(ours.deserialize(within, options))),
	);
	compare(
		`parted ${hex}`,
		outcome(() =>
			JSON.stringify(library.BSON.onDemand.parseToElements(bytes, 0)),
		),
		outcome(() => JSON.stringify(ours.BSON.onDemand.parseToElements(bytes, 0))),
	);
	return host.decodeBson(bytes, 0, true, () => null) !== undefined;
}

let written = 0;
let read = 0;
for (let count = Number(COUNT); count > 0; count -= 1) {
	const made = document(0);
	const options = { ignoreUndefined: random() < 0.7 };
	const theirs = outcome(() =>
		host.encodeHex(library.serialize(made, options)),
	);
	compare(
		`written ${shown(made)}`,
		theirs,
		outcome(() => host.encodeHex(ours.serialize(made, options))),
	);
	const encoded = host.encodeBson(made, options.ignoreUndefined, (item) =>
		library.serialize({ "": item }, options),
	);
	if (encoded !== undefined) {
		written += 1;
		read += compareReading(encoded) ? 1 : 0;
		for (let copies = DAMAGED; copies > 0; copies -= 1) {
			compareReading(damaged(encoded));
		}
	}
}
const result: BsonOutcome = { differences, written, read };
host.writeText(1, `${JSON.stringify(result)}\n`);
