/** BSON as the host writes and reads it is the library's, for every document and for damaged ones. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { BsonOutcome } from "./bson-guest.ts";
import { bundleGuest, testEngine } from "./engine.ts";

/** Set BSON_SEED to repeat a run. */
const SEED =
	process.env.BSON_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const COUNT = 4000;
const BUILD_MS_MAX = 600_000;

describe(`BSON inside the engine (BSON_SEED=${SEED})`, () => {
	before(async function () {
		this.timeout(BUILD_MS_MAX);
		await testEngine();
	});

	it("is what the library writes and reads, byte by byte, value by value, error by error", async () => {
		const { run } = await testEngine();
		const child = run(await bundleGuest("test/wasm/bson-guest.ts"), {
			env: { SEED, COUNT: String(COUNT) },
			stdio: ["ignore", "pipe", "inherit"],
		});
		let output = "";
		child.stdout?.on("data", (chunk: Buffer) => {
			output += chunk.toString();
		});
		const [status] = await once(child, "close");
		assert.equal(status, 0, output);
		const { differences, written, read } = JSON.parse(output) as BsonOutcome;
		assert.deepEqual(differences, []);
		assert.ok(written > COUNT / 8, `the host wrote ${written} itself`);
		assert.ok(read > COUNT / 16, `the host read ${read} itself`);
	});
});
