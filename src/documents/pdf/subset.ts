/** The part of a font that goes into a document: only the glyphs that are used, under their own numbers. */
import type { Font } from "./font.ts";
import type { TrueType } from "./truetype.ts";

/** What the PDF says of an embedded font; the same for every document that uses the same glyphs. */
export interface FontSubset {
	/** Six letters and "+", before the font's name (ISO 32000-1, 9.6.4). */
	readonly tag: string;
	/** A TrueType file. */
	readonly file: Uint8Array;
	/** The CID font's W entry, in thousandths of the type size. */
	readonly widths: string;
	/** The ToUnicode map. */
	readonly characterMap: string;
}

/**
 * What German business letters are written with, and the names of those who
 * get them: Germany's neighbours', Polish, Czech, Croatian and Turkish ones. A document that needs nothing else embeds this subset as
 * it is, made and compressed once per process. All of Latin-1 would cost each
 * document 4 kB more, for signs that hardly any has.
 */
export const BASIC_CHARACTERS: string = `${range(0x20, 0x7e)}ÀÄÅÇÈÉÊÑÓÖØÜẞ${range(0xdf, 0xef)}${range(0xf1, 0xfc)}ąćęłńśźżŁŚŻčšžČŠŽğıİşŞﬁ§€°·•²³×−–—…‘’‚“”„«»\u00a0\u202f`;

const SUBSET_TAG_LENGTH = 6;

function range(first: number, last: number): string {
	let characters = "";
	for (let code = first; code <= last; code++) {
		characters += String.fromCharCode(code);
	}
	return characters;
}

/**
 * Makes the subset of `font` with the glyphs marked in `used`: a pure function
 * of the two. Glyphs keep their numbers, so text can be written before it is
 * known which glyphs a document needs.
 */
export function makeSubset(font: Font, used: Uint8Array): FontSubset {
	const glyphs: number[] = [];
	for (let glyph = 1; glyph < used.length; glyph++) {
		if (used[glyph] === 1) {
			glyphs.push(glyph);
		}
	}
	return {
		tag: subsetTag(glyphs),
		file: makeFile(font.file, glyphs),
		widths: makeWidths(font.file, glyphs),
		characterMap: makeCharacterMap(font, glyphs),
	};
}

/** FNV-1a over the glyph numbers, in letters: equal subsets have equal tags. */
function subsetTag(glyphs: readonly number[]): string {
	let hash = 0x811c9dc5;
	for (const glyph of glyphs) {
		hash = Math.imul(hash ^ (glyph & 0xff), 0x01000193);
		hash = Math.imul(hash ^ (glyph >> 8), 0x01000193);
	}
	let rest = hash >>> 0;
	let tag = "";
	for (let at = 0; at < SUBSET_TAG_LENGTH; at++) {
		tag += String.fromCharCode(0x41 + (rest % 26));
		rest = Math.floor(rest / 26);
	}
	return `${tag}+`;
}

const NOT_DEFINED = 0;

// Flags of a composite glyph's components (OpenType, glyf table).
const ARGUMENTS_ARE_WORDS = 0x0001;
const HAS_SCALE = 0x0008;
const MORE_COMPONENTS = 0x0020;
const HAS_TWO_SCALES = 0x0040;
const HAS_MATRIX = 0x0080;

/** Adds the glyphs that composite glyphs are made of. */
function withComponents(file: TrueType, glyphs: readonly number[]): number[] {
	const wanted = new Set([NOT_DEFINED, ...glyphs]);
	for (const glyph of wanted) {
		const outline = file.outline(glyph);
		if (outline.length === 0) {
			continue;
		}
		const data = new DataView(
			outline.buffer,
			outline.byteOffset,
			outline.length,
		);
		const isComposite = data.getInt16(0) < 0;
		let at = 10;
		let flags = isComposite ? MORE_COMPONENTS : 0;
		while ((flags & MORE_COMPONENTS) !== 0) {
			flags = data.getUint16(at);
			wanted.add(data.getUint16(at + 2));
			at += (flags & ARGUMENTS_ARE_WORDS) !== 0 ? 8 : 6;
			if ((flags & HAS_SCALE) !== 0) {
				at += 2;
			} else if ((flags & HAS_TWO_SCALES) !== 0) {
				at += 4;
			} else if ((flags & HAS_MATRIX) !== 0) {
				at += 8;
			}
		}
	}
	return [...wanted].sort((left, right) => left - right);
}

