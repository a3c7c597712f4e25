/** The store inside the engine, by the MongoDB driver, against a real server: as on Node, faults included. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { saslprep as nodesSaslprep } from "@mongodb-js/saslprep";
import { MongoClient } from "mongodb";
import { collectionsOf } from "../../src/store/collections.ts";
import { setUpStore } from "../../src/store/setup.ts";
import { startTestMongod, type TestMongod } from "../mongod.ts";
import { SERVICE, serviceUriOf } from "../store/database.ts";
import { seededRandom, startFaultyNetwork } from "../store/faulty-network.ts";
import { assertSound } from "../store/sound.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import { PASSWORDS } from "./passwords.ts";
import type { StoreJob, StoreLine } from "./store-guest.ts";

/** A machine that has no engine yet builds it; a busy one takes long. */
const BUILD_MS_MAX = 600_000;

/** Set DRIVER_SEED to repeat a schedule of faults. */
const SEED = Number(
	process.env.DRIVER_SEED ?? Math.floor(Math.random() * 2 ** 31),
);

const RATES = {
	lost: 0.01,
	unanswered: 0.02,
	late: 0.01,
	delayed: 0.02,
	parted: 0.01,
};

type Answer = StoreLine & { event: "answer" };

interface Guest {
	lines: StoreLine[];
	/** Resolves with the n-th answer that created something. */
	whenCreated(count: number): Promise<void>;
	ended: Promise<void>;
}

async function startGuest(job: StoreJob): Promise<Guest> {
	const { run } = await testEngine();
	const child = run(await bundleGuest("test/wasm/store-guest.ts"), {
		env: { JOB: JSON.stringify(job) },
		stdio: ["ignore", "pipe", "inherit"],
	});
	const lines: StoreLine[] = [];
	let created = 0;
	const waiting: { count: number; resolve: () => void }[] = [];
	createInterface({ input: child.stdout as NodeJS.ReadableStream }).on(
		"line",
		(text) => {
			const line = JSON.parse(text) as StoreLine;
			lines.push(line);
			if (line.event === "answer" && line.outcome === "created") {
				created += 1;
				for (const each of waiting) {
					if (created >= each.count) {
						each.resolve();
					}
				}
			}
		},
	);
	return {
		lines,
		whenCreated: (count) =>
			new Promise((resolve) => {
				waiting.push({ count, resolve });
			}),
		ended: once(child, "close").then(([status]) => {
			assert.equal(status, 0);
		}),
	};
}

function linesOf<Event extends StoreLine["event"]>(
	guest: Guest,
	event: Event,
): (StoreLine & { event: Event })[] {
	return guest.lines.filter(
		(line): line is StoreLine & { event: Event } => line.event === event,
	);
}

