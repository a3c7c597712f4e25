/** The engine's text, base64 and zlib give what Node's own and the portable deflate give. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { deflateRawSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import type { TestEngine } from "../../infra/wasm/run.d.mts";
import {
	createPortableDeflate,
	DEFLATE_PARAMETERS,
} from "../../src/documents/pdf/deflate.ts";
import type { HostAnswer, HostCall } from "./crypto-guest.ts";
import { bundleGuest, testEngine } from "./engine.ts";

const GUEST = "test/wasm/crypto-guest.ts";

type Case = [call: HostCall, answer: HostAnswer];

const bytes = (value: Uint8Array) => ({
	hex: Buffer.from(value).toString("hex"),
});
const result = (value: unknown): HostAnswer =>
	value instanceof Uint8Array
		? { result: bytes(value).hex }
		: value === undefined
			? ({} as HostAnswer) // JSON leaves it out
			: { result: value };
const call = (name: string, ...args: unknown[]): HostCall => ({
	name,
	args: args.map((value) =>
		value instanceof Uint8Array ? bytes(value) : value,
	),
});

const NOT_UTF8 = { error: "TypeError: The bytes are no UTF-8." };

function decoded(value: Uint8Array): Case[] {
	const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
	const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
	let fatal = NOT_UTF8 as HostAnswer;
	try {
		fatal = result(strict.decode(value));
	} catch {
		// It is refused, as said.
	}
	return [
		[call("decodeUtf8", value, false), result(lenient.decode(value))],
		[call("decodeUtf8", value, true), fatal],
		[
			call("decodeLatin1", value),
			result(Buffer.from(value).toString("latin1")),
		],
	];
}

function encoded(value: string): Case[] {
	const utf8 = new TextEncoder().encode(value);
	return [
		[call("encodeUtf8", value), result(utf8)],
		[call("utf8Length", value), result(utf8.length)],
		...[0, 1, 2, 3, 5, utf8.length].map((room): Case => {
			const { read, written } = new TextEncoder().encodeInto(
				value,
				new Uint8Array(room),
			);
			return [
				call("encodeUtf8Into", value, new Uint8Array(room)),
				result({ read, written }),
			];
		}),
	];
}

/** Bytes where decoders differ: Unicode's own examples and the ends of the ranges. */
const FAULTY_UTF8 = [
	"",
	"efbbbf41",
	"c0af",
	"e080bf",
	"f08181",
	"f0818241",
	"eda080",
	"edbfbf41",
	"f4919293ff41",
	"e182f0908241",
	"c3",
	"e282",
	"f09f98",
	"41c3",
	"f09f9841",
	"80",
	"bf80",
	"ff",
	"fe41",
	"f5808080",
	"f48fbfbf",
	"f4908080",
	"ee8080",
	"efbfbf",
	"efbfbd",
	"c280",
	"dfbf",
	"e0a080",
	"f0908080",
	"c1bf",
	"e09fbf",
	"f08fbfbf",
	"ed9fbf",
	"00",
	"610062",
	"6161616161616161c3a46161616161616161ff6161616161616161",
];
const TEXTS = [
	"",
	"Rechnung",
	"Größe: 3 m² für 5 €",
	"日本語",
	"😀",
	"a\ud800",
	"\udc00b",
	"\ud83d",
	"\ude00\ud83d",
	"ÿ",
	"\u0000",
	"\u07ff\u0800\uffff",
	"x".repeat(9).concat("ä"),
	"\ufeffBOM",
	"𐀀􏿿",
];

const anyText = fc.string({ unit: "binary", maxLength: 60 });
const anyUnits = fc
	.array(fc.constantFrom(0x41, 0xe4, 0x20ac, 0xd83d, 0xde00, 0xd800, 0xdfff), {
		maxLength: 20,
	})
	.map((units) => String.fromCharCode(...units));
const nearUtf8 = fc
	.tuple(
		anyText,
		fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
	)
	.map(([value, changes]) => {
		const utf8 = new TextEncoder().encode(value);
		for (const [at, byte] of changes) {
			if (utf8.length > 0) utf8[at % utf8.length] = byte;
		}
		return utf8;
	});
const anyBytes = fc.uint8Array({ maxLength: 200 });
/** What compresses and what does not, across zlib's window. */
const anyContent = fc.oneof(
	fc.uint8Array({ maxLength: 2000, size: "max" }),
	fc
		.tuple(
			fc.uint8Array({ minLength: 1, maxLength: 40 }),
			fc.integer({ min: 1, max: 3000 }),
		)
		.map(([piece, times]) =>
			Uint8Array.from(Buffer.alloc(piece.length * times, piece)),
		),
	fc
		.array(
			fc.constantFrom("0 0 m ", "1 0 0 1 72.5 ", "Tj\n", "ET\n", "12.25 "),
			{ maxLength: 4000, size: "max" },
		)
		.map((words) => new TextEncoder().encode(words.join(""))),
);

