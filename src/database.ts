/** The database of the service: connected as its user, and set up where an administrator's connection is given. */
import { MongoClient } from "mongodb";
import type { Configuration } from "./configuration.ts";
import { CLIENT_OPTIONS } from "./store/connect.ts";
import { setUpStore } from "./store/setup.ts";

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

/** Connects to the configured database, and sets it up first where that may be done. */
export async function connectDatabase(
	uri: string,
	{ mongodbSetupUri, mongodbDatabase }: Configuration,
	{ say }: Pick<DatabaseOptions, "say">,
): Promise<Database> {
	if (mongodbSetupUri !== undefined) {
		const done = await setUpDatabase(mongodbSetupUri, mongodbDatabase);
		done.forEach(say);
	}
	const client = new MongoClient(uri, CLIENT_OPTIONS);
	return { client, isLocal: false, stop: () => client.close() };
}

/** Sets up collections, indexes and roles as an administrator; returns what was done, in sentences. */
export async function setUpDatabase(
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
