import assert from "node:assert/strict";
import type { Document, Filter } from "mongodb";
import { Binary } from "mongodb";
import type { InvoiceDocument } from "../../src/store/collections.ts";
import { customerCursor, dateCursor } from "../../src/store/cursor.ts";
import {
	InvalidCursor,
	type InvoiceStore,
	type Page,
	StoreDamaged,
	type StoredInvoice,
	StoreUnavailable,
} from "../../src/store/store.ts";
import { startTestMongod } from "../mongod.ts";
import { openStoreDatabase, type StoreDatabase } from "./database.ts";
import { checkedDraft } from "./drafts.ts";

const CUSTOMERS = ["anna.schmidt", "bert", "çelik@example.org"];
const SERIES = ["RE-2026", "GS-2026"];
const DAYS = ["2026-11-22", "2026-11-23", "2026-11-24"];
const EVER = { from: "1990-01-01", to: "2199-12-31" };

function numbersOf(invoices: readonly StoredInvoice[]): string[] {
	return invoices.map(({ number }) => number);
}

/** Follows `next` to the end. */
async function allPages(
	read: (after: string | undefined) => Promise<Page>,
): Promise<{ numbers: string[]; pages: number }> {
	const numbers: string[] = [];
	let pages = 0;
	let after: string | undefined;
	do {
		const page = await read(after);
		numbers.push(...numbersOf(page.invoices));
		after = page.next;
		pages += 1;
	} while (after !== undefined);
	return { numbers, pages };
}