describe("the engine's text and compression", function () {
	this.timeout(120_000);

	let folder: string;
	let run: TestEngine["run"];

	before(async function () {
		this.timeout(900_000); // the engine may have to be built
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-host-"));
		({ run } = await testEngine());
		await bundleGuest(GUEST);
	});

	after(() => rm(folder, { recursive: true, force: true }));

	async function assertAnswers(cases: Case[]): Promise<void> {
		const calls = cases.map(([asked]) => asked);
		await writeFile(join(folder, "calls.json"), JSON.stringify(calls));
		const child = run(await bundleGuest(GUEST), {
			folders: [{ inside: "/calls", outside: folder }],
			stdio: ["ignore", "pipe", "inherit"],
		});
		const answers = JSON.parse(
			await text(child.stdout as NodeJS.ReadableStream),
		) as HostAnswer[];
		assert.deepEqual(
			answers.map((answer, at) => [calls[at], answer]),
			cases.map(([asked, answer]) => [asked, answer]),
		);
	}

	function agrees<T>(
		name: string,
		any: fc.Arbitrary<T>,
		casesOf: (value: T) => Case[],
	): void {
		it(name, () =>
			fc.assert(
				fc.asyncProperty(
					fc.array(any, { minLength: 20, maxLength: 60 }),
					(values) => assertAnswers(values.flatMap(casesOf)),
				),
				{ numRuns: 8 },
			),
		);
	}

	it("decodes faulty UTF-8 as the Encoding Standard says", () =>
		assertAnswers(
			FAULTY_UTF8.flatMap((hex) => decoded(Buffer.from(hex, "hex"))),
		));

	it("encodes every kind of text as the Encoding Standard says", () =>
		assertAnswers(TEXTS.flatMap(encoded)));

	agrees("decodes bytes as Node does", fc.oneof(anyBytes, nearUtf8), decoded);
	agrees("encodes texts as Node does", fc.oneof(anyText, anyUnits), encoded);

	agrees("writes and reads base64 and hex as Node does", anyBytes, (value) => {
		const buffer = Buffer.from(value);
		const base64 = buffer.toString("base64");
		return [
			[call("encodeBase64", value), result(base64)],
			[call("decodeBase64", base64), result(value)],
			[call("decodeBase64", base64.replaceAll("=", "")), result(value)],
			[
				call("decodeBase64", ` ${base64.replace(/(.)/, "$1\n\t\f\r ")} `),
				result(value),
			],
			[call("encodeHex", value), result(buffer.toString("hex"))],
		];
	});

	agrees(
		"takes for base64 what atob takes for it",
		fc.string({ unit: fc.constantFrom(..."AQgw+/= \n-_ä€"), maxLength: 9 }),
		(value) => {
			let expected: Uint8Array | undefined;
			try {
				expected = Buffer.from(atob(value), "latin1");
			} catch {
				// It is none.
			}
			return [[call("decodeBase64", value), result(expected)]];
		},
	);

	agrees(
		"finds bytes where Node finds them",
		fc.tuple(
			fc.uint8Array({ max: 2, maxLength: 60 }),
			fc.uint8Array({ max: 2, maxLength: 4 }),
			fc.nat({ max: 70 }),
		),
		([value, pattern, start]) => {
			// Beyond the end even an empty pattern is nowhere.
			const found =
				start > value.length ? -1 : Buffer.from(value).indexOf(pattern, start);
			const expected =
				pattern.length === 0 && start <= value.length ? start : found;
			return [[call("findBytes", value, pattern, start), result(expected)]];
		},
	);

	const portable = createPortableDeflate();
	agrees(
		"deflates a document's streams to the bytes of the portable deflate",
		anyContent,
		(value) =>
			(["once", "each"] as const).map((effort): Case => {
				const { level, windowBits, memoryLevel } = DEFLATE_PARAMETERS;
				return [
					call(
						"deflate",
						value,
						"zlib",
						level[effort],
						windowBits,
						memoryLevel,
					),
					result(portable(value, effort)),
				];
			}),
	);

	agrees("inflates what Node has deflated", anyContent, (value) => [
		[call("inflate", deflateSync(value), "zlib", value.length), result(value)],
		[call("inflate", gzipSync(value), "gzip", value.length), result(value)],
		[
			call("inflate", deflateRawSync(value), "raw", value.length),
			result(value),
		],
	]);

	it("makes gzip that Node reads", async () => {
		const value = new TextEncoder().encode("Rechnung ".repeat(1000));
		await writeFile(
			join(folder, "calls.json"),
			JSON.stringify([call("deflate", value, "gzip", 6, 15, 8)]),
		);
		const child = run(await bundleGuest(GUEST), {
			folders: [{ inside: "/calls", outside: folder }],
			stdio: ["ignore", "pipe", "inherit"],
		});
		const [answer] = JSON.parse(
			await text(child.stdout as NodeJS.ReadableStream),
		);
		assert.deepEqual(
			Uint8Array.from(gunzipSync(Buffer.from(answer.result, "hex"))),
			value,
		);
	});

	const ABC = deflateSync("abc");
	const damaged = Buffer.from(ABC);
	damaged.writeUInt8(0xff, 3);
	const wrongSum = Buffer.from(ABC);
	wrongSum.writeUInt8((wrongSum.at(-1) ?? 0) ^ 1, wrongSum.length - 1);

	const REFUSALS: [HostCall, RegExp][] = [
		[
			call("inflate", deflateSync(Buffer.alloc(10_000)), "zlib", 9_999),
			/^RangeError: The data inflate to more than 9999 bytes\.$/,
		],
		[call("inflate", ABC, "zlib", 2), /^RangeError: .+ 2 bytes\.$/],
		[
			call("inflate", ABC.subarray(0, -1), "zlib", 100),
			/^Error: .+: they end too soon\.$/,
		],
		[
			call("inflate", new Uint8Array(), "zlib", 100),
			/^Error: .+: they end too soon\.$/,
		],
		[
			call("inflate", damaged, "zlib", 100),
			/^Error: The compressed data are damaged/,
		],
		[
			call("inflate", wrongSum, "zlib", 100),
			/^Error: .+: incorrect data check\.$/,
		],
		[
			call("inflate", Buffer.concat([ABC, ABC]), "zlib", 100),
			/^Error: .+more after their end\.$/,
		],
		[
			call("inflate", ABC, "brotli", 100),
			/^TypeError: The format does not know "brotli"\.$/,
		],
		[
			call("deflate", "text", "zlib", 1, 14, 6),
			/^TypeError: The bytes must be a Uint8Array\.$/,
		],
		[
			call("deflate", new Uint8Array(), "zlib", 10, 14, 6),
			/^RangeError: The level must be a whole number from -1 to 9, not 10\.$/,
		],
		[
			call("deflate", new Uint8Array(), "zlib", 1, 8, 6),
			/^RangeError: windowBits/,
		],
		[
			call("decodeUtf8", "text", true),
			/^TypeError: The bytes must be a Uint8Array\.$/,
		],
		[
			call("decodeUtf8", new Uint8Array(), 1),
			/^TypeError: "fatal" must be true or false\.$/,
		],
		[call("encodeUtf8", 5), /^TypeError: The text must be a string\.$/],
		[
			call("writeLatin1", new Uint8Array(2), 1, "ab"),
			/^RangeError: The target is too short for the text\.$/,
		],
		[call("writeLatin1", new Uint8Array(2), 3, ""), /^RangeError: The offset/],
		[
			call("writeLatin1", new Uint8Array(2), 0, "€"),
			/^RangeError: The text has a character above U\+00FF\.$/,
		],
		[
			call("findBytes", new Uint8Array(2), new Uint8Array(1), -1),
			/^RangeError: The start/,
		],
	];

	it("refuses what is damaged, too long or no argument by a sentence", async () => {
		await writeFile(
			join(folder, "calls.json"),
			JSON.stringify(REFUSALS.map(([asked]) => asked)),
		);
		const child = run(await bundleGuest(GUEST), {
			folders: [{ inside: "/calls", outside: folder }],
			stdio: ["ignore", "pipe", "inherit"],
		});
		const answers = JSON.parse(
			await text(child.stdout as NodeJS.ReadableStream),
		);
		for (const [at, [asked, expected]] of REFUSALS.entries()) {
			assert.match(answers[at]?.error ?? "", expected, JSON.stringify(asked));
		}
	});

	it("sums up by CRC-32", () =>
		assertAnswers([
			[call("crc32", Buffer.from("123456789"), 0), result(0xcbf43926)],
			[call("crc32", Buffer.from("56789"), 0x9be3e0a3), result(0xcbf43926)],
			[call("crc32", new Uint8Array(), 7), result(7)],
		]));
});
