/** A font ready to set text in: words become glyphs, with kerning and ligatures, and glyphs become letters again. */
import { codePointName } from "../../invoice/text.ts";
import type { FontFace, FontName } from "./canvas.ts";
import { BASIC_CHARACTERS } from "./subset.ts";
import { readTrueType, type TrueType } from "./truetype.ts";

/** A word as the PDF draws it. */
export interface ShapedWord {
	/** In thousandths of the type size. */
	readonly advance: number;
	/**
	 * What stands between the brackets of the operator TJ, less the first "("
	 * and the last ")": two bytes a glyph, escaped, with the kerning between.
	 */
	readonly operand: string;
	readonly glyphs: readonly number[];
}

/** Words with the spaces between them, as the PDF draws them. */
export interface ShapedLine {
	/** In thousandths of the type size. */
	readonly advance: number;
	/** As that of a word. */
	readonly operand: string;
	/** Whether the subset of the basic characters has all of its glyphs. */
	readonly isBasic: boolean;
}

export interface Font {
	readonly file: TrueType;
	readonly face: FontFace;
	/**
	 * Sets one word, or anything else without U+0020.
	 * @throws {Error} on a character that the font lacks.
	 */
	shape(word: string): ShapedWord;
	/**
	 * Sets text on one line; words are not kerned with the spaces between them.
	 * @throws {Error} on a character that the font lacks.
	 */
	line(text: string): ShapedLine;
	/** Marks the glyphs of the basic characters, with index by glyph. */
	readonly basicGlyphs: Uint8Array;
	/** The letters that a glyph stands for, to copy and search by. */
	letters(glyph: number): string;
}

/** Which characters can be drawn in every weight, so that a draft with others is refused. */
export interface GlyphCoverage {
	has(codePoint: number): boolean;
	/** The first character of `text` that cannot be drawn. */
	missing(text: string): string | undefined;
}

/** What is set as one glyph; the same pairs are in the font's GSUB feature "liga". */
const LIGATURES: ReadonlyMap<string, number> = new Map([["fi", 0xfb01]]);

const LIGATURE_STARTS: ReadonlySet<number> = new Set(
	[...LIGATURES.keys()].map((letters) => letters.charCodeAt(0)),
);

/** Spaces of the General Punctuation block and two more: drawn as a plain space where the font has no glyph. */
const SPACES: ReadonlySet<number> = new Set([
	0x00a0, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
	0x2008, 0x2009, 0x200a, 0x202f, 0x205f, 0x3000,
]);

/**
 * Characters that say where a line may break, or which way text runs, and have
 * no shape: they draw nothing. (Soft hyphen, zero-width space, non-joiner,
 * joiner, direction marks, word joiner, byte order mark.)
 */
const INVISIBLE: ReadonlySet<number> = new Set([
	0x00ad, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2060, 0xfeff,
]);

/**
 * Combining accents (U+0300 to U+036F) are refused although the fonts have
 * some: normalised text (NFC) has one character for every accented letter
 * that the fonts can draw, so one that is left over would not sit on its letter.
 */
function isCombiningAccent(codePoint: number): boolean {
	return codePoint >= 0x0300 && codePoint <= 0x036f;
}

const SPACE = 0x20;
const INVISIBLE_GLYPH = 0xffff;
/** Our fonts have no characters beyond the Basic Multilingual Plane. */
const CODE_POINTS = 0x10000;

/** Words kept per font, in two generations of this many; about 300 bytes each. */
const CACHED_WORDS_MAX = 4096;
/** A longer run of letters is hardly ever met twice. */
const CACHED_WORD_LENGTH_MAX = 40;
/** Lines are met again when they are drawn after they were measured, and those of a firm on its next invoice. */
const CACHED_LINES_MAX = 2048;
const CACHED_LINE_LENGTH_MAX = 120;

/**
 * Reads a font; to be done once per process.
 * @param bytes a TrueType file made by fonts/make.py
 */
