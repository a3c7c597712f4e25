/** Real MongoDB servers for tests: disposable ones to kill, and one that a whole test run shares. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import {
	type LocalMongod,
	type MongodOptions,
	startMongod,
} from "../src/node/mongod.ts";

// Little memory and no diagnostic files: several of these run beside each other on two cores.
const SMALL = [
	...["--wiredTigerCacheSizeGB", "0.25"],
	...["--setParameter", "diagnosticDataCollectionEnabled=false"],
];

/** A disposable one-node replica set with authentication, in a temporary folder. */
export interface TestMongod extends LocalMongod {
	readonly dataDirectory: string;
	/** Starts again on the same data and port, after `kill` or `stop`. */
	restart(): Promise<TestMongod>;
	/** Stops it and removes its data. */
	remove(): Promise<void>;
}

/** Starts a disposable server; takes about a second. End it with `remove`. */
export async function startTestMongod(
	options: Partial<MongodOptions> = {},
): Promise<TestMongod> {
	const dataDirectory =
		options.dataDirectory ??
		(await mkdtemp(join(tmpdir(), "rechnungsverwaltung-mongod-")));
	const mongod = await startMongod({
		args: SMALL,
		isInProcessGroup: true, // a test run that is ended takes its servers along
		...options,
		dataDirectory,
	});
	return {
		...mongod,
		dataDirectory,
		restart: () =>
			startTestMongod({
				binary: mongod.binary,
				...options,
				port: mongod.port,
				dataDirectory,
			}),
		async remove() {
			await mongod.stop();
			await rm(dataDirectory, { recursive: true, force: true });
		},
	};
}

let shared: Promise<string> | undefined;

/**
 * The administrator's connection string of the server that this test run shares: `TEST_MONGODB_URI`, which
 * `npm test` sets; where a test file is run by itself, a server that ends with the process.
 */
export function sharedMongodUri(): Promise<string> {
	shared ??= process.env.TEST_MONGODB_URI
		? Promise.resolve(process.env.TEST_MONGODB_URI)
		: startTestMongod().then((mongod) => mongod.uri);
	return shared;
}

/** A database of its own on the shared server, seen as administrator. */
export interface TestDatabase {
	readonly client: MongoClient;
	/** The administrator's connection string. */
	readonly uri: string;
	readonly databaseName: string;
	/** Drops the database with its users and roles, and disconnects. */
	drop(): Promise<void>;
}

/** Opens a database with a name of its own on the shared server. End it with `drop`. */
export async function openTestDatabase(): Promise<TestDatabase> {
	const uri = await sharedMongodUri();
	const databaseName = `test_${randomBytes(6).toString("hex")}`;
	const client = await MongoClient.connect(uri);
	return {
		client,
		uri,
		databaseName,
		async drop() {
			const database = client.db(databaseName);
			await database.command({ dropAllUsersFromDatabase: 1 });
			await database.command({ dropAllRolesFromDatabase: 1 });
			await database.dropDatabase();
			await client.close();
		},
	};
}
