/** Breaking text into lines: greedy, without hyphenation, and never wider than the measure. */
import type { FontFace } from "./canvas.ts";
import { LINE_BREAK } from "./markup.ts";

/**
 * Lines of text and how wide each is, in em. A line that goes on in the next
 * ends with the space between their words, which its width leaves out.
 */
export interface Lines {
	texts: string[];
	widths: number[];
}

/**
 * Characters that have no shape and steer lines only: soft hyphen, zero
 * width space, joiners, direction marks, word joiner, byte order mark. They are never drawn.
 */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;

const SOFT_HYPHEN = "\u00ad";
const ZERO_WIDTH_SPACE = "\u200b";

/** Widths are sums of parts; kerning between parts may add this much (em). */
const TOLERANCE_EM = 0.001;

/**
 * Breaks text into lines of at most `measure` em. Lines end at spaces, after
 * hyphens and slashes between letters, at soft hyphens and zero width spaces,
 * and where LINE_BREAK says so; no-break spaces and hyphens hold. A word wider
 * than the measure is broken after its punctuation or, failing that, anywhere
 * but within a character; a word of letters then gets a hyphen.
 */
export function breakLines(
	text: string,
	measure: number,
	face: FontFace,
): Lines {
	const lines: Lines = { texts: [], widths: [] };
	if (text.includes(LINE_BREAK)) {
		for (const paragraph of text.split(LINE_BREAK)) {
			breakParagraph(paragraph, measure, face, lines);
		}
	} else {
		breakParagraph(text, measure, face, lines);
	}
	return lines;
}

function breakParagraph(
	text: string,
	measure: number,
	face: FontFace,
	lines: Lines,
): void {
	const visible = withoutInvisible(text);
	const width = face.width(visible);
	if (width <= measure + TOLERANCE_EM) {
		lines.texts.push(visible);
		lines.widths.push(width);
		return;
	}
	const space = face.width(" ");
	let line = "";
	let lineWidth = 0;
	// What stands between the line and the next piece: nothing, a space, or a hyphen to be dropped.
	let gap = "";
	let start = 0;
	while (start < text.length) {
		const end = endOfPiece(text, start);
		const piece = withoutInvisible(text.slice(start, end));
		const pieceWidth = face.width(piece);
		// The parts of one word are kerned; words that a space parts are not.
		const wished =
			line !== "" && gap !== " "
				? face.width(line + piece)
				: lineWidth + (line === "" ? 0 : space) + pieceWidth;
		// A piece that ends in a soft hyphen must leave room for it.
		const hyphenWidth = text[end] === SOFT_HYPHEN ? face.width("-") : 0;
		if (wished + hyphenWidth > measure + TOLERANCE_EM) {
			if (line !== "") {
				const hyphenated = lineWidth + face.width("-");
				if (gap === SOFT_HYPHEN && hyphenated <= measure + TOLERANCE_EM) {
					lines.texts.push(`${line}-`);
					lines.widths.push(hyphenated);
				} else {
					// The space between the words of two lines: drawn, but of no width.
					lines.texts.push(gap === " " ? `${line} ` : line);
					lines.widths.push(lineWidth);
				}
			}
			if (pieceWidth > measure + TOLERANCE_EM) {
				line = breakWord(piece, measure, face, lines);
				lineWidth = face.width(line);
			} else {
				line = piece;
				lineWidth = pieceWidth;
			}
		} else {
			line = line === "" || gap !== " " ? line + piece : `${line} ${piece}`;
			lineWidth = wished;
		}
		gap = "";
		start = end;
		if (text[start] === SOFT_HYPHEN || text[start] === ZERO_WIDTH_SPACE) {
			gap = text[start] ?? "";
			start++;
		}
		while (text[start] === " ") {
			gap = " ";
			start++;
		}
	}
	if (line !== "") {
		lines.texts.push(line);
		lines.widths.push(lineWidth);
	}
}

function withoutInvisible(text: string): string {
	return text.search(INVISIBLE) === -1 ? text : text.replace(INVISIBLE, "");
}

/** Where the piece that starts at `start` may be followed by a line break. */
function endOfPiece(text: string, start: number): number {
	for (let index = start + 1; index < text.length; index++) {
		switch (text[index]) {
			case " ":
			case SOFT_HYPHEN:
			case ZERO_WIDTH_SPACE:
				return index;
			default:
				if (isBreakAfter(text, index - 1)) {
					return index;
				}
		}
	}
	return text.length;
}

/** After a hyphen, dash or slash within a word, but not within a number ("2026-11", "-5", "111/5721"). */
function isBreakAfter(text: string, index: number): boolean {
	switch (text.charCodeAt(index)) {
		case 0x2d: // -
		case 0x2f: // /
		case 0x2010: // hyphen
		case 0x2013: // en dash
		case 0x2014: // em dash
			return (
				index > 0 && isLetter(text, index - 1) && isLetter(text, index + 1)
			);
		default:
			return false;
	}
}

function isLetter(text: string, index: number): boolean {
	const code = text.charCodeAt(index);
	if (code < 0x80) {
		return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
	}
	return code >= 0xc0 && /\p{L}|\p{M}/u.test(text[index] ?? "");
}

/** Letters that stay together at either side of a broken word. */
const BROKEN_WORD_LETTERS_MIN = 3;

/** A break after punctuation is worth a line that is this much filled. */
const BROKEN_WORD_FILL_MIN = 0.6;

const PUNCTUATION = /[-_./:;,@#?&=+|\\)\]}]/;

/** Breaks one word that is wider than the measure; pushes full lines and returns what remains. */
function breakWord(
	word: string,
	measure: number,
	face: FontFace,
	lines: Lines,
): string {
	const characters = splitCharacters(word);
	const isLetters = /^[\p{L}\p{M}]+$/u.test(word);
	const hyphen = isLetters ? "-" : "";
	const widthOf = (from: number, to: number) =>
		face.width(characters.slice(from, to).join("") + hyphen);
	let start = 0;
	for (;;) {
		const rest = characters.slice(start).join("");
		if (face.width(rest) <= measure + TOLERANCE_EM) {
			return rest;
		}
		let end = start;
		let width = face.width(hyphen);
		while (end < characters.length) {
			width += face.width(characters[end] ?? "");
			if (width > measure) {
				break;
			}
			end++;
		}
		// Kerning may make the whole wider than its letters.
		while (end > start + 1 && widthOf(start, end) > measure) {
			end--;
		}
		if (end === start) {
			// The measure is narrower than a character with its hyphen: it still moves on by one.
			const character = characters[start] ?? "";
			lines.texts.push(character);
			lines.widths.push(face.width(character));
			start++;
			continue;
		}
		if (isLetters) {
			const kept = characters.length - BROKEN_WORD_LETTERS_MIN;
			if (end > kept && kept - start >= BROKEN_WORD_LETTERS_MIN) {
				end = kept;
			}
		} else {
			const earliest = start + Math.ceil((end - start) * BROKEN_WORD_FILL_MIN);
			for (let index = end; index > earliest; index--) {
				if (PUNCTUATION.test(characters[index - 1] ?? "")) {
					end = index;
					break;
				}
			}
		}
		const piece = characters.slice(start, end).join("") + hyphen;
		lines.texts.push(piece);
		lines.widths.push(face.width(piece));
		start = end;
	}
}

/** Letters with the combining marks that belong to them. */
function splitCharacters(text: string): string[] {
	return text.match(/.[\p{M}]*/gsu) ?? [];
}
