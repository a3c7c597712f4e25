/** One attempt to store a batch: the transaction over the three collections, and how it may end. */
import { type ClientSession, MongoError, MongoServerError } from "mongodb";
import type { CollectionDefinition, Collections } from "./collections.ts";
import type { InvoiceRecord } from "./records.ts";
import { isPassing } from "./unavailable.ts";

/** How an attempt ended. But for "committed" and "unknown", nothing was stored. */
export type AttemptOutcome =
	| { kind: "committed" }
	/** The commit was sent and no answer came: it may or may not have been stored. */
	| { kind: "unknown"; cause: unknown }
	/** A number of the batch is in the register already: somebody was faster. */
	| { kind: "numberTaken" }
	/** Somebody else's transaction holds a number of the batch. */
	| { kind: "numberContended" }
	/** A key of the batch is taken, or another transaction is about to take it. */
	| { kind: "keyTaken" }
	/** The register says that the number is free, but there is an invoice. */
	| { kind: "invoiceExists"; index: number | undefined; cause: unknown }
	/** The validator refused one document of the batch: a fault of ours. */
	| { kind: "refused"; index: number | undefined; cause: unknown }
	/** The database is not there, or asks for another try. */
	| { kind: "unavailable"; cause: unknown }
	| { kind: "failed"; cause: unknown };

/** Bound of a commit on the server; no batch of ours takes that long. */
const COMMIT_MS_MAX = 10_000;

/** Tries of one commit; each has the driver's own retry in it. */
const COMMIT_TRIES_MAX = 3;

// Codes of MongoDB's error_codes.yml.
const DUPLICATE_KEY = 11000;
const WRITE_CONFLICT = 112;
const DOCUMENT_VALIDATION_FAILURE = 121;

/**
 * Inserts a batch into all three collections, or into none. The register
 * comes first, so that whoever lost the race for a number learns it before
 * anything large is sent; its parts are asked for one after the other, so that
 * they need not be made in vain. Errors of the database are outcomes, not
 * thrown.
 */
export async function storeBatch(
	collections: Collections,
	session: ClientSession,
	parts: Iterable<readonly InvoiceRecord[]>,
): Promise<AttemptOutcome> {
	// The session is the same for all attempts at a batch: its next transaction
	// ends one that was cut off on the server, along with the numbers it holds.
	session.startTransaction({
		readConcern: { level: "snapshot" },
		readPreference: "primary",
		writeConcern: { w: "majority", journal: true },
		maxCommitTimeMS: COMMIT_MS_MAX,
	});
	const outcome = await insertAll(collections, session, parts);
	if (outcome !== undefined) {
		// The driver ignores errors here by design: a transaction that cannot be aborted is never committed.
		await session.abortTransaction();
		return outcome;
	}
	return commit(session);
}

async function insertAll(
	{ database }: Collections,
	session: ClientSession,
	parts: Iterable<readonly InvoiceRecord[]>,
): Promise<AttemptOutcome | undefined> {
	const insert = async (
		collection: CollectionDefinition["name"],
		documents: readonly object[],
	): Promise<Fault | undefined> => {
		if (documents.length === 0) {
			return undefined;
		}
		try {
			// Not insertMany: it hides why the database could not be reached.
			const answer = await database.command(
				{ insert: collection, documents, ordered: true },
				{ session, ignoreUndefined: true },
			);
			return (answer.writeErrors as Fault[] | undefined)?.[0];
		} catch (cause) {
			return { code: codeOf(cause), cause };
		}
	};
	const records: InvoiceRecord[] = [];
	for (const part of parts) {
		const register = await insert(
			"invoiceNumbers",
			part.map(({ entry }) => entry),
		);
		if (register !== undefined) {
			return outcomeOf(register, {
				duplicate: { kind: "numberTaken" },
				conflict: { kind: "numberContended" },
				record: records.length + (register.index ?? 0),
			});
		}
		records.push(...part);
	}
	const keys = records.flatMap((record, index) =>
		record.keys.map((key) => ({ key, index })),
	);
	const key = await insert(
		"idempotencyKeys",
		keys.map(({ key }) => key),
	);
	if (key !== undefined) {
		return outcomeOf(key, {
			duplicate: { kind: "keyTaken" },
			conflict: { kind: "keyTaken" },
			record: keys[key.index ?? -1]?.index,
		});
	}
	const invoice = await insert(
		"invoices",
		records.map(({ document }) => document),
	);
	if (invoice !== undefined) {
		return outcomeOf(invoice, {
			duplicate: {
				kind: "invoiceExists",
				index: invoice.index,
				cause: causeOf(invoice),
			},
			conflict: { kind: "numberContended" },
			record: invoice.index,
		});
	}
	return undefined;
}

/** Why an insert failed: for one of its documents, or as a whole. */
interface Fault {
	code?: number;
	index?: number;
	errmsg?: string;
	cause?: unknown;
}

function codeOf(error: unknown): number | undefined {
	return error instanceof MongoServerError ? Number(error.code) : undefined;
}

function causeOf({ cause, errmsg }: Fault): unknown {
	return cause ?? new Error(errmsg ?? "The database refused a document.");
}

function outcomeOf(
	fault: Fault,
	means: {
		duplicate: AttemptOutcome;
		conflict: AttemptOutcome;
		/** The record whose document was refused. */
		record: number | undefined;
	},
): AttemptOutcome {
	const cause = causeOf(fault);
	switch (fault.code) {
		case DUPLICATE_KEY:
			return means.duplicate;
		case WRITE_CONFLICT:
			return means.conflict;
		case DOCUMENT_VALIDATION_FAILURE:
			return { kind: "refused", index: means.record, cause };
	}
	return isPassing(cause)
		? { kind: "unavailable", cause }
		: { kind: "failed", cause };
}

/** Commits; an unknown result is asked for again, which MongoDB allows, and stays unknown where that does not settle it. */
async function commit(session: ClientSession): Promise<AttemptOutcome> {
	for (let tries = 1; ; tries += 1) {
		try {
			await session.commitTransaction();
			return { kind: "committed" };
		} catch (error) {
			if (
				tries >= COMMIT_TRIES_MAX ||
				!(error instanceof MongoError) ||
				!error.hasErrorLabel("UnknownTransactionCommitResult")
			) {
				return { kind: "unknown", cause: error };
			}
		}
	}
}
