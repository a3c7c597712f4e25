import assert from "node:assert/strict";
import fc from "fast-check";
import { gatherReads } from "../../src/store/gather.ts";

/** A database that answers when it is told to. */
function database() {
	const commands: { keys: number[]; answer: () => void; fail: () => void }[] =
		[];
	const read = gatherReads(
		(keys: number[]) =>
			new Promise<string[]>((resolve, reject) => {
				commands.push({
					keys,
					answer: () => resolve(keys.map(String)),
					fail: () => reject(new Error("gone")),
				});
			}),
	);
	return { commands, read };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Reads at the same time", () => {
	it("go one by one while there are few, and together once many are under way", async () => {
		const { commands, read } = database();
		const answers = Array.from({ length: 40 }, (_, key) => read(key));
		assert.deepEqual(
			commands.map(({ keys }) => keys),
			[[0], [1], [2], [3]],
		);
		commands[0]?.answer();
		await turn();
		assert.deepEqual(
			commands[4]?.keys,
			Array.from({ length: 32 }, (_, index) => index + 4),
		);
		for (let at = 1; at < commands.length; at += 1) {
			commands[at]?.answer();
			await turn();
		}
		assert.deepEqual(
			await Promise.all(answers),
			Array.from({ length: 40 }, (_, key) => String(key)),
		);
	});

	it("fail with their own command only, and later ones are sent", async () => {
		const { commands, read } = database();
		const first = read(1);
		const second = read(2);
		commands[0]?.fail();
		commands[1]?.answer();
		await assert.rejects(first, /gone/);
		assert.equal(await second, "2");
		const third = read(3);
		commands[2]?.answer();
		assert.equal(await third, "3");
	});

	it("get each their own answer, in whatever order commands are answered", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.nat(), { minLength: 1, maxLength: 100 }),
				fc.infiniteStream(fc.nat()),
				async (keys, choices) => {
					const { commands, read } = database();
					const answers = keys.map((key) => read(key));
					let answered = 0;
					while (commands.length > 0) {
						const at = (choices.next().value ?? 0) % commands.length;
						const [command] = commands.splice(at, 1);
						answered += command?.keys.length ?? 0;
						command?.answer();
						await turn();
					}
					assert.equal(answered, keys.length);
					assert.deepEqual(await Promise.all(answers), keys.map(String));
				},
			),
		);
	});
});
