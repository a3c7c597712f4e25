/** The audit: walks a series and proves it complete, unaltered and linked, or names each document that is not. */
import type { ObjectId } from "mongodb";
import {
	CHAIN_START,
	canonicalBytes,
	chainLink,
	sha256Hex,
} from "../invoice/digest.ts";
import { formatNumber, parseNumber } from "../invoice/number.ts";
import { pointer } from "../invoice/violation.ts";
import {
	type CollectionDefinition,
	type Collections,
	DATE_INDEX,
	INVOICE_ATTRIBUTES,
	type RegisterDocument,
} from "./collections.ts";
import { orUnavailable } from "./unavailable.ts";

/**
 * A checkpoint: what somebody outside the database keeps of a series. All up
 * to its number must still be there, and unaltered, at any later audit.
 */
export interface Checkpoint {
	series: string;
	sequence: number;
	number: string;
	/** ISO 8601 in UTC with milliseconds. */
	issuedAt: string;
	/** The chain value of that entry, hexadecimal: it covers all entries before it. */
	chain: string;
}

export type FindingKind =
	/** A number is not in the register. */
	| "missing"
	/** A number is there twice. */
	| "doubled"
	/** An entry or invoice has a number that is not its own. */
	| "renumbered"
	/** An entry does not follow from the one before it. */
	| "relinked"
	/** An entry's invoice is gone. */
	| "removed"
	/** An invoice is not what was hashed. */
	| "altered"
	/** A document that the register knows nothing of. */
	| "orphaned"
	/** The series ends before the checkpoint. */
	| "truncated"
	/** The chain at the checkpoint is another. */
	| "rewritten";

/** One fault; the message is a sentence that names the document. */
export interface Finding {
	kind: FindingKind;
	collection: CollectionDefinition["name"];
	/** The number concerned, or the first of several; of keys, the number they lead to. */
	number: string;
	message: string;
}

/** What was walked. */
export interface SeriesAudit {
	series: string;
	/** Entries of the register. */
	entries: number;
	/** The last of them: to be kept where nothing was found. */
	checkpoint?: Checkpoint;
}

export interface AuditOptions {
	/** Kept from an earlier audit of this series. */
	checkpoint?: Checkpoint;
	/** Is told now and then how many entries have been checked. */
	onProgress?: (checked: number) => void;
}

/** Entries that are compared with their invoices at a time: memory stays flat however long a series is. */
const BATCH_COUNT = 500;

/** Differing fields that a finding names. */
const DIFFERENCES_MAX = 5;

/** Reads a checkpoint; throws a TypeError that says what is wrong with it. */
export function parseCheckpoint(value: unknown): Checkpoint {
	const { series, sequence, number, issuedAt, chain } = Object(
		value,
	) as Partial<Record<keyof Checkpoint, unknown>>;
	if (
		typeof series !== "string" ||
		typeof number !== "string" ||
		typeof issuedAt !== "string" ||
		typeof sequence !== "number" ||
		typeof chain !== "string" ||
		!/^[0-9a-f]{64}$/.test(chain) ||
		parseNumber(number)?.series !== series ||
		parseNumber(number)?.sequence !== sequence
	) {
		throw new TypeError(
			"A checkpoint is an object with series, sequence, number, issuedAt and chain, as the audit wrote it.",
		);
	}
	return { series, sequence, number, issuedAt, chain };
}

/** The checkpoint of a series as it is now; undefined where it has no entry. */
export async function takeCheckpoint(
	{ invoiceNumbers }: Collections,
	series: string,
): Promise<Checkpoint | undefined> {
	const head = await orUnavailable(() =>
		invoiceNumbers.findOne({ series }, { sort: { sequence: -1 } }),
	);
	return head === null ? undefined : checkpointOf(head);
}

function checkpointOf(entry: RegisterDocument): Checkpoint {
	const { series, sequence, number, issuedAt, chain } = entry;
	return { series, sequence, number, issuedAt, chain };
}

