/**
 * One instance of the service's store inside the engine: reads its job as JSON
 * from the variable JOB, does it, and prints each answer as a line of JSON.
 */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { type CheckedDraft, checkDraft } from "../../src/invoice/check.ts";
import { sha256Hex } from "../../src/invoice/digest.ts";
import { auditSeries, listSeries } from "../../src/store/audit.ts";
import { collectionsOf } from "../../src/store/collections.ts";
import { CLIENT_OPTIONS, openStore } from "../../src/store/connect.ts";
import { type InvoiceStore, StoreUnavailable } from "../../src/store/store.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";
import { saslprep } from "../../src/wasmedge/node/saslprep.ts";
import carSharing from "../golden/car-sharing-380.json";
import craftsman from "../golden/craftsman-private-property-380.json";
import wholesale from "../golden/wholesale-dinar-380.json";

/** What the guest is to do. */
export interface StoreJob {
	/** Connection string of the service's user. */
	uri: string;
	databaseName: string;
	clientOptions?: MongoClientOptions;
	/** Begins every idempotency key; guests with the same one race for the same keys. */
	name: string;
	series: string[];
	/** Callers side by side, and the invoices of each. */
	creators: number;
	count: number;
	/** Milliseconds for which a caller waits at most. */
	appendMsMax?: number;
	/** To be prepared for SCRAM, and printed. */
	passwords?: readonly string[];
}

/** A line of its output. */
export type StoreLine =
	| { event: "up"; randomNumber: number; objectId: string }
	| {
			event: "answer";
			key: string;
			outcome: "created" | "replayed" | "unavailable";
			number: string;
			digest: string;
	  }
	/** The database was not there when asked. */
	| { event: "refused"; message: string; milliseconds: number }
	/** Each as it was prepared, or why it is refused. */
	| { event: "passwords"; prepared: string[] }
	/** Everything was read again by the guest itself. */
	| {
			event: "read";
			byNumber: number;
			byCustomer: number;
			byDate: number;
			findings: string[];
	  };

const DRAFTS: readonly object[] = [carSharing, craftsman, wholesale];

const PAGE = 50;

const fail = (error: unknown) => {
	host.writeText(2, `${error instanceof Error ? error.stack : ""}${error}\n`);
	host.exit(1);
};

startLoop(fail);
runStoreJob(JSON.parse(host.environment().JOB ?? "") as StoreJob).catch(fail);

function print(line: StoreLine): void {
	host.writeText(1, `${JSON.stringify(line)}\n`);
}

function checkedDraft(index: number, series: string): CheckedDraft {
	const result = checkDraft(
		{
			...DRAFTS[index % DRAFTS.length],
			series,
			loginName: `kunde-${index % 4}`,
		},
		{
			today: "2026-11-24",
			series: "RE-{year}",
			language: "de",
			currency: "EUR",
			template: { name: "invoice", version: 1 },
		},
	);
	if (!result.ok) {
		throw new Error(JSON.stringify(result.violations));
	}
	return result.checked;
}

async function create(
	store: InvoiceStore,
	key: string,
	series: string,
	draft: number,
): Promise<StoreLine & { event: "answer" }> {
	try {
		const result = await store.append({
			checked: checkedDraft(draft, series),
			idempotency: {
				key,
				requestDigest: sha256Hex(host.encodeUtf8(key)),
			},
		});
		if (!("invoice" in result)) {
			throw new Error(JSON.stringify(result));
		}
		const { number, digest } = result.invoice;
		return { event: "answer", key, outcome: result.outcome, number, digest };
	} catch (error) {
		if (error instanceof StoreUnavailable) {
			return {
				event: "answer",
				key,
				outcome: "unavailable",
				number: "",
				digest: "",
			};
		}
		throw error;
	}
}

/** Does the job; resolves when everything is closed, and nothing may keep the program alive. */
async function runStoreJob(job: StoreJob): Promise<void> {
	const start_ms = host.monotonicNow();
	let client: MongoClient | undefined;
	try {
		client = new MongoClient(job.uri, {
			...CLIENT_OPTIONS,
			...job.clientOptions,
		});
		await client.connect();
	} catch (error) {
		print({
			event: "refused",
			message: String(error),
			milliseconds: host.monotonicNow() - start_ms,
		});
		await client?.close();
		return;
	}
	const database = client.db(job.databaseName);
	const store = openStore(client, job.databaseName, {
		...(job.appendMsMax === undefined
			? {}
			: { limits: { appendMsMax: job.appendMsMax } }),
	});
	print({
		event: "up",
		randomNumber: Math.random(),
		objectId: String(client.options.pkFactory.createPk()),
	});
	if (job.passwords !== undefined) {
		print({ event: "passwords", prepared: job.passwords.map(prepared) });
	}
	const numbers = new Map<string, string>();
	await Promise.all(
		Array.from({ length: job.creators }, async (_, creator) => {
			const series = job.series[creator % job.series.length] as string;
			for (let turn = 0; turn < job.count; turn += 1) {
				const key = `${job.name}-${creator}-${turn}`;
				let answer: StoreLine & { event: "answer" };
				do {
					answer = await create(store, key, series, creator + turn);
					print(answer);
				} while (answer.outcome === "unavailable");
				numbers.set(answer.number, answer.digest);
			}
		}),
	);
	await readAll(store, database, numbers);
	await store.close();
	await client.close();
}

function prepared(password: string): string {
	try {
		return saslprep(password);
	} catch (error) {
		return String(error);
	}
}

/** Reads what was answered by number, and everything by customer and by date; and runs the audit. */
async function readAll(
	store: InvoiceStore,
	database: Parameters<typeof collectionsOf>[0],
	numbers: ReadonlyMap<string, string>,
): Promise<void> {
	let byNumber = 0;
	for (const [number, digest] of numbers) {
		const entry = await store.findEntry(number);
		if (entry === undefined) {
			throw new Error(`${number} was answered and is not there.`);
		}
		const invoice = await store.findInvoice(entry);
		if (invoice.digest !== digest) {
			throw new Error(`${number} is not what was answered.`);
		}
		byNumber += 1;
	}
	let byCustomer = 0;
	for (let customer = 0; customer < 4; customer += 1) {
		let after: string | undefined;
		do {
			const page = await store.listByCustomer(`kunde-${customer}`, {
				limit: PAGE,
				...(after === undefined ? {} : { after }),
			});
			byCustomer += page.invoices.length;
			after = page.next;
		} while (after !== undefined);
	}
	let byDate = 0;
	let after: string | undefined;
	do {
		const page = await store.listByDate({
			from: "2020-01-01",
			to: "2030-12-31",
			limit: PAGE,
			...(after === undefined ? {} : { after }),
		});
		byDate += page.invoices.length;
		after = page.next;
	} while (after !== undefined);
	const collections = collectionsOf(database);
	const findings: string[] = [];
	for (const series of await listSeries(collections)) {
		for await (const { message } of auditSeries(collections, series)) {
			findings.push(message);
		}
	}
	print({ event: "read", byNumber, byCustomer, byDate, findings });
}