describe("reading", () => {
	let database: StoreDatabase;
	let store: InvoiceStore;
	const stored: StoredInvoice[] = [];
	before(async () => {
		// A clock that stands still at times, so that several invoices have the same instant.
		let time = Date.parse("2026-11-24T09:00:00.000Z");
		database = await openStoreDatabase({ now: () => time });
		store = database.store;
		for (let round = 0; round < 12; round += 1) {
			time += round % 3;
			const results = await Promise.all(
				Array.from({ length: 5 }, (_, index) =>
					store.append({
						checked: checkedDraft(round + index, {
							loginName: CUSTOMERS[(round + index) % 3] as string,
							series: SERIES[index % 2] as string,
							issueDate: DAYS[(round * 7 + index) % 3] as string,
						}),
					}),
				),
			);
			for (const result of results) {
				assert.ok("invoice" in result);
				stored.push(result.invoice);
			}
		}
	});
	after(() => database.drop());

	describe("by number", () => {
		it("gives each invoice as it was answered", async () => {
			for (const invoice of stored) {
				const entry = await store.findEntry(invoice.number);
				assert.ok(entry);
				assert.equal(entry.digest, invoice.digest);
				assert.equal(entry.loginName, invoice.loginName);
				const read = await store.findInvoice(entry);
				assert.deepEqual(Object.keys(read).sort(), Object.keys(invoice).sort());
				assert.ok(read.canonical instanceof Uint8Array);
				assert.ok(
					Buffer.from(read.canonical).equals(Buffer.from(invoice.canonical)),
				);
			}
		});

		it("knows nothing of other numbers, and of texts that are none", async () => {
			for (const text of [
				"RE-2026-000999",
				"RE-2027-000001",
				"RE-2026-1",
				"re-2026-000001",
				"RE-2026-000001 ",
				"",
				"$gt",
			]) {
				assert.equal(await store.findEntry(text), undefined, text);
			}
		});
	});

	describe("a customer's list", () => {
		const expected = (loginName: string) =>
			numbersOf(
				stored
					.filter((invoice) => invoice.loginName === loginName)
					.sort((one, other) =>
						one.issuedAt === other.issuedAt
							? one.number < other.number
								? 1
								: -1
							: one.issuedAt < other.issuedAt
								? 1
								: -1,
					),
			);

		for (const limit of [1, 3, 7, 200]) {
			it(`has all his invoices and no other, newest first, in pages of ${limit}`, async () => {
				for (const loginName of CUSTOMERS) {
					const { numbers, pages } = await allPages((after) =>
						store.listByCustomer(loginName, {
							limit,
							...(after === undefined ? {} : { after }),
						}),
					);
					assert.deepEqual(numbers, expected(loginName));
					assert.equal(pages, Math.ceil(numbers.length / limit));
				}
			});
		}

		it("is empty for a customer without invoices", async () => {
			assert.deepEqual(await store.listByCustomer("nobody", { limit: 10 }), {
				invoices: [],
			});
		});

		it("keeps its place while invoices are being stored", async () => {
			const first = await store.listByCustomer("bert", { limit: 2 });
			assert.ok(first.next);
			const before = await store.listByCustomer("bert", {
				limit: 2,
				after: first.next,
			});
			const result = await store.append({
				checked: checkedDraft(0, { loginName: "bert", series: "SPAETER" }),
			});
			assert.ok("invoice" in result);
			stored.push(result.invoice);
			const after = await store.listByCustomer("bert", {
				limit: 2,
				after: first.next,
			});
			assert.deepEqual(numbersOf(after.invoices), numbersOf(before.invoices));
			const again = await store.listByCustomer("bert", { limit: 1 });
			assert.deepEqual(numbersOf(again.invoices), [result.invoice.number]);
		});
	});

	describe("the list by date", () => {
		const expected = (from: string, to: string, series?: string) =>
			numbersOf(
				stored
					.filter(
						(invoice) =>
							invoice.issueDate >= from &&
							invoice.issueDate <= to &&
							(series === undefined || invoice.series === series),
					)
					.sort((one, other) =>
						[one.issueDate, one.series, one.number].join() <
						[other.issueDate, other.series, other.number].join()
							? -1
							: 1,
					),
			);
		const ranges: [string, string][] = [
			[EVER.from, EVER.to],
			["2026-11-23", "2026-11-23"],
			["2026-11-23", "2026-11-24"],
			["2026-11-25", "2026-12-31"],
			["2026-11-24", "2026-11-22"],
		];
		for (const [from, to] of ranges) {
			for (const series of [undefined, "GS-2026"]) {
				it(`has the invoices from ${from} to ${to}${series ? ` of ${series}` : ""}, both days included, in order`, async () => {
					for (const limit of [1, 4, 200]) {
						const { numbers } = await allPages((after) =>
							store.listByDate({
								from,
								to,
								limit,
								...(series === undefined ? {} : { series }),
								...(after === undefined ? {} : { after }),
							}),
						);
						assert.deepEqual(numbers, expected(from, to, series));
					}
				});
			}
		}
	});

	it("reads no more of an index than a page needs, and sorts nothing", async () => {
		const commands: Document[] = [];
		const { serviceUri, admin } = database;
		const { MongoClient } = await import("mongodb");
		const { openStore } = await import("../../src/store/connect.ts");
		const client = new MongoClient(serviceUri, { monitorCommands: true });
		client.on("commandStarted", ({ commandName, command }) => {
			if (commandName === "find") {
				commands.push(structuredClone(command));
			}
		});
		const watched = openStore(client, admin.databaseName);
		const customer = await watched.listByCustomer("bert", { limit: 3 });
		await watched.listByCustomer("bert", {
			limit: 3,
			after: customer.next as string,
		});
		const day = await watched.listByDate({ ...EVER, limit: 3 });
		await watched.listByDate({ ...EVER, limit: 3, after: day.next as string });
		await watched.listByDate({
			...EVER,
			series: "GS-2026",
			limit: 3,
			after: day.next as string,
		});
		const entry = await watched.findEntry("RE-2026-000005");
		await watched.findInvoice(entry as NonNullable<typeof entry>);
		await client.close();
		assert.equal(commands.length, 7);
		for (const command of commands) {
			const { lsid, $db, $clusterTime, readConcern, ...explain } = command;
			const explained = await admin.client
				.db(admin.databaseName)
				.command({ explain, verbosity: "executionStats" });
			const plan = JSON.stringify(explained.queryPlanner.winningPlan);
			assert.doesNotMatch(plan, /"stage":"(SORT|COLLSCAN)"/, plan);
			const { totalKeysExamined, totalDocsExamined } = explained.executionStats;
			assert.ok(
				totalKeysExamined <= 12 && totalDocsExamined <= 8,
				`${JSON.stringify(command.filter)}: ${totalKeysExamined} keys, ${totalDocsExamined} documents`,
			);
		}
	});

	it("refuses limits out of bounds", async () => {
		for (const limit of [0, -1, 201, 1.5, Number.NaN]) {
			await assert.rejects(store.listByCustomer("bert", { limit }), RangeError);
			await assert.rejects(store.listByDate({ ...EVER, limit }), RangeError);
		}
	});

	it("refuses cursors that are none of the list's own", async () => {
		const base64url = (value: unknown) =>
			Buffer.from(JSON.stringify(value)).toString("base64url");
		const place = { issueDate: "2026-11-24", series: "RE-2026", sequence: 1 };
		const cursors = [
			"",
			"x",
			"%%%",
			"e30",
			"A".repeat(5000),
			base64url({ $gt: "" }),
			base64url(["customer", { $gt: "" }, "RE-2026-000001"]),
			base64url(["customer", "2026-11-24T09:00:00.000Z", { $gt: "" }]),
			base64url(["customer", "2026-11-24T09:00:00.000Z", "RE-2026-000001", 1]),
			base64url(["date", "2026-11-24", "RE-2026", "1"]),
			base64url(["date", "2026-11-24", { $ne: 1 }, 1]),
			base64url(["date", "2026-11-24", "RE-2026", 0]),
		];
		for (const after of [...cursors, dateCursor(place)]) {
			await assert.rejects(
				store.listByCustomer("bert", { limit: 1, after }),
				InvalidCursor,
				after,
			);
		}
		for (const after of [
			...cursors,
			customerCursor({
				issuedAt: "2026-11-24T09:00:00.000Z",
				number: "RE-2026-000001",
			}),
		]) {
			await assert.rejects(
				store.listByDate({ ...EVER, limit: 1, after }),
				InvalidCursor,
				after,
			);
		}
	});
});