/** Every series that has an entry or an invoice, in alphabetical order. */
export async function listSeries({
	invoiceNumbers,
	invoices,
}: Collections): Promise<string[]> {
	const [registered, stored] = await orUnavailable(() =>
		Promise.all([
			invoiceNumbers.distinct("series"),
			// Read from the index alone.
			invoices
				.aggregate<{ _id: string }>([{ $group: { _id: "$series" } }], {
					hint: DATE_INDEX,
				})
				.toArray(),
		]),
	);
	return [...new Set([...registered, ...stored.map(({ _id }) => _id)])].sort();
}

/**
 * Walks one series. Yields every fault, in the order of the numbers as far as
 * it goes, and returns what was walked. It may run while invoices are being
 * stored: those that come after it began are not looked at. Needs no more than
 * the service's own rights.
 */
export async function* auditSeries(
	collections: Collections,
	series: string,
	{ checkpoint, onProgress }: AuditOptions = {},
): AsyncGenerator<Finding, SeriesAudit> {
	if (checkpoint !== undefined && checkpoint.series !== series) {
		throw new TypeError(
			`The checkpoint is of the series ${checkpoint.series}, and ${series} is to be audited.`,
		);
	}
	const registered = sparseBits();
	let entries = 0;
	let last: RegisterDocument | undefined;
	let batch: RegisterDocument[] = [];
	const cursor = collections.invoiceNumbers
		// No hint: where somebody dropped the index, doubles are all the likelier.
		.find({ series }, { batchSize: BATCH_COUNT, allowDiskUse: true })
		.sort({ sequence: 1 });
	for await (const entry of cursor) {
		if (!Number.isSafeInteger(entry.sequence) || entry.sequence < 1) {
			yield registerFinding(
				"renumbered",
				`${series} ${String(entry.sequence)}`,
				`The register has an entry in the series ${series} whose sequence is ${JSON.stringify(entry.sequence)}, which is no number of ours (${documentName(entry)}).`,
			);
			continue;
		}
		yield* entryFindings(series, last, entry);
		if (entry.sequence === checkpoint?.sequence) {
			yield* checkpointFindings(checkpoint, entry);
		}
		registered.add(entry.sequence);
		entries += 1;
		last = entry;
		batch.push(entry);
		if (batch.length === BATCH_COUNT) {
			yield* invoiceFindings(collections, batch);
			batch = [];
			onProgress?.(entries);
		}
	}
	yield* invoiceFindings(collections, batch);
	onProgress?.(entries);
	yield* tailFindings(checkpoint, last);
	yield* orphanFindings(collections, series, registered, last?.sequence ?? 0);
	return {
		series,
		entries,
		...(last === undefined ? {} : { checkpoint: checkpointOf(last) }),
	};
}

function registerFinding(
	kind: FindingKind,
	number: string,
	message: string,
): Finding {
	return { kind, collection: "invoiceNumbers", number, message };
}

function invoiceFinding(
	kind: FindingKind,
	number: string,
	message: string,
): Finding {
	return { kind, collection: "invoices", number, message };
}

function documentName({ _id }: { _id: ObjectId | string }): string {
	return `_id ${String(_id)}`;
}

/** "RE-2026-000005", or "RE-2026-000005 to RE-2026-000009". */
function numberRange(series: string, from: number, to: number): string {
	const first = formatNumber(series, from);
	return from === to ? first : `${first} to ${formatNumber(series, to)}`;
}

/** The register alone: gaps, doubles, numbers, order of time, and the chain. */
function* entryFindings(
	series: string,
	before: RegisterDocument | undefined,
	entry: RegisterDocument,
): Generator<Finding> {
	const expected = (before?.sequence ?? 0) + 1;
	const number = formatNumber(series, entry.sequence);
	if (entry.sequence > expected) {
		yield registerFinding(
			"missing",
			formatNumber(series, expected),
			`The register has no ${numberRange(series, expected, entry.sequence - 1)}, though ${number} is there.`,
		);
	}
	if (entry.sequence < expected) {
		yield registerFinding(
			"doubled",
			number,
			`The register has ${number} twice (${documentName(entry)} is one of them).`,
		);
	}
	if (entry.number !== number) {
		yield registerFinding(
			"renumbered",
			number,
			`The register's entry ${number} calls itself ${JSON.stringify(entry.number)}.`,
		);
	}
	if (before !== undefined && entry.issuedAt < before.issuedAt) {
		yield registerFinding(
			"relinked",
			number,
			`The register's entry ${number} is dated ${entry.issuedAt}, earlier than the entry before it (${before.issuedAt}).`,
		);
	}
	// After a gap nothing can be said of the link; the gap has been.
	if (
		entry.sequence === expected &&
		entry.previous !== (before?.chain ?? CHAIN_START)
	) {
		yield registerFinding(
			"relinked",
			number,
			`The register's entry ${number} is not linked to ${before === undefined ? "the start of the chain" : before.number}: one of the two has been rewritten.`,
		);
	}
	if (entry.chain !== chainLink(entry)) {
		yield registerFinding(
			"relinked",
			number,
			`The chain value of the register's entry ${number} does not follow from its digest, number and time: the entry has been rewritten.`,
		);
	}
}