describe(`the store inside the engine (DRIVER_SEED=${SEED})`, () => {
	let mongod: TestMongod;
	let admin: MongoClient;
	let databases = 0;

	before(async function () {
		this.timeout(BUILD_MS_MAX);
		await testEngine();
		mongod = await startTestMongod();
		admin = await MongoClient.connect(mongod.uri);
	});

	after(async () => {
		await admin?.close();
		await mongod?.remove();
	});

	/** A database that is set up, and a job for it. */
	async function newJob(changes: Partial<StoreJob> = {}): Promise<StoreJob> {
		databases += 1;
		const databaseName = `driver_${databases}`;
		await setUpStore(admin, { databaseName, service: SERVICE });
		return {
			uri: serviceUriOf(mongod.uri, databaseName),
			databaseName,
			name: "key",
			series: ["RE-2026", "GS-2026"],
			creators: 8,
			count: 5,
			...changes,
		};
	}

	async function assertAllSound(
		{ databaseName }: StoreJob,
		answers: readonly Answer[],
		invoices: number,
	): Promise<void> {
		const counts = await assertSound(
			collectionsOf(admin.db(databaseName)),
			answers.filter(({ outcome }) => outcome !== "unavailable"),
		);
		assert.equal(
			[...counts.values()].reduce((sum, count) => sum + count, 0),
			invoices,
		);
	}

	it("appends by group commit, reads by number, customer and date, and passes the audit", async () => {
		const job = await newJob();
		const guest = await startGuest(job);
		await guest.ended;
		const answers = linesOf(guest, "answer");
		assert.deepEqual(
			new Set(answers.map(({ outcome }) => outcome)),
			new Set(["created"]),
		);
		await assertAllSound(job, answers, 40);
		assert.deepEqual(linesOf(guest, "read"), [
			{ event: "read", byNumber: 40, byCustomer: 40, byDate: 40, findings: [] },
		]);
	});

	it("races with another process for keys and numbers: both get the same, and their random parts differ", async () => {
		const job = await newJob();
		const guests = await Promise.all([startGuest(job), startGuest(job)]);
		await Promise.all(guests.map(({ ended }) => ended));
		await assertAllSound(
			job,
			guests.flatMap((guest) => linesOf(guest, "answer")),
			40,
		);
		const [one, other] = guests.map((guest) => linesOf(guest, "up")[0]);
		assert.notEqual(one?.randomNumber, other?.randomNumber);
		// Bytes 5 to 9 are the process's own (the specification of ObjectId).
		assert.notEqual(one?.objectId.slice(8, 18), other?.objectId.slice(8, 18));
	});

	for (const kind of ["killed", "asked to step down"] as const) {
		it(`goes on when the server is ${kind} in the middle`, async () => {
			const job = await newJob({ creators: 6, count: 12 });
			const guest = await startGuest(job);
			await guest.whenCreated(12);
			if (kind === "killed") {
				await mongod.kill();
				mongod = await mongod.restart();
			} else {
				await admin
					.db("admin")
					.command({ replSetStepDown: 1, force: true })
					.catch(() => undefined); // the connection may be cut by it
			}
			await guest.ended;
			await assertAllSound(job, linesOf(guest, "answer"), 72);
			assert.deepEqual(linesOf(guest, "read")[0]?.findings, []);
		});
	}

	it("keeps its promises over a network that loses, delays and cuts", async () => {
		const network = await startFaultyNetwork(
			mongod.port,
			RATES,
			seededRandom(SEED),
		);
		try {
			const job = await newJob({ creators: 6, count: 6 });
			const guest = await startGuest({
				...job,
				uri: job.uri.replace(`:${mongod.port}/`, `:${network.port}/`),
				clientOptions: {
					directConnection: true,
					serverSelectionTimeoutMS: 300,
					minHeartbeatFrequencyMS: 50,
				},
				appendMsMax: 800,
			});
			await guest.whenCreated(30);
			network.calm();
			await guest.ended;
			await assertAllSound(job, linesOf(guest, "answer"), 36);
			assert.ok(
				Object.values(network.faults).reduce((sum, count) => sum + count) > 0,
				"the network was faulty",
			);
		} finally {
			await network.close();
		}
	});

	it("finds the primary among several hosts, one of which is not there, by name and by address", async () => {
		const job = await newJob({ creators: 1, count: 1 });
		for (const hosts of [
			`127.0.0.1:1,127.0.0.1:${mongod.port}`,
			`localhost:1,localhost:${mongod.port}`,
		]) {
			const guest = await startGuest({
				...job,
				name: hosts,
				uri: job.uri.replace(`127.0.0.1:${mongod.port}`, hosts),
			});
			await guest.ended;
			assert.equal(linesOf(guest, "answer").length, 1, hosts);
		}
	});

	it("compresses what it sends, where it is asked to", async () => {
		const job = await newJob({
			creators: 2,
			count: 2,
			clientOptions: { compressors: ["zlib"] },
		});
		const before = await receivedCompressed();
		const guest = await startGuest(job);
		await guest.ended;
		await assertAllSound(job, linesOf(guest, "answer"), 4);
		assert.ok(
			(await receivedCompressed()) > before,
			"the server unpacked some",
		);
	});

	async function receivedCompressed(): Promise<number> {
		const { network } = await admin.db("admin").command({ serverStatus: 1 });
		return Number(network.compression.zlib.decompressor.bytesIn);
	}

	const refusals: {
		name: string;
		change: (uri: string) => string;
		says: RegExp;
	}[] = [
		{
			name: "a wrong password",
			change: (uri) => uri.replace(SERVICE.password, "wrong"),
			says: /Authentication failed/,
		},
		{
			name: "a password that SASLprep prohibits",
			change: (uri) => uri.replace(SERVICE.password, "%C2%80wrong"),
			says: /Prohibited character/,
		},
		{
			name: "a server that is not there",
			change: (uri) => uri.replace(/@[^/]+\//, "@127.0.0.1:1/"),
			says: /ECONNREFUSED.*127\.0\.0\.1/,
		},
		{
			name: "a name that nobody knows",
			change: (uri) => uri.replace(/@[^/]+\//, "@no-such-host.invalid:27017/"),
			says: /ENOTFOUND no-such-host\.invalid/,
		},
		{
			name: "a seed list of DNS",
			change: () => "mongodb+srv://cluster.example.com/",
			says: /mongodb:\/\/host1,host2/,
		},
	];
	for (const { name, change, says } of refusals) {
		it(`says what is wrong about ${name}, and ends`, async () => {
			const job = await newJob({
				clientOptions: { serverSelectionTimeoutMS: 500 },
			});
			const guest = await startGuest({ ...job, uri: change(job.uri) });
			await guest.ended;
			const [refused] = linesOf(guest, "refused");
			assert.match(refused?.message ?? "", says);
		});
	}

	it("prepares passwords as the driver's own library does", async () => {
		const job = await newJob({ creators: 0, count: 0, passwords: PASSWORDS });
		const guest = await startGuest(job);
		await guest.ended;
		assert.deepEqual(
			linesOf(guest, "passwords")[0]?.prepared,
			PASSWORDS.map((password) => {
				try {
					return nodesSaslprep(password);
				} catch (error) {
					return String(error);
				}
			}),
		);
	});
});
