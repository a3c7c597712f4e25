/** The database of the Node service: the configured one, or a local server that it runs itself. */
import { MongoClient } from "mongodb";
import type { Configuration } from "../configuration.ts";
import { CLIENT_OPTIONS } from "../store/connect.ts";
import { setUpStore } from "../store/setup.ts";
import { startMongod } from "./mongod.ts";

/** How long the set-up waits for a server, in milliseconds. */
const SET_UP_SELECTION_MS_MAX = 30_000;

export interface Database {
	/** Connected as the service's user, which may find and insert. */
	client: MongoClient;
	/** Whether the server is run by us: the quick start. */
	isLocal: boolean;
	/** Disconnects, and ends the server where it is ours. */
	stop(): Promise<void>;
}

export interface DatabaseOptions {
	/** Is told in a sentence what goes on. */
	say: (sentence: string) => void;
	/** Is told in a sentence when our own server has ended by itself. */
	onServerLost: (sentence: string) => void;
}

/** Opens the database: starts the server where none is configured, and runs the set-up where that may be done. */
export async function openDatabase(
	configuration: Configuration,
	{ say, onServerLost }: DatabaseOptions,
): Promise<Database> {
	const { mongodbUri, mongodbSetupUri, mongodbDatabase } = configuration;
	if (mongodbUri !== undefined) {
		if (mongodbSetupUri !== undefined) {
			const done = await setUp(mongodbSetupUri, mongodbDatabase);
			done.forEach(say);
		}
		return connected(mongodbUri, false, async () => {});
	}
	const mongod = await startMongod({
		dataDirectory: configuration.dataDirectory,
		onProgress: say,
		onUnexpectedEnd: onServerLost,
	});
	try {
		await setUp(mongod.uri, mongodbDatabase, mongod.service);
		return connected(
			mongod.uriFor(mongod.service, mongodbDatabase),
			true,
			mongod.stop,
		);
	} catch (error) {
		await mongod.stop();
		throw error;
	}
}

function connected(
	uri: string,
	isLocal: boolean,
	stopServer: () => Promise<void>,
): Database {
	const client = new MongoClient(uri, CLIENT_OPTIONS);
	return {
		client,
		isLocal,
		async stop() {
			await client.close();
			await stopServer();
		},
	};
}

async function setUp(
	uri: string,
	databaseName: string,
	service?: { user: string; password: string },
): Promise<string[]> {
	const client = new MongoClient(uri, {
		serverSelectionTimeoutMS: SET_UP_SELECTION_MS_MAX,
	});
	try {
		return await setUpStore(client, {
			databaseName,
			...(service === undefined ? {} : { service }),
		});
	} finally {
		await client.close();
	}
}
