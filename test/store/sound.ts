/** What must hold of a store after any course of events. */
import assert from "node:assert/strict";
import { auditKeys, auditSeries, listSeries } from "../../src/store/audit.ts";
import type { Collections } from "../../src/store/collections.ts";
import type { StoredInvoice } from "../../src/store/store.ts";

/** Every fault that the audit finds in the whole store, as sentences. */
export async function faultsOf(collections: Collections): Promise<string[]> {
	const faults: string[] = [];
	for (const series of await listSeries(collections)) {
		for await (const { message } of auditSeries(collections, series)) {
			faults.push(message);
		}
	}
	for await (const { message } of auditKeys(collections)) {
		faults.push(message);
	}
	return faults;
}

/**
 * Asserts that the store is sound: each series is 1 … n without gap, double
 * or half invoice, and every answered invoice is there, as it was answered.
 * Returns how many invoices each series has.
 */
export async function assertSound(
	collections: Collections,
	answered: readonly Pick<StoredInvoice, "number" | "digest">[],
): Promise<Map<string, number>> {
	assert.deepEqual(await faultsOf(collections), []);
	const counts = new Map<string, number>();
	const digests = new Map<string, string>();
	for await (const {
		series,
		sequence,
		number,
		digest,
	} of collections.invoiceNumbers.find().sort({ series: 1, sequence: 1 })) {
		assert.equal(sequence, (counts.get(series) ?? 0) + 1, `gap at ${number}`);
		counts.set(series, sequence);
		digests.set(number, digest);
	}
	assert.equal(
		await collections.invoices.countDocuments(),
		digests.size,
		"as many invoices as entries of the register",
	);
	for (const { number, digest } of answered) {
		assert.equal(digests.get(number), digest, `${number} was answered`);
	}
	return counts;
}
