/** The layout engine: lays a document of the markup out on the pages of a canvas. */
import type { Box, Look, StackBox } from "./boxes.ts";
import type { Canvas } from "./canvas.ts";
import { drawBox } from "./draw.ts";
import type { Element, ElementOf } from "./markup.ts";
import { measureStack } from "./measure.ts";
import { DEFAULT_STYLE, type Scene, SHRINK_STEP } from "./scene.ts";
import { splitAtPage } from "./split.ts";

/** How numbers are written in the document's language. */
export interface NumberWriting {
	/** "," or ".". */
	decimalSeparator: string;
	/** Adds the values of a table's rows (their <value>) and writes the sum, for <subtotal/>. */
	sum(values: readonly string[]): string;
}

/** Pages of one document; a runaway template must not fill the memory. */
export const PAGES_MAX = 2000;

/** Header and footer are set smaller until they leave so much of a page, in points: about half. */
const BODY_HEIGHT_WANTED = 400;

/** The smallest scale that they are set at. */
const FRAME_SCALE_MIN = 0.5;

/** The least height between header and footer, in points: some ten lines. */
export const BODY_HEIGHT_MIN = 120;

/** What the footer is measured with before the number of pages is known. */
const PAGE_COUNT_GUESS = 88;

/**
 * Draws the document on the canvas, from its first page on. Throws an Error
 * where a template leaves no room for content or names a style that it does
 * not define.
 */
export function layOut(
	root: ElementOf<"document">,
	canvas: Canvas,
	numbers: NumberWriting,
): void {
	const scene = createScene(root, canvas, numbers);
	const { attributes } = root;
	const left = attributes.left ?? 0;
	const width = canvas.pageWidth - left - (attributes.right ?? 0);
	const sheet: Sheet = {
		top: attributes.top ?? 0,
		bottom: canvas.pageHeight - (attributes.bottom ?? 0),
		width,
		frames: root.children.filter(
			(child) => child.name === "page-header" || child.name === "page-footer",
		),
	};

	scene.pageNumber = PAGE_COUNT_GUESS;
	scene.pageCount = PAGE_COUNT_GUESS;
	// First and following pages may differ; all following pages are alike, and most documents have none.
	const rooms: Frame[] = [];
	const roomOf = (page: number): Frame => {
		const kind = Math.min(page, 1);
		const room = rooms[kind] ?? fitFrame(scene, sheet, kind);
		rooms[kind] = room;
		return room;
	};

	let rest: Box | undefined = measureStack(
		scene,
		root.children,
		width,
		DEFAULT_STYLE,
	);
	for (let page = 0; rest !== undefined; page++) {
		if (page >= PAGES_MAX) {
			throw new Error(
				`The document has more than ${PAGES_MAX} pages; split the invoice.`,
			);
		}
		if (page > 0) {
			canvas.addPage();
		}
		const room = roomOf(page);
		const [first, next]: readonly [Box | undefined, Box | undefined] =
			splitAtPage(rest, room.to - room.from);
		if (first !== undefined) {
			drawBox(canvas, first, left, room.from, false);
		}
		rest = next;
	}

	scene.pageCount = canvas.pageCount;
	for (let page = 0; page < scene.pageCount; page++) {
		canvas.selectPage(page);
		scene.pageNumber = page + 1;
		const { header, footer } = measureFrame(
			scene,
			sheet,
			page,
			roomOf(page).scale,
		);
		// What the first page says the others only repeat.
		if (footer !== undefined) {
			const y = sheet.bottom - footer.height;
			if (page === 0) {
				drawBox(canvas, footer, left, y, false);
			} else {
				canvas.artifact(() => drawBox(canvas, footer, left, y, true));
			}
		}
		canvas.artifact(() => {
			if (header !== undefined) {
				drawBox(canvas, header, left, sheet.top, true);
			}
			drawMarks(canvas, root.children, page);
		});
	}
}

