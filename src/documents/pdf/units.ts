/** Units of measure in words. */
import { UNITS } from "../../invoice/codes.ts";
import type { Language } from "../../invoice/draft.ts";

/**
 * The word for a unit: one of the pairs (for one, for several) that the
 * template's texts have, otherwise the code list's.
 */
export function unitName(
	code: string,
	quantity: string,
	language: Language,
	pairs: Readonly<Record<string, readonly string[]>>,
): string {
	const pair = pairs[code];
	const word = quantity === "1" || quantity === "-1" ? pair?.[0] : pair?.[1];
	return word ?? UNITS.get(code)?.[language] ?? code;
}
