/** The PDF writer: canvases that draw with the fonts prepared once, and give PDF/A-3 bytes. */
import type {
	Canvas,
	Color,
	DocumentProperties,
	FontName,
	StructureAttributes,
} from "./canvas.ts";
import type { Deflate } from "./deflate.ts";
import { deflateText } from "./deflate-text.ts";
import {
	createPdfFile,
	PAGE_HEIGHT,
	PAGE_WIDTH,
	reference,
} from "./document.ts";
import {
	createFontEmbedder,
	type DrawnText,
	type FontEmbedder,
	reserveFont,
} from "./embed.ts";
import { createFont, type Font } from "./font.ts";
import { createImageReader, type Image, readImageSize } from "./image.ts";
import {
	createStructure,
	type StructureElement,
	type StructurePage,
} from "./structure.ts";

/** What a writer is made of; read once per process. */
export interface PdfAssets {
	/** TrueType files, as fonts/ has them. */
	readonly fonts: Readonly<Record<FontName, Uint8Array>>;
	readonly deflate: Deflate;
}

export interface PdfWriter {
	/** The fonts, to know before drawing what they can draw. */
	readonly fonts: Readonly<Record<FontName, Font>>;
	/** Starts a document with its first page. */
	createCanvas(properties: DocumentProperties): Canvas;
}

const FONT_NAMES = ["regular", "semibold"] as const satisfies FontName[];
/** The names of the fonts in content streams. */
const RESOURCES: Readonly<Record<FontName, string>> = {
	regular: "R",
	semibold: "S",
};

/** Prepares fonts once; then every document costs only what is its own. */
export function createPdfWriter(assets: PdfAssets): PdfWriter {
	const fonts = {
		regular: createFont(assets.fonts.regular),
		semibold: createFont(assets.fonts.semibold),
	};
	const embedders = {
		regular: createFontEmbedder(fonts.regular, assets.deflate),
		semibold: createFontEmbedder(fonts.semibold, assets.deflate),
	};
	const readImage = createImageReader(assets.deflate);
	return {
		fonts,
		createCanvas: (properties) =>
			createCanvas(properties, assets.deflate, fonts, embedders, readImage),
	};
}

/** A page's content and the graphics state that it has come to. */
interface Page {
	readonly operators: string[];
	readonly structure: StructurePage;
	/** Whose marked content is open: an element's, an artifact's, or none. */
	marked: StructureElement | "artifact" | undefined;
	font: FontName | undefined;
	fontSize: number;
	fill: Color | undefined;
	stroke: Color | undefined;
	lineWidth: number;
	/** Rectangles that wait to be filled as one shape: x, y, width, height of each. */
	rectangles: number[];
}

