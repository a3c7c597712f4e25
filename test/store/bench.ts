/** Measures the store against its plain limits in the same run: `npx tsx test/store/bench.ts`. */
import { openStoreDatabase } from "./database.ts";
import { checkedDraft } from "./drafts.ts";

const ROUND_MS = 2000;

async function rate(
	clients: number,
	work: (client: number, turn: number) => Promise<unknown>,
): Promise<{ perSecond: number; p50: number; p99: number }> {
	const times: number[] = [];
	const start = performance.now();
	await Promise.all(
		Array.from({ length: clients }, async (_, client) => {
			for (let turn = 0; performance.now() - start < ROUND_MS; turn += 1) {
				const before = performance.now();
				await work(client, turn);
				times.push(performance.now() - before);
			}
		}),
	);
	const elapsed = performance.now() - start;
	times.sort((one, other) => one - other);
	const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
	return {
		perSecond: (times.length * 1000) / elapsed,
		p50: at(0.5),
		p99: at(0.99),
	};
}

const show = (
	name: string,
	r: { perSecond: number; p50: number; p99: number },
) =>
	console.log(
		`${name.padEnd(46)} ${r.perSecond.toFixed(0).padStart(7)}/s  p50 ${r.p50.toFixed(2)} ms  p99 ${r.p99.toFixed(2)} ms`,
	);

const database = await openStoreDatabase();
try {
	const { store, collections, admin } = database;
	const checked = checkedDraft(0);
	const { invoice } = (await store.append({ checked })) as {
		invoice: { number: string };
	};
	const document = await collections.invoices.findOne({ _id: invoice.number });
	const plain = admin.client.db(admin.databaseName).collection("plain", {
		writeConcern: { w: "majority", journal: true },
		promoteBuffers: true,
	});
	await plain.createIndex({ loginName: 1, issuedAt: -1, number: -1 });
	await plain.createIndex({ issueDate: 1, series: 1, sequence: 1 });
	const numbers: string[] = [];
	let unique = 0;
	const nextId = () => {
		unique += 1;
		return unique;
	};
	for (let round = 0; round < 3; round += 1) {
		for (const clients of [1, 16, 64]) {
			show(
				`insertOne majority, ${clients} clients`,
				await rate(clients, () =>
					plain.insertOne({ ...document, _id: nextId() as never }),
				),
			);
			for (const count of clients === 64 ? [1, 4] : [1]) {
				const series = (client: number) => `RE-${client % count}`;
				const drafts = Array.from({ length: count }, (_, index) =>
					checkedDraft(0, { series: series(index) }),
				);
				const before = await collections.invoices.countDocuments();
				const result = await rate(clients, async (client, turn) => {
					const request = {
						checked: drafts[client % count] as (typeof drafts)[number],
						idempotency: {
							key: `${round}-${clients}-${count}-${client}-${turn}`,
							requestDigest: "0".repeat(64),
						},
					};
					const answer = await store.append(request);
					if (answer.outcome === "created") numbers.push(answer.invoice.number);
				});
				show(`append, ${clients} clients, ${count} series`, result);
				void before;
			}
			show(
				`findOne by _id, ${clients} clients`,
				await rate(clients, () => plain.findOne({ _id: 1 as never })),
			);
			show(
				`findEntry + findInvoice, ${clients} clients`,
				await rate(clients, async (client, turn) => {
					const number = numbers[
						(client * 31 + turn) % numbers.length
					] as string;
					const entry = await store.findEntry(number);
					if (entry) await store.findInvoice(entry);
				}),
			);
		}
	}
} finally {
	await database.drop();
}
process.exit(0);
