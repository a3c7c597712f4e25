/** One attempt to store a batch: the transaction over the three collections, and how it may end. */
import {
	type ClientSession,
	MongoBulkWriteError,
	MongoError,
	MongoServerError,
} from "mongodb";
import type { Collections } from "./collections.ts";
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
 * anything large is sent. Errors of the database are outcomes, not thrown.
 */
export async function storeBatch(
	collections: Collections,
	session: ClientSession,
	records: readonly InvoiceRecord[],
): Promise<AttemptOutcome> {
	// The session is the same for all attempts at a batch: its next transaction
	// ends one that was cut off on the server, along with the numbers it holds.
	session.startTransaction({
		readConcern: { level: "snapshot" },
		readPreference: "primary",
		writeConcern: { w: "majority", journal: true },
		maxCommitTimeMS: COMMIT_MS_MAX,
	});
	const outcome = await insertAll(collections, session, records);
	if (outcome !== undefined) {
		// The driver ignores errors here by design: a transaction that cannot be aborted is never committed.
		await session.abortTransaction();
		return outcome;
	}
	return commit(session);
}

async function insertAll(
	collections: Collections,
	session: ClientSession,
	records: readonly InvoiceRecord[],
): Promise<AttemptOutcome | undefined> {
	const options = { session, ordered: true };
	const keys = records.flatMap((record) => record.keys);
	try {
		await collections.invoiceNumbers.insertMany(
			records.map(({ entry }) => entry),
			options,
		);
	} catch (error) {
		return failure(error, "numberTaken", "numberContended", (index) => index);
	}
	if (keys.length > 0) {
		try {
			await collections.idempotencyKeys.insertMany(keys, options);
		} catch (error) {
			return failure(error, "keyTaken", "keyTaken", (index) =>
				records.findIndex((record) =>
					record.keys.includes(keys[index] as (typeof keys)[number]),
				),
			);
		}
	}
	try {
		await collections.invoices.insertMany(
			records.map(({ document }) => document),
			options,
		);
	} catch (error) {
		return failure(error, "invoiceExists", "numberContended", (index) => index);
	}
	return undefined;
}

function failure(
	error: unknown,
	duplicate: "numberTaken" | "keyTaken" | "invoiceExists",
	conflict: "numberContended" | "keyTaken",
	recordIndex: (index: number) => number,
): AttemptOutcome {
	if (error instanceof MongoServerError) {
		switch (Number(error.code)) {
			case DUPLICATE_KEY:
				return duplicate === "invoiceExists"
					? {
							kind: duplicate,
							index: failedIndex(error, recordIndex),
							cause: error,
						}
					: { kind: duplicate };
			case WRITE_CONFLICT:
				return { kind: conflict };
			case DOCUMENT_VALIDATION_FAILURE:
				return {
					kind: "refused",
					index: failedIndex(error, recordIndex),
					cause: error,
				};
		}
	}
	return isPassing(error)
		? { kind: "unavailable", cause: error }
		: { kind: "failed", cause: error };
}

function failedIndex(
	error: MongoServerError,
	recordIndex: (index: number) => number,
): number | undefined {
	if (!(error instanceof MongoBulkWriteError)) {
		return undefined;
	}
	const [first] = [error.writeErrors].flat();
	return first === undefined ? undefined : recordIndex(first.index);
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