function createCanvas(
	properties: DocumentProperties,
	deflate: Deflate,
	fonts: Readonly<Record<FontName, Font>>,
	embedders: Readonly<Record<FontName, FontEmbedder>>,
	readImage: (bytes: Uint8Array) => Image,
): Canvas {
	const file = createPdfFile(properties, deflate);
	const { kit } = file;
	// pdfkit keeps the pages; what they show is written here.
	kit.addContent = () => kit;
	// First of all, so that they have the same numbers in every document.
	const fontObjects = {
		regular: reserveFont(file),
		semibold: reserveFont(file),
	};
	const structureRoot = file.reserve();
	const structure = createStructure(file, structureRoot);
	const drawn: Readonly<Record<FontName, DrawnText>> = {
		regular: { lines: [], isBasic: true },
		semibold: { lines: [], isBasic: true },
	};
	const imageIds = new Map<Image, number>();
	const pages: Page[] = [];
	let page: Page;
	let artifactDepth = 0;
	let isFinished = false;

	function addPage(): void {
		kit.addPage();
		page = {
			operators: [],
			structure: structure.addPage(kit.page.dictionary.id),
			marked: undefined,
			font: undefined,
			fontSize: 0,
			fill: undefined,
			stroke: undefined,
			lineWidth: 0,
			rectangles: [],
		};
		pages.push(page);
		kit.page.dictionary.data.StructParents = page.structure.key;
	}

	function selectPage(index: number): void {
		const selected = pages[index];
		if (selected === undefined) {
			throw new Error(
				`Page ${index} was selected, but the document has only pages 0 to ${pages.length - 1}.`,
			);
		}
		kit.switchToPage(index);
		page = selected;
	}

	/** Sees to it that what comes next belongs to the current element, or to none. */
	function mark(): void {
		const { current } = structure;
		const isArtifact = artifactDepth > 0 || current.type === "Document";
		const wanted = isArtifact ? "artifact" : current;
		if (page.marked === wanted) {
			return;
		}
		fillRectangles();
		if (page.marked !== undefined) {
			page.operators.push("EMC\n");
		}
		page.marked = wanted;
		page.operators.push(
			isArtifact
				? "/Artifact BMC\n"
				: `/${current.type}<</MCID ${structure.mark(page.structure)}>>BDC\n`,
		);
	}

	/** Rectangles of one colour that follow each other are filled as one shape, which has no seams. */
	function fillRectangles(): void {
		if (page.rectangles.length > 0) {
			page.operators.push(rectangleOperators(page.rectangles));
			page.rectangles = [];
		}
	}

	function fill(color: Color): void {
		if (page.fill !== color) {
			fillRectangles();
			page.fill = color;
			page.operators.push(`${colorOperands(color)} rg\n`);
		}
	}

	/** Widens the box of the open Figure: a reader that magnifies asks for it. */
	function cover(x: number, y: number, width: number, height: number): void {
		const { current } = structure;
		if (current.type !== "Figure" || artifactDepth > 0) {
			return;
		}
		const left = rounded(x);
		const right = rounded(x + width);
		const bottom = rounded(PAGE_HEIGHT - y - height);
		const top = rounded(PAGE_HEIGHT - y);
		const { box } = current;
		if (box === undefined) {
			current.box = [left, bottom, right, top];
		} else {
			box[0] = Math.min(box[0], left);
			box[1] = Math.min(box[1], bottom);
			box[2] = Math.max(box[2], right);
			box[3] = Math.max(box[3], top);
		}
	}

	function imageId(image: Image): number {
		let id = imageIds.get(image);
		if (id === undefined) {
			id = file.reserve();
			imageIds.set(image, id);
			let entries = image.entries;
			if (image.mask) {
				const mask = file.reserve();
				file.stream(mask, image.mask.entries, image.mask.bytes);
				entries += `/SMask ${mask} 0 R`;
			}
			file.stream(id, entries, image.bytes);
		}
		return id;
	}

	addPage();
	return {
		fonts: { regular: fonts.regular.face, semibold: fonts.semibold.face },
		pageWidth: PAGE_WIDTH,
		pageHeight: PAGE_HEIGHT,
		addPage,
		get pageCount() {
			return pages.length;
		},
		selectPage,
		text(x, y, text, { font: name, size, color }) {
			if (artifactDepth === 0 && structure.current.type === "Document") {
				throw new Error(
					`The text "${text}" was drawn outside of the structure, where nobody would hear it: call begin() before, or draw it in artifact().`,
				);
			}
			const { operand, isBasic } = fonts[name].line(text);
			const drawnWithFont = drawn[name];
			drawnWithFont.lines.push(text);
			drawnWithFont.isBasic &&= isBasic;
			mark();
			fillRectangles();
			fill(color);
			if (page.font !== name || page.fontSize !== size) {
				page.font = name;
				page.fontSize = size;
				const resource = RESOURCES[name];
				page.operators.push(`/${resource} ${written(size)} Tf\n`);
				if (kit.page.fonts[resource] === undefined) {
					kit.page.fonts[resource] = reference(fontObjects[name].font);
				}
			}
			page.operators.push(
				`BT ${written(x)} ${written(PAGE_HEIGHT - y)} Td[(${operand})]TJ ET\n`,
			);
		},
		rectangle(x, y, width, height, color) {
			cover(x, y, width, height);
			mark();
			fill(color);
			page.rectangles.push(x, y, width, height);
		},
		grid(x, y, side, count, rectangles, color) {
			cover(x, y, side * count, side * count);
			mark();
			fillRectangles();
			fill(color);
			page.operators.push(gridOperators(x, y, side, rectangles));
		},
		line(fromX, fromY, toX, toY, lineWidth, color) {
			cover(
				Math.min(fromX, toX),
				Math.min(fromY, toY),
				Math.abs(toX - fromX),
				Math.abs(toY - fromY),
			);
			mark();
			fillRectangles();
			if (page.stroke !== color) {
				page.stroke = color;
				page.operators.push(`${colorOperands(color)} RG\n`);
			}
			if (page.lineWidth !== lineWidth) {
				page.lineWidth = lineWidth;
				page.operators.push(`${written(lineWidth)} w\n`);
			}
			page.operators.push(
				`${written(fromX)} ${written(PAGE_HEIGHT - fromY)} m ${written(toX)} ${written(PAGE_HEIGHT - toY)} l S\n`,
			);
		},
		image(bytes, x, y, width, height) {
			cover(x, y, width, height);
			mark();
			fillRectangles();
			const id = imageId(readImage(bytes));
			const resource = `I${id}`;
			kit.page.xobjects[resource] = reference(id);
			page.operators.push(
				`q ${written(width)} 0 0 ${written(height)} ${written(x)} ${written(PAGE_HEIGHT - y - height)} cm /${resource} Do Q\n`,
			);
		},
		imageSize: readImageSize,
		link(x, y, width, height, url) {
			const isOpen = structure.current.type === "Link";
			if (!isOpen) {
				structure.begin("Link", NO_ATTRIBUTES);
			}
			const address = asciiUrl(url);
			kit.link(x, y, width, height, address, {
				Contents: new String(url),
				structParent: {
					add({ annotationRef }) {
						annotationRef.data.StructParent = structure.annotation(
							annotationRef.id,
							page.structure,
						);
					},
				},
			});
			if (!isOpen) {
				structure.end();
			}
		},
		begin(type, attributes = NO_ATTRIBUTES) {
			structure.begin(type, attributes);
		},
		end() {
			structure.end();
		},
		artifact(draw) {
			artifactDepth++;
			draw();
			artifactDepth--;
		},
		finish() {
			if (isFinished) {
				throw new Error(
					"finish() was called twice: a document is closed once, keep its bytes.",
				);
			}
			isFinished = true;
			structure.finish(structureRoot);
			for (let index = 0; index < pages.length; index++) {
				selectPage(index);
				fillRectangles();
				if (page.marked !== undefined) {
					page.operators.push("EMC\n");
				}
				const { content } = kit.page;
				content.data.Filter = "FlateDecode";
				content.write(deflateText(page.operators.join(""), deflate, "each"));
			}
			for (const name of FONT_NAMES) {
				embedders[name](file, fontObjects[name], drawn[name]);
			}
			kit._root.data.MarkInfo = kit.ref({ Marked: true });
			// pdfkit ends what stands here; ours is written already.
			kit._root.data.StructTreeRoot = Object.assign(reference(structureRoot), {
				end() {},
			});
			return file.finish();
		},
	};
}

