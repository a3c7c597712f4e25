import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { create } from "fontkit";
import {
	createFont,
	createGlyphCoverage,
	type Font,
} from "../../src/documents/pdf/font.ts";
import { BASIC_CHARACTERS } from "../../src/documents/pdf/subset.ts";

const FILES = {
	regular: new Uint8Array(readFileSync("fonts/RechnungSans-Regular.ttf")),
	semibold: new Uint8Array(readFileSync("fonts/RechnungSans-SemiBold.ttf")),
};
const fonts = {
	regular: createFont(FILES.regular),
	semibold: createFont(FILES.semibold),
};
const coverage = createGlyphCoverage(fonts);

/** Every character that is drawn as itself. */
const drawable = [...fonts.regular.file.characters.keys()]
	.filter((codePoint) => coverage.has(codePoint))
	.filter(
		(codePoint) =>
			![0xad, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0xfeff].includes(
				codePoint,
			),
	)
	.map((codePoint) => String.fromCodePoint(codePoint));

/** What fontkit, a complete shaping engine, makes of a word. */
function shapeByFontkit(name: "regular" | "semibold") {
	const font = create(Buffer.from(FILES[name]));
	assert.ok("layout" in font);
	return (word: string) => {
		const { glyphs, positions } = font.layout(word);
		return {
			glyphs: glyphs.map(({ id }) => id),
			advance: positions.reduce((sum, { xAdvance }) => sum + xAdvance, 0),
		};
	};
}

function lettersOf(font: Font, word: string): string {
	return font.shape(word).glyphs.map(font.letters).join("");
}

describe("The fonts", () => {
	for (const name of ["regular", "semibold"] as const) {
		describe(name, () => {
			const font = fonts[name];

			it("sets words as a complete shaping engine does, kerning and ligatures included", () => {
				const expected = shapeByFontkit(name);
				const words = [
					"AVATAR",
					"Offizielle",
					"fffi",
					"„Tag“",
					"V.A.T.,",
					"Übergrößenträger",
					"Москва",
					"Αθήνα",
					"RE-2026-000123",
				];
				const word = fc.oneof(
					fc.constantFrom(...words),
					fc.stringMatching(/^[A-Za-zäöüß.,"'„“fi-]{1,12}$/),
					fc
						.array(fc.constantFrom(...drawable.filter((c) => c !== " ")), {
							minLength: 1,
							maxLength: 12,
						})
						.map((characters) => characters.join("")),
				);
				fc.assert(
					fc.property(word, (text) => {
						const { glyphs, advance } = font.shape(text);
						assert.deepEqual({ glyphs, advance }, expected(text), text);
					}),
					{ numRuns: 400 },
				);
			});

			it("gives back the letters of what it sets", () => {
				fc.assert(
					fc.property(
						fc.array(fc.constantFrom(...drawable)).map((all) => all.join("")),
						(text) => {
							assert.equal(lettersOf(font, text), text.replaceAll("ﬁ", "fi"));
						},
					),
				);
			});

			it("measures a line as the sum of its words and spaces", () => {
				const space = font.face.width(" ");
				fc.assert(
					fc.property(
						fc.array(fc.stringMatching(/^[A-Za-z0-9,.]{0,8}$/), {
							minLength: 1,
						}),
						(words) => {
							const sum = words.reduce(
								(width, word) => width + font.face.width(word),
								space * (words.length - 1),
							);
							assert.ok(
								Math.abs(font.face.width(words.join(" ")) - sum) < 1e-9,
							);
						},
					),
				);
			});

			it("has figures of one width, which no neighbour moves, so that amounts line up", () => {
				fc.assert(
					fc.property(fc.stringMatching(/^[0-9.,−%€()+ -]{1,16}$/), (text) => {
						const alone = [...text].reduce(
							(width, character) => width + font.face.width(character),
							0,
						);
						assert.ok(Math.abs(font.face.width(text) - alone) < 1e-9, text);
					}),
				);
				for (const figure of "0123456789") {
					assert.equal(font.face.width(figure), 0.6);
				}
			});

			it("has metrics of its outlines' proportions", () => {
				const { ascent, descent, capHeight, xHeight } = font.face;
				assert.ok(0.4 < xHeight && xHeight < capHeight);
				assert.ok(capHeight < ascent && descent > 0.2 && descent < 0.4);
			});
		});
	}

	it("can draw every character of German business letters, and the names of Europe", () => {
		const texts = [
			"äöüÄÖÜßẞ§€–—„“”‚‘’…·•«»‹›†°²³½¼¾µ×÷±−≠≤≥№™®©",
			"ŁódźČeskýGyőrİstanbulȘtefanŻółćĀĒĪŪĢĶĻŅŐŰŴŶÞÐÆŒ",
			"ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩάέήίόύώϊϋΐΰς",
			"АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯҐЄІЇЎЂЈЉЊЋЏ",
			"£$¥₺₽₴₹₿¢₩₪₫₱",
			"1\u00a0234,50\u202f€\u2009%",
			BASIC_CHARACTERS,
		];
		for (const text of texts) {
			assert.equal(coverage.missing(text), undefined, text);
		}
	});

	it("draw invisible characters as nothing, and any other space as a space", () => {
		const { regular } = fonts;
		assert.equal(
			regular.face.width("Donau\u00addampf\u200bschiff\ufeff"),
			regular.face.width("Donaudampfschiff"),
		);
		assert.equal(lettersOf(regular, "Auf\u200clage"), "Auflage");
		assert.equal(regular.face.width("\u3000"), regular.face.width(" "));
		assert.equal(coverage.missing("a\u00ad\u200b\u2060\u3000b"), undefined);
	});

	it("name the character that they cannot draw", () => {
		for (const [text, name] of [
			["Café 北京", "U+5317"],
			["Viel Spaß 🚗", "U+1F697"],
			["Tab\tulator", "U+0009"],
			["Zeile\nZeile", "U+000A"],
			["\ud800", "U+D800"],
			["\ufffd", "U+FFFD"],
			["Cafe\u0301", "U+0301"],
		] as const) {
			assert.equal(
				coverage.missing(text)?.codePointAt(0),
				Number.parseInt(name.slice(2), 16),
				text,
			);
			assert.throws(() => fonts.regular.face.width(text), {
				message: new RegExp(name.replace("+", "\\+")),
			});
		}
	});

	it("keep a bounded number of words, and set a forgotten one the same again", () => {
		const before = fonts.regular.shape("Wiedervorlage");
		for (let at = 0; at < 20_000; at++) {
			fonts.regular.shape(`${at},00`);
		}
		const after = fonts.regular.shape("Wiedervorlage");
		assert.notEqual(after, before, "the word was kept for ever");
		assert.deepEqual(after, before);
	});
});
