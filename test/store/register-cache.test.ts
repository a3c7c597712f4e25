import assert from "node:assert/strict";
import { rememberEntries } from "../../src/store/register-cache.ts";
import type { RegisterEntry } from "../../src/store/store.ts";

describe("remembered register entries", () => {
	const entryOf = (number: string) => ({ number }) as RegisterEntry;

	it("are read once, as long as they are among the last that were used", async () => {
		const reads: string[] = [];
		const find = rememberEntries(async (number) => {
			reads.push(number);
			return entryOf(number);
		}, 2);
		for (const number of ["A", "B", "A", "C", "A", "B"]) {
			assert.deepEqual(await find(number), entryOf(number));
		}
		// C took B's place: A had been used since.
		assert.deepEqual(reads, ["A", "B", "C", "B"]);
	});

	it("are asked for again where there was none, or no answer", async () => {
		const answers = [undefined, new Error("gone"), entryOf("A")];
		const find = rememberEntries(async () => {
			const answer = answers.shift();
			if (answer instanceof Error) throw answer;
			return answer;
		});
		assert.equal(await find("A"), undefined);
		await assert.rejects(find("A"), /gone/);
		assert.deepEqual(await find("A"), entryOf("A"));
		assert.deepEqual(await find("A"), entryOf("A"));
		assert.equal(answers.length, 0);
	});
});
