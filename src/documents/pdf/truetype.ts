/** Reads from a TrueType font what drawing text with it needs: metrics, character map, advance widths, kerning, outlines. */

/** A font as it lies in its file; lengths in font units. */
export interface TrueType {
	readonly postscriptName: string;
	readonly unitsPerEm: number;
	readonly ascent: number;
	/** Negative: below the baseline. */
	readonly descent: number;
	readonly capHeight: number;
	readonly xHeight: number;
	/** 400 regular, 600 semibold. */
	readonly weight: number;
	readonly boundingBox: readonly [number, number, number, number];
	readonly glyphCount: number;
	/** Code point → glyph. */
	readonly characters: ReadonlyMap<number, number>;
	/** By glyph. */
	readonly advances: Uint16Array;
	/** By glyph. */
	readonly leftSideBearings: Int16Array;
	/** How much nearer `right` moves to `left` (negative: nearer). */
	kerning(left: number, right: number): number;
	/** The glyph's entry in the glyf table, empty for a blank. */
	outline(glyph: number): Uint8Array;
	/** A table as it stands in the file. */
	table(tag: string): Uint8Array;
}

const POSTSCRIPT_NAME = 6;
const LONG_OFFSETS = 1;
const PAIR_ADJUSTMENT = 2;
const WITHOUT_CLASS = 0;

/**
 * Reads a font with glyf outlines. Kerning is that of the GPOS feature "kern"
 * for the script DFLT: our fonts have the same for every script.
 *
 * Reading the tables directly instead of shaping with fontkit makes a word a
 * hundred times cheaper and the first document of a process 60 ms faster; the
 * tests compare each advance with fontkit's.
 *
 * @throws {Error} where a table is missing.
 */
export function readTrueType(bytes: Uint8Array): TrueType {
	const tables = readDirectory(bytes);
	function table(tag: string): Uint8Array {
		const found = tables.get(tag);
		if (!found) {
			throw new Error(
				`The font has no table "${tag}". Only TrueType fonts with glyf outlines can be embedded; make it with fonts/make.py.`,
			);
		}
		return found;
	}
	const head = view(table("head"));
	const horizontalHeader = view(table("hhea"));
	const os2 = view(table("OS/2"));
	const glyphCount = view(table("maxp")).getUint16(4);
	const glyf = table("glyf");
	const offsets = readGlyphOffsets(
		view(table("loca")),
		glyphCount,
		head.getInt16(50) === LONG_OFFSETS,
	);
	return {
		postscriptName: readName(table("name"), POSTSCRIPT_NAME),
		unitsPerEm: head.getUint16(18),
		ascent: horizontalHeader.getInt16(4),
		descent: horizontalHeader.getInt16(6),
		capHeight: os2.getInt16(88),
		xHeight: os2.getInt16(86),
		weight: os2.getUint16(4),
		boundingBox: [
			head.getInt16(36),
			head.getInt16(38),
			head.getInt16(40),
			head.getInt16(42),
		],
		glyphCount,
		characters: readCharacterMap(view(table("cmap"))),
		...readMetrics(
			view(table("hmtx")),
			glyphCount,
			horizontalHeader.getUint16(34),
		),
		kerning: readKerning(tables.get("GPOS"), glyphCount),
		outline: (glyph) =>
			glyf.subarray(offsets[glyph] ?? 0, offsets[glyph + 1] ?? 0),
		table,
	};
}

