/** Counts what the test runners report, so that a run of several suites ends in one line. */

/** How the tests of one or several suites ended. */
export interface Outcome {
	readonly passed: number;
	readonly failed: number;
	readonly skipped: number;
}

/** Nothing ran yet. */
export const NO_TESTS: Outcome = { passed: 0, failed: 0, skipped: 0 };

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character.
const ESCAPE_SEQUENCE = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** The text without the escape sequences that colour it. */
export function withoutColours(text: string): string {
	return text.replace(ESCAPE_SEQUENCE, "");
}

/**
 * Reads the closing lines of mocha's spec reporter ("12 passing (3s)", "1 failing", "2 pending"). A suite that
 * ended without them, or with a bad status but no failed test, or without any test, counts as one failure.
 *
 * @param output all that the runner printed
 * @param status its exit status; null when a signal ended it
 */
export function outcomeOf(output: string, status: number | null): Outcome {
	const lines = withoutColours(output).split(/\r?\n/);
	const closing = lines.findLastIndex((line) =>
		/^\s*\d+ passing \(\d+(ms|s|m|h|d)\)\s*$/.test(line),
	);
	if (closing < 0) return { ...NO_TESTS, failed: 1 };
	const count = (word: string) => {
		const form = new RegExp(`^\\s*(\\d+) ${word}\\b`);
		const line = lines.slice(closing).find((line) => form.test(line));
		return Number(line?.match(form)?.[1] ?? 0);
	};
	const passed = count("passing");
	const failed = count("failing");
	const skipped = count("pending");
	const crashed = status !== 0 && failed === 0;
	const empty = passed + failed + skipped === 0;
	return { passed, failed: failed + (crashed || empty ? 1 : 0), skipped };
}

/** The sum of several outcomes. */
export function sumOf(outcomes: readonly Outcome[]): Outcome {
	return outcomes.reduce(
		(sum, outcome) => ({
			passed: sum.passed + outcome.passed,
			failed: sum.failed + outcome.failed,
			skipped: sum.skipped + outcome.skipped,
		}),
		NO_TESTS,
	);
}

/** The line that a run ends with: `12 passed, 0 failed`, and `, 2 skipped` where tests were skipped. */
export function closingLine({ passed, failed, skipped }: Outcome): string {
	const line = `${passed} passed, ${failed} failed`;
	return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}

/** Whether a run may end with status 0: something passed and nothing failed. */
export function isGreen({ passed, failed }: Outcome): boolean {
	return failed === 0 && passed > 0;
}
