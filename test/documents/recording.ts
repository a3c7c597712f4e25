/** A canvas that records what is drawn on it, with plain metrics or with a font's own. */
import type {
	Canvas,
	Color,
	FontFace,
	FontName,
	StructureAttributes,
	StructureType,
	TextStyle,
} from "../../src/documents/pdf/canvas.ts";
import { layOut } from "../../src/documents/pdf/layout.ts";
import { parseMarkup } from "../../src/documents/pdf/markup.ts";

export interface DrawnText extends TextStyle {
	page: number;
	x: number;
	y: number;
	text: string;
	width: number;
	/** The open structure elements, outermost first; "Artifact" for what is none. */
	structure: readonly string[];
}

export interface DrawnRectangle {
	page: number;
	x: number;
	y: number;
	width: number;
	height: number;
}

export interface DrawnLine {
	page: number;
	fromX: number;
	fromY: number;
	toX: number;
	toY: number;
}

export interface Recording {
	canvas: Canvas;
	texts: DrawnText[];
	rectangles: DrawnRectangle[];
	lines: DrawnLine[];
	images: DrawnRectangle[];
	links: { page: number; url: string }[];
	/** Every structure element in the order of opening. */
	elements: { type: StructureType; attributes?: StructureAttributes }[];
	/** Elements that are open still. */
	open: string[];
}

/** Every character is half an em wide: widths can be worked out by hand. */
const PLAIN_FACE: FontFace = {
	ascent: 1,
	descent: 0.25,
	capHeight: 0.7,
	xHeight: 0.5,
	width: (text) => text.length * 0.5,
	has: () => true,
};

export const PLAIN_FONTS: Readonly<Record<FontName, FontFace>> = {
	regular: PLAIN_FACE,
	semibold: PLAIN_FACE,
};

const ARTIFACT = "Artifact";

export function record(
	fonts: Readonly<Record<FontName, FontFace>> = PLAIN_FONTS,
): Recording {
	let pageCount = 1;
	let page = 0;
	const recording: Omit<Recording, "canvas"> = {
		texts: [],
		rectangles: [],
		lines: [],
		images: [],
		links: [],
		elements: [],
		open: [],
	};
	const { texts, rectangles, lines, images, links, elements, open } = recording;
	const canvas: Canvas = {
		fonts,
		pageWidth: 595.28,
		pageHeight: 841.89,
		addPage() {
			page = pageCount;
			pageCount++;
		},
		get pageCount() {
			return pageCount;
		},
		selectPage(index) {
			page = index;
		},
		text(x, y, text, style) {
			// The space at the end of a line that goes on has no ink.
			const width =
				fonts[style.font].width(text.replace(/ $/, "")) * style.size;
			texts.push({ page, x, y, text, width, ...style, structure: [...open] });
		},
		rectangle(x, y, width, height, _color: Color) {
			rectangles.push({ page, x, y, width, height });
		},
		grid(left, top, side, _count, cells, _color: Color) {
			for (let at = 0; at < cells.length; at += 4) {
				const [column = 0, row = 0, columns = 0, rows = 0] = cells.slice(at);
				rectangles.push({
					page,
					x: left + column * side,
					y: top + row * side,
					width: columns * side,
					height: rows * side,
				});
			}
		},
		line(fromX, fromY, toX, toY) {
			lines.push({ page, fromX, fromY, toX, toY });
		},
		image(_bytes, x, y, width, height) {
			images.push({ page, x, y, width, height });
		},
		imageSize: () => ({ width: 300, height: 90 }),
		link(_x, _y, _width, _height, url) {
			links.push({ page, url });
		},
		begin(type, attributes) {
			open.push(type);
			elements.push(attributes === undefined ? { type } : { type, attributes });
		},
		end() {
			open.pop();
		},
		artifact(draw) {
			open.push(ARTIFACT);
			draw();
			open.pop();
		},
		finish: () => new Uint8Array(),
	};
	return { canvas, ...recording };
}

/** What stands on each page, as lines of text from top to bottom, parts of a line joined by " | ". */
export function pagesOf({ texts, canvas }: Recording): string[][] {
	return Array.from({ length: canvas.pageCount }, (_, page) => {
		const rows = new Map<number, DrawnText[]>();
		for (const drawn of texts) {
			if (drawn.page === page) {
				const y = Math.round(drawn.y * 10);
				rows.set(y, [...(rows.get(y) ?? []), drawn]);
			}
		}
		return [...rows]
			.sort(([a], [b]) => a - b)
			.map(([, row]) =>
				row
					.sort((a, b) => a.x - b.x)
					.map(({ text }) => text)
					.join(" | "),
			);
	});
}

/** Whole numbers are added and written as they are. */
const PLAIN_NUMBERS = {
	decimalSeparator: ",",
	sum: (values: readonly string[]) =>
		String(values.reduce((sum, value) => sum + Number(value), 0)),
};

/** Lays out markup with plain metrics. */
export function layOutPlainly(markup: string): Recording {
	const recording = record();
	layOut(parseMarkup(markup), recording.canvas, PLAIN_NUMBERS);
	return recording;
}
