/**
 * One instance of the service's store in a process of its own, to be killed:
 * reads its job as JSON from the command line, stores until it has done it or
 * is ended, and prints each answer as a line of JSON.
 */
import { MongoClient } from "mongodb";
import { CLIENT_OPTIONS, openStore } from "../../src/store/connect.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import { checkedDraft, requestDigest } from "./drafts.ts";

export interface InstanceJob {
	uri: string;
	databaseName: string;
	/** Begins every idempotency key; instances with the same one race for the same keys. */
	name: string;
	series: string[];
	creators: number;
	/** Invoices of one creator. */
	count: number;
}

/** One line of its output; the first one has no answer and says that it is up. */
export interface InstanceAnswer {
	key: string;
	outcome: "created" | "replayed" | "unavailable";
	number: string;
	digest: string;
}

const job = JSON.parse(process.argv[2] ?? "") as InstanceJob;
const client = await MongoClient.connect(job.uri, {
	...CLIENT_OPTIONS,
	serverSelectionTimeoutMS: 1000,
});
const store = openStore(client, job.databaseName);
process.stdout.write("up\n");

await Promise.all(
	Array.from({ length: job.creators }, async (_, creator) => {
		const series = job.series[creator % job.series.length] as string;
		for (let turn = 0; turn < job.count; turn += 1) {
			const key = `${job.name}-${creator}-${turn}`;
			let answer: InstanceAnswer | undefined;
			while (answer?.outcome !== "created" && answer?.outcome !== "replayed") {
				answer = await create(key, series, creator + turn);
				process.stdout.write(`${JSON.stringify(answer)}\n`);
			}
		}
	}),
);
await store.close();
await client.close();

async function create(
	key: string,
	series: string,
	draft: number,
): Promise<InstanceAnswer> {
	try {
		const result = await store.append({
			checked: checkedDraft(draft, { series }),
			idempotency: { key, requestDigest: requestDigest(key) },
		});
		if (!("invoice" in result)) {
			throw new Error(JSON.stringify(result));
		}
		const { number, digest } = result.invoice;
		return { key, outcome: result.outcome, number, digest };
	} catch (error) {
		if (error instanceof StoreUnavailable) {
			return { key, outcome: "unavailable", number: "", digest: "" };
		}
		throw error;
	}
}