function* checkpointFindings(
	checkpoint: Checkpoint,
	entry: RegisterDocument,
): Generator<Finding> {
	if (
		entry.chain !== checkpoint.chain ||
		entry.issuedAt !== checkpoint.issuedAt
	) {
		yield registerFinding(
			"rewritten",
			checkpoint.number,
			`The chain at ${checkpoint.number} is not the one of the checkpoint: that invoice, or one before it in the series, has been rewritten since.`,
		);
	}
}

function* tailFindings(
	checkpoint: Checkpoint | undefined,
	last: RegisterDocument | undefined,
): Generator<Finding> {
	const end = last?.sequence ?? 0;
	if (checkpoint !== undefined && end < checkpoint.sequence) {
		yield registerFinding(
			"truncated",
			formatNumber(checkpoint.series, end + 1),
			`The series ${checkpoint.series} ends before the checkpoint: ${numberRange(checkpoint.series, end + 1, checkpoint.sequence)} had been issued and ${end + 1 === checkpoint.sequence ? "is" : "are"} gone.`,
		);
	}
}

/** An invoice as an administrator may have left it: nothing of it is relied on. */
interface FoundInvoice {
	_id: string;
	digest?: unknown;
	invoice?: unknown;
	canonical?: unknown;
	[attribute: string]: unknown;
}

/** Compares entries with their invoices. Invoices are looked at one by one as they come. */
async function* invoiceFindings(
	{ invoices }: Collections,
	entries: readonly RegisterDocument[],
): AsyncGenerator<Finding> {
	if (entries.length === 0) {
		return;
	}
	const unseen = new Map(
		entries.map((entry) => [formatNumber(entry.series, entry.sequence), entry]),
	);
	const known = new Map(unseen);
	const cursor = invoices.find<FoundInvoice>({
		_id: { $in: [...known.keys()] },
	});
	for await (const found of cursor) {
		const entry = known.get(found._id);
		if (entry === undefined) {
			continue;
		}
		if (!unseen.delete(found._id)) {
			// `_id` is unique on each shard only.
			yield invoiceFinding(
				"doubled",
				found._id,
				`There are two invoices ${found._id}, on two shards.`,
			);
		}
		yield* alterations(found, entry);
	}
	for (const number of unseen.keys()) {
		yield invoiceFinding(
			"removed",
			number,
			`The register has ${number}, but there is no such invoice: it has been removed or renumbered.`,
		);
	}
}

