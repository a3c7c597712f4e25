/** Reading: by number, by key, by customer and by date, each from an index; bytes are copied, nothing is decoded. */
import type { Filter, FindOptions, Sort } from "mongodb";
import { sha256Hex } from "../invoice/digest.ts";
import { parseNumber } from "../invoice/number.ts";
import {
	type Collections,
	CUSTOMER_INDEX,
	DATE_INDEX,
	type InvoiceDocument,
	type RegisterDocument,
} from "./collections.ts";
import {
	customerCursor,
	dateCursor,
	readCustomerCursor,
	readDateCursor,
} from "./cursor.ts";
import { EMPTY_SERIES, requestKey, type SeriesHead } from "./records.ts";
import {
	type Page,
	type RegisterEntry,
	StoreDamaged,
	type StoredInvoice,
} from "./store.ts";

/** Invoices of one page. */
export const PAGE_LIMIT_MAX = 200;

/** Canonical bytes after which a page ends, whatever its limit. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;

/** A read that takes longer on the server is given up. */
const READ_MS_MAX = 10_000;

/** All but the object, which is for queries: its text stands in `canonical`. */
const STORED_FIELDS = { _id: 0, invoice: 0 } as const;

/** The register's entry of a number; undefined where there is none. */
export async function readEntry(
	collections: Collections,
	number: string,
): Promise<RegisterEntry | undefined> {
	const [entry] = await readEntries(collections, [number]);
	return entry;
}

/** The register's entries of numbers, in their order; undefined where there is none. */
export async function readEntries(
	{ invoiceNumbers }: Collections,
	numbers: readonly string[],
): Promise<(RegisterEntry | undefined)[]> {
	const sequences = new Map<string, number[]>();
	for (const number of numbers) {
		const place = parseNumber(number);
		if (place !== undefined) {
			const ofSeries = sequences.get(place.series) ?? [];
			sequences.set(place.series, [...ofSeries, place.sequence]);
		}
	}
	// Each place whole, by the shard key: a router asks only the shards that have them.
	const [filter, ...further] = [...sequences].map(([series, [one, ...more]]) =>
		more.length === 0
			? { series, sequence: one }
			: { series, sequence: { $in: [one, ...more] } },
	) as Filter<RegisterDocument>[];
	if (filter === undefined) {
		return numbers.map(() => undefined);
	}
	const found = await invoiceNumbers
		.find<RegisterEntry>(
			further.length === 0 ? filter : { $or: [filter, ...further] },
			{ projection: { _id: 0 }, maxTimeMS: READ_MS_MAX },
		)
		.toArray();
	const entries = new Map(found.map((entry) => [entry.number, entry]));
	return numbers.map((number) => entries.get(number));
}

/** The last entry of a series. */
export async function readHead(
	{ invoiceNumbers }: Collections,
	series: string,
): Promise<SeriesHead> {
	const head = await invoiceNumbers.findOne<SeriesHead>(
		{ series },
		{
			sort: { sequence: -1 },
			projection: { _id: 0, sequence: 1, chain: 1, issuedAt: 1 },
			maxTimeMS: READ_MS_MAX,
		},
	);
	return head ?? EMPTY_SERIES;
}

/** `_id`s of the register's entries at these places, by sequence. */
export async function readEntryIds(
	{ invoiceNumbers }: Collections,
	series: string,
	sequences: readonly number[],
): Promise<Map<number, RegisterDocument["_id"]>> {
	const entries = await invoiceNumbers
		.find(
			{ series, sequence: { $in: [...sequences] } },
			{ projection: { sequence: 1 }, maxTimeMS: READ_MS_MAX },
		)
		.toArray();
	return new Map(entries.map(({ sequence, _id }) => [sequence, _id]));
}

/** The invoice that a register's entry stands for. Throws StoreDamaged where it is missing or another. */
export async function readInvoice(
	collections: Collections,
	entry: RegisterEntry,
): Promise<StoredInvoice> {
	const [invoice] = await readInvoices(collections, [entry]);
	return invoiceOf(entry, invoice);
}

/** The invoices that entries stand for, in their order and unchecked; undefined where there is none. */
export async function readInvoices(
	{ invoices }: Collections,
	entries: readonly RegisterEntry[],
): Promise<(StoredInvoice | undefined)[]> {
	const options = { projection: STORED_FIELDS, maxTimeMS: READ_MS_MAX };
	const [first, ...further] = entries;
	if (first === undefined) {
		return [];
	}
	if (further.length === 0) {
		const found = await invoices.findOne<StoredInvoice>(
			{ _id: first.number, loginName: first.loginName },
			options,
		);
		return [found ?? undefined];
	}
	const numbers = entries.map(({ number }) => number);
	const loginNames = [...new Set(entries.map(({ loginName }) => loginName))];
	const found = await invoices
		.find<StoredInvoice>(
			// The customers too: a router asks only the shards that have them.
			{ _id: { $in: numbers }, loginName: { $in: loginNames } },
			{ ...options, hint: { _id: 1 } },
		)
		.toArray();
	const byNumber = new Map(found.map((each) => [each.number, each]));
	return entries.map(({ number, loginName }) => {
		const invoice = byNumber.get(number);
		return invoice?.loginName === loginName ? invoice : undefined;
	});
}

