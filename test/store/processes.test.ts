import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { MongoClient } from "mongodb";
import {
	type Collections,
	collectionsOf,
} from "../../src/store/collections.ts";
import { setUpStore } from "../../src/store/setup.ts";
import { startTestMongod, type TestMongod } from "../mongod.ts";
import {
	openStoreDatabase,
	SERVICE,
	type StoreDatabase,
	serviceUriOf,
} from "./database.ts";
import type { InstanceAnswer, InstanceJob } from "./instance.ts";
import { assertSound } from "./sound.ts";

interface Instance {
	/** All that it has answered so far. */
	answers: InstanceAnswer[];
	/** Resolves when it has answered so many. */
	answered(count: number): Promise<void>;
	/** Resolves when it has ended, killed or with its job done; fails where it crashed. */
	ended: Promise<void>;
	/** SIGKILL. */
	kill(): Promise<void>;
}

/** Starts an instance; resolves when it is connected. */
async function startInstance(job: InstanceJob): Promise<Instance> {
	const child = spawn(
		process.execPath,
		["--import", "tsx", "test/store/instance.ts", JSON.stringify(job)],
		{ stdio: ["ignore", "pipe", "pipe"] },
	);
	let complaint = "";
	child.stderr.on("data", (chunk) => {
		complaint += chunk;
	});
	const answers: InstanceAnswer[] = [];
	let waiters: { count: number; resolve: () => void }[] = [];
	let killed = false;
	const ended = (async () => {
		const [code] = await once(child, "close");
		if (!killed && code !== 0) {
			throw new Error(`The instance ended with ${code}: ${complaint}`);
		}
	})();
	const up = new Promise<void>((resolve) => {
		createInterface(child.stdout).on("line", (line) => {
			if (line === "up") {
				resolve();
				return;
			}
			answers.push(JSON.parse(line));
			const count = createdOf(answers).length;
			waiters = waiters.filter((waiter) => {
				if (count >= waiter.count) {
					waiter.resolve();
				}
				return count < waiter.count;
			});
		});
	});
	await Promise.race([up, ended]);
	return {
		answers,
		ended,
		answered: (count) =>
			Promise.race([
				new Promise<void>((resolve) => {
					waiters.push({ count, resolve });
				}),
				ended.then(() => {
					throw new Error(`It ended after ${answers.length} answers.`);
				}),
			]),
		async kill() {
			killed = true;
			child.kill("SIGKILL");
			await ended;
		},
	};
}

function createdOf(answers: readonly InstanceAnswer[]): InstanceAnswer[] {
	return answers.filter(({ outcome }) => outcome !== "unavailable");
}

/** Asserts that each key has one invoice, the same in all answers. */
function assertOnePerKey(answers: readonly InstanceAnswer[]): void {
	const numbers = new Map<string, string>();
	for (const { key, number } of createdOf(answers)) {
		assert.equal(numbers.get(key) ?? number, number, `two numbers for ${key}`);
		numbers.set(key, number);
	}
	assert.equal(
		new Set(numbers.values()).size,
		numbers.size,
		"a number was given to two keys",
	);
}

describe("several instances of the service, each a process", () => {
	let database: StoreDatabase;
	let job: Omit<InstanceJob, "name">;
	beforeEach(async () => {
		database = await openStoreDatabase();
		job = {
			uri: database.serviceUri,
			databaseName: database.admin.databaseName,
			series: ["RE-2026", "GS-2026"],
			creators: 16,
			count: 6,
		};
	});
	afterEach(() => database.drop());

	it("number their invoices 1 … n together", async () => {
		const instances = await Promise.all(
			["essen", "bochum", "dortmund"].map((name) =>
				startInstance({ ...job, name }),
			),
		);
		await Promise.all(instances.map(({ ended }) => ended));
		const answers = instances.flatMap(({ answers }) => answers);
		assert.equal(createdOf(answers).length, 3 * 16 * 6);
		assertOnePerKey(answers);
		const counts = await assertSound(database.collections, createdOf(answers));
		assert.deepEqual(
			[...counts],
			[
				["GS-2026", 144],
				["RE-2026", 144],
			],
		);
	});

	it("make one invoice of each request that reaches several of them", async () => {
		const instances = await Promise.all(
			[1, 2].map(() => startInstance({ ...job, name: "same", count: 5 })),
		);
		await Promise.all(instances.map(({ ended }) => ended));
		const answers = instances.flatMap(({ answers }) => answers);
		assert.equal(answers.length, 2 * 16 * 5);
		assert.equal(
			answers.filter(({ outcome }) => outcome === "created").length,
			16 * 5,
		);
		assertOnePerKey(answers);
		await assertSound(database.collections, answers);
		assert.equal(await database.collections.invoices.countDocuments(), 80);
	});

	it("lose nothing that was answered when one is killed in mid-load; a retry finds what was stored", async () => {
		const killed: Instance[] = [];
		const survivor = await startInstance({
			...job,
			name: "survivor",
			count: 20,
		});
		// Killed at different moments, most likely with a transaction open.
		for (const count of [20, 33]) {
			const victim = await startInstance({
				...job,
				name: "victim",
				count: 9999,
			});
			await victim.answered(count);
			await victim.kill();
			killed.push(victim);
		}
		const successor = await startInstance({ ...job, name: "victim", count: 8 });
		await Promise.all([survivor.ended, successor.ended]);
		const answers = [survivor, successor, ...killed].flatMap(
			({ answers }) => answers,
		);
		assertOnePerKey(answers);
		await assertSound(database.collections, createdOf(answers));
		assert.ok(
			successor.answers.some(({ outcome }) => outcome === "replayed"),
			"the successor met invoices of its predecessors",
		);
	});
});

describe("a database server that is killed in mid-load", () => {
	let mongod: TestMongod;
	let client: MongoClient;
	let collections: Collections;
	const databaseName = "rechnungen";
	before(async () => {
		mongod = await startTestMongod();
		client = new MongoClient(mongod.uri);
		await setUpStore(client, { databaseName, service: SERVICE });
		collections = collectionsOf(client.db(databaseName));
	});
	after(async () => {
		await client.close();
		await mongod.remove();
	});

	it("comes back with every answered invoice, once and whole, and the instances go on", async () => {
		const job = {
			uri: serviceUriOf(mongod.uri, databaseName),
			databaseName,
			series: ["RE-2026", "GS-2026"],
			creators: 16,
			count: 24,
		};
		const instances = await Promise.all(
			["essen", "bochum"].map((name) => startInstance({ ...job, name })),
		);
		for (const count of [80, 200]) {
			await Promise.all(instances.map(({ answered }) => answered(count)));
			await mongod.kill();
			mongod = await mongod.restart();
			// What was answered before the kill is there, whatever is being stored meanwhile.
			for (const { number, digest } of createdOf(
				instances.flatMap(({ answers }) => answers),
			)) {
				const entry = await collections.invoiceNumbers.findOne({ number });
				assert.equal(entry?.digest, digest, number);
			}
		}
		await Promise.all(instances.map(({ ended }) => ended));
		const answers = instances.flatMap(({ answers }) => answers);
		assert.equal(new Set(createdOf(answers).map(({ key }) => key)).size, 768);
		assertOnePerKey(answers);
		await assertSound(collections, createdOf(answers));
		assert.equal(await collections.invoices.countDocuments(), 768);
	});
});