export function createFont(bytes: Uint8Array): Font {
	const file = readTrueType(bytes);
	const scale = 1000 / file.unitsPerEm;
	const codes = new Array<string | undefined>(file.glyphCount);
	// Asked for when a subset is made, and not before the service starts.
	let lettersOfGlyph: Map<number, string> | undefined;
	const glyphs = readDrawable(file);
	const kerning = cacheKerning(file);

	/** @returns INVISIBLE_GLYPH for what draws nothing, 0 for what cannot be drawn. */
	function glyphOf(codePoint: number): number {
		return glyphs[codePoint] ?? 0;
	}

	function shape(word: string): ShapedWord {
		const shaped: number[] = [];
		let advance = 0;
		let operand = "";
		let previous = 0;
		for (let at = 0; at < word.length; at++) {
			const codePoint = word.codePointAt(at) ?? 0;
			let glyph = glyphOf(codePoint);
			if (LIGATURE_STARTS.has(codePoint)) {
				const ligature = LIGATURES.get(word.slice(at, at + 2));
				if (ligature !== undefined) {
					glyph = glyphOf(ligature);
					at++;
				}
			}
			if (glyph === INVISIBLE_GLYPH) {
				continue;
			}
			if (glyph === 0) {
				throw new Error(missingCharacterMessage(codePoint, word));
			}
			const adjustment = previous === 0 ? 0 : kerning(previous, glyph);
			if (adjustment !== 0) {
				advance += adjustment;
				operand += `)${-Math.round(adjustment * scale)}(`;
			}
			let code = codes[glyph];
			if (code === undefined) {
				code = glyphCode(glyph);
				codes[glyph] = code;
			}
			operand += code;
			advance += file.advances[glyph] ?? 0;
			shaped.push(glyph);
			previous = glyph;
		}
		return { advance: advance * scale, operand, glyphs: shaped };
	}

	const basicGlyphs = new Uint8Array(file.glyphCount);
	for (const character of BASIC_CHARACTERS) {
		for (const glyph of shape(character).glyphs) {
			basicGlyphs[glyph] = 1;
		}
	}

	const cachedShape = cacheByText(
		shape,
		CACHED_WORDS_MAX,
		CACHED_WORD_LENGTH_MAX,
	);
	const space = shape(" ");

	function shapeLine(text: string): ShapedLine {
		let advance = 0;
		let operand = "";
		let isBasic = true;
		forEachWord(text, (word, index) => {
			const shaped = cachedShape(word);
			advance += shaped.advance;
			if (index > 0) {
				advance += space.advance;
				operand += space.operand;
			}
			operand += shaped.operand;
			isBasic &&= shaped.glyphs.every((glyph) => basicGlyphs[glyph] === 1);
		});
		return { advance, operand, isBasic };
	}

	const line = cacheByText(shapeLine, CACHED_LINES_MAX, CACHED_LINE_LENGTH_MAX);
	return {
		file,
		face: {
			ascent: file.ascent / file.unitsPerEm,
			descent: -file.descent / file.unitsPerEm,
			capHeight: file.capHeight / file.unitsPerEm,
			xHeight: file.xHeight / file.unitsPerEm,
			width: (text) => line(text).advance / 1000,
			has: (codePoint) => glyphOf(codePoint) !== 0,
		},
		shape: cachedShape,
		line,
		basicGlyphs,
		letters(glyph) {
			lettersOfGlyph ??= readLetters(file);
			return lettersOfGlyph.get(glyph) ?? "";
		},
	};
}

/** Glyph → the letters that it stands for: those of its first code point, or of a ligature. */
function readLetters(file: TrueType): Map<number, string> {
	const letters = new Map<number, string>();
	file.characters.forEach((glyph, codePoint) => {
		if (!letters.has(glyph)) {
			letters.set(glyph, String.fromCharCode(codePoint));
		}
	});
	for (const [text, codePoint] of LIGATURES) {
		const glyph = file.characters.get(codePoint);
		if (glyph !== undefined) {
			letters.set(glyph, text);
		}
	}
	return letters;
}