/** What was read for an entry, if it is the one that the register has. Throws StoreDamaged. */
export function invoiceOf(
	entry: RegisterEntry,
	invoice: StoredInvoice | undefined,
): StoredInvoice {
	if (invoice === undefined) {
		throw new StoreDamaged(
			`The register has an invoice ${entry.number}, but it is not among the invoices of its customer. Run the audit.`,
		);
	}
	if (invoice.digest !== entry.digest) {
		throw new StoreDamaged(
			`The invoice ${entry.number} is not the one that the register has: its digest is another. Run the audit.`,
		);
	}
	return unaltered(invoice);
}

/** The invoice of a number that must exist, such as one that a key leads to. */
export async function readByNumber(
	collections: Collections,
	number: string,
): Promise<StoredInvoice> {
	const entry = await readEntry(collections, number);
	if (entry === undefined) {
		throw new StoreDamaged(
			`A key leads to the invoice ${number}, but the register has no such number. Run the audit.`,
		);
	}
	return readInvoice(collections, entry);
}

/** Keys that are taken, of those asked for, by `_id`. */
export async function readKeys(
	{ idempotencyKeys }: Collections,
	ids: readonly string[],
): Promise<Map<string, { requestDigest?: string; number: string }>> {
	const keys = await idempotencyKeys
		.find({ _id: { $in: [...ids] } }, { maxTimeMS: READ_MS_MAX })
		.toArray();
	return new Map(keys.map((key) => [key._id, key]));
}

/** What an idempotency key was used for. */
export async function readRequest(
	collections: Collections,
	key: string,
): Promise<{ requestDigest: string; number: string } | undefined> {
	const id = requestKey(key);
	const found = (await readKeys(collections, [id])).get(id);
	return found?.requestDigest === undefined
		? undefined
		: { requestDigest: found.requestDigest, number: found.number };
}

/** A customer's invoices, newest first. Throws InvalidCursor, RangeError. */
export function readByCustomer(
	collections: Collections,
	loginName: string,
	{ limit, after }: { limit: number; after?: string },
): Promise<Page> {
	const place = after === undefined ? undefined : readCustomerCursor(after);
	return readPage(collections, {
		filter:
			place === undefined
				? { loginName }
				: {
						loginName,
						$or: [
							{ issuedAt: { $lt: place.issuedAt } },
							{ issuedAt: place.issuedAt, number: { $lt: place.number } },
						],
					},
		sort: { issuedAt: -1, number: -1 },
		index: CUSTOMER_INDEX,
		limit,
		cursorAt: customerCursor,
	});
}

/** Invoices by issue date, both days included. Throws InvalidCursor, RangeError. */
export function readByDate(
	collections: Collections,
	{
		from,
		to,
		series,
		limit,
		after,
	}: {
		from: string;
		to: string;
		series?: string;
		limit: number;
		after?: string;
	},
): Promise<Page> {
	const ofSeries = series === undefined ? {} : { series };
	const place = after === undefined ? undefined : readDateCursor(after);
	const days = { $gte: from, $lte: to };
	return readPage(collections, {
		filter:
			place === undefined
				? { issueDate: days, ...ofSeries }
				: {
						$and: [
							ofSeries,
							{
								$or: [
									{
										issueDate: { $eq: place.issueDate, ...days },
										series: place.series,
										sequence: { $gt: place.sequence },
									},
									{
										issueDate: { $eq: place.issueDate, ...days },
										series: { $gt: place.series },
									},
									{ issueDate: { ...days, $gt: place.issueDate } },
								],
							},
						],
					},
		sort: { issueDate: 1, series: 1, sequence: 1 },
		index: DATE_INDEX,
		limit,
		cursorAt: dateCursor,
	});
}

async function readPage(
	{ invoices }: Collections,
	query: {
		filter: Filter<InvoiceDocument>;
		sort: Sort;
		index: string;
		limit: number;
		cursorAt: (last: StoredInvoice) => string;
	},
): Promise<Page> {
	if (
		!Number.isInteger(query.limit) ||
		query.limit < 1 ||
		query.limit > PAGE_LIMIT_MAX
	) {
		throw new RangeError(
			`A page has 1 to ${PAGE_LIMIT_MAX} invoices; ${query.limit} were asked for.`,
		);
	}
	const options: FindOptions = {
		sort: query.sort,
		projection: STORED_FIELDS,
		// One more tells whether there is a next page.
		limit: query.limit + 1,
		batchSize: query.limit + 1,
		hint: query.index,
		maxTimeMS: READ_MS_MAX,
	};
	// Leaving the loop closes the cursor.
	const cursor = invoices
		.find(query.filter, options)
		.project<StoredInvoice>(STORED_FIELDS);
	const page: Page = { invoices: [] };
	let bytes = 0;
	for await (const invoice of cursor) {
		const last = page.invoices.at(-1);
		if (
			last !== undefined &&
			(page.invoices.length === query.limit ||
				bytes + invoice.canonical.length > PAGE_BYTES_MAX)
		) {
			page.next = query.cursorAt(last);
			break;
		}
		bytes += invoice.canonical.length;
		page.invoices.push(unaltered(invoice));
	}
	return page;
}

/** Compares the bytes with their digest before they leave. */
function unaltered(invoice: StoredInvoice): StoredInvoice {
	if (sha256Hex(invoice.canonical) !== invoice.digest) {
		throw new StoreDamaged(
			`The bytes of the invoice ${invoice.number} have been altered: their digest is another. Run the audit.`,
		);
	}
	return invoice;
}
