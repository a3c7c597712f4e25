/** Opening the store: the driver's options, and the one object that the rest of the service sees. */
import type { MongoClient, MongoClientOptions } from "mongodb";
import { type AppendOptions, openAppender } from "./append.ts";
import { collectionsOf } from "./collections.ts";
import { gatherReads } from "./gather.ts";
import {
	invoiceOf,
	readByCustomer,
	readByDate,
	readEntries,
	readInvoices,
	readKeys,
	readRequest,
} from "./read.ts";
import { checkSetUp, checkWritable } from "./ready.ts";
import { rememberEntries } from "./register-cache.ts";
import type { InvoiceStore, RegisterEntry } from "./store.ts";
import { orUnavailable } from "./unavailable.ts";

/**
 * Options of the driver for the service's connection. Timeouts make a
 * database that hangs one that is unavailable; all are in milliseconds.
 * Several seeds (mongos routers, members) stand in the connection string.
 */
export const CLIENT_OPTIONS = {
	appName: "rechnungsverwaltung",
	/** Transactions of several series and reads share these. */
	maxPoolSize: 32,
	serverSelectionTimeoutMS: 5000,
	connectTimeoutMS: 5000,
	/** Longer than any bound that the server itself keeps to. */
	socketTimeoutMS: 20_000,
	waitQueueTimeoutMS: 5000,
	// Invoices are small and the database is near: compressing costs more than it saves.
	compressors: ["none"],
	retryReads: true,
	retryWrites: true,
} satisfies MongoClientOptions;

/**
 * Opens the store on a client that the caller made, connected or not, and
 * closes when the store is closed. Nothing is sent before the first call.
 */
export function openStore(
	client: MongoClient,
	databaseName: string,
	options: AppendOptions = {},
): InvoiceStore {
	const collections = collectionsOf(client.db(databaseName));
	const appender = openAppender(client, collections, options);
	const gatheredInvoice = gatherReads((entries: RegisterEntry[]) =>
		orUnavailable(() => readInvoices(collections, entries)),
	);
	return {
		append: appender.append,
		queue: appender.queue,
		close: appender.close,
		findEntry: rememberEntries(
			gatherReads((numbers) =>
				orUnavailable(() => readEntries(collections, numbers)),
			),
		),
		findInvoice: async (entry) =>
			invoiceOf(entry, await gatheredInvoice(entry)),
		findByIdempotencyKey: (key) =>
			orUnavailable(() => readRequest(collections, key)),
		findReservations: (keys) =>
			orUnavailable(async () => {
				const taken = await readKeys(collections, keys);
				return keys.map((key) => taken.get(key)?.number);
			}),
		listByCustomer: (loginName, page) =>
			orUnavailable(async () => readByCustomer(collections, loginName, page)),
		listByDate: (page) =>
			orUnavailable(async () => readByDate(collections, page)),
		async ready() {
			await checkWritable(collections);
			await checkSetUp(collections);
		},
	};
}
