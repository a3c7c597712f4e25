/**
 * The app as tests drive it: a database of its own on a real server and the
 * real renderer. On Node it is called without a port; where the tests run
 * against WasmEdge it is a process, and spoken to over HTTP.
 */
import { createApp, type Services } from "../../src/app.ts";
import {
	createPdfRenderer,
	type PdfRenderer,
} from "../../src/documents/pdf/render.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { RUNTIME } from "../runtime.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import type { WasmProcess } from "../wasm/service-process.ts";
import { requestOverHttp } from "./over-http.ts";

/** The day on which all tests take place. */
export const TODAY = "2026-11-24";

export interface TestService {
	services: Services;
	database: StoreDatabase;
	/** The lines of the log so far. */
	logged: Record<string, unknown>[];
	/** Sends a request. */
	fetch(path: string, init?: RequestInit): Promise<Response>;
	/** Sends JSON. */
	post(
		path: string,
		body: unknown,
		headers?: Record<string, string>,
	): Promise<Response>;
	/** The same service and database, some of it exchanged; in this process, whatever the runtime. */
	with(overrides: Partial<Services>): Omit<TestService, "with" | "drop">;
	drop(): Promise<void>;
}

let renderer: Promise<PdfRenderer> | undefined;

/** Opens the service on a database of its own. End it with `drop`. */
export async function openTestService(): Promise<TestService> {
	renderer ??= loadPdfAssets({ root: process.cwd() }).then(createPdfRenderer);
	const database = await openStoreDatabase();
	let requests = 0;
	const services: Omit<Services, "log"> = {
		store: database.store,
		renderer: await renderer,
		clock: { now: () => new Date(), today: () => TODAY },
		defaults: {
			series: "RE-{year}",
			language: "de",
			currency: "EUR",
			template: { name: "invoice", version: 1 },
		},
		bodyBytesMax: 256 * 1024,
		version: "0.0.0-test",
		runtime: { runtime: "node" },
		loopback: true,
		newRequestId() {
			requests += 1;
			return `test-${requests}`;
		},
		isClosing: () => false,
	};
	const started = (overrides: Partial<Services>) => {
		const logged: Record<string, unknown>[] = [];
		const all: Services = {
			...services,
			log: (level, message, fields) =>
				logged.push({ level, message, ...fields }),
			...overrides,
		};
		const app = createApp(all);
		const fetch = async (path: string, init?: RequestInit) =>
			app.request(path, init);
		return {
			services: all,
			database,
			logged,
			fetch,
			post: (path: string, body: unknown, headers = {}) =>
				fetch(path, {
					method: "POST",
					headers: { "Content-Type": "application/json", ...headers },
					body: JSON.stringify(body),
				}),
		};
	};
	const service = { ...started({}), with: started, drop: database.drop };
	return RUNTIME === "wasmedge" ? inWasmEdge(service) : service;
}

/** The same service as a process inside WasmEdge, on the same database. */
async function inWasmEdge(service: TestService): Promise<TestService> {
	const { startWasmProcess } = await import("../wasm/service-process.ts");
	const { serviceUri, admin } = service.database;
	const process: WasmProcess = await startWasmProcess({
		MONGODB_URI: serviceUri,
		MONGODB_DATABASE: admin.databaseName,
		BODY_BYTES_MAX: String(service.services.bodyBytesMax),
		TEST_TODAY: TODAY,
	});
	const fetch = (path: string, init?: RequestInit) =>
		requestOverHttp(process.url, path, init);
	return {
		...service,
		fetch,
		post: (path, body, headers = {}) =>
			fetch(path, {
				method: "POST",
				headers: { "Content-Type": "application/json", ...headers },
				body: JSON.stringify(body),
			}),
		async drop() {
			await process.end();
			await service.drop();
		},
	};
}

/** A problem, as far as tests look into it. */
export interface ProblemBody {
	type: string;
	title: string;
	status: number;
	detail: string;
	instance: string;
	document?: string;
	violations?: {
		pointer: string;
		rule: string;
		source?: string;
		term?: string;
		message: string;
	}[];
}

/** The problem that an answer is; fails where it is none. */
export async function problemOf(answer: Response): Promise<ProblemBody> {
	const type = answer.headers.get("content-type");
	if (type !== "application/problem+json") {
		throw new Error(
			`Expected a problem, got ${answer.status} ${type}: ${await answer.text()}`,
		);
	}
	const problem = (await answer.json()) as ProblemBody;
	if (problem.status !== answer.status) {
		throw new Error(
			`The problem says ${problem.status}, the answer ${answer.status}.`,
		);
	}
	return problem;
}
