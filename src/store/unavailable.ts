/** Tells a database that is not there for now from a fault that a retry cannot mend. */
import {
	MongoClientClosedError,
	MongoError,
	MongoNetworkError,
	MongoNotConnectedError,
	MongoOperationTimeoutError,
	MongoServerClosedError,
	MongoServerError,
	MongoServerSelectionError,
	MongoTopologyClosedError,
} from "mongodb";
import { StoreUnavailable } from "./store.ts";

/** Seconds after which a database that did not answer is worth another try: an election takes about that long. */
export const RETRY_AFTER_S = 5;

/** Codes of MongoDB's error_codes.yml that say "not now". */
const PASSING = new Set([
	6, // HostUnreachable
	7, // HostNotFound
	24, // LockTimeout
	43, // CursorNotFound
	50, // MaxTimeMSExpired
	64, // WriteConcernFailed
	89, // NetworkTimeout
	91, // ShutdownInProgress
	112, // WriteConflict
	133, // FailedToSatisfyReadPreference
	134, // ReadConcernMajorityNotAvailableYet
	189, // PrimarySteppedDown
	225, // TransactionTooOld
	237, // CursorKilled
	246, // SnapshotUnavailable
	251, // NoSuchTransaction
	262, // ExceededTimeLimit
	267, // PreparedTransactionInProgress
	9001, // SocketException
	10107, // NotWritablePrimary
	11600, // InterruptedAtShutdown
	11601, // Interrupted
	11602, // InterruptedDueToReplStateChange
	13435, // NotPrimaryNoSecondaryOk
	13436, // NotPrimaryOrSecondary
	14031, // OutOfDiskSpace
]);

/** Codes that an operator must mend, told by what to do. */
const OPERATORS: ReadonlyMap<number, string> = new Map([
	[
		13, // Unauthorized
		"The database refuses the service's user a right that it needs; run the set-up again.",
	],
	[
		18, // AuthenticationFailed
		"The database refuses the service's user or password; check the connection string, or run the set-up again.",
	],
]);

/** Whether the database may answer the same request later. */
export function isPassing(error: unknown): boolean {
	if (error instanceof MongoServerError) {
		return (
			PASSING.has(Number(error.code)) ||
			error.hasErrorLabel("TransientTransactionError") ||
			error.hasErrorLabel("RetryableWriteError") ||
			error.hasErrorLabel("SystemOverloadedError")
		);
	}
	return (
		error instanceof MongoNetworkError ||
		error instanceof MongoServerSelectionError ||
		error instanceof MongoNotConnectedError ||
		error instanceof MongoTopologyClosedError ||
		error instanceof MongoServerClosedError ||
		error instanceof MongoClientClosedError ||
		error instanceof MongoOperationTimeoutError ||
		// The driver does not export this class.
		(error instanceof MongoError && error.name === "MongoWaitQueueTimeoutError")
	);
}

/** A StoreUnavailable for an error that says that the database is not there; any other error as it is. */
export function asUnavailable(error: unknown): unknown {
	const forOperator =
		error instanceof MongoServerError
			? OPERATORS.get(Number(error.code))
			: undefined;
	if (forOperator !== undefined) {
		return new StoreUnavailable(forOperator, RETRY_AFTER_S, error);
	}
	return isPassing(error)
		? new StoreUnavailable(
				`The database does not answer; try again in ${RETRY_AFTER_S} seconds.`,
				RETRY_AFTER_S,
				error,
			)
		: error;
}

/** Runs a read; a database that is gone becomes StoreUnavailable. */
export async function orUnavailable<Value>(
	work: () => Promise<Value>,
): Promise<Value> {
	try {
		return await work();
	} catch (error) {
		throw asUnavailable(error);
	}
}
