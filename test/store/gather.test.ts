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
	it("go together once one is under way", async () => {
		const { commands, read } = database();
		const answers = Array.from({ length: 40 }, (_, key) => read(key));
		assert.deepEqual(
			commands.map(({ keys }) => keys),
			[[0]],
		);
		for (let at = 0; at < commands.length; at += 1) {
			commands[at]?.answer();
			await turn();
		}
		assert.deepEqual(
			commands.map(({ keys }) => keys.length),
			[1, 32, 7],
		);
		assert.deepEqual(
			await Promise.all(answers),
			Array.from({ length: 40 }, (_, key) => String(key)),
		);
	});

	it("do not wait for one that hangs", async () => {
		const { commands, read } = database();
		const hanging = read(1);
		const answers = [read(2), read(3)];
		while (commands.length < 2) {
			await turn();
		}
		assert.deepEqual(commands[1]?.keys, [2, 3]);
		commands[1]?.answer();
		assert.deepEqual(await Promise.all(answers), ["2", "3"]);
		commands[0]?.fail();
		await assert.rejects(hanging, /gone/);
		const later = read(4);
		commands[2]?.answer();
		assert.equal(await later, "4");
	});

	it("fail with their own command only, and later ones are sent", async () => {
		const { commands, read } = database();
		const first = read(1);
		const second = read(2);
		commands[0]?.fail();
		await assert.rejects(first, /gone/);
		commands[1]?.answer();
		assert.equal(await second, "2");
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
