/** Writes fonts into documents: the objects that PDF wants of one, with the glyphs that a document uses. */
import type { Deflate, DeflateEffort } from "./deflate.ts";
import { deflateText } from "./deflate-text.ts";
import { type PackedObjects, type PdfFile, packObjects } from "./document.ts";
import { type Font, forEachWord } from "./font.ts";
import { type FontSubset, makeSubset } from "./subset.ts";

/** The numbers of a font's objects in a file. */
export interface FontObjects {
	/** What a page's resources point at. */
	readonly font: number;
	readonly descendant: number;
	readonly descriptor: number;
	readonly file: number;
	readonly characterMap: number;
}

/** What a document draws with a font. */
export interface DrawnText {
	/** The lines, with the spaces between their words. */
	readonly lines: string[];
	/** Whether the basic subset has all of their glyphs. */
	isBasic: boolean;
}

/** Writes a font with the glyphs that were drawn. One that nothing was drawn with is left out. */
export type FontEmbedder = (
	file: PdfFile,
	objects: FontObjects,
	drawn: DrawnText,
) => void;

interface PreparedFont {
	readonly objects: FontObjects;
	readonly packed: PackedObjects;
	readonly file: Uint8Array;
	readonly fileLength: number;
	readonly characterMap: Uint8Array;
}

export function reserveFont(file: PdfFile): FontObjects {
	return {
		font: file.reserve(),
		descendant: file.reserve(),
		descriptor: file.reserve(),
		file: file.reserve(),
		characterMap: file.reserve(),
	};
}

/**
 * Makes what writes `font` into documents. The basic subset is prepared and
 * compressed once, and again only if its objects should get other numbers.
 */
export function createFontEmbedder(font: Font, deflate: Deflate): FontEmbedder {
	let ready: PreparedFont | undefined;

	function prepare(
		used: Uint8Array,
		objects: FontObjects,
		effort: DeflateEffort,
	): PreparedFont {
		const subset = makeSubset(font, used);
		return {
			objects,
			packed: packObjects(
				[objects.font, objects.descendant, objects.descriptor],
				fontBodies(font, subset, objects),
				deflate,
				effort,
			),
			file: deflate(subset.file, effort),
			fileLength: subset.file.length,
			characterMap: deflateText(subset.characterMap, deflate, effort),
		};
	}

	return (file, objects, drawn) => {
		if (drawn.lines.length === 0) {
			for (const id of Object.values(objects)) {
				file.object(id, "null");
			}
			return;
		}
		let prepared: PreparedFont;
		if (drawn.isBasic) {
			if (ready?.objects.font !== objects.font) {
				ready = prepare(font.basicGlyphs, objects, "once");
			}
			prepared = ready;
		} else {
			prepared = prepare(glyphsOf(font, drawn.lines), objects, "each");
		}
		file.packedObjects(prepared.packed);
		file.stream(
			objects.file,
			`/Length1 ${prepared.fileLength}/Filter/FlateDecode`,
			prepared.file,
		);
		file.stream(
			objects.characterMap,
			"/Filter/FlateDecode",
			prepared.characterMap,
		);
	};
}

/** Marks the glyphs of some lines, with index by glyph. */
function glyphsOf(font: Font, lines: readonly string[]): Uint8Array {
	const used = new Uint8Array(font.file.glyphCount);
	for (const line of lines) {
		forEachWord(line, (word, index) => {
			for (const glyph of font.shape(word).glyphs) {
				used[glyph] = 1;
			}
			if (index > 0) {
				for (const glyph of font.shape(" ").glyphs) {
					used[glyph] = 1;
				}
			}
		});
	}
	return used;
}

/** Glyphs are addressed by number, not by a standard character set (ISO 32000-1, table 123). */
const SYMBOLIC = 4;

/** PDF wants a stem width and our fonts do not tell theirs: what is commonly estimated from the weight. */
function estimateStem(weight: number): number {
	return Math.round(50 + (weight / 65) ** 2);
}

/** The font, its descendant and its descriptor (ISO 32000-1, 9.7 and 9.8). */
function fontBodies(
	{ file: font }: Font,
	subset: FontSubset,
	objects: FontObjects,
): string[] {
	const name = subset.tag + font.postscriptName;
	const scaled = (units: number) =>
		Math.round((units * 1000) / font.unitsPerEm);
	return [
		`<</Type/Font/Subtype/Type0/BaseFont/${name}/Encoding/Identity-H/DescendantFonts[${objects.descendant} 0 R]/ToUnicode ${objects.characterMap} 0 R>>`,
		`<</Type/Font/Subtype/CIDFontType2/BaseFont/${name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/CIDToGIDMap/Identity/FontDescriptor ${objects.descriptor} 0 R/W${subset.widths}>>`,
		`<</Type/FontDescriptor/FontName/${name}/Flags ${SYMBOLIC}/FontBBox[${font.boundingBox.map(scaled).join(" ")}]/ItalicAngle 0/Ascent ${scaled(font.ascent)}/Descent ${scaled(font.descent)}/CapHeight ${scaled(font.capHeight)}/XHeight ${scaled(font.xHeight)}/StemV ${estimateStem(font.weight)}/FontFile2 ${objects.file} 0 R>>`,
	];
}