/** What of an invoice is not as it was hashed: its bytes, its object, or the attributes beside them. */
function* alterations(
	found: FoundInvoice,
	entry: RegisterDocument,
): Generator<Finding> {
	const number = found._id;
	if (found.digest !== entry.digest) {
		yield invoiceFinding(
			"altered",
			number,
			`The invoice ${number} carries another digest than the register: one of the two has been rewritten.`,
		);
	}
	const canonical = found.canonical;
	if (!(canonical instanceof Uint8Array)) {
		yield invoiceFinding(
			"altered",
			number,
			`The canonical bytes of the invoice ${number} are gone.`,
		);
		return;
	}
	if (sha256Hex(canonical) !== entry.digest) {
		yield invoiceFinding(
			"altered",
			number,
			`The canonical bytes of the invoice ${number} do not have the digest that the register has: they have been altered.`,
		);
	}
	const hashed = readJson(canonical);
	if (hashed === undefined) {
		yield invoiceFinding(
			"altered",
			number,
			`The canonical bytes of the invoice ${number} are not JSON any more.`,
		);
		return;
	}
	const places = differences(found.invoice, hashed);
	if (places.length > 0 || !sameBytes(found.invoice, canonical)) {
		yield invoiceFinding(
			"altered",
			number,
			`The object of the invoice ${number} differs from its canonical bytes${places.length === 0 ? "" : ` at ${places.join(", ")}`}.`,
		);
	}
	const attributes = Object(hashed) as Record<string, unknown>;
	const strayed = INVOICE_ATTRIBUTES.filter(
		(name) => found[name] !== attributes[name],
	);
	if (strayed.length > 0) {
		yield invoiceFinding(
			strayed.some((name) => name === "number" || name === "sequence")
				? "renumbered"
				: "altered",
			number,
			`The invoice ${number} is filed with another ${strayed.map((name) => `${name} (${JSON.stringify(found[name])}, hashed: ${JSON.stringify(attributes[name])})`).join(", ")}.`,
		);
	}
	for (const name of ["loginName", "number", "issuedAt"] as const) {
		if (entry[name] !== attributes[name]) {
			yield registerFinding(
				name === "number" ? "renumbered" : "relinked",
				number,
				`The register's entry ${number} has another ${name} than the invoice that was hashed: ${JSON.stringify(entry[name])}, hashed: ${JSON.stringify(attributes[name])}.`,
			);
		}
	}
}