/** A TrueType file with the tables that PDF asks of one (ISO 32000-1, 9.9). */
function makeFile(file: TrueType, glyphs: readonly number[]): Uint8Array {
	const wanted = withComponents(file, glyphs);
	const glyphCount = (wanted[wanted.length - 1] ?? 0) + 1;
	let glyfLength = 0;
	for (const glyph of wanted) {
		glyfLength += even(file.outline(glyph).length);
	}
	const glyf = new Uint8Array(glyfLength);
	const loca = new DataView(new ArrayBuffer((glyphCount + 1) * 2));
	const metrics = new DataView(new ArrayBuffer(glyphCount * 4));
	let end = 0;
	let next = 0;
	for (const glyph of wanted) {
		for (; next <= glyph; next++) {
			loca.setUint16(next * 2, end / 2);
		}
		const outline = file.outline(glyph);
		glyf.set(outline, end);
		end += even(outline.length);
		metrics.setUint16(glyph * 4, file.advances[glyph] ?? 0);
		metrics.setInt16(glyph * 4 + 2, file.leftSideBearings[glyph] ?? 0);
	}
	loca.setUint16(next * 2, end / 2);

	const head = file.table("head").slice();
	const headView = new DataView(head.buffer);
	headView.setUint32(8, 0);
	headView.setInt16(50, 0);
	const horizontalHeader = file.table("hhea").slice();
	new DataView(horizontalHeader.buffer).setUint16(34, glyphCount);
	const profile = file.table("maxp").slice();
	new DataView(profile.buffer).setUint16(4, glyphCount);
	return assemble([
		["glyf", glyf],
		["head", head],
		["hhea", horizontalHeader],
		["hmtx", new Uint8Array(metrics.buffer)],
		["loca", new Uint8Array(loca.buffer)],
		["maxp", profile],
	]);
}

function even(length: number): number {
	return length + (length % 2);
}

const HEADER_LENGTH = 12;
const RECORD_LENGTH = 16;
const CHECKSUM_MAGIC = 0xb1b0afba;

function assemble(tables: readonly [tag: string, Uint8Array][]): Uint8Array {
	let length = HEADER_LENGTH + tables.length * RECORD_LENGTH;
	for (const [, table] of tables) {
		length += Math.ceil(table.length / 4) * 4;
	}
	const bytes = new Uint8Array(length);
	const data = new DataView(bytes.buffer);
	const searchable = 2 ** Math.floor(Math.log2(tables.length));
	data.setUint32(0, 0x00010000);
	data.setUint16(4, tables.length);
	data.setUint16(6, searchable * RECORD_LENGTH);
	data.setUint16(8, Math.log2(searchable));
	data.setUint16(10, (tables.length - searchable) * RECORD_LENGTH);
	let start = HEADER_LENGTH + tables.length * RECORD_LENGTH;
	let headStart = 0;
	tables.forEach(([tag, table], index) => {
		const record = HEADER_LENGTH + index * RECORD_LENGTH;
		const paddedEnd = start + Math.ceil(table.length / 4) * 4;
		bytes.set(table, start);
		for (let at = 0; at < 4; at++) {
			data.setUint8(record + at, tag.charCodeAt(at));
		}
		data.setUint32(record + 4, checksum(data, start, paddedEnd));
		data.setUint32(record + 8, start);
		data.setUint32(record + 12, table.length);
		if (tag === "head") {
			headStart = start;
		}
		start = paddedEnd;
	});
	data.setUint32(headStart + 8, CHECKSUM_MAGIC - checksum(data, 0, length));
	return bytes;
}

function checksum(data: DataView, start: number, end: number): number {
	let sum = 0;
	for (let at = start; at < end; at += 4) {
		sum = (sum + data.getUint32(at)) | 0;
	}
	return sum >>> 0;
}

/** `glyph [width width …]` for each run of neighbouring glyphs. */
function makeWidths(file: TrueType, glyphs: readonly number[]): string {
	const scale = 1000 / file.unitsPerEm;
	let widths = "[";
	let previous = -1;
	for (const glyph of glyphs) {
		const width = Math.round((file.advances[glyph] ?? 0) * scale);
		if (previous >= 0 && glyph === previous + 1) {
			widths += ` ${width}`;
		} else {
			widths += previous < 0 ? `${glyph}[${width}` : `]${glyph}[${width}`;
		}
		previous = glyph;
	}
	return previous < 0 ? "[]" : `${widths}]]`;
}

/** The most that one bfchar block may hold (Adobe Technical Note 5411). */
const MAPPINGS_PER_BLOCK_MAX = 100;

function makeCharacterMap(font: Font, glyphs: readonly number[]): string {
	let map =
		"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000><ffff>\nendcodespacerange\n";
	for (let at = 0; at < glyphs.length; at += MAPPINGS_PER_BLOCK_MAX) {
		const block = glyphs.slice(at, at + MAPPINGS_PER_BLOCK_MAX);
		map += `${block.length} beginbfchar\n`;
		for (const glyph of block) {
			map += `<${hex4(glyph)}><${hexText(font.letters(glyph))}>\n`;
		}
		map += "endbfchar\n";
	}
	return `${map}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend`;
}

function hex4(value: number): string {
	return value.toString(16).padStart(4, "0");
}

function hexText(text: string): string {
	let hex = "";
	for (let at = 0; at < text.length; at++) {
		hex += hex4(text.charCodeAt(at));
	}
	return hex;
}
