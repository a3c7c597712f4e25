import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient, MongoServerError } from "mongodb";
import { findMongodBinary } from "../../src/node/mongod-binary.ts";
import { COLLECTIONS, shardCommand } from "../../src/store/collections.ts";
import { CLIENT_OPTIONS, openStore } from "../../src/store/connect.ts";
import {
	refuseOtherShardKey,
	SetUpRefused,
	setUpStore,
} from "../../src/store/setup.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import { openTestDatabase, type TestDatabase } from "../mongod.ts";
import {
	openStoreDatabase,
	SERVICE,
	type StoreDatabase,
	serviceUriOf,
} from "./database.ts";
import { checkedDraft } from "./drafts.ts";

// Codes of MongoDB's error_codes.yml.
const UNAUTHORIZED = 13;
const DOCUMENT_VALIDATION_FAILURE = 121;

function hasCode(code: number) {
	return (error: unknown) =>
		error instanceof MongoServerError && error.code === code;
}

describe("set-up", () => {
	let admin: TestDatabase;
	beforeEach(async () => {
		admin = await openTestDatabase();
	});
	afterEach(() => admin.drop());

	const run = () =>
		setUpStore(admin.client, {
			databaseName: admin.databaseName,
			service: SERVICE,
		});
	const database = () => admin.client.db(admin.databaseName);

	it("makes what the table of collections says, and says so", async () => {
		const said = await run();
		for (const { name, indexes, validator } of COLLECTIONS) {
			assert.ok(
				said.includes(`Created the collection ${name} with its validator.`),
				said.join("\n"),
			);
			const [collection] = await database().listCollections({ name }).toArray();
			const options: Document = (collection as Document).options;
			assert.deepEqual(options.validator, validator);
			assert.equal(options.validationAction, "error");
			const found = await database().collection(name).indexes();
			assert.deepEqual(
				found.map(({ name, key, unique }) => ({ name, key, unique })),
				[
					{ name: "_id_", key: { _id: 1 }, unique: undefined },
					...indexes.map(({ name, key, unique }) => ({ name, key, unique })),
				],
			);
		}
		assert.match(said.join("\n"), /Created the role .*find and insert/);
		assert.match(said.join("\n"), /Created the user service/);
	});

	it("changes nothing when it is run again, nor when it runs twice at once", async () => {
		await Promise.all([run(), run()]);
		const again = await run();
		for (const sentence of again) {
			assert.match(sentence, / (is|are) there/);
		}
	});

	it("brings back a validator and a role that were changed", async () => {
		await run();
		const [{ name, validator }] = COLLECTIONS as unknown as [
			(typeof COLLECTIONS)[number],
		];
		await database().command({ collMod: name, validator: {} });
		await database().command({
			grantPrivilegesToRole: "invoiceService",
			privileges: [
				{
					resource: { db: admin.databaseName, collection: name },
					actions: ["update"],
				},
			],
		});
		const said = (await run()).join("\n");
		assert.match(said, /gave it the validator of this version/);
		assert.match(said, /was there with other rights/);
		const [collection] = await database().listCollections({ name }).toArray();
		assert.deepEqual((collection as Document).options.validator, validator);
		assert.match((await run()).join("\n"), /The role invoiceService is there/);
	});

	it("refuses an index that is not the table's, and names it", async () => {
		await database()
			.collection("invoiceNumbers")
			.createIndex({ series: 1, sequence: 1 }, { name: "series_sequence" });
		await assert.rejects(
			run(),
			(error) =>
				error instanceof SetUpRefused &&
				/invoiceNumbers has another index where series_sequence/.test(
					error.message,
				),
		);
	});

	it("refuses data in which a number is there twice", async () => {
		const numbers = database().collection("invoiceNumbers");
		await numbers.insertMany([
			{ series: "RE-2026", sequence: 1 },
			{ series: "RE-2026", sequence: 1 },
		]);
		await assert.rejects(
			run(),
			(error) =>
				error instanceof SetUpRefused &&
				/same series, sequence/.test(error.message),
		);
	});

	it("refuses a standalone server with a sentence that says what to do", async () => {
		const binary = await findMongodBinary(() => {});
		const data = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-alone-"));
		const socket = join(data, "mongod.sock");
		const process = spawn(
			binary.path,
			[
				...["--dbpath", data, "--bind_ip", socket, "--port", "27017"],
				...["--wiredTigerCacheSizeGB", "0.25", "--quiet"],
			],
			{ stdio: "ignore" },
		);
		const exit = once(process, "exit");
		const client = new MongoClient(
			`mongodb://${encodeURIComponent(socket)}/?directConnection=true`,
		);
		try {
			await assert.rejects(
				setUpStore(client, { databaseName: "rechnungen" }),
				(error) =>
					error instanceof SetUpRefused &&
					/standalone.*--replSet/.test(error.message),
			);
		} finally {
			await client.close();
			process.kill("SIGKILL");
			await exit;
			await rm(data, { recursive: true });
		}
	});

	it("shards by the table's keys, and refuses a collection that is sharded otherwise, naming both", () => {
		assert.deepEqual(
			COLLECTIONS.map((definition) => shardCommand("rechnungen", definition)),
			[
				{
					shardCollection: "rechnungen.invoices",
					key: { loginName: "hashed" },
					unique: false,
				},
				{
					shardCollection: "rechnungen.invoiceNumbers",
					key: { series: 1, sequence: 1 },
					unique: true,
				},
				{
					shardCollection: "rechnungen.idempotencyKeys",
					key: { _id: "hashed" },
					unique: false,
				},
			],
		);
		const [invoices, numbers] = COLLECTIONS;
		assert.ok(invoices && numbers);
		assert.throws(
			() => refuseOtherShardKey(invoices, { key: { _id: "hashed" } }),
			(error) =>
				error instanceof SetUpRefused &&
				error.message.includes('{"_id":"hashed"}') &&
				error.message.includes('{"loginName":"hashed"}'),
		);
		assert.throws(() =>
			refuseOtherShardKey(numbers, { key: numbers.shardKey, unique: false }),
		);
		refuseOtherShardKey(numbers, { key: numbers.shardKey, unique: true });
	});

	it("is what the store's README says", () => {
		// Without the padding of its tables.
		const readme = readFileSync("src/store/README.md", "utf8").replace(
			/ +/g,
			" ",
		);
		for (const definition of COLLECTIONS) {
			const { name, documentPer, shardKey, shardKeyUnique } = definition;
			const row = `| \`${name}\` | ${documentPer} | \`${JSON.stringify(shardKey)}\`${shardKeyUnique ? ", unique" : ""} |`;
			assert.ok(readme.includes(row), row);
			for (const { name: index, key, unique, serves } of definition.indexes) {
				const row = `| \`${name}\` | \`${index}\` | \`${JSON.stringify(key)}\`${unique ? ", unique" : ""} | ${serves} |`;
				assert.ok(readme.includes(row), row);
			}
		}
	});

	describe("that has not been run", () => {
		it("keeps the store from taking invoices, and tells what is missing", async () => {
			const store = openStore(admin.client, admin.databaseName, {
				limits: { appendMsMax: 200 },
			});
			const says = (pattern: RegExp) => (error: unknown) =>
				error instanceof StoreUnavailable && pattern.test(error.message);
			await assert.rejects(store.ready(), says(/has no invoices.*set-up/));
			const checked = checkedDraft(0);
			await assert.rejects(store.append({ checked }), StoreUnavailable);
			await run();
			await database().collection("invoiceNumbers").dropIndexes();
			await assert.rejects(
				store.ready(),
				says(/lacks the index series_sequence/),
			);
			await assert.rejects(store.append({ checked }), StoreUnavailable);
			await run();
			await store.ready();
			assert.equal((await store.append({ checked })).outcome, "created");
			await store.close();
		});

		it("gives a sentence for a wrong password", async () => {
			await run();
			const uri = serviceUriOf(admin.uri, admin.databaseName).replace(
				SERVICE.password,
				"falsch",
			);
			const client = new MongoClient(uri, CLIENT_OPTIONS);
			const store = openStore(client, admin.databaseName);
			await assert.rejects(
				store.ready(),
				(error) =>
					error instanceof StoreUnavailable &&
					/user or password/.test(error.message),
			);
			await client.close();
		});
	});
});