const NO_ATTRIBUTES: StructureAttributes = {};

/** To a hundredth of a point, 3.5 µm: finer than any printer. */
function rounded(length: number): number {
	return Math.round(length * 100) / 100;
}

const HUNDREDTHS: readonly string[] = Array.from({ length: 100 }, (_, part) =>
	part === 0 ? "" : `.${part.toString().padStart(2, "0").replace(/0$/, "")}`,
);

/**
 * A length as it is written, rounded. Whole numbers become text several times
 * faster than fractions, and a page has hundreds of lengths.
 */
function written(length: number): string {
	const hundredths = Math.round(length * 100);
	if (hundredths < 0) {
		return `${hundredths / 100}`;
	}
	const whole = Math.floor(hundredths / 100);
	return whole + (HUNDREDTHS[hundredths - whole * 100] ?? "");
}

/** Fills rectangles, given as x, y, width and height of each, as one shape. */
function rectangleOperators(rectangles: readonly number[]): string {
	let operators = "";
	for (let at = 0; at < rectangles.length; at += 4) {
		const [x = 0, y = 0, width = 0, height = 0] = rectangles.slice(at, at + 4);
		// Edges are rounded, not lengths: neighbours stay neighbours.
		const left = rounded(x);
		const bottom = rounded(PAGE_HEIGHT - y - height);
		const right = rounded(x + width);
		const top = rounded(PAGE_HEIGHT - y);
		operators += `${written(left)} ${written(bottom)} ${written(right - left)} ${written(top - bottom)} re\n`;
	}
	return `${operators}f\n`;
}

/**
 * Fills rectangles of a grid. In its units they are small whole numbers, exact
 * at any size and a third of the bytes.
 */
function gridOperators(
	x: number,
	y: number,
	side: number,
	rectangles: readonly number[],
): string {
	let operators = `q ${exact(side)} 0 0 ${exact(-side)} ${written(x)} ${written(PAGE_HEIGHT - y)} cm\n`;
	for (let at = 0; at < rectangles.length; at += 4) {
		operators += `${rectangles[at]} ${rectangles[at + 1]} ${rectangles[at + 2]} ${rectangles[at + 3]} re\n`;
	}
	return `${operators}f\nQ\n`;
}

/** A factor that is multiplied up to a hundred times, to a hundred-thousandth. */
function exact(factor: number): number {
	return Math.round(factor * 1e5) / 1e5;
}

const knownColors = new Map<Color, string>();
/** Templates have a handful; one that computes them is not to fill the memory. */
const KNOWN_COLORS_MAX = 256;

/** "#rrggbb" as three numbers from 0 to 1. */
function colorOperands(color: Color): string {
	let operands = knownColors.get(color);
	if (operands === undefined) {
		if (!/^#[0-9a-fA-F]{6}$/.test(color)) {
			throw new Error(
				`The colour "${color}" is not of the form "#rrggbb", such as "#1a2b3c".`,
			);
		}
		const value = Number.parseInt(color.slice(1), 16);
		const part = (byte: number) => Math.round((byte / 255) * 1000) / 1000;
		operands = `${part(value >> 16)} ${part((value >> 8) & 0xff)} ${part(value & 0xff)}`;
		if (knownColors.size >= KNOWN_COLORS_MAX) {
			knownColors.clear();
		}
		knownColors.set(color, operands);
	}
	return operands;
}

/** PDF's URIs are ASCII (ISO 32000-1, 12.6.4.7): other characters are percent-encoded. */
function asciiUrl(url: string): string {
	return url.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}
