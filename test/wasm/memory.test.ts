/** Memory inside the engine stays where what lives is bounded, however long a program runs. */
import assert from "node:assert/strict";
import { bundleGuest, testEngine } from "./engine.ts";

const MEBIBYTE = 1_048_576;

/** What lives takes 3 MiB, the engine as much, and garbage up to 32 before it is collected first. */
const LINEAR_MAX = 50 * MEBIBYTE;

describe("memory inside the engine", function () {
	this.timeout(60_000);

	before(async function () {
		this.timeout(600_000);
		await testEngine();
	});

	it("does not grow with garbage that lies between what lives", async () => {
		const { run } = await testEngine();
		const child = run(await bundleGuest("test/wasm/memory-guest.ts"), {
			stdio: ["ignore", "pipe", "inherit"],
		});
		let text = "";
		for await (const chunk of child.stdout ?? []) text += chunk;
		const linear = JSON.parse(text) as number[];
		const [, early = 0, , late = 0] = linear;
		assert.ok(late - early <= MEBIBYTE, `it grew: ${linear.join(", ")}`);
		assert.ok(late <= LINEAR_MAX, `it is large: ${linear.join(", ")}`);
	});
});