describe("the service's user", () => {
	let database: StoreDatabase;
	before(async () => {
		database = await openStoreDatabase();
		await database.store.append({ checked: checkedDraft(0) });
	});
	after(() => database.drop());

	for (const { name } of COLLECTIONS) {
		it(`is refused by the server whatever changes ${name}`, async () => {
			const { serviceClient, admin } = database;
			const service = serviceClient.db(admin.databaseName);
			const collection = service.collection(name);
			const attempts: Record<string, () => Promise<unknown>> = {
				updateOne: () => collection.updateOne({}, { $set: { number: "X" } }),
				upsert: () =>
					collection.updateOne({ a: 1 }, { $set: { b: 1 } }, { upsert: true }),
				replaceOne: () => collection.replaceOne({}, {}),
				deleteOne: () => collection.deleteOne({}),
				deleteMany: () => collection.deleteMany({}),
				findOneAndUpdate: () =>
					collection.findOneAndUpdate({}, { $set: { number: "X" } }),
				findOneAndDelete: () => collection.findOneAndDelete({}),
				drop: () => service.command({ drop: name }),
				rename: () => collection.rename("other"),
				collMod: () =>
					service.command({ collMod: name, validationLevel: "off" }),
				createIndex: () => collection.createIndex({ number: 1 }),
				dropIndexes: () => service.command({ dropIndexes: name, index: "*" }),
				out: () => collection.aggregate([{ $out: name }]).toArray(),
				merge: () =>
					collection.aggregate([{ $merge: { into: name } }]).toArray(),
				bypass: () =>
					collection.insertOne(
						{ malformed: true },
						{ bypassDocumentValidation: true },
					),
				dropDatabase: () => service.dropDatabase(),
				createUser: () =>
					service.command({ createUser: "x", pwd: "x", roles: [] }),
				grant: () =>
					service.command({
						grantRolesToUser: SERVICE.user,
						roles: ["dbOwner"],
					}),
			};
			const before = await database.collections.database
				.collection(name)
				.find()
				.toArray();
			for (const [action, attempt] of Object.entries(attempts)) {
				await assert.rejects(attempt, hasCode(UNAUTHORIZED), action);
			}
			assert.deepEqual(
				await database.collections.database.collection(name).find().toArray(),
				before,
			);
		});
	}

	it("may do what the store needs", async () => {
		const { store } = database;
		await store.ready();
		assert.equal(
			(await store.append({ checked: checkedDraft(1) })).outcome,
			"created",
		);
	});
});

