/** The service, put together: configuration, database, store, renderer, app, server. */
import type { Hono } from "hono";
import packageDescription from "../package.json" with { type: "json" };
import { createApp } from "./app.ts";
import {
	type Configuration,
	ConfigurationError,
	isLoopback,
} from "./configuration.ts";
import { readSeller, readTokenKey } from "./configured-files.ts";
import type { Database, DatabaseOptions } from "./database.ts";
import {
	createPdfRenderer,
	type PdfRendererAssets,
} from "./documents/pdf/render.ts";
import type { Files } from "./files.ts";
import { createLog, errorFields, type Log } from "./http/log.ts";
import type { Clock, RuntimeDescription, Services } from "./http/services.ts";
import { createTokenVerifier } from "./http/token.ts";
import { openStore } from "./store/connect.ts";
import type { InvoiceStore } from "./store/store.ts";

/** A server that listens. */
export interface RunningServer {
	/** "http://127.0.0.1:8000" */
	url: string;
	/** Accepts nothing more, and resolves when all that was accepted is answered. */
	close(): Promise<void>;
}

/** All of the service that differs between Node and WasmEdge. */
export interface Runtime {
	description: RuntimeDescription;
	files: Files;
	/** Throws a RangeError on a time zone that is not known. */
	createClock(timeZone: string): Clock;
	/** `furtherTemplates` is a directory (TEMPLATES_DIRECTORY). */
	loadPdfAssets(options: {
		furtherTemplates: string | undefined;
	}): Promise<PdfRendererAssets>;
	openDatabase(
		configuration: Configuration,
		options: DatabaseOptions,
	): Promise<Database>;
	/** Listens; rejects with an error that has a POSIX name as `code` where the address cannot be had. */
	startServer(app: Hono, host: string, port: number): Promise<RunningServer>;
	/** A random UUID. */
	newRequestId(): string;
	processMetrics: NonNullable<Services["processMetrics"]>;
}

export interface ServiceOptions {
	/** Takes the lines of the log. */
	write: (line: string) => void;
	/** Is told in a sentence what goes on while the service starts. */
	say: (sentence: string) => void;
	/** Is told in a sentence when the service cannot go on. */
	onFailure: (sentence: string) => void;
}

export interface RunningService {
	/** "http://127.0.0.1:8000" */
	url: string;
	services: Services;
	/** Whether the database server is run by us: the quick start. */
	isQuickStart: boolean;
	/** Answers what was accepted, then ends all that was started. Safe to call more than once. */
	stop(): Promise<void>;
}

/** Starts the service; resolves when it listens. What was started is ended again where a later step fails. */
export async function startService(
	configuration: Configuration,
	runtime: Runtime,
	{ write, say, onFailure }: ServiceOptions,
): Promise<RunningService> {
	const clock = clockOf(configuration, runtime);
	const log = createLog(configuration.logLevel, write, clock.now);
	const [seller, key, assets] = await Promise.all([
		readSeller(configuration, runtime.files),
		readTokenKey(configuration, runtime.files),
		runtime.loadPdfAssets({
			furtherTemplates: configuration.templatesDirectory,
		}),
	]);
	const renderer = createPdfRenderer(assets);
	const { template } = configuration;
	if (!renderer.hasTemplate(template)) {
		throw new ConfigurationError(
			`TEMPLATE: there is no template ${template.name}/${template.version}; it may be missing in TEMPLATES_DIRECTORY.`,
		);
	}
	const database = await runtime.openDatabase(configuration, {
		say,
		onServerLost: onFailure,
	});
	try {
		const store = openStore(database.client, configuration.mongodbDatabase);
		let closing = false;
		const services: Services = {
			store,
			renderer,
			clock,
			log,
			...(key === undefined
				? {}
				: {
						verifyToken: createTokenVerifier({
							key,
							issuer: configuration.jwtIssuer,
							audience: configuration.jwtAudience,
							now: clock.now,
						}),
					}),
			defaults: {
				series: configuration.series,
				language: configuration.language,
				currency: configuration.currency,
				template,
				...(seller === undefined ? {} : { seller }),
			},
			bodyBytesMax: configuration.bodyBytesMax,
			version: packageDescription.version,
			runtime: runtime.description,
			loopback: isLoopback(configuration.host),
			newRequestId: runtime.newRequestId,
			isClosing: () => closing,
			processMetrics: runtime.processMetrics,
		};
		const server = await listen(createApp(services), configuration, runtime);
		await tellReadiness(store, log);
		let stopped: Promise<void> | undefined;
		return {
			url: server.url,
			services,
			isQuickStart: database.isLocal,
			stop() {
				closing = true;
				stopped ??= stopAll(server, store, database);
				return stopped;
			},
		};
	} catch (error) {
		await database.stop();
		throw error;
	}
}

function clockOf({ timeZone }: Configuration, runtime: Runtime): Clock {
	try {
		return runtime.createClock(timeZone);
	} catch (error) {
		if (!(error instanceof RangeError)) {
			throw error;
		}
		throw new ConfigurationError(
			`TIME_ZONE must be a time zone of the IANA database, such as "Europe/Berlin"; it is "${timeZone}".`,
		);
	}
}

/** A database that is not there yet is no reason to end: readiness tells, and it may come. */
async function tellReadiness(store: InvoiceStore, log: Log): Promise<void> {
	try {
		await store.ready();
	} catch (error) {
		log("warn", "not ready", errorFields(error));
	}
}

async function listen(
	app: Hono,
	{ host, port }: Configuration,
	runtime: Runtime,
): Promise<RunningServer> {
	try {
		return await runtime.startServer(app, host, port);
	} catch (error) {
		const { code } = error as { code?: string };
		if (code === "EADDRINUSE") {
			throw new ConfigurationError(
				`PORT ${port} of ${host} is taken by another process. Stop that one, or set PORT to another one.`,
			);
		}
		if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
			throw new ConfigurationError(
				`The service cannot listen on PORT ${port} of HOST ${host} (${code}).`,
			);
		}
		throw error;
	}
}

async function stopAll(
	server: RunningServer,
	store: InvoiceStore,
	database: Database,
): Promise<void> {
	await server.close();
	await store.close();
	await database.stop();
}
