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
	{ invoiceNumbers }: Collections,
	number: string,
): Promise<RegisterEntry | undefined> {
	const place = parseNumber(number);
	if (place === undefined) {
		return undefined;
	}
	const entry = await invoiceNumbers.findOne<RegisterEntry>(place, {
		projection: { _id: 0 },
		maxTimeMS: READ_MS_MAX,
	});
	return entry ?? undefined;
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
	{ invoices }: Collections,
	entry: RegisterEntry,
): Promise<StoredInvoice> {
	const invoice = await invoices.findOne<StoredInvoice>(
		{ _id: entry.number, loginName: entry.loginName },
		{ projection: STORED_FIELDS, maxTimeMS: READ_MS_MAX },
	);
	if (invoice === null) {
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