/** Code point → glyph, INVISIBLE_GLYPH where nothing is drawn, 0 where nothing can be. */
function readDrawable(file: TrueType): Uint16Array {
	const glyphs = new Uint16Array(CODE_POINTS);
	for (const codePoint of SPACES) {
		glyphs[codePoint] = file.characters.get(SPACE) ?? 0;
	}
	// Not "for … of": an array for each of a thousand entries is half of the time it takes to start.
	file.characters.forEach((glyph, codePoint) => {
		if (!isCombiningAccent(codePoint)) {
			glyphs[codePoint] = glyph;
		}
	});
	for (const codePoint of INVISIBLE) {
		glyphs[codePoint] = INVISIBLE_GLYPH;
	}
	return glyphs;
}

const NOT_LOOKED_UP = 0x7fff;

/** Remembers the kerning of the pairs met, two bytes for each possible one. */
function cacheKerning(file: TrueType): TrueType["kerning"] {
	const rows = new Array<Int16Array | undefined>(file.glyphCount);
	return (left, right) => {
		let row = rows[left];
		if (row === undefined) {
			row = new Int16Array(file.glyphCount).fill(NOT_LOOKED_UP);
			rows[left] = row;
		}
		let value = row[right] ?? NOT_LOOKED_UP;
		if (value === NOT_LOOKED_UP) {
			value = file.kerning(left, right);
			row[right] = value;
		}
		return value;
	};
}

/** Calls back for each run of characters between spaces, which may be empty. */
export function forEachWord(
	text: string,
	action: (word: string, index: number) => void,
): void {
	let start = 0;
	let index = 0;
	for (;;) {
		const end = text.indexOf(" ", start);
		if (end < 0) {
			action(start === 0 ? text : text.slice(start), index);
			return;
		}
		action(text.slice(start, end), index);
		start = end + 1;
		index++;
	}
}

/** The characters that every one of the fonts can draw. */
export function createGlyphCoverage(
	fonts: Readonly<Record<FontName, Font>>,
): GlyphCoverage {
	const faces = Object.values(fonts).map((font) => font.face);
	const has = (codePoint: number) => faces.every((face) => face.has(codePoint));
	return {
		has,
		missing(text) {
			for (const character of text) {
				if (!has(character.codePointAt(0) ?? 0)) {
					return character;
				}
			}
			return undefined;
		},
	};
}

function missingCharacterMessage(codePoint: number, word: string): string {
	const name = codePointName(codePoint);
	return isCombiningAccent(codePoint)
		? `The text "${word}" has the combining accent ${name}, which cannot be drawn by itself. Normalise the text (NFC); if it is still there, the font lacks that accented letter: write it otherwise.`
		: `The text "${word}" has the character ${name}, which the font cannot draw. Latin, Greek and Cyrillic letters, punctuation, currency and mathematical signs can be drawn: write it with those.`;
}

/** Two bytes, as they stand in a literal string (ISO 32000-1, 7.3.4.2). */
function glyphCode(glyph: number): string {
	return escapeByte(glyph >> 8) + escapeByte(glyph & 0xff);
}

function escapeByte(byte: number): string {
	switch (byte) {
		case 0x0d: // a bare carriage return would be read as a line feed
			return "\\r";
		case 0x28:
			return "\\(";
		case 0x29:
			return "\\)";
		case 0x5c:
			return "\\\\";
		default:
			return String.fromCharCode(byte);
	}
}

/** Remembers what came of the last few thousand texts: when the young generation is full it becomes the old one. */
function cacheByText<Shaped extends object>(
	shape: (text: string) => Shaped,
	countMax: number,
	lengthMax: number,
): (text: string) => Shaped {
	let young = new Map<string, Shaped>();
	let old = young;
	return (text) => {
		const cached = young.get(text);
		if (cached !== undefined) {
			return cached;
		}
		const shaped = old.get(text) ?? shape(text);
		if (text.length <= lengthMax) {
			if (young.size >= countMax) {
				old = young;
				young = new Map();
			}
			young.set(text, shaped);
		}
		return shaped;
	};
}
