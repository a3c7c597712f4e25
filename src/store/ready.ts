/** Readiness: whether the database is there, takes writes, and has been set up. */
import { MongoServerError } from "mongodb";
import {
	COLLECTIONS,
	type Collections,
	REGISTER_INDEX,
} from "./collections.ts";
import { StoreUnavailable } from "./store.ts";
import { orUnavailable, RETRY_AFTER_S } from "./unavailable.ts";

const PING_MS_MAX = 5000;
// Code of MongoDB's error_codes.yml: what a hint for an index that is not there gives.
const BAD_VALUE = 2;

/** Throws StoreUnavailable, with the reason, unless the database takes writes. */
export async function checkWritable({ database }: Collections): Promise<void> {
	const hello = await orUnavailable(() =>
		database.command({ hello: 1 }, { readPreference: "primary" }),
	);
	if (hello.isWritablePrimary !== true) {
		throw new StoreUnavailable(
			"The database has no primary at the moment; an election takes some seconds.",
			RETRY_AFTER_S,
		);
	}
}

/**
 * Throws StoreUnavailable unless set-up has been run. An insert would make a
 * missing collection by itself, without the index that keeps numbers unique:
 * so nothing is stored before this has been seen to. The service's user may
 * not list indexes; that a query may be told to use one shows that it exists.
 */
export async function checkSetUp({
	database,
	invoiceNumbers,
}: Collections): Promise<void> {
	const present = await orUnavailable(() =>
		database
			.listCollections({}, { nameOnly: true, authorizedCollections: true })
			.toArray(),
	);
	const missing = COLLECTIONS.map(({ name }) => name).filter(
		(name) => !present.some((collection) => collection.name === name),
	);
	if (missing.length > 0) {
		throw new StoreUnavailable(
			`The database ${database.databaseName} has no ${missing.join(", no ")}; run the set-up.`,
			RETRY_AFTER_S,
		);
	}
	try {
		await orUnavailable(() =>
			invoiceNumbers.findOne(
				{},
				{
					hint: REGISTER_INDEX,
					projection: { _id: 1 },
					maxTimeMS: PING_MS_MAX,
				},
			),
		);
	} catch (error) {
		if (error instanceof MongoServerError && error.code === BAD_VALUE) {
			throw new StoreUnavailable(
				`The collection invoiceNumbers lacks the index ${REGISTER_INDEX}, which keeps numbers unique; run the set-up.`,
				RETRY_AFTER_S,
				error,
			);
		}
		throw error;
	}
}
