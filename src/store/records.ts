/** Records: what is inserted for one draft at one place of its series. */
import { BSON, ObjectId } from "mongodb";
import { CHAIN_START, chainLink, digestSnapshot } from "../invoice/digest.ts";
import { freeze } from "../invoice/freeze.ts";
import {
	type InvoiceDocument,
	type KeyDocument,
	REQUEST_KEY_PREFIX,
	type RegisterDocument,
} from "./collections.ts";
import {
	type AppendRequest,
	InvoiceTooLarge,
	type StoredInvoice,
} from "./store.ts";

/** The last entry of a series: what the next one is chained to. */
export interface SeriesHead {
	sequence: number;
	chain: string;
	issuedAt: string;
}

/** The head of a series that has no entry yet. */
export const EMPTY_SERIES: SeriesHead = {
	sequence: 0,
	chain: CHAIN_START,
	issuedAt: "",
};

/** One invoice, as it goes into the three collections. */
export interface InvoiceRecord {
	entry: RegisterDocument;
	document: InvoiceDocument;
	keys: KeyDocument[];
	/** What the caller is answered. */
	stored: StoredInvoice;
}

/** MongoDB's limit is 16 MiB a document; the rest is for what the server puts around it. */
export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024 - 64 * 1024;

/** From here on the exact size is computed; an object is at most a few times its canonical text. */
const SIZE_CHECK_BYTES = 2 * 1024 * 1024;

/**
 * Freezes the draft as the next of its series. The digest is computed here,
 * before anything is inserted. `issuedAt` is never earlier than the entry
 * before: clocks of instances differ, and jump. Throws InvoiceTooLarge.
 */
export function recordAfter(
	head: SeriesHead,
	request: AppendRequest,
	now: string,
): InvoiceRecord {
	const issuedAt = now > head.issuedAt ? now : head.issuedAt;
	const sequence = head.sequence + 1;
	const invoice = freeze(request.checked, { sequence, issuedAt });
	const { canonical, digest } = digestSnapshot(invoice);
	const { number, series, loginName, issueDate } = invoice;
	const attributes = {
		loginName,
		series,
		sequence,
		number,
		issueDate,
		issuedAt,
		digest,
	};
	const document = { _id: number, ...attributes, invoice, canonical };
	if (
		canonical.length > SIZE_CHECK_BYTES &&
		BSON.calculateObjectSize(document, { ignoreUndefined: true }) >
			DOCUMENT_BYTES_MAX
	) {
		throw new InvoiceTooLarge(
			"This invoice is larger than the database can store (16 MiB as object and bytes together); shorten its texts or part it in two.",
		);
	}
	return {
		entry: {
			_id: new ObjectId(),
			series,
			sequence,
			number,
			loginName,
			digest,
			previous: head.chain,
			chain: chainLink({ previous: head.chain, digest, number, issuedAt }),
			issuedAt,
		},
		document,
		keys: keysOf(request, number),
		stored: { ...attributes, canonical },
	};
}

/** The same record for another attempt to store it, which is to be told from earlier ones. */
export function newAttempt(record: InvoiceRecord): InvoiceRecord {
	return { ...record, entry: { ...record.entry, _id: new ObjectId() } };
}

/** The head of the series once this record is stored. */
export function headAt({ entry }: InvoiceRecord): SeriesHead {
	return {
		sequence: entry.sequence,
		chain: entry.chain,
		issuedAt: entry.issuedAt,
	};
}

function keysOf(request: AppendRequest, number: string): KeyDocument[] {
	const { idempotency, reservations = [] } = request;
	return [
		...(idempotency === undefined
			? []
			: [
					{
						_id: requestKey(idempotency.key),
						requestDigest: idempotency.requestDigest,
						number,
					},
				]),
		...reservations.map((key) => ({ _id: key, number })),
	];
}

/** The `_id` of an idempotency key. */
export function requestKey(key: string): string {
	return REQUEST_KEY_PREFIX + key;
}
