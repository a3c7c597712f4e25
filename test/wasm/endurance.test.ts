/** A thousand connections at once to the whole service inside WasmEdge: each is answered, none is lost. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { goldenDrafts } from "../golden.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import {
	buildWasmService,
	type LaunchedService,
	launchService,
} from "./launched-service.ts";
import { countConnections } from "./processes.ts";
import { exchange } from "./soak.ts";

const CONNECTIONS = 1000;

/** Every so many connections ask for a PDF, too. */
const PDF_EVERY = 10;

interface Invoice {
	path: string;
	etag: string;
}

interface KeptConnection {
	agent: Agent;
	invoice: Invoice;
	asksForPdf: boolean;
}

const sha256 = (bytes: Buffer) =>
	createHash("sha256").update(bytes).digest("hex");

/** The one socket of an agent that waits for its next request. */
function socketOf({ agent }: KeptConnection): Socket {
	const sockets = Object.values(agent.freeSockets).flat();
	assert.equal(sockets.length, 1, "one connection that is kept");
	return sockets[0] as Socket;
}

describe(`${CONNECTIONS} connections at once to the service inside WasmEdge`, function () {
	this.timeout(120_000);

	let database: StoreDatabase;
	let service: LaunchedService;
	let connections: KeptConnection[];
	let worker: number[];
	/** What each connection was kept by in the first round. */
	let sockets: Socket[];
	/** Digests of the PDFs, by path. */
	const pdfs = new Map<string, string>();

	before(async function () {
		this.timeout(600_000);
		await buildWasmService();
		database = await openStoreDatabase();
		service = await launchService({
			MONGODB_URI: database.serviceUri,
			MONGODB_DATABASE: database.admin.databaseName,
		});
		worker = await service.workers();
		const invoices = await Promise.all(
			goldenDrafts().map(({ draft }) => create(draft)),
		);
		connections = Array.from({ length: CONNECTIONS }, (_, at) => ({
			agent: new Agent({ keepAlive: true, maxSockets: 1 }),
			invoice: invoices[at % invoices.length] as Invoice,
			asksForPdf: at % PDF_EVERY === 0,
		}));
	});

	after(async () => {
		for (const { agent } of connections ?? []) agent.destroy();
		await service?.end();
		await database?.drop();
	});

	async function create(draft: object): Promise<Invoice> {
		const answer = await exchange(service.port, false, "/invoices", {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(draft),
		});
		assert.equal(answer.status, 201, answer.body.toString());
		const { location = "", etag = "" } = answer.headers;
		return { path: location, etag };
	}

	/** Asks for everything on one connection, one after the other; how many answers came. */
	async function askAll({ agent, invoice, asksForPdf }: KeptConnection) {
		const { path, etag } = invoice;
		const json = await exchange(service.port, agent, `${path}.json`);
		assert.equal(json.status, 200);
		assert.equal(`"${sha256(json.body)}"`, etag);
		const unchanged = await exchange(service.port, agent, `${path}.json`, {
			headers: { "if-none-match": etag },
		});
		assert.equal(unchanged.status, 304);
		assert.equal(unchanged.body.length, 0);
		if (!asksForPdf) return 2;
		const pdf = await exchange(service.port, agent, `${path}.pdf`);
		assert.equal(pdf.status, 200);
		assert.match(pdf.body.toString("latin1"), /^%PDF-[\s\S]*%%EOF\s*$/);
		const digest = sha256(pdf.body);
		assert.equal(pdfs.get(path) ?? digest, digest, "the PDF of before");
		pdfs.set(path, digest);
		return 3;
	}

	/** All of them at once; every answer must come, and every connection stay. */
	async function round(): Promise<Socket[]> {
		const answers = await Promise.all(connections.map(askAll));
		assert.equal(
			answers.reduce((sum, each) => sum + each, 0),
			2 * CONNECTIONS + CONNECTIONS / PDF_EVERY,
		);
		const kept = connections.map(socketOf);
		assert.equal(new Set(kept).size, CONNECTIONS);
		assert.ok((await countConnections(service.port)) >= CONNECTIONS);
		return kept;
	}

	it("are all answered: JSON, 304 and PDFs; and stay open", async () => {
		sockets = await round();
	});

	it("are all answered again, each as the connection that it was", async () => {
		const again = await round();
		assert.ok(
			again.every((socket, at) => socket === sockets[at]),
			"a connection was lost and opened anew",
		);
	});

	it("leave the service as it was: the same process, without a complaint", async () => {
		assert.deepEqual(await service.workers(), worker);
		assert.equal(service.said(), "");
		const { level } = service.log.find(({ level }) => level === "error") ?? {};
		assert.equal(level, undefined);
	});
});
