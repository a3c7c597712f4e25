/** The scene: what measuring knows besides the markup, and how it sets text. */
import type { Align, Look, StackBox, TextBox } from "./boxes.ts";
import type { Color, FontFace, FontName, StructureType } from "./canvas.ts";
import { breakLines } from "./lines.ts";
import { type Element, PLACEHOLDER } from "./markup.ts";

/** What measuring needs to know besides the elements. */
export interface Scene {
	readonly fonts: Readonly<Record<FontName, FontFace>>;
	/** The document's styles by name. */
	readonly looks: Map<string, Look>;
	/** What type and line heights are multiplied by, 1 but where a block shrinks to fit. */
	scale: number;
	pageNumber: number;
	pageCount: number;
	/** The sum of the rows so far, as it is printed. */
	subtotal: string;
	/** "," or ".": what decimal alignment aligns. */
	readonly decimalSeparator: string;
	/** Adds the values of rows and writes the sum as it is printed. */
	readonly sum: (values: readonly string[]) => string;
	/** Measures the blocks of a cell: blocks hold tables, and tables blocks. */
	readonly measureBlocks: (
		scene: Scene,
		elements: readonly Element[],
		width: number,
		style: string,
	) => StackBox;
	readonly imageSize: (bytes: Uint8Array) => { width: number; height: number };
}

/** The style of text that asks for none. */
export const DEFAULT_STYLE = "body";

/** The colour of what asks for none. */
export const INK: Color = "#000000";

/** Steps in which what shrinks to fit grows smaller. */
export const SHRINK_STEP = 0.05;

/** The style of that name at the scene's scale; throws where the document defines none. */
export function lookOf(scene: Scene, name: string): Look {
	const key = scene.scale === 1 ? name : `${name} ${scene.scale}`;
	let look = scene.looks.get(key);
	if (look === undefined) {
		const original = scene.looks.get(name);
		if (original === undefined) {
			throw new Error(
				`The template uses the style “${name}”, which no <style> defines; there are: ${[...scene.looks.keys()].join(", ") || "none"}.`,
			);
		}
		look = {
			...original,
			size: original.size * scene.scale,
			leading: original.leading * scene.scale,
		};
		scene.looks.set(key, look);
	}
	return look;
}

/** The element's text with the values that only a page knows. */
export function resolve(scene: Scene, element: Element): string {
	if (!element.hasPlaceholder) {
		return element.text;
	}
	return element.text
		.replaceAll(PLACEHOLDER["page-number"], String(scene.pageNumber))
		.replaceAll(PLACEHOLDER["page-count"], String(scene.pageCount))
		.replaceAll(PLACEHOLDER.subtotal, scene.subtotal);
}

/** Sets text in a box of that width. */
export function textBox(
	scene: Scene,
	text: string,
	width: number,
	look: Look,
	align: Align,
	structure: StructureType,
	url: string,
	before: number,
	withPrevious: boolean,
): TextBox & { indent: number } {
	const { size, leading, font } = look;
	const face = scene.fonts[font];
	const { texts, widths } = breakLines(text, width / size, face);
	for (let index = 0; index < widths.length; index++) {
		widths[index] = (widths[index] ?? 0) * size;
	}
	return {
		kind: "text",
		height: texts.length * leading,
		before,
		// The type stands in the middle of its line height.
		baseline: (leading + (face.ascent - face.descent) * size) / 2,
		together: false,
		withPrevious,
		width,
		lines: texts,
		widths,
		look,
		align,
		indent: 0,
		structure,
		url,
		opens: true,
		closes: true,
	};
}
