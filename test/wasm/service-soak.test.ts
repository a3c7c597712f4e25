/** A short soak of the service inside WasmEdge; `npm run soak` is the long one. */
import assert from "node:assert/strict";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import { assertSound } from "../store/sound.ts";
import { buildWasmService, launchService } from "./launched-service.ts";
import {
	growthFaults,
	type MemorySample,
	SOAK_BODY_BYTES_MAX,
	soak,
} from "./soak.ts";

const REQUESTS = 1500;

/** Set SOAK_SEED to repeat a run. */
const SEED = Number(
	process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31),
);

const MEBIBYTE = 1_048_576;

/** So short a run fills caches and makes its first garbage: growth tells nothing yet, the sum does. */
const LINEAR_BYTES_MAX = 128 * MEBIBYTE;

describe(`the service inside WasmEdge under a mixed load (SOAK_SEED=${SEED})`, function () {
	this.timeout(120_000);

	let database: StoreDatabase;
	before(async function () {
		this.timeout(600_000);
		await buildWasmService();
		database = await openStoreDatabase();
	});
	after(() => database.drop());

	it(`answers ${REQUESTS} requests of every kind right, stores each answered invoice once, and takes little memory`, async () => {
		const service = await launchService({
			MONGODB_URI: database.serviceUri,
			MONGODB_DATABASE: database.admin.databaseName,
			BODY_BYTES_MAX: String(SOAK_BODY_BYTES_MAX),
		});
		const { faults, samples, answered, outcomes } = await soak(service, {
			requests: REQUESTS,
			seed: SEED,
		});
		assert.deepEqual(faults, []);
		assert.equal(await service.end(), 0);
		assert.equal(service.said(), "");
		assert.ok(outcomes.size >= 18, [...outcomes.keys()].join(", "));
		const counts = await assertSound(database.collections, answered);
		assert.equal(
			[...counts.values()].reduce((sum, count) => sum + count, 0),
			answered.length,
			"as many invoices as were answered",
		);
		const { linear = Number.NaN } = samples.at(-1) ?? {};
		assert.ok(linear < LINEAR_BYTES_MAX, `${linear} bytes of linear memory`);
	});
});

describe("the check of growth", () => {
	const run = (bytesPerRequest: number): MemorySample[] =>
		Array.from({ length: 400 }, (_, at) => {
			const requests = (at + 1) * 250;
			// Garbage goes up to 16 MiB beyond what is kept.
			const kept = 40 * MEBIBYTE + requests * bytesPerRequest;
			return {
				requests,
				resident: 90 * MEBIBYTE + requests * bytesPerRequest,
				linear: 64 * MEBIBYTE,
				used: kept + ((at * 7) % 16) * MEBIBYTE,
			};
		});

	it("finds nothing where memory stays", () => {
		assert.deepEqual(growthFaults(run(0)), []);
	});

	it("finds what keeps some hundred bytes of each request", () => {
		assert.equal(growthFaults(run(400)).length, 2);
	});
});
