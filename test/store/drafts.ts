/** Realistic drafts for the store's tests: the golden ones, checked, for many customers. */
import { readdirSync, readFileSync } from "node:fs";
import { type CheckedDraft, checkDraft } from "../../src/invoice/check.ts";
import { sha256Hex } from "../../src/invoice/digest.ts";

const FOLDER = "test/golden";

type DraftJson = Record<string, unknown>;

const golden: readonly DraftJson[] = readdirSync(FOLDER)
	.filter((file) => file.endsWith(".json"))
	.sort()
	.map((file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")));

/** A golden draft (chosen by `index`) for a customer and series of the test's choice, checked. */
export function checkedDraft(
	index: number,
	changes: { loginName?: string; series?: string; issueDate?: string } = {},
): CheckedDraft {
	const draft = { ...golden[index % golden.length], ...changes };
	const result = checkDraft(draft, {
		today: "2026-11-24",
		series: "RE-{year}",
		language: "de",
		currency: "EUR",
		template: { name: "invoice", version: 1 },
	});
	if (!result.ok) {
		throw new Error(
			`Golden draft ${index % golden.length} is not lawful: ${JSON.stringify(result.violations)}`,
		);
	}
	return result.checked;
}

/** The digest of a request's body, as HTTP makes it. */
export function requestDigest(text: string): string {
	return sha256Hex(new TextEncoder().encode(text));
}
