/** Resident memory of a process that has rendered a thousand different invoices. */
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { benchSnapshot } from "./invoices.ts";

const DOCUMENTS = 1000;
const MEBIBYTE = 1024 * 1024;

/** Renders them one after another and prints the resident memory in MiB. */
export async function printMemory(
	render: (invoice: Snapshot) => unknown,
): Promise<void> {
	for (let seed = 0; seed < DOCUMENTS; seed += 1) {
		await render(benchSnapshot(10, seed));
	}
	console.log((process.memoryUsage().rss / MEBIBYTE).toFixed(0));
}