describe("reading what somebody altered", () => {
	let database: StoreDatabase;
	beforeEach(async () => {
		database = await openStoreDatabase();
		for (let index = 0; index < 2; index += 1) {
			await database.store.append({
				checked: checkedDraft(index, {
					series: "RE-2026",
					loginName: "bert",
					issueDate: "2026-11-24",
				}),
			});
		}
	});
	afterEach(() => database.drop());

	const byNumber: Filter<InvoiceDocument> = { _id: "RE-2026-000002" };
	const namesIt = (error: unknown) =>
		error instanceof StoreDamaged && /RE-2026-000002/.test(error.message);

	it("fails and names the invoice, where its bytes were altered", async () => {
		const { store, collections } = database;
		const document = await collections.invoices.findOne(byNumber);
		const canonical = Buffer.from(document?.canonical as Uint8Array);
		canonical[canonical.length >> 1] = 0x39;
		await collections.invoices.updateOne(byNumber, {
			$set: { canonical: new Binary(canonical) as never },
		});
		const entry = await store.findEntry("RE-2026-000002");
		assert.ok(entry);
		await assert.rejects(store.findInvoice(entry), namesIt);
		await assert.rejects(store.listByCustomer("bert", { limit: 5 }), namesIt);
		await assert.rejects(store.listByDate({ ...EVER, limit: 5 }), namesIt);
	});

	it("fails and names the invoice, where bytes and digest were altered together", async () => {
		const { store, collections } = database;
		const other = await collections.invoices.findOne({ _id: "RE-2026-000001" });
		assert.ok(other);
		await collections.invoices.updateOne(byNumber, {
			$set: {
				canonical: new Binary(other.canonical) as never,
				digest: other.digest,
			},
		});
		const entry = await store.findEntry("RE-2026-000002");
		assert.ok(entry);
		await assert.rejects(store.findInvoice(entry), namesIt);
	});

	it("fails and names the invoice, where it was removed", async () => {
		const { store, collections } = database;
		await collections.invoices.deleteOne(byNumber);
		const entry = await store.findEntry("RE-2026-000002");
		assert.ok(entry);
		await assert.rejects(store.findInvoice(entry), namesIt);
	});
});

describe("without a database", () => {
	it("reads, writes and readiness say that the store is unavailable, and when to come again", async () => {
		const { MongoClient } = await import("mongodb");
		const { CLIENT_OPTIONS, openStore } = await import(
			"../../src/store/connect.ts"
		);
		const { setUpStore } = await import("../../src/store/setup.ts");
		const mongod = await startTestMongod();
		const client = new MongoClient(mongod.uri, {
			...CLIENT_OPTIONS,
			serverSelectionTimeoutMS: 300,
		});
		try {
			await setUpStore(client, { databaseName: "rechnungen" });
			const store = openStore(client, "rechnungen", {
				limits: { appendMsMax: 500 },
			});
			const checked = checkedDraft(0);
			const result = await store.append({ checked });
			assert.ok("invoice" in result);
			const entry = await store.findEntry(result.invoice.number);
			assert.ok(entry);
			await mongod.kill();
			const calls = {
				append: () => store.append({ checked }),
				findEntry: () => store.findEntry("RE-2026-000999"),
				findInvoice: () => store.findInvoice(entry),
				findByIdempotencyKey: () => store.findByIdempotencyKey("k"),
				findReservations: () => store.findReservations(["k"]),
				listByCustomer: () => store.listByCustomer("bert", { limit: 1 }),
				listByDate: () => store.listByDate({ ...EVER, limit: 1 }),
				ready: () => store.ready(),
			};
			await Promise.all(
				Object.entries(calls).map(([name, call]) =>
					assert.rejects(
						call,
						(error) =>
							error instanceof StoreUnavailable &&
							error.retryAfter > 0 &&
							error.cause !== undefined,
						name,
					),
				),
			);
			// What never changes need not be asked for again.
			assert.deepEqual(await store.findEntry(entry.number), entry);
			const again = await mongod.restart();
			assert.ok("invoice" in (await store.append({ checked })));
			assert.equal((await store.findEntry(entry.number))?.digest, entry.digest);
			await store.close();
			await client.close();
			await again.stop();
		} finally {
			await mongod.remove();
		}
	});
});
