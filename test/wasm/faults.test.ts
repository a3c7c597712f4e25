import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import {
	type Collections,
	collectionsOf,
} from "../../src/store/collections.ts";
import { setUpStore } from "../../src/store/setup.ts";
import { goldenDrafts } from "../golden.ts";
import { type ServiceProcess, startProcess } from "../http/process.ts";
import { startTestMongod, type TestMongod } from "../mongod.ts";
import {
	openStoreDatabase,
	SERVICE,
	type StoreDatabase,
	serviceUriOf,
} from "../store/database.ts";
import {
	type Answered,
	assertEachStoredOnce,
	startCreating,
} from "./creating-load.ts";
import { childrenOf, eventually, ofProcess } from "./processes.ts";
import { type ReplicaSet, startReplicaSet } from "./replica-set.ts";

const DRAFT = goldenDrafts().find(({ name }) => name === "car-sharing-380")
	?.draft as object;

/** Invoices that are answered before a fault, and again after it. */
const SOME = 200;

const DATABASE = "faults";

/** What makes a driver see sooner that a server hangs, in the time that a test has. */
const IMPATIENT = "&heartbeatFrequencyMS=500";

/** The processes below the launcher that run the module. */
async function workersOf({ child }: ServiceProcess): Promise<number[]> {
	const launchers = await childrenOf(child.pid ?? 0);
	const below = (await Promise.all(launchers.map(childrenOf))).flat();
	const lines = await Promise.all(
		below.map((process) => ofProcess(process, "cmdline")),
	);
	return below.filter((_, at) => lines[at]?.includes("ENVIRONMENT_FILE="));
}

/** Two workers other than those, as soon as they are there. */
const twoWorkers = (service: ServiceProcess, gone: readonly number[] = []) =>
	eventually("two workers", async () => {
		const found = await workersOf(service);
		return found.length === 2 && !found.some((each) => gone.includes(each))
			? found
			: undefined;
	});

async function readiness({ url }: ServiceProcess): Promise<number> {
	const answer = await fetch(`${url}/health/ready`);
	await answer.arrayBuffer();
	return answer.status;
}

const becomes = (service: ServiceProcess, status: 200 | 503) =>
	eventually(`readiness ${status}`, async () =>
		(await readiness(service)) === status ? true : undefined,
	);

describe("the service inside WasmEdge loses and doubles nothing", () => {
	describe("when a worker is killed", () => {
		let database: StoreDatabase;
		let service: ServiceProcess;
		/** What stays stored through all of it. */
		const answered: Answered[] = [];
		before(async () => {
			database = await openStoreDatabase();
			service = await startProcess(
				{
					MONGODB_URI: database.serviceUri,
					MONGODB_DATABASE: database.admin.databaseName,
					WORKERS: "2",
				},
				"wasmedge",
			);
		});
		after(async () => {
			assert.equal(await service.end(), 0);
			await database.drop();
		});

		it("in the middle of its work: another takes its place", async () => {
			const workers = await twoWorkers(service);
			const load = startCreating(service.url, DRAFT, "worker");
			await load.more(SOME);
			const killed = workers[0] as number;
			process.kill(killed, "SIGKILL");
			await twoWorkers(service, [killed]);
			await load.more(SOME);
			answered.push(...(await load.end()));
			assert.ok(load.failures() > 0, "the fault was felt");
			await assertEachStoredOnce(database.collections, answered);
		});

		it("when invoices are stored and not answered yet: they are answered by its successor", async () => {
			const workers = await twoWorkers(service);
			const signal = (name: NodeJS.Signals) => {
				for (const worker of workers) {
					process.kill(worker, name);
				}
			};
			const load = startCreating(service.url, DRAFT, "stored");
			await load.more(SOME);
			await eventually(
				"an invoice that is stored and not answered",
				async () => {
					signal("SIGSTOP");
					const unanswered = async () =>
						(await database.collections.invoices.countDocuments()) -
						answered.length -
						load.count();
					await unanswered(); // answers that are on their way arrive
					if ((await unanswered()) > 0) return true;
					signal("SIGCONT");
					await load.more(1);
					return undefined;
				},
			);
			signal("SIGKILL");
			await twoWorkers(service, workers);
			await load.more(SOME);
			answered.push(...(await load.end()));
			await assertEachStoredOnce(database.collections, answered);
		});
	});

	describe("when the database", () => {
		let mongod: TestMongod;
		let client: MongoClient;
		let collections: Collections;
		let service: ServiceProcess;
		/** What stays stored through all faults. */
		const answered: Answered[] = [];
		before(async () => {
			mongod = await startTestMongod();
			client = await MongoClient.connect(mongod.uri);
			await setUpStore(client, { databaseName: DATABASE, service: SERVICE });
			collections = collectionsOf(client.db(DATABASE));
			service = await startProcess(
				{
					MONGODB_URI: `${serviceUriOf(mongod.uri, DATABASE)}${IMPATIENT}`,
					MONGODB_DATABASE: DATABASE,
				},
				"wasmedge",
			);
		});
		after(async () => {
			assert.equal(await service.end(), 0);
			await client.close();
			await mongod.remove();
		});

		it("is killed and started again", async () => {
			const load = startCreating(service.url, DRAFT, "killed");
			await load.more(SOME);
			await mongod.kill();
			await becomes(service, 503);
			mongod = await mongod.restart();
			await becomes(service, 200);
			await load.more(SOME);
			answered.push(...(await load.end()));
			await assertEachStoredOnce(collections, answered);
		});

		it("stands still for a while", async () => {
			const load = startCreating(service.url, DRAFT, "stopped");
			await load.more(SOME);
			process.kill(mongod.pid, "SIGSTOP");
			try {
				await becomes(service, 503);
			} finally {
				process.kill(mongod.pid, "SIGCONT");
			}
			await becomes(service, 200);
			await load.more(SOME);
			answered.push(...(await load.end()));
			await assertEachStoredOnce(collections, answered);
		});
	});

	describe("when the primary of three members", () => {
		let set: ReplicaSet;
		let client: MongoClient;
		let service: ServiceProcess;
		/** What stays stored through all elections. */
		const answered: Answered[] = [];
		before(async () => {
			set = await startReplicaSet();
			client = await MongoClient.connect(set.uri);
			await setUpStore(client, { databaseName: DATABASE, service: SERVICE });
			service = await startProcess(
				{
					MONGODB_URI: `${serviceUriOf(set.uri, DATABASE)}${IMPATIENT}`,
					MONGODB_DATABASE: DATABASE,
				},
				"wasmedge",
			);
		});
		after(async () => {
			assert.equal(await service.end(), 0);
			await client.close();
			await set.remove();
		});

		for (const [name, what, end] of [
			["stepped-down", "steps down", () => set.stepDownPrimary()],
			["dead", "is killed", () => set.killPrimary()],
		] as const) {
			it(`${what}: writes go on at the next one`, async () => {
				const load = startCreating(service.url, DRAFT, name);
				await load.more(SOME);
				await end();
				await becomes(service, 200);
				await load.more(SOME);
				answered.push(...(await load.end()));
				await assertEachStoredOnce(
					collectionsOf(client.db(DATABASE)),
					answered,
				);
			});
		}
	});
});
