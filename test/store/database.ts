/** A database that has been set up, as administrator and as the service sees it. */
import { MongoClient } from "mongodb";
import type { AppendOptions } from "../../src/store/append.ts";
import {
	type Collections,
	collectionsOf,
} from "../../src/store/collections.ts";
import { CLIENT_OPTIONS, openStore } from "../../src/store/connect.ts";
import { setUpStore } from "../../src/store/setup.ts";
import type { InvoiceStore } from "../../src/store/store.ts";
import { openTestDatabase, type TestDatabase } from "../mongod.ts";

export const SERVICE = { user: "service", password: "stadtflitzer" };

export interface StoreDatabase {
	/** As administrator. */
	admin: TestDatabase;
	collections: Collections;
	/** Connection string of the service's user. */
	serviceUri: string;
	/** As the service's user. */
	serviceClient: MongoClient;
	store: InvoiceStore;
	/** A further instance of the service in this process, with a connection of its own. */
	openAnother(options?: AppendOptions): Promise<InvoiceStore>;
	drop(): Promise<void>;
}

/** The same server, as the service's user. The address may name several hosts, which a URL cannot. */
export function serviceUriOf(adminUri: string, databaseName: string): string {
	const [, hosts, query = ""] =
		/^mongodb:\/\/(?:[^@/]*@)?([^/]+)\/?[^?]*(?:\?(.*))?$/.exec(adminUri) ?? [];
	const parameters = new URLSearchParams(query);
	parameters.set("authSource", databaseName);
	return `mongodb://${SERVICE.user}:${SERVICE.password}@${hosts}/?${parameters}`;
}

/** Opens a database of its own and a store on it. End it with `drop`. */
export async function openStoreDatabase(
	options: AppendOptions = {},
): Promise<StoreDatabase> {
	const admin = await openTestDatabase();
	const { databaseName } = admin;
	await setUpStore(admin.client, { databaseName, service: SERVICE });
	const serviceUri = serviceUriOf(admin.uri, databaseName);
	const stores: InvoiceStore[] = [];
	const clients: MongoClient[] = [];
	const openAnother = async (storeOptions: AppendOptions = {}) => {
		const client = await MongoClient.connect(serviceUri, CLIENT_OPTIONS);
		const store = openStore(client, databaseName, storeOptions);
		clients.push(client);
		stores.push(store);
		return store;
	};
	const store = await openAnother(options);
	return {
		admin,
		collections: collectionsOf(admin.client.db(databaseName)),
		serviceUri,
		serviceClient: clients[0] as MongoClient,
		store,
		openAnother,
		async drop() {
			await Promise.all(stores.map((each) => each.close()));
			await Promise.all(clients.map((client) => client.close()));
			await admin.drop();
		},
	};
}
