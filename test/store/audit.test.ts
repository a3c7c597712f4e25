import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Binary, type Document, ObjectId } from "mongodb";
import {
	CHAIN_START,
	canonicalBytes,
	chainLink,
	sha256Hex,
} from "../../src/invoice/digest.ts";
import {
	auditSeries,
	type Checkpoint,
	type Finding,
	listSeries,
	parseCheckpoint,
	takeCheckpoint,
} from "../../src/store/audit.ts";
import {
	type Collections,
	collectionsOf,
} from "../../src/store/collections.ts";
import { openStoreDatabase, type StoreDatabase } from "./database.ts";
import { checkedDraft, requestDigest } from "./drafts.ts";
import { faultsOf } from "./sound.ts";

const SERIES = "RE-2026";
const COUNT = 12;

/** What an administrator can reach without the validators' leave. */
const BYPASS = { bypassDocumentValidation: true };

describe("the audit", () => {
	let database: StoreDatabase;
	let collections: Collections;
	let documents: Document[];
	let entries: Document[];
	let checkpoint: Checkpoint;

	before(async () => {
		database = await openStoreDatabase();
		({ collections } = database);
		for (let index = 0; index < COUNT; index += 1) {
			await database.store.append({
				checked: checkedDraft(index, {
					series: SERIES,
					loginName: `kunde-${index % 3}`,
				}),
				idempotency: { key: `${index}`, requestDigest: requestDigest("") },
			});
		}
		await database.store.append({
			checked: checkedDraft(0, { series: "RE-2026-B" }),
		});
		checkpoint = (await takeCheckpoint(collections, SERIES)) as Checkpoint;
		documents = await raw("invoices").find().toArray();
		entries = await raw("invoiceNumbers").find().toArray();
	});
	after(() => database.drop());

	// Puts back what the test before has done.
	beforeEach(async () => {
		await raw("invoices").deleteMany({});
		await raw("invoices").insertMany(documents);
		await raw("invoiceNumbers").deleteMany({});
		await raw("invoiceNumbers").insertMany(entries);
	});

	const raw = (name: string) => collections.database.collection<Document>(name);

	async function findings(kept?: Checkpoint): Promise<Finding[]> {
		// As the service's user: the audit needs no more than that.
		const asService = collectionsOf(
			database.serviceClient.db(database.admin.databaseName),
		);
		const found: Finding[] = [];
		for await (const finding of auditSeries(
			asService,
			SERIES,
			kept === undefined ? {} : { checkpoint: kept },
		)) {
			found.push(finding);
		}
		return found;
	}

	/** Asserts that something was found, that all of it names one number, and what it is. */
	async function assertFound(
		number: string,
		...kinds: Finding["kind"][]
	): Promise<void> {
		const found = await findings();
		const text = JSON.stringify(found, null, "\t");
		assert.ok(found.length > 0, "nothing was found");
		for (const { message } of found) {
			assert.ok(message.includes(number), text);
		}
		assert.deepEqual(
			[...new Set(found.map(({ kind }) => kind))].sort(),
			kinds.sort(),
			text,
		);
	}

	const FIVE = "RE-2026-000005";

	async function invoiceOf(number: string): Promise<Document> {
		const document = await raw("invoices").findOne({ _id: number as never });
		assert.ok(document);
		return document;
	}

	/** Alters the amount to pay, as somebody would who wants to. */
	async function forged(number: string): Promise<{
		invoice: Document;
		canonical: Binary;
		digest: string;
	}> {
		const { invoice } = await invoiceOf(number);
		invoice.totals.payable = "0.01";
		const canonical = canonicalBytes(invoice);
		return {
			invoice,
			canonical: new Binary(canonical),
			digest: sha256Hex(canonical),
		};
	}

	async function setInvoice(number: string, change: Document): Promise<void> {
		const { modifiedCount } = await raw("invoices").updateOne(
			{ _id: number as never },
			{ $set: change },
			BYPASS,
		);
		assert.equal(modifiedCount, 1);
	}

	async function setEntry(number: string, change: Document): Promise<void> {
		const { modifiedCount } = await raw("invoiceNumbers").updateOne(
			{ number },
			{ $set: change },
			BYPASS,
		);
		assert.equal(modifiedCount, 1);
	}

	it("finds nothing in a store that only the service has written to", async () => {
		assert.deepEqual(await findings(checkpoint), []);
		assert.deepEqual(await faultsOf(collections), []);
		assert.deepEqual(await listSeries(collections), [SERIES, "RE-2026-B"]);
	});

	it("returns how far it went, and a checkpoint that can be kept as JSON", async () => {
		const walk = auditSeries(collections, SERIES);
		const { done, value } = await walk.next();
		assert.equal(done, true);
		assert.deepEqual(value, { series: SERIES, entries: COUNT, checkpoint });
		assert.deepEqual(
			parseCheckpoint(JSON.parse(JSON.stringify(checkpoint))),
			checkpoint,
		);
		for (const wrong of [null, {}, { ...checkpoint, sequence: 3 }, "x"]) {
			assert.throws(() => parseCheckpoint(wrong), TypeError);
		}
	});

	it("finds nothing amiss while invoices are being stored", async () => {
		let storing = true;
		const writer = (async () => {
			for (let index = 0; storing; index += 1) {
				await Promise.all(
					Array.from({ length: 8 }, () =>
						database.store.append({
							checked: checkedDraft(index, { series: SERIES }),
						}),
					),
				);
			}
		})();
		for (let round = 0; round < 10; round += 1) {
			assert.deepEqual(await findings(checkpoint), []);
		}
		storing = false;
		await writer;
		// The store's memory of the last number is to be that of the documents that are put back.
		await database.drop();
		database = await openStoreDatabase();
		({ collections } = database);
		await raw("idempotencyKeys").deleteMany({});
	});

	describe("names the invoice that somebody", () => {
		it("altered in its object", async () => {
			const { invoice } = await forged(FIVE);
			await setInvoice(FIVE, { invoice });
			await assertFound(FIVE, "altered");
			const [finding] = await findings();
			assert.match(finding?.message ?? "", /\/totals\/payable/);
		});

		it("added a field to", async () => {
			await setInvoice(FIVE, { "invoice.paid": true });
			await assertFound(FIVE, "altered");
		});

		it("altered in its bytes", async () => {
			const { canonical } = await forged(FIVE);
			await setInvoice(FIVE, { canonical });
			await assertFound(FIVE, "altered");
		});

		it("altered in object and bytes", async () => {
			const { invoice, canonical } = await forged(FIVE);
			await setInvoice(FIVE, { invoice, canonical });
			await assertFound(FIVE, "altered");
		});

		it("altered in object, bytes and digest", async () => {
			await setInvoice(FIVE, await forged(FIVE));
			await assertFound(FIVE, "altered");
		});

		it("altered, with its digest in the register too", async () => {
			const forgery = await forged(FIVE);
			await setInvoice(FIVE, forgery);
			await setEntry(FIVE, { digest: forgery.digest });
			await assertFound(FIVE, "relinked");
		});

		it("altered, with digest and chain value in the register too", async () => {
			const forgery = await forged(FIVE);
			const entry = entries.find(({ number }) => number === FIVE);
			assert.ok(entry);
			await setInvoice(FIVE, forgery);
			await setEntry(FIVE, {
				digest: forgery.digest,
				chain: chainLink({
					...(entry as { previous: string; number: string; issuedAt: string }),
					digest: forgery.digest,
				}),
			});
			// The next entry still follows from the old one; the message names both.
			await assertFound(FIVE, "relinked");
		});

		it("took the bytes of", async () => {
			await raw("invoices").updateOne(
				{ _id: FIVE as never },
				{ $unset: { canonical: 1 } },
				BYPASS,
			);
			await assertFound(FIVE, "altered");
		});

		it("put bytes into that are no JSON", async () => {
			await setInvoice(FIVE, { canonical: new Binary(Buffer.from("{")) });
			await assertFound(FIVE, "altered");
		});

		it("filed under another customer", async () => {
			await setInvoice(FIVE, { loginName: "eva" });
			await assertFound(FIVE, "altered");
			await setEntry(FIVE, { loginName: "eva" });
			await assertFound(FIVE, "altered", "relinked");
		});

		it("dated back", async () => {
			await setInvoice(FIVE, { issueDate: "2025-12-31" });
			await assertFound(FIVE, "altered");
		});

		it("removed", async () => {
			await raw("invoices").deleteOne({ _id: FIVE as never });
			await assertFound(FIVE, "removed");
		});

		it("removed the register's entry of", async () => {
			await raw("invoiceNumbers").deleteOne({ number: FIVE });
			await assertFound(FIVE, "missing", "orphaned");
		});

		it("removed altogether", async () => {
			await raw("invoices").deleteOne({ _id: FIVE as never });
			await raw("invoiceNumbers").deleteOne({ number: FIVE });
			await assertFound(FIVE, "missing");
		});

		it("renumbered", async () => {
			await setInvoice(FIVE, { number: "RE-2026-000013", sequence: 13 });
			await assertFound(FIVE, "orphaned", "renumbered");
		});

		it("moved to another number", async () => {
			const document = await invoiceOf(FIVE);
			await raw("invoices").deleteOne({ _id: FIVE as never });
			await raw("invoices").insertOne(
				{
					...document,
					_id: "RE-2026-000099" as never,
					number: "RE-2026-000099",
					sequence: 99,
				},
				BYPASS,
			);
			const found = await findings();
			assert.deepEqual(
				found.map(({ kind, number }) => `${kind} ${number}`),
				[`removed ${FIVE}`, "orphaned RE-2026-000099"],
			);
		});

		it("renumbered in the register", async () => {
			await setEntry(FIVE, { number: "RE-2026-000055" });
			await assertFound(FIVE, "relinked", "renumbered");
		});

		it("moved to another place of the register", async () => {
			await setEntry(FIVE, { sequence: 55, number: "RE-2026-000055" });
			const kinds = (await findings()).map(
				({ kind, number }) => `${kind} ${number}`,
			);
			assert.ok(kinds.includes(`missing ${FIVE}`), kinds.join());
			assert.ok(kinds.includes(`orphaned ${FIVE}`), kinds.join());
			assert.ok(kinds.includes("removed RE-2026-000055"), kinds.join());
		});

		it("stored twice", async () => {
			const document = await invoiceOf(FIVE);
			await raw("invoices").insertOne(
				{ ...document, _id: "RE-2026-000005-KOPIE" as never },
				BYPASS,
			);
			await assertFound(FIVE, "doubled");
		});

		it("smuggled in without an entry", async () => {
			const document = await invoiceOf(FIVE);
			await raw("invoices").insertOne(
				{
					...document,
					_id: "RE-2026-000013" as never,
					number: "RE-2026-000013",
					sequence: 13,
				},
				BYPASS,
			);
			await assertFound("RE-2026-000013", "orphaned");
		});

		it("gave an entry a sequence that is none", async () => {
			await setEntry(FIVE, { sequence: 4.5 });
			const text = JSON.stringify(await findings());
			assert.match(text, /4\.5/);
			assert.match(text, /missing.*RE-2026-000005/);
		});
	});

	it("names the entry that was linked to another", async () => {
		await setEntry(FIVE, { previous: CHAIN_START });
		await assertFound(FIVE, "relinked");
	});

	it("names the entry that was dated earlier than the one before", async () => {
		await setEntry(FIVE, { issuedAt: "2020-01-01T00:00:00.000Z" });
		await assertFound(FIVE, "relinked");
	});

	it("names a number that is in the register twice", async () => {
		await raw("invoiceNumbers").dropIndex("series_sequence");
		try {
			const entry = entries.find(({ number }) => number === FIVE);
			await raw("invoiceNumbers").insertOne(
				{ ...entry, _id: new ObjectId() },
				BYPASS,
			);
			await assertFound(FIVE, "doubled");
		} finally {
			await raw("invoiceNumbers").deleteMany({});
			await raw("invoiceNumbers").createIndex(
				{ series: 1, sequence: 1 },
				{ name: "series_sequence", unique: true },
			);
		}
	});

	describe("against a checkpoint", () => {
		it("finds a tail that was cut off, which without it leaves no trace", async () => {
			await raw("invoices").deleteMany({
				series: SERIES,
				sequence: { $gt: COUNT - 3 },
			});
			await raw("invoiceNumbers").deleteMany({
				series: SERIES,
				sequence: { $gt: COUNT - 3 },
			});
			assert.deepEqual(await findings(), []);
			const found = await findings(checkpoint);
			assert.equal(found.length, 1);
			assert.equal(found[0]?.kind, "truncated");
			assert.match(found[0]?.message ?? "", /RE-2026-000010 to RE-2026-000012/);
		});

		it("finds a series that is gone", async () => {
			await raw("invoices").deleteMany({ series: SERIES });
			await raw("invoiceNumbers").deleteMany({ series: SERIES });
			const found = await findings(checkpoint);
			assert.deepEqual(
				found.map(({ kind }) => kind),
				["truncated"],
			);
		});

		it("finds a chain that was rewritten from an altered invoice to the end, which without it leaves no trace", async () => {
			const forgery = await forged(FIVE);
			await setInvoice(FIVE, forgery);
			let previous = CHAIN_START;
			for (let sequence = 1; sequence <= COUNT; sequence += 1) {
				const entry = await raw("invoiceNumbers").findOne({
					series: SERIES,
					sequence,
				});
				assert.ok(entry);
				const link = {
					previous,
					digest: entry.number === FIVE ? forgery.digest : entry.digest,
					number: entry.number,
					issuedAt: entry.issuedAt,
				};
				previous = chainLink(link);
				await raw("invoiceNumbers").updateOne(
					{ _id: entry._id },
					{ $set: { ...link, chain: previous } },
				);
			}
			assert.deepEqual(await findings(), []);
			const found = await findings(checkpoint);
			assert.deepEqual(
				found.map(({ kind, number }) => `${kind} ${number}`),
				[`rewritten ${checkpoint.number}`],
			);
		});

		it("refuses that of another series", async () => {
			await assert.rejects(async () => {
				for await (const _ of auditSeries(collections, "RE-2026-B", {
					checkpoint,
				})) {
					assert.fail("nothing is walked");
				}
			}, /checkpoint is of the series RE-2026/);
		});
	});

	it("names the key that leads nowhere", async () => {
		const keys = raw("idempotencyKeys");
		await keys.insertOne({
			_id: "request:verwaist" as never,
			number: "RE-2026-000777",
		});
		try {
			const faults = await faultsOf(collections);
			assert.equal(faults.length, 1);
			assert.match(faults[0] ?? "", /request:verwaist.*RE-2026-000777/);
		} finally {
			await keys.deleteOne({ _id: "request:verwaist" as never });
		}
	});

	describe("on the command line", () => {
		const run = async (...args: string[]) => {
			try {
				const { stdout, stderr } = await promisify(execFile)(
					process.execPath,
					["--import", "tsx", "src/node/audit.ts", ...args],
					{
						env: {
							...process.env,
							MONGODB_URI: database.serviceUri,
							MONGODB_DATABASE: database.admin.databaseName,
						},
					},
				);
				return { status: 0, stdout, stderr };
			} catch (error) {
				const { code, stdout, stderr } = error as {
					code: number;
					stdout: string;
					stderr: string;
				};
				return { status: code, stdout, stderr };
			}
		};
		let folder: string;
		before(async () => {
			folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-audit-"));
		});
		after(() => rm(folder, { recursive: true }));

		it("ends with 0 and saves checkpoints, where there is no fault; with 1 and the findings, where there are some", async () => {
			const file = join(folder, "checkpoints.json");
			const sound = await run("--save-checkpoint", file);
			assert.equal(sound.status, 0, sound.stdout + sound.stderr);
			assert.match(sound.stdout, /RE-2026: 12 invoices, .*no fault/);
			const kept = JSON.parse(await readFile(file, "utf8")) as Checkpoint[];
			assert.deepEqual(
				kept.map(({ number }) => number),
				["RE-2026-000012", "RE-2026-B-000001"],
			);

			await setInvoice(FIVE, { "invoice.totals.payable": "0.01" });
			await raw("invoices").deleteMany({ series: "RE-2026-B" });
			await raw("invoiceNumbers").deleteMany({ series: "RE-2026-B" });
			const faulty = await run("--checkpoint", file);
			assert.equal(faulty.status, 1, faulty.stderr);
			assert.match(faulty.stdout, /altered: .*RE-2026-000005.*payable/);
			assert.match(faulty.stdout, /truncated: .*RE-2026-B-000001/);

			const other = await run("--series", "RE-2026-B");
			assert.equal(other.status, 0, other.stdout);
		});

		it("ends with 2 and a sentence, where it cannot be run", async () => {
			const file = join(folder, "broken.json");
			await writeFile(file, "{}");
			for (const [args, says] of [
				[["--unknown"], /--unknown/],
				[["--checkpoint", file], /must be a list/],
				[["--checkpoint", join(folder, "none.json")], /none\.json/],
			] as [string[], RegExp][]) {
				const { status, stderr } = await run(...args);
				assert.equal(status, 2);
				assert.match(stderr, says);
			}
		});

		it("prints help", async () => {
			const { status, stdout } = await run("--help");
			assert.equal(status, 0);
			for (const option of ["--series", "--checkpoint", "--save-checkpoint"]) {
				assert.ok(stdout.includes(option));
			}
		});
	});
});
