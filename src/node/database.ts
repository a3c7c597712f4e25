/** The database of the Node service: the configured one, or a local server that it runs itself. */
import type { Configuration } from "../configuration.ts";
import {
	connectDatabase,
	type Database,
	type DatabaseOptions,
	setUpDatabase,
} from "../database.ts";
import { startMongod } from "./mongod.ts";

/** Opens the database: starts the server where none is configured, and runs the set-up where that may be done. */
export async function openDatabase(
	configuration: Configuration,
	options: DatabaseOptions,
): Promise<Database> {
	if (configuration.mongodbUri !== undefined) {
		return connectDatabase(configuration.mongodbUri, configuration, options);
	}
	const local = await startLocalDatabase(configuration, options);
	try {
		const database = await connectDatabase(local.uri, configuration, options);
		return {
			...database,
			isLocal: true,
			async stop() {
				await database.stop();
				await local.stop();
			},
		};
	} catch (error) {
		await local.stop();
		throw error;
	}
}

export interface LocalDatabase {
	/** Connection string of the service's user. */
	uri: string;
	/** Ends the server; its data stay. */
	stop(): Promise<void>;
}

/** Starts the local server of the quick start and sets it up. */
export async function startLocalDatabase(
	{ dataDirectory, mongodbDatabase }: Configuration,
	{ say, onServerLost }: DatabaseOptions,
): Promise<LocalDatabase> {
	const mongod = await startMongod({
		dataDirectory,
		onProgress: say,
		onUnexpectedEnd: onServerLost,
	});
	try {
		await setUpDatabase(mongod.uri, mongodbDatabase, mongod.service);
		return {
			uri: mongod.uriFor(mongod.service, mongodbDatabase),
			stop: mongod.stop,
		};
	} catch (error) {
		await mongod.stop();
		throw error;
	}
}
