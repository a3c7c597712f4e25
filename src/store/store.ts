/** The store as the rest of the service sees it: append, read, audit. */
import type { CheckedDraft } from "../invoice/check.ts";

/** An invoice as it is stored and served; the attributes are beside the bytes so that a read decodes nothing. */
export interface StoredInvoice {
	number: string;
	series: string;
	sequence: number;
	loginName: string;
	/** "2026-11-24". */
	issueDate: string;
	/** ISO 8601 in UTC with milliseconds. */
	issuedAt: string;
	/** SHA-256 of `canonical`, hexadecimal. */
	digest: string;
	/** The snapshot in canonical JSON (RFC 8785), UTF-8. */
	canonical: Uint8Array;
}

/** What is known of an invoice without reading it. */
export interface RegisterEntry {
	number: string;
	series: string;
	sequence: number;
	loginName: string;
	digest: string;
	previous: string;
	chain: string;
	issuedAt: string;
}

export interface AppendRequest {
	checked: CheckedDraft;
	/** The caller's key, already bound to his subject, and the digest of what he sent. */
	idempotency?: { key: string; requestDigest: string };
	/** Keys that may be taken once only, in the same transaction ("cancellation:RE-2026-000123"). */
	reservations?: readonly string[];
}

export type AppendResult =
	/** `replayed`: an earlier request with this key made it; nothing was stored now. */
	| { outcome: "created" | "replayed"; invoice: StoredInvoice }
	/** The key was used with another body. */
	| { outcome: "keyReused"; number: string }
	/** Somebody else holds this reservation; nothing was stored. */
	| { outcome: "reserved"; key: string; number: string };

/** The queue of drafts is full, or the database does not answer: try again later. */
export class StoreUnavailable extends Error {
	override readonly name = "StoreUnavailable";
	/** Seconds after which a retry makes sense. */
	readonly retryAfter: number;

	constructor(message: string, retryAfter: number, cause?: unknown) {
		super(message, { cause });
		this.retryAfter = retryAfter;
	}
}

export interface Page {
	invoices: StoredInvoice[];
	/** Where the next page starts; absent on the last one. Opaque to callers. */
	next?: string;
}

export interface InvoiceStore {
	/**
	 * Gives the draft its number and stores it for ever; resolves only after
	 * the majority has it on disk. Throws StoreUnavailable.
	 */
	append(request: AppendRequest): Promise<AppendResult>;
	/** The register's entry alone: enough for ETag, 304 and the customer's right to see it. */
	findEntry(number: string): Promise<RegisterEntry | undefined>;
	/** The invoice; its digest has been compared with the register's. */
	findInvoice(entry: RegisterEntry): Promise<StoredInvoice>;
	/** An earlier answer to this idempotency key. */
	findByIdempotencyKey(
		key: string,
	): Promise<{ requestDigest: string; number: string } | undefined>;
	/** Numbers behind reserved keys, in the order of the keys; undefined where a key is free. */
	findReservations(keys: readonly string[]): Promise<(string | undefined)[]>;
	/** A customer's invoices, newest first (issuedAt, number); one shard. */
	listByCustomer(
		loginName: string,
		options: { limit: number; after?: string },
	): Promise<Page>;
	/** Invoices by issue date (inclusive), in (issueDate, series, sequence) order. */
	listByDate(options: {
		from: string;
		to: string;
		series?: string;
		limit: number;
		after?: string;
	}): Promise<Page>;
	/** Resolves when the database answers and takes writes; throws StoreUnavailable with the reason. */
	ready(): Promise<void>;
	/** Drafts waiting for a transaction, and those in one. */
	queue(): { waiting: number; inFlight: number };
	/** Finishes what was accepted, then refuses. */
	close(): Promise<void>;
}

/** The invoice as object and bytes is larger than the database can store. */
export class InvoiceTooLarge extends Error {
	override readonly name = "InvoiceTooLarge";
}

/** What is stored does not agree with itself: somebody went around the service. The message names the document; the audit tells more. */
export class StoreDamaged extends Error {
	override readonly name = "StoreDamaged";
}

/** A cursor that is none of ours. */
export class InvalidCursor extends Error {
	override readonly name = "InvalidCursor";
}
