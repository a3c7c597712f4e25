import assert from "node:assert/strict";
import fc from "fast-check";
import { breakLines } from "../../src/documents/pdf/lines.ts";
import { PLAIN_FONTS } from "./recording.ts";

/** Breaks after so many characters: each is half an em wide. */
function broken(text: string, characters: number): string[] {
	return breakLines(text, characters / 2, PLAIN_FONTS.regular).texts;
}

describe("line breaking", () => {
	const cases: [
		what: string,
		text: string,
		characters: number,
		lines: string[],
	][] = [
		["fills lines word by word", "aa bb cc dd", 5, ["aa bb ", "cc dd"]],
		[
			"keeps no-break spaces",
			"aa 19\u00a0% bb",
			6,
			["aa ", "19\u00a0% ", "bb"],
		],
		["breaks where told to", "aa\u2028\u2028bb", 9, ["aa", "", "bb"]],
		[
			"breaks after a hyphen between letters",
			"Müller-Lüdenscheidt",
			13,
			["Müller-", "Lüdenscheidt"],
		],
		[
			"keeps numbers with hyphens and slashes whole",
			"Nr. RE-2026-000123 aus 111/5721/1234",
			20,
			["Nr. RE-2026-000123 ", "aus 111/5721/1234"],
		],
		[
			"keeps a minus with its number",
			"Rabatt -10,00",
			9,
			["Rabatt ", "-10,00"],
		],
		[
			"shows a soft hyphen only where it breaks",
			"Fahr\u00adzeug\u00admiete",
			11,
			["Fahrzeug-", "miete"],
		],
		["draws no soft hyphen in a line", "Fahr\u00adzeug", 11, ["Fahrzeug"]],
		["breaks at zero width spaces", "abc\u200bdef", 4, ["abc", "def"]],
		[
			"breaks a long word of letters with a hyphen",
			"Rindfleischetikettierungsgesetz",
			12,
			["Rindfleisch-", "etikettieru-", "ngsgesetz"],
		],
		[
			"leaves no fewer than three letters behind",
			"Abcdefghijkl",
			11,
			["Abcdefghi-", "jkl"],
		],
		[
			"breaks a long address after its punctuation and adds nothing",
			"https://example.org/buchungen/4711",
			20,
			["https://example.org/", "buchungen/4711"],
		],
		[
			"breaks a long number anywhere and adds nothing",
			"12345678901234567890",
			8,
			["12345678", "90123456", "7890"],
		],
		[
			"keeps accents with their letters",
			"x\u0301y\u0301z\u0301",
			2,
			["x\u0301", "y\u0301", "z\u0301"],
		],
	];
	for (const [what, text, characters, lines] of cases) {
		it(what, () => {
			assert.deepEqual(broken(text, characters), lines);
		});
	}

	const words = fc
		.array(
			fc.string({
				unit: fc.constantFrom(..."aäßÉжλ0-/.,@ \u00a0\u00ad\u200b\u2028"),
				maxLength: 60,
				size: "max",
			}),
			{ maxLength: 8 },
		)
		.map((parts) =>
			parts
				.join(" ")
				.replace(/ +/g, " ")
				.replace(/ ?\u2028 ?/g, "\u2028")
				.trim(),
		);

	it("never makes a line wider than the measure, and loses nothing but spaces", () => {
		fc.assert(
			fc.property(
				words,
				fc.integer({ min: 4, max: 40 }),
				(text, characters) => {
					const { texts, widths } = breakLines(
						text,
						characters / 2,
						PLAIN_FONTS.regular,
					);
					for (const [index, line] of texts.entries()) {
						const { length } = line.replace(/ $/, "");
						assert.ok(length <= characters, JSON.stringify(texts));
						// With or without the space at its end.
						assert.ok(
							[line.length, length].includes((widths[index] ?? 0) * 2),
							JSON.stringify(texts),
						);
					}
					const letters = (value: string) =>
						value.replace(/[ \u2028\u00ad\u200b-]/g, "");
					assert.equal(letters(texts.join("")), letters(text));
				},
			),
			{ numRuns: 2000 },
		);
	});
});
