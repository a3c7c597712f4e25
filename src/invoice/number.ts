/** Invoice numbers: how a series and a sequence are written, and read back. */

/** Digits of the sequence, filled with zeros; a longer sequence takes more. */
export const SEQUENCE_DIGITS_MIN = 6;

/** BT-1: `formatNumber("RE-2026", 123)` is "RE-2026-000123". */
export function formatNumber(series: string, sequence: number): string {
	if (!Number.isSafeInteger(sequence) || sequence < 1) {
		throw new RangeError(`A sequence starts at 1; ${sequence} is none.`);
	}
	return `${series}-${String(sequence).padStart(SEQUENCE_DIGITS_MIN, "0")}`;
}

const NUMBER_PATTERN =
	/^([A-Z0-9](?:[A-Z0-9-]{0,22}[A-Z0-9])?)-([0-9]{6}|[1-9][0-9]{6,14})$/;

/**
 * Reads a number back into series and sequence; undefined where the text is
 * not a number of ours. `formatNumber` of the result gives the same text, so
 * one invoice has one number and one address only.
 */
export function parseNumber(
	text: string,
): { series: string; sequence: number } | undefined {
	const match = NUMBER_PATTERN.exec(text);
	const sequence = Number(match?.[2]);
	if (match?.[1] === undefined || !(sequence >= 1)) {
		return undefined;
	}
	return { series: match[1], sequence };
}

/** Fills `{year}` of a configured series: `seriesOf("RE-{year}", "2026-11-24")` is "RE-2026". */
export function seriesOf(pattern: string, issueDate: string): string {
	return pattern.replaceAll("{year}", issueDate.slice(0, 4));
}