describe("the validators", () => {
	let database: StoreDatabase;
	before(async () => {
		database = await openStoreDatabase();
		await database.store.append({
			checked: checkedDraft(0, { series: "RE-2026" }),
			idempotency: { key: "k", requestDigest: "0".repeat(64) },
		});
	});
	after(() => database.drop());

	const malformed: Record<string, Record<string, Document>> = {
		invoices: {
			"without bytes": { canonical: undefined },
			"with bytes that are text": { canonical: "{}" },
			"with a digest that is none": { digest: "abc" },
			"with a sequence of 0": { sequence: 0 },
			"with half a sequence": { sequence: 1.5 },
			"with a field that we do not know": { paid: true },
			"with a date instead of a day": { issueDate: new Date() },
			"whose number is not the snapshot's": {
				_id: "RE-2026-000003",
				number: "RE-2026-000003",
			},
			"whose customer is not the snapshot's": { loginName: "eva" },
			"without a snapshot": { invoice: {} },
		},
		invoiceNumbers: {
			"without a chain": { chain: undefined },
			"with a number that is none": { number: "4711" },
			"with a series in small letters": { series: "re" },
			"with a field that we do not know": { note: "" },
			"with a sequence as text": { sequence: "2" },
		},
		idempotencyKeys: {
			"without a number": { number: undefined },
			"with a field that we do not know": { at: new Date() },
			"with a key of a megabyte": { _id: "k".repeat(1 << 20) },
		},
	};
	for (const [name, cases] of Object.entries(malformed)) {
		for (const [what, change] of Object.entries(cases)) {
			it(`refuse a document of ${name} ${what}`, async () => {
				const collection = database.collections.database.collection<Document>(
					name,
					{ ignoreUndefined: true },
				);
				const good = await collection.findOne();
				assert.ok(good);
				await assert.rejects(
					collection.insertOne({ ...good, ...change }),
					hasCode(DOCUMENT_VALIDATION_FAILURE),
				);
			});
		}
	}
});