function readJson(bytes: Uint8Array): unknown {
	try {
		return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch (error) {
		// The caller reports it as a finding.
		if (error instanceof SyntaxError || error instanceof TypeError) {
			return undefined;
		}
		throw error;
	}
}

function sameBytes(object: unknown, canonical: Uint8Array): boolean {
	let bytes: Uint8Array;
	try {
		bytes = canonicalBytes(object);
	} catch (error) {
		// What has no canonical form (a date, NaN) was not put there by us.
		if (error instanceof Error) {
			return false;
		}
		throw error;
	}
	return (
		bytes.length === canonical.length &&
		bytes.every((byte, index) => byte === canonical[index])
	);
}

/** JSON pointers of the first places where two values differ. */
function differences(
	stored: unknown,
	hashed: unknown,
	path: readonly PropertyKey[] = [],
	places: string[] = [],
): string[] {
	if (places.length >= DIFFERENCES_MAX || Object.is(stored, hashed)) {
		return places;
	}
	if (!isContainer(stored) || !isContainer(hashed)) {
		places.push(pointer(...path) || "its root");
		return places;
	}
	for (const key of new Set([...Object.keys(hashed), ...Object.keys(stored)])) {
		differences(stored[key], hashed[key], [...path, key], places);
	}
	return places;
}

function isContainer(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}

/**
 * The other way round: every invoice of the series must be in the register,
 * once. Only an index is read, so documents that nobody asked for cost little.
 */
async function* orphanFindings(
	collections: Collections,
	series: string,
	registered: SparseBits,
	end: number,
): AsyncGenerator<Finding> {
	const seen = sparseBits();
	let later: InvoicePlace[] = [];
	const cursor = collections.invoices.find<InvoicePlace>(
		{ series },
		{
			projection: { _id: 0, issueDate: 1, series: 1, sequence: 1 },
			hint: DATE_INDEX,
			batchSize: BATCH_COUNT * 10,
		},
	);
	for await (const place of cursor) {
		const { sequence } = place;
		if (!Number.isSafeInteger(sequence) || sequence < 1) {
			yield* named(collections, place, "orphaned", (number) => {
				return `There is an invoice ${number} in the series ${series} whose sequence is ${JSON.stringify(sequence)}, which is no number of ours.`;
			});
		} else if (sequence > end) {
			later.push(place);
			if (later.length === BATCH_COUNT) {
				yield* laterFindings(collections, series, later);
				later = [];
			}
		} else if (!registered.has(sequence)) {
			yield* named(collections, place, "orphaned", orphanMessage);
		} else if (!seen.add(sequence)) {
			yield* named(collections, place, "doubled", (number) => {
				return `There is more than one invoice filed as ${formatNumber(series, sequence)}; ${number} is one of them.`;
			});
		}
	}
	yield* laterFindings(collections, series, later);
}

interface InvoicePlace {
	issueDate: string;
	series: string;
	sequence: number;
}

function orphanMessage(number: string): string {
	return `There is an invoice ${number}, but the register has no such number.`;
}

/** Invoices beyond the register's end as it was: stored meanwhile, or orphans. */
async function* laterFindings(
	collections: Collections,
	series: string,
	places: readonly InvoicePlace[],
): AsyncGenerator<Finding> {
	if (places.length === 0) {
		return;
	}
	const entries = await collections.invoiceNumbers
		.find({
			series,
			sequence: { $in: places.map(({ sequence }) => sequence) },
		})
		.project<{ sequence: number }>({ _id: 0, sequence: 1 })
		.toArray();
	const there = new Set(entries.map(({ sequence }) => sequence));
	for (const place of places) {
		if (!there.has(place.sequence)) {
			yield* named(collections, place, "orphaned", orphanMessage);
		}
	}
}

async function* named(
	{ invoices }: Collections,
	{ issueDate, series, sequence }: InvoicePlace,
	kind: FindingKind,
	message: (number: string) => string,
): AsyncGenerator<Finding> {
	const found = invoices
		.find({ issueDate, series, sequence }, { hint: DATE_INDEX })
		.project<{ _id: string }>({ _id: 1 });
	for await (const { _id } of found) {
		yield invoiceFinding(kind, String(_id), message(String(_id)));
	}
}

/** Yields the keys that lead to no invoice, and returns how many there are in all. A key that was removed leaves no trace. */
export async function* auditKeys(
	collections: Collections,
): AsyncGenerator<Finding, number> {
	let count = 0;
	let batch: { _id: string; number: string }[] = [];
	for await (const key of collections.idempotencyKeys.find()) {
		count += 1;
		batch.push(key);
		if (batch.length === BATCH_COUNT) {
			yield* keyFindings(collections, batch);
			batch = [];
		}
	}
	yield* keyFindings(collections, batch);
	return count;
}

async function* keyFindings(
	{ invoiceNumbers }: Collections,
	keys: readonly { _id: string; number: string }[],
): AsyncGenerator<Finding> {
	const places = keys.flatMap(({ number }) => parseNumber(number) ?? []);
	const bySeries = new Map<string, number[]>();
	for (const { series, sequence } of places) {
		bySeries.set(series, [...(bySeries.get(series) ?? []), sequence]);
	}
	const there = new Set<string>();
	for (const [series, sequences] of bySeries) {
		const entries = invoiceNumbers
			.find({ series, sequence: { $in: sequences } })
			.project<{ sequence: number }>({ _id: 0, sequence: 1 });
		for await (const { sequence } of entries) {
			there.add(formatNumber(series, sequence));
		}
	}
	for (const { _id, number } of keys) {
		if (!there.has(number)) {
			yield {
				kind: "orphaned",
				collection: "idempotencyKeys",
				number: String(number),
				message: `The key ${JSON.stringify(_id)} leads to ${String(number)}, but the register has no such number.`,
			};
		}
	}
}

interface SparseBits {
	has(index: number): boolean;
	/** False where it was there already. */
	add(index: number): boolean;
}

const CHUNK_BITS = 65_536;

/** A set of whole numbers at one bit each, however far apart they lie. */
function sparseBits(): SparseBits {
	const chunks = new Map<number, Uint8Array>();
	const at = (index: number) => {
		const bit = index % CHUNK_BITS;
		return {
			chunk: Math.floor(index / CHUNK_BITS),
			byte: bit >> 3,
			mask: 1 << (bit & 7),
		};
	};
	return {
		has(index) {
			const { chunk, byte, mask } = at(index);
			return ((chunks.get(chunk)?.[byte] ?? 0) & mask) !== 0;
		},
		add(index) {
			const { chunk, byte, mask } = at(index);
			let bytes = chunks.get(chunk);
			if (bytes === undefined) {
				bytes = new Uint8Array(CHUNK_BITS / 8);
				chunks.set(chunk, bytes);
			}
			const before = bytes[byte] ?? 0;
			bytes[byte] = before | mask;
			return (before & mask) === 0;
		},
	};
}
