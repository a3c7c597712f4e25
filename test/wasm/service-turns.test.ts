/** Many connections to the whole service inside WasmEdge take turns: none waits until all others are served, and each costs little. */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { goldenDrafts } from "../golden.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import {
	buildWasmService,
	type LaunchedService,
	launchService,
	metricsOf,
} from "./launched-service.ts";
import { exchange } from "./soak.ts";

const CONNECTIONS = 1000;

/** Requests of each, one after the other. */
const REQUESTS = 7;

/**
 * So many answers of other connections may come between a request and its
 * own, for each connection there is: one where all take turns. A connection
 * that is not accepted before the others have no more requests sees all of theirs.
 */
const TURNS_MAX = 3;

/** Linear memory that a connection may cost, its share of garbage included. */
const BYTES_PER_CONNECTION_MAX = 40 * 1024;

describe(`${CONNECTIONS} connections to the service inside WasmEdge`, function () {
	this.timeout(60_000);

	let database: StoreDatabase;
	let service: LaunchedService;
	const agents = Array.from(
		{ length: CONNECTIONS },
		() => new Agent({ keepAlive: true, maxSockets: 1 }),
	);

	before(async function () {
		this.timeout(600_000);
		await buildWasmService();
		database = await openStoreDatabase();
		service = await launchService({
			MONGODB_URI: database.serviceUri,
			MONGODB_DATABASE: database.admin.databaseName,
		});
	});

	after(async () => {
		for (const agent of agents) agent.destroy();
		await service?.end();
		await database?.drop();
	});

	it("are answered in turn, also while further ones wait to be accepted", async () => {
		const created = await exchange(service.port, false, "/invoices", {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(goldenDrafts()[0]?.draft),
		});
		assert.equal(created.status, 201);
		const path = `${created.headers.location}.json`;
		const before = await metricsOf(service.url);
		let answered = 0;
		let mostBetween = 0;
		await Promise.all(
			agents.map(async (agent) => {
				for (let count = 0; count < REQUESTS; count += 1) {
					const answeredBefore = answered;
					const answer = await exchange(service.port, agent, path);
					mostBetween = Math.max(mostBetween, answered - answeredBefore);
					answered += 1;
					assert.equal(answer.status, 200);
					assert.ok(answer.body.equals(created.body));
				}
			}),
		);
		assert.equal(answered, REQUESTS * CONNECTIONS);
		assert.ok(
			mostBetween <= TURNS_MAX * CONNECTIONS,
			`${mostBetween} other answers came between a request and its own`,
		);
		const after = await metricsOf(service.url);
		const grown =
			(after.wasm_linear_memory_bytes ?? Number.NaN) -
			(before.wasm_linear_memory_bytes ?? Number.NaN);
		assert.ok(
			grown <= CONNECTIONS * BYTES_PER_CONNECTION_MAX,
			`${grown} bytes of memory`,
		);
	});
});
