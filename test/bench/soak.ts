/** Loads the service inside WasmEdge with many requests of every kind: no answer may be wrong, no invoice lost, and memory must stay. */
import { parseArgs } from "node:util";
import { startTestMongod } from "../mongod.ts";
import { openStoreDatabase } from "../store/database.ts";
import { assertSound } from "../store/sound.ts";
import { launchService } from "../wasm/launched-service.ts";
import {
	growthFaults,
	type MemorySample,
	SOAK_BODY_BYTES_MAX,
	soak,
} from "../wasm/soak.ts";

const HELP = `npm run soak [-- --requests N] [--seed N] [--memory MIB]

Sends requests of every kind to the service inside WasmEdge: creates, with and
without Idempotency-Key, retried and doubled; JSON, PDFs, lists, 304s; what is
refused, no JSON, too large; callers who leave in the middle. Checks each answer,
audits the store at the end, and prints the memory of the process every 5 %.
Ends with 1 where an answer was wrong or memory went on growing.

  --requests  100000
  --seed      of what is sent; by default another one each time
  --memory    MEMORY_LIMIT_MIB of the service (512)
`;

const REQUESTS = 100_000;
const MEBIBYTE = 1_048_576;
const BAR_LENGTH = 20;

/** Faults that are printed; a service that is broken has thousands. */
const FAULTS_PRINTED = 20;

const { values } = parseArgs({
	options: {
		help: { type: "boolean", short: "h" },
		requests: { type: "string", default: String(REQUESTS) },
		seed: { type: "string", default: String(Date.now() % 2 ** 31) },
		memory: { type: "string", default: "512" },
	},
});
if (values.help) {
	process.stdout.write(HELP);
	process.exit(0);
}
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
process.exitCode = await main(Number(values.requests), Number(values.seed));

async function main(requests: number, seed: number): Promise<number> {
	if (!(requests > 0) || !Number.isFinite(seed)) {
		process.stderr.write("--requests and --seed must be numbers.\n");
		return 1;
	}
	const mongod = await startTestMongod();
	process.env.TEST_MONGODB_URI = mongod.uri;
	const database = await openStoreDatabase();
	try {
		const service = await launchService({
			MONGODB_URI: database.serviceUri,
			MONGODB_DATABASE: database.admin.databaseName,
			BODY_BYTES_MAX: String(SOAK_BODY_BYTES_MAX),
			MEMORY_LIMIT_MIB: values.memory,
		});
		process.stdout.write(`${requests} requests, --seed ${seed}\n`);
		const startedAt = performance.now();
		const { outcomes, faults, samples, answered } = await soak(service, {
			requests,
			seed,
			onProgress: (done, memory) =>
				process.stdout.write(
					progressLine(done, requests, performance.now() - startedAt, memory),
				),
		});
		const status = await service.end();
		const complaints = [...faults, ...growthFaults(samples)];
		if (status !== 0) complaints.push(`The launcher ended with ${status}.`);
		if (service.said() !== "") complaints.push(`It said: ${service.said()}`);
		process.stdout.write("Auditing the store …\n");
		try {
			const counts = await assertSound(database.collections, answered);
			const stored = [...counts.values()].reduce((sum, each) => sum + each, 0);
			if (stored !== answered.length) {
				complaints.push(
					`${stored} invoices are stored, ${answered.length} were answered.`,
				);
			}
		} catch (error) {
			complaints.push(String(error));
		}
		for (const [outcome, count] of [...outcomes].sort()) {
			process.stdout.write(`${String(count).padStart(8)} ${outcome}\n`);
		}
		for (const complaint of complaints.slice(0, FAULTS_PRINTED)) {
			process.stdout.write(`WRONG: ${complaint}\n`);
		}
		process.stdout.write(
			complaints.length === 0
				? `All answers were right; ${answered.length} invoices are stored, each once; memory stays.\n`
				: `${complaints.length} faults.\n`,
		);
		return complaints.length === 0 ? 0 : 1;
	} finally {
		await database.drop();
		await mongod.remove();
	}
}

function progressLine(
	done: number,
	requests: number,
	milliseconds: number,
	{ resident, linear, used }: MemorySample,
): string {
	const share = Math.min(1, done / requests);
	const bar = "█"
		.repeat(Math.round(share * BAR_LENGTH))
		.padEnd(BAR_LENGTH, "░");
	const mebibytes = (bytes: number) =>
		`${(bytes / MEBIBYTE).toFixed(1).padStart(6)} MiB`;
	return [
		bar,
		`${(share * 100).toFixed(0).padStart(3)} %`,
		`${((done * 1000) / milliseconds).toFixed(0).padStart(5)}/s`,
		` resident ${mebibytes(resident)}`,
		` linear ${mebibytes(linear)}`,
		` used by JavaScript ${mebibytes(used)}\n`,
	].join(" ");
}
