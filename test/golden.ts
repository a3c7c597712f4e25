/** The golden invoices: drafts in, frozen snapshots out, and the files that both are compared with. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
	type CheckContext,
	type CheckResult,
	checkDraft,
} from "../src/invoice/check.ts";
import { cancelInvoice, correctInvoice } from "../src/invoice/correction.ts";
import { freeze } from "../src/invoice/freeze.ts";
import type { Snapshot } from "../src/invoice/snapshot.ts";

/** Set to write what the code makes now instead of comparing with it; then read the diff. */
const UPDATE = process.env.UPDATE_GOLDEN === "1";

const FOLDER = join(process.cwd(), "test", "golden");

export const CONTEXT: CheckContext = {
	today: "2026-11-24",
	series: "RE-{year}",
	language: "de",
	currency: "EUR",
	template: { name: "invoice", version: 1 },
};

export const ISSUE = { sequence: 1, issuedAt: "2026-11-24T09:00:00.000Z" };

export interface Golden {
	name: string;
	snapshot: Snapshot;
}

function names(folder: string): string[] {
	return readdirSync(folder)
		.filter((file) => file.endsWith(".json"))
		.map((file) => file.slice(0, -".json".length))
		.sort();
}

function readJson<Value = unknown>(...path: string[]): Value {
	return JSON.parse(readFileSync(join(FOLDER, ...path), "utf8")) as Value;
}

/** The drafts by name, as callers send them. */
export function goldenDrafts(): { name: string; draft: object }[] {
	return names(FOLDER).map((name) => ({
		name,
		draft: readJson<object>(`${name}.json`),
	}));
}

/** Freezes a result of a check, or fails with its violations. */
export function frozen(result: CheckResult, issue = ISSUE): Snapshot {
	assert.ok(result.ok, JSON.stringify(result, null, "\t"));
	return freeze(result.checked, issue);
}

/** The snapshot of one golden draft. */
export function goldenSnapshot(name: string): Snapshot {
	return frozen(checkDraft(readJson(`${name}.json`), CONTEXT));
}

/** Every golden document: the drafts', and the corrections of some. */
export function goldenSnapshots(): Golden[] {
	const corrections = names(join(FOLDER, "corrections")).map((name) => {
		const { of, cancellation, correction } = readJson<{
			of: string;
			cancellation?: object;
			correction?: object;
		}>("corrections", `${name}.json`);
		const original = goldenSnapshot(of);
		return {
			name,
			snapshot: frozen(
				cancellation === undefined
					? correctInvoice(original, [], correction, CONTEXT)
					: cancelInvoice(original, cancellation, CONTEXT),
			),
		};
	});
	return [
		...goldenDrafts().map(({ name }) => ({
			name,
			snapshot: goldenSnapshot(name),
		})),
		...corrections,
	];
}

/** Compares text with a golden file, or writes it where UPDATE_GOLDEN=1. */
export function assertGolden(file: string, actual: string): void {
	const path = join(FOLDER, file);
	if (UPDATE) {
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, actual);
		return;
	}
	assert.equal(
		actual,
		readFileSync(path, "utf8"),
		`${file} differs; run with UPDATE_GOLDEN=1 and read the diff`,
	);
}