function view(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tagAt(data: DataView, offset: number): string {
	return String.fromCharCode(
		data.getUint8(offset),
		data.getUint8(offset + 1),
		data.getUint8(offset + 2),
		data.getUint8(offset + 3),
	);
}

function readDirectory(bytes: Uint8Array): Map<string, Uint8Array> {
	const data = view(bytes);
	const tables = new Map<string, Uint8Array>();
	const count = data.getUint16(4);
	for (let index = 0; index < count; index++) {
		const record = 12 + index * 16;
		const start = data.getUint32(record + 8);
		tables.set(
			tagAt(data, record),
			bytes.subarray(start, start + data.getUint32(record + 12)),
		);
	}
	return tables;
}

function readGlyphOffsets(
	loca: DataView,
	glyphCount: number,
	long: boolean,
): Uint32Array {
	const offsets = new Uint32Array(glyphCount + 1);
	for (let glyph = 0; glyph <= glyphCount; glyph++) {
		offsets[glyph] = long
			? loca.getUint32(glyph * 4)
			: loca.getUint16(glyph * 2) * 2;
	}
	return offsets;
}

/** The last glyphs share one advance where `metricCount` is less than `glyphCount`. */
function readMetrics(
	metrics: DataView,
	glyphCount: number,
	metricCount: number,
): Pick<TrueType, "advances" | "leftSideBearings"> {
	const advances = new Uint16Array(glyphCount);
	const leftSideBearings = new Int16Array(glyphCount);
	for (let glyph = 0; glyph < glyphCount; glyph++) {
		const full = Math.min(glyph, metricCount - 1);
		advances[glyph] = metrics.getUint16(full * 4);
		leftSideBearings[glyph] = metrics.getInt16(
			full * 4 + 2 + (glyph - full) * 2,
		);
	}
	return { advances, leftSideBearings };
}

function readName(table: Uint8Array, wanted: number): string {
	const data = view(table);
	const texts = data.getUint16(4);
	const count = data.getUint16(2);
	for (let index = 0; index < count; index++) {
		const record = 6 + index * 12;
		const isWindowsUnicode =
			data.getUint16(record) === 3 && data.getUint16(record + 2) === 1;
		if (isWindowsUnicode && data.getUint16(record + 6) === wanted) {
			const start = texts + data.getUint16(record + 10);
			let text = "";
			for (let at = 0; at < data.getUint16(record + 8); at += 2) {
				text += String.fromCharCode(data.getUint16(start + at));
			}
			return text;
		}
	}
	throw new Error(
		`The font has no name ${wanted} for Windows; make it with fonts/make.py.`,
	);
}

/** Subtable format 4 (the Basic Multilingual Plane), which every TrueType font has. */
function readCharacterMap(cmap: DataView): Map<number, number> {
	const count = cmap.getUint16(2);
	for (let index = 0; index < count; index++) {
		const start = cmap.getUint32(4 + index * 8 + 4);
		if (cmap.getUint16(start) === 4) {
			return readSegments(cmap, start);
		}
	}
	throw new Error(
		"The font has no character map of format 4; make it with fonts/make.py.",
	);
}

function readSegments(cmap: DataView, start: number): Map<number, number> {
	const characters = new Map<number, number>();
	const segmentBytes = cmap.getUint16(start + 6);
	const ends = start + 14;
	const starts = ends + segmentBytes + 2;
	const deltas = starts + segmentBytes;
	const ranges = deltas + segmentBytes;
	for (let at = 0; at < segmentBytes; at += 2) {
		const end = cmap.getUint16(ends + at);
		const delta = cmap.getUint16(deltas + at);
		const range = cmap.getUint16(ranges + at);
		for (let code = cmap.getUint16(starts + at); code <= end; code++) {
			let glyph = code;
			if (range !== 0) {
				glyph = cmap.getUint16(
					ranges + at + range + (code - cmap.getUint16(starts + at)) * 2,
				);
				if (glyph === 0) {
					continue;
				}
			}
			glyph = (glyph + delta) & 0xffff;
			if (glyph !== 0) {
				characters.set(code, glyph);
			}
		}
	}
	return characters;
}

/** What a subtable of the pair adjustment says of two glyphs; undefined where it says nothing and the next is asked. */
type PairSubtable = (left: number, right: number) => number | undefined;

function readKerning(
	table: Uint8Array | undefined,
	glyphCount: number,
): TrueType["kerning"] {
	if (!table) {
		return () => 0;
	}
	const gpos = view(table);
	const lookupList = gpos.getUint16(8);
	const lookups = kerningLookups(gpos).map((index) => {
		const lookup = lookupList + gpos.getUint16(lookupList + 2 + index * 2);
		if (gpos.getUint16(lookup) !== PAIR_ADJUSTMENT) {
			throw new Error(
				"The font's kerning is not made of pair adjustments alone; make it with fonts/make.py.",
			);
		}
		const subtables: PairSubtable[] = [];
		for (let at = 0; at < gpos.getUint16(lookup + 4); at++) {
			subtables.push(
				readPairs(
					gpos,
					lookup + gpos.getUint16(lookup + 6 + at * 2),
					glyphCount,
				),
			);
		}
		return subtables;
	});
	return (left, right) => {
		let sum = 0;
		for (const subtables of lookups) {
			for (const subtable of subtables) {
				const value = subtable(left, right);
				if (value !== undefined) {
					sum += value;
					break;
				}
			}
		}
		return sum;
	};
}

/** The lookups of the feature "kern" for the default language of the script DFLT. */
function kerningLookups(gpos: DataView): number[] {
	const scriptList = gpos.getUint16(4);
	const featureList = gpos.getUint16(6);
	const lookups: number[] = [];
	for (let at = 0; at < gpos.getUint16(scriptList); at++) {
		const record = scriptList + 2 + at * 6;
		if (tagAt(gpos, record) !== "DFLT") {
			continue;
		}
		const script = scriptList + gpos.getUint16(record + 4);
		const language = script + gpos.getUint16(script);
		for (let index = 0; index < gpos.getUint16(language + 4); index++) {
			const featureRecord =
				featureList + 2 + gpos.getUint16(language + 6 + index * 2) * 6;
			if (tagAt(gpos, featureRecord) !== "kern") {
				continue;
			}
			const feature = featureList + gpos.getUint16(featureRecord + 4);
			for (let each = 0; each < gpos.getUint16(feature + 2); each++) {
				lookups.push(gpos.getUint16(feature + 4 + each * 2));
			}
		}
	}
	return lookups;
}

const ADVANCE_ONLY = 4;

function readPairs(
	gpos: DataView,
	start: number,
	glyphCount: number,
): PairSubtable {
	if (
		gpos.getUint16(start + 4) !== ADVANCE_ONLY ||
		gpos.getUint16(start + 6) !== 0
	) {
		throw new Error(
			"The font's kerning changes more than the first glyph's advance; make it with fonts/make.py.",
		);
	}
	const covered = readCoverage(
		gpos,
		start + gpos.getUint16(start + 2),
		glyphCount,
	);
	return gpos.getUint16(start) === 1
		? readSinglePairs(gpos, start, covered)
		: readClassPairs(gpos, start, covered, glyphCount);
}

function readSinglePairs(
	gpos: DataView,
	start: number,
	covered: Int32Array,
): PairSubtable {
	return (left, right) => {
		const index = covered[left] ?? -1;
		if (index < 0) {
			return undefined;
		}
		const pairs = start + gpos.getUint16(start + 10 + index * 2);
		let low = 0;
		let high = gpos.getUint16(pairs) - 1;
		while (low <= high) {
			const middle = (low + high) >> 1;
			const record = pairs + 2 + middle * 4;
			const glyph = gpos.getUint16(record);
			if (glyph === right) {
				return gpos.getInt16(record + 2);
			}
			if (glyph < right) {
				low = middle + 1;
			} else {
				high = middle - 1;
			}
		}
		return undefined;
	};
}

function readClassPairs(
	gpos: DataView,
	start: number,
	covered: Int32Array,
	glyphCount: number,
): PairSubtable {
	const leftClasses = readClasses(
		gpos,
		start + gpos.getUint16(start + 8),
		glyphCount,
	);
	const rightClasses = readClasses(
		gpos,
		start + gpos.getUint16(start + 10),
		glyphCount,
	);
	const rightClassCount = gpos.getUint16(start + 14);
	return (left, right) => {
		if ((covered[left] ?? -1) < 0) {
			return undefined;
		}
		const cell =
			(leftClasses[left] ?? WITHOUT_CLASS) * rightClassCount +
			(rightClasses[right] ?? WITHOUT_CLASS);
		return gpos.getInt16(start + 16 + cell * 2);
	};
}

/** Glyph → its index in the coverage table, or -1. */
function readCoverage(
	data: DataView,
	start: number,
	glyphCount: number,
): Int32Array {
	const indices = new Int32Array(glyphCount).fill(-1);
	const count = data.getUint16(start + 2);
	for (let at = 0; at < count; at++) {
		if (data.getUint16(start) === 1) {
			indices[data.getUint16(start + 4 + at * 2)] = at;
			continue;
		}
		const range = start + 4 + at * 6;
		const first = data.getUint16(range);
		for (let glyph = first; glyph <= data.getUint16(range + 2); glyph++) {
			indices[glyph] = data.getUint16(range + 4) + glyph - first;
		}
	}
	return indices;
}

function readClasses(
	data: DataView,
	start: number,
	glyphCount: number,
): Uint16Array {
	const classes = new Uint16Array(glyphCount);
	if (data.getUint16(start) === 1) {
		const first = data.getUint16(start + 2);
		for (let at = 0; at < data.getUint16(start + 4); at++) {
			classes[first + at] = data.getUint16(start + 6 + at * 2);
		}
		return classes;
	}
	for (let at = 0; at < data.getUint16(start + 2); at++) {
		const range = start + 4 + at * 6;
		classes.fill(
			data.getUint16(range + 4),
			data.getUint16(range),
			data.getUint16(range + 2) + 1,
		);
	}
	return classes;
}
