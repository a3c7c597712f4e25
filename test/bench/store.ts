/** The store and the service against the plain limits of the same MongoDB server and of node:http. */
import { type ChildProcess, spawn } from "node:child_process";
import type { MongoClient } from "mongodb";
import { checkDraft } from "../../src/invoice/check.ts";
import { CONTEXT } from "../golden.ts";
import { startTestMongod } from "../mongod.ts";
import { openStoreDatabase } from "../store/database.ts";
import { benchDraft } from "./invoices.ts";
import { contest, fire, rate, startProgram } from "./load.ts";
import { row } from "./measure.ts";

const CLIENTS = 64;
const READERS = 16;
const LINES = 10;
const DIFFERENT = 200;
const READ_DIFFERENT = 500;

const DURABLE = { w: "majority", journal: true } as const;

/** What anybody would write first: a counter, and one transaction an invoice. */
function counterTransaction(client: MongoClient, document: object) {
	const database = client.db("bench");
	const counters = database.collection<{ _id: string; value: number }>(
		"counters",
	);
	const invoices = database.collection("counted");
	return async () => {
		const session = client.startSession();
		try {
			await session.withTransaction(
				async () => {
					const counter = await counters.findOneAndUpdate(
						{ _id: "RE-2026" },
						{ $inc: { value: 1 } },
						{ upsert: true, returnDocument: "after", session },
					);
					await invoices.insertOne(
						{ ...document, sequence: counter?.value },
						{ session },
					);
				},
				{ writeConcern: DURABLE },
			);
		} finally {
			await session.endSession();
		}
	};
}

/** A bare node:http server in a process of its own that answers the same bytes. */
async function startBareServer(
	body: string,
): Promise<{ url: string; child: ChildProcess }> {
	const script = `require("node:http").createServer((request, response) => {
		response.writeHead(200, { "Content-Type": "application/json", "Content-Length": ${Buffer.byteLength(body)} });
		response.end(body);
	}).listen(0, "127.0.0.1", function () { console.log("http://127.0.0.1:" + this.address().port); });
	const body = ${JSON.stringify(body)};`;
	const child = spawn(process.execPath, ["-e", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const url = await new Promise<string>((resolve) => {
		child.stdout?.once("data", (chunk: Buffer) =>
			resolve(chunk.toString().trim()),
		);
	});
	return { url, child };
}

const mongod = await startTestMongod();
process.env.TEST_MONGODB_URI = mongod.uri;
const children: ChildProcess[] = [];
for (const signal of ["SIGINT", "SIGTERM"] as const) {
	process.once(signal, () => process.exit(1));
}
process.on("exit", endChildren);

function endChildren(): void {
	for (const child of children) {
		child.kill("SIGTERM");
	}
}

try {
	const database = await openStoreDatabase();
	const { store, collections, admin } = database;
	const drafts = Array.from({ length: DIFFERENT }, (_, seed) =>
		checkDraft(benchDraft(LINES, seed), CONTEXT),
	);
	const checked = drafts.flatMap((result) =>
		result.ok ? [result.checked] : [],
	);
	const pick = (turn: number) => {
		const draft = checked[turn % checked.length];
		if (draft === undefined) throw new RangeError("There is no draft.");
		return { checked: draft };
	};
	const first = await store.append(pick(0));
	if (first.outcome !== "created")
		throw new Error("The first invoice was not created.");
	const { number } = first.invoice;
	const stored = await collections.invoices.findOne({ number });
	const { _id, ...document } = stored ?? { _id: "" };
	const plain = admin.client
		.db("bench")
		.collection("plain", { writeConcern: DURABLE });
	// As findable as ours: by customer and by date.
	await plain.createIndex({ loginName: 1, issuedAt: -1, number: -1 });
	await plain.createIndex({ issueDate: 1, series: 1, sequence: 1 });
	const append = (turn: number) => store.append(pick(turn));

	const creates = await contest({
		ours: () => rate(CLIENTS, append),
		insertOne: () => rate(CLIENTS, () => plain.insertOne({ ...document })),
	});
	row(
		`creates/s, store, ${CLIENTS} clients`,
		creates.ours.perSecond.toFixed(0),
		`insertOne majority ${creates.insertOne.perSecond.toFixed(0)}`,
		creates.ours.perSecond / creates.insertOne.perSecond,
		{ least: 2 },
	);

	const service = await startProgram([process.execPath, "dist/main.js"], {
		MONGODB_URI: database.serviceUri,
		MONGODB_DATABASE: admin.databaseName,
	});
	children.push(service.child);
	const body = JSON.stringify(benchDraft(LINES, 1));
	const counted = counterTransaction(admin.client, document);
	const overHttp = await contest({
		ours: () =>
			fire({
				url: `${service.url}/invoices`,
				connections: CLIENTS,
				method: "POST",
				headers: { "content-type": "application/json" },
				body,
			}),
		counter: () => rate(CLIENTS, counted),
	});
	row(
		`creates/s, HTTP, all checks, ${CLIENTS} clients`,
		overHttp.ours.perSecond.toFixed(0),
		`a counter transaction each ${overHttp.counter.perSecond.toFixed(0)}`,
		overHttp.ours.perSecond / overHttp.counter.perSecond,
		{ least: 10 },
	);
	row(
		"  its p99",
		`${overHttp.ours.p99.toFixed(0)} ms`,
		"target 50 ms",
		overHttp.ours.p99 / 50,
		{ most: 1 },
	);

	const address = `${service.url}/invoices/${number}.json`;
	const response = await fetch(address);
	const etag = response.headers.get("etag") ?? "";
	const bare = await startBareServer(await response.text());
	children.push(bare.child);
	const numbers = await collections.invoices
		.find({}, { projection: { number: 1 } })
		.limit(READ_DIFFERENT)
		.toArray();
	const requests = numbers.map(({ number }) => ({
		path: `/invoices/${number}.json`,
	}));
	let reading = 0;
	const reads = await contest({
		ours: () => fire({ url: service.url, connections: READERS, requests }),
		notModified: () =>
			fire({
				url: address,
				connections: READERS,
				headers: { "if-none-match": etag },
			}),
		findOne: () =>
			rate(READERS, () => {
				reading += 1;
				return collections.invoices.findOne({
					_id: numbers[reading % numbers.length]?._id,
				});
			}),
		bare: () => fire({ url: bare.url, connections: READERS }),
	});
	row(
		`JSON reads/s, HTTP, ${READERS} clients`,
		reads.ours.perSecond.toFixed(0),
		`findOne, raw driver ${reads.findOne.perSecond.toFixed(0)}`,
		reads.ours.perSecond / reads.findOne.perSecond,
		{ least: 0.7 },
	);
	row(
		"  against HTTP alone",
		reads.ours.perSecond.toFixed(0),
		`bare node:http ${reads.bare.perSecond.toFixed(0)}`,
		reads.ours.perSecond / reads.bare.perSecond,
	);
	row(
		"304/s, HTTP",
		reads.notModified.perSecond.toFixed(0),
		`our 200 ${reads.ours.perSecond.toFixed(0)}`,
		reads.notModified.perSecond / reads.ours.perSecond,
	);
	await database.drop();
} finally {
	endChildren();
	await mongod.remove();
}