/** Where content may stand, and what stands around it on every page. */
interface Sheet {
	top: number;
	bottom: number;
	width: number;
	frames: readonly Element[];
}

/** Header and footer of a page, and from where to where they leave room. */
interface Frame {
	header: StackBox | undefined;
	footer: StackBox | undefined;
	from: number;
	to: number;
	scale: number;
}

function measureFrame(
	scene: Scene,
	sheet: Sheet,
	page: number,
	scale: number,
): Frame {
	const frame: Frame = {
		header: undefined,
		footer: undefined,
		from: sheet.top,
		to: sheet.bottom,
		scale,
	};
	scene.scale = scale;
	for (const element of sheet.frames) {
		if (
			(element.name === "page-header" || element.name === "page-footer") &&
			stands(element.attributes.on, page)
		) {
			const { style = DEFAULT_STYLE, gap = 0 } = element.attributes;
			const box = measureStack(scene, element.children, sheet.width, style);
			if (element.name === "page-header") {
				frame.header = box;
				frame.from += box.height + gap;
			} else {
				frame.footer = box;
				frame.to -= box.height + gap;
			}
		}
	}
	scene.scale = 1;
	return frame;
}

/** The frame of a page, set smaller where a firm has a great deal to say in it. */
function fitFrame(scene: Scene, sheet: Sheet, page: number): Frame {
	let frame = measureFrame(scene, sheet, page, 1);
	for (
		let step = 1;
		frame.to - frame.from < BODY_HEIGHT_WANTED &&
		1 - step * SHRINK_STEP >= FRAME_SCALE_MIN;
		step++
	) {
		frame = measureFrame(scene, sheet, page, 1 - step * SHRINK_STEP);
	}
	const left = Math.round(frame.to - frame.from);
	if (left < BODY_HEIGHT_MIN) {
		throw new Error(
			`Header and footer leave ${left} points of a page; at least ${BODY_HEIGHT_MIN} are needed. Make them lower in the template.`,
		);
	}
	return frame;
}

function createScene(
	root: ElementOf<"document">,
	canvas: Canvas,
	numbers: NumberWriting,
): Scene {
	const looks = new Map<string, Look>();
	for (const child of root.children) {
		if (child.name === "style") {
			const { name, font, size, leading, color } = child.attributes;
			if (name === undefined || size === undefined) {
				throw new Error("A <style> of the template lacks its name or size.");
			}
			looks.set(name, {
				font: font ?? "regular",
				size,
				leading: leading ?? size * 1.4,
				color: color ?? "#000000",
			});
		}
	}
	return {
		fonts: canvas.fonts,
		looks,
		scale: 1,
		pageNumber: 1,
		pageCount: 1,
		subtotal: "",
		decimalSeparator: numbers.decimalSeparator,
		sum: numbers.sum,
		measureBlocks: measureStack,
		imageSize: (bytes) => canvas.imageSize(bytes),
	};
}

function stands(
	on: "first" | "following" | "every" | undefined,
	page: number,
): boolean {
	switch (on) {
		case "first":
			return page === 0;
		case "following":
			return page > 0;
		default:
			return true;
	}
}

/** Fold and punch marks: short lines at the left edge of the sheet. */
function drawMarks(
	canvas: Canvas,
	elements: readonly Element[],
	page: number,
): void {
	for (const element of elements) {
		if (element.name === "mark" && stands(element.attributes.on, page)) {
			const { x = 0, y = 0, length = 0, thickness = 0.25 } = element.attributes;
			canvas.line(
				x,
				y,
				x + length,
				y,
				thickness,
				element.attributes.color ?? "#000000",
			);
		}
	}
}

/** The text of one of the elements that describe the document: <title>, <author>, <subject>. */
export function describedBy(
	root: ElementOf<"document">,
	name: "title" | "author" | "subject",
): string {
	return root.children.find((child) => child.name === name)?.text ?? "";
}
