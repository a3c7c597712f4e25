import assert from "node:assert/strict";
import { checkDraft } from "../../src/invoice/check.ts";
import {
	type AppendRequest,
	type AppendResult,
	InvoiceTooLarge,
	StoreDamaged,
	type StoredInvoice,
	StoreUnavailable,
} from "../../src/store/store.ts";
import { CONTEXT } from "../golden.ts";
import { openStoreDatabase, type StoreDatabase } from "./database.ts";
import { checkedDraft, requestDigest } from "./drafts.ts";
import { assertSound } from "./sound.ts";

function created(result: AppendResult): StoredInvoice {
	assert.equal(result.outcome, "created", JSON.stringify(result));
	return (result as { invoice: StoredInvoice }).invoice;
}

function keyed(
	index: number,
	key: string,
	body = key,
	series = "RE-2026",
): AppendRequest {
	return {
		checked: checkedDraft(index, { series }),
		idempotency: { key, requestDigest: requestDigest(body) },
	};
}

describe("appending", () => {
	let database: StoreDatabase;
	beforeEach(async () => {
		database = await openStoreDatabase();
	});
	afterEach(() => database.drop());

	it("gives the first invoice of a series number 1, and stores what it answers", async () => {
		const { store, collections } = database;
		const invoice = created(
			await store.append({ checked: checkedDraft(0, { series: "RE-2026" }) }),
		);
		assert.equal(invoice.number, "RE-2026-000001");
		const entry = await store.findEntry("RE-2026-000001");
		assert.ok(entry);
		const read = await store.findInvoice(entry);
		assert.deepEqual(
			{ ...read, canonical: new Uint8Array(read.canonical) },
			{ ...invoice, canonical: new Uint8Array(invoice.canonical) },
		);
		const text = new TextDecoder().decode(read.canonical);
		const document = await collections.invoices.findOne({ _id: read.number });
		assert.deepEqual(document?.invoice, JSON.parse(text));
	});

	it("numbers 64 concurrent creators over 4 series 1 … n, without gap and double", async () => {
		const { store, collections } = database;
		const series = ["RE-2026", "RE-2025", "GS-2026", "WERKSTATT-7"];
		const answered: StoredInvoice[] = [];
		await Promise.all(
			Array.from({ length: 64 }, async (_, creator) => {
				for (let turn = 0; turn < 8; turn += 1) {
					const checked = checkedDraft(creator + turn, {
						series: series[creator % series.length] as string,
						loginName: `kunde-${creator % 10}`,
					});
					answered.push(created(await store.append({ checked })));
				}
			}),
		);
		const counts = await assertSound(collections, answered);
		assert.deepEqual(
			[...counts],
			[...series].sort().map((name) => [name, 128]),
		);
		assert.equal(new Set(answered.map(({ number }) => number)).size, 64 * 8);
		assert.deepEqual(store.queue(), { waiting: 0, inFlight: 0 });
	});

	it("numbers one series from several instances at once, without gap and double", async () => {
		const { store, collections } = database;
		const stores = [
			store,
			await database.openAnother(),
			await database.openAnother(),
		];
		const answered: StoredInvoice[] = [];
		await Promise.all(
			stores.flatMap((each, instance) =>
				Array.from({ length: 8 }, async (_, creator) => {
					for (let turn = 0; turn < 6; turn += 1) {
						const checked = checkedDraft(instance + creator, {
							series: "RE-2026",
						});
						answered.push(created(await each.append({ checked })));
					}
				}),
			),
		);
		const counts = await assertSound(collections, answered);
		assert.deepEqual([...counts], [["RE-2026", 144]]);
		assert.equal(new Set(answered.map(({ number }) => number)).size, 144);
	});

	it("stores many waiting drafts in one transaction", async () => {
		const { store, admin } = database;
		const committed = async () => {
			const status = await admin.client
				.db("admin")
				.command({ serverStatus: 1 });
			return Number(status.transactions.totalCommitted);
		};
		created(await store.append(keyed(0, "first")));
		const before = await committed();
		await Promise.all(
			Array.from({ length: 100 }, (_, index) =>
				store.append(keyed(0, `group-${index}`)),
			),
		);
		// The first goes alone, the others while it is in flight.
		assert.ok((await committed()) - before <= 3);
	});

	describe("with an idempotency key", () => {
		it("gives a retry the same invoice", async () => {
			const { store, collections } = database;
			const invoice = created(await store.append(keyed(0, "anna/4711")));
			const again = await store.append(keyed(0, "anna/4711"));
			assert.equal(again.outcome, "replayed");
			assert.equal(
				(again as { invoice: StoredInvoice }).invoice.digest,
				invoice.digest,
			);
			assert.deepEqual(await store.findByIdempotencyKey("anna/4711"), {
				requestDigest: requestDigest("anna/4711"),
				number: invoice.number,
			});
			assert.equal(await store.findByIdempotencyKey("anna/4712"), undefined);
			await assertSound(collections, [invoice]);
		});

		it("refuses another body under the same key, and stores nothing", async () => {
			const { store, collections } = database;
			const invoice = created(await store.append(keyed(0, "k", "one body")));
			for (const again of [
				await store.append(keyed(0, "k", "another body")),
				...(await Promise.all([
					store.append(keyed(0, "k", "a third body")),
					store.append(keyed(0, "k", "a fourth body")),
				])),
			]) {
				assert.deepEqual(again, {
					outcome: "keyReused",
					number: invoice.number,
				});
			}
			assert.deepEqual(
				[...(await assertSound(collections, [invoice]))],
				[["RE-2026", 1]],
			);
		});

		it("makes one invoice of a request that races itself, in one instance and in several", async () => {
			const { store, collections } = database;
			const stores = [store, await database.openAnother()];
			for (let round = 0; round < 10; round += 1) {
				const results = await Promise.all(
					Array.from({ length: 12 }, (_, index) =>
						(stores[index % stores.length] as typeof store).append(
							// In two series, so that the race is not decided by the number.
							keyed(0, `race-${round}`, "same", `RE-${index % 3}`),
						),
					),
				);
				const numbers = new Set(
					results.map((result) => {
						assert.ok("invoice" in result, JSON.stringify(result));
						return result.invoice.number;
					}),
				);
				assert.equal(numbers.size, 1);
				assert.equal(
					results.filter(({ outcome }) => outcome === "created").length,
					1,
				);
			}
			assert.equal(await collections.invoices.countDocuments(), 10);
			await assertSound(collections, []);
		});

		it("does not fail the neighbours of a request whose key is taken", async () => {
			const { store, collections } = database;
			const other = await database.openAnother();
			const first = created(await other.append(keyed(0, "taken-1")));
			const second = created(await other.append(keyed(1, "taken-2")));
			const results = await Promise.all([
				store.append(keyed(2, "new-1")),
				store.append(keyed(0, "taken-1")),
				store.append(keyed(3, "new-2")),
				store.append(keyed(1, "taken-2", "another body")),
				store.append(keyed(4, "new-3")),
			]);
			assert.deepEqual(
				results.map(({ outcome }) => outcome),
				["created", "replayed", "created", "keyReused", "created"],
			);
			const counts = await assertSound(collections, [first, second]);
			assert.deepEqual([...counts], [["RE-2026", 5]]);
		});
	});

	describe("with reserved keys", () => {
		it("lets one of several cancellations of an invoice through", async () => {
			const { store, collections } = database;
			const stores = [store, await database.openAnother()];
			const reservations = ["cancellation:RE-2026-000007"];
			const results = await Promise.all(
				Array.from({ length: 8 }, (_, index) =>
					(stores[index % 2] as typeof store).append({
						...keyed(index, `storno-${index}`),
						reservations,
					}),
				),
			);
			const winners = results.filter(({ outcome }) => outcome === "created");
			assert.equal(winners.length, 1);
			const winner = created(winners[0] as AppendResult);
			for (const result of results) {
				if (result.outcome !== "created") {
					assert.deepEqual(result, {
						outcome: "reserved",
						key: reservations[0],
						number: winner.number,
					});
				}
			}
			assert.deepEqual(
				await store.findReservations([
					"cancellation:RE-2026-000008",
					"cancellation:RE-2026-000007",
				]),
				[undefined, winner.number],
			);
			await assertSound(collections, [winner]);
		});

		it("answers the retry of the request that got it with its invoice", async () => {
			const { store } = database;
			const request = {
				...keyed(0, "storno"),
				reservations: ["cancellation:RE-2026-000001"],
			};
			const invoice = created(await store.append(request));
			for (const again of await Promise.all([
				store.append(request),
				store.append(request),
				(await database.openAnother()).append(request),
			])) {
				assert.equal(again.outcome, "replayed");
				assert.equal(
					(again as { invoice: StoredInvoice }).invoice.number,
					invoice.number,
				);
			}
		});

		it("keeps callers' keys and reserved keys apart", async () => {
			const { store } = database;
			const key = "cancellation:RE-2026-000001";
			created(await store.append(keyed(0, key)));
			assert.deepEqual(await store.findReservations([key]), [undefined]);
			created(await store.append({ ...keyed(1, "k"), reservations: [key] }));
			await assert.rejects(
				store.append({ ...keyed(1, "k2"), reservations: ["request:k3"] }),
				RangeError,
			);
		});
	});

	it("never dates an invoice earlier than the one before it, however the clock jumps", async () => {
		let time = Date.parse("2026-11-24T09:00:00.000Z");
		const store = await database.openAnother({ now: () => time });
		const dates: string[] = [];
		for (const jump_ms of [0, 5000, -3_600_000, 1, 3_600_000, -1]) {
			time += jump_ms;
			const checked = checkedDraft(0, { series: "RE-2026" });
			dates.push(created(await store.append({ checked })).issuedAt);
		}
		assert.deepEqual(dates, [...dates].sort());
		assert.equal(dates[2], "2026-11-24T09:00:05.000Z");
		assert.equal(dates[5], dates[4]);
		// Another instance, whose clock is late, reads what was given last.
		const late = await database.openAnother({ now: () => 0 });
		const checked = checkedDraft(0, { series: "RE-2026" });
		assert.equal(created(await late.append({ checked })).issuedAt, dates[5]);
		await assertSound(database.collections, []);
	});

	it("refuses what its queue cannot hold, says when to come again, and stores the rest", async () => {
		const store = await database.openAnother({
			limits: { queueCountMax: 5 },
		});
		const results = await Promise.allSettled(
			Array.from({ length: 8 }, (_, index) =>
				store.append(keyed(0, `${index}`)),
			),
		);
		assert.deepEqual(
			results.map(({ status }) => status),
			[...Array(5).fill("fulfilled"), ...Array(3).fill("rejected")],
		);
		const { reason } = results[7] as PromiseRejectedResult;
		assert.ok(reason instanceof StoreUnavailable);
		assert.ok(reason.retryAfter >= 1);
		assert.match(reason.message, /5 invoices are waiting/);
		created(await store.append(keyed(0, "afterwards")));
		const counts = await assertSound(database.collections, []);
		assert.deepEqual([...counts], [["RE-2026", 6]]);
	});

	it("bounds the queue by bytes as well", async () => {
		const store = await database.openAnother({
			limits: { queueBytesMax: 10_000 },
		});
		const results = await Promise.allSettled(
			Array.from({ length: 20 }, (_, index) =>
				store.append(keyed(0, `${index}`)),
			),
		);
		const refused = results.filter(({ status }) => status === "rejected");
		assert.ok(refused.length > 0 && refused.length < 20, `${refused.length}`);
	});

	it("finishes what it accepted when it is closed, and refuses what comes after", async () => {
		const store = await database.openAnother();
		const accepted = Array.from({ length: 20 }, (_, index) =>
			store.append(keyed(index, `${index}`, "body", `RE-${index % 3}`)),
		);
		const closed = store.close();
		await assert.rejects(store.append(keyed(0, "late")), StoreUnavailable);
		let done = 0;
		for (const each of accepted) {
			void each.then(() => {
				done += 1;
			});
		}
		await closed;
		assert.equal(done, 20);
		await store.close();
		await assertSound(database.collections, []);
	});

	it("refuses an invoice that no document can hold, and stores its neighbours", async () => {
		const { store } = database;
		const line = {
			name: "Ersatzteile",
			description: "ä".repeat(5000),
			quantity: "1",
			unit: "C62",
			price: "1.00",
			vat: { category: "S", rate: "19" },
		};
		const huge = checkDraft(
			{
				...checkedDraft(0, { series: "RE-2026" }).draft,
				lines: Array.from({ length: 1000 }, () => line),
				allowances: undefined,
				charges: undefined,
				totals: undefined,
			},
			CONTEXT,
		);
		assert.ok(huge.ok, JSON.stringify(huge));
		const results = await Promise.allSettled([
			store.append(keyed(0, "1")),
			store.append({ checked: huge.checked }),
			store.append(keyed(0, "2")),
		]);
		assert.deepEqual(
			results.map(({ status }) => status),
			["fulfilled", "rejected", "fulfilled"],
		);
		assert.ok(
			(results[1] as PromiseRejectedResult).reason instanceof InvoiceTooLarge,
		);
		const counts = await assertSound(database.collections, []);
		assert.deepEqual([...counts], [["RE-2026", 2]]);
	});

	it("lets a document that the database's validator refuses fail alone", async () => {
		const { store, collections } = database;
		await collections.database.command({
			collMod: "invoices",
			validator: { loginName: { $ne: "eva" } },
		});
		const results = await Promise.allSettled(
			["anna", "eva", "bert"].map((loginName, index) =>
				store.append({
					checked: checkedDraft(index, { series: "RE-2026", loginName }),
					idempotency: {
						key: loginName,
						requestDigest: requestDigest(loginName),
					},
				}),
			),
		);
		assert.deepEqual(
			results.map(({ status }) => status),
			["fulfilled", "rejected", "fulfilled"],
		);
		const { reason } = results[1] as PromiseRejectedResult;
		assert.match(reason.message, /validation/);
		const counts = await assertSound(collections, []);
		assert.deepEqual([...counts], [["RE-2026", 2]]);
	});

	it("stores nothing where the register lost its last entry, and says so", async () => {
		const { store, collections } = database;
		for (let index = 0; index < 3; index += 1) {
			created(await store.append(keyed(0, `${index}`)));
		}
		await collections.invoiceNumbers.deleteOne({ number: "RE-2026-000003" });
		const another = await database.openAnother();
		await assert.rejects(
			another.append(keyed(0, "next")),
			(error) =>
				error instanceof StoreDamaged && /RE-2026-000003/.test(error.message),
		);
		assert.equal(await collections.invoices.countDocuments(), 3);
	});

	it("does not wait long for the transaction of a process that died, which holds the next number", async () => {
		const { store, serviceClient, admin, collections } = database;
		const invoice = created(await store.append(keyed(0, "first")));
		// What a killed process leaves: an open transaction, and nobody to end it.
		const session = serviceClient.startSession();
		session.startTransaction();
		const { _id, ...entry } = (await collections.invoiceNumbers.findOne({
			number: invoice.number,
		})) as unknown as Record<string, unknown>;
		await serviceClient
			.db(admin.databaseName)
			.collection("invoiceNumbers")
			.insertOne(
				{ ...entry, sequence: 2, number: "RE-2026-000002" },
				{ session },
			);
		const start = performance.now();
		const next = created(await store.append(keyed(1, "second")));
		assert.equal(next.number, "RE-2026-000002");
		// MongoDB itself would end it after a minute.
		assert.ok(performance.now() - start < 15_000);
		await assert.rejects(session.commitTransaction(), { code: 251 });
		await session.endSession();
		await assertSound(collections, [invoice, next]);
	});

	it("forgets nobody: every caller of many small rushes is answered", async () => {
		const { store } = database;
		for (let rush = 0; rush < 30; rush += 1) {
			await Promise.all(
				Array.from({ length: 1 + (rush % 4) }, (_, index) =>
					store.append(keyed(0, `${rush}-${index}`)),
				),
			);
		}
		assert.deepEqual(store.queue(), { waiting: 0, inFlight: 0 });
	});
});
