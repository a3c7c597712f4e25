/** Measuring: from elements to boxes of a given width. */
import {
	type Align,
	type Box,
	type StackBox,
	stack,
	type TextBox,
} from "./boxes.ts";
import type { StructureType } from "./canvas.ts";
import { decodeDataUri } from "./data-uri.ts";
import type { Element, ElementOf } from "./markup.ts";
import { measureTable } from "./measure-table.ts";
import { makeQrCode } from "./qr-code.ts";
import {
	INK,
	lookOf,
	resolve,
	type Scene,
	SHRINK_STEP,
	textBox,
} from "./scene.ts";

/** Measures blocks that stand one beneath the other. */
export function measureStack(
	scene: Scene,
	elements: readonly Element[],
	width: number,
	style: string,
): StackBox {
	const children: Box[] = [];
	let height = 0;
	for (const element of elements) {
		const box = measureBlock(scene, element, width, style);
		if (box !== undefined) {
			children.push(box);
			height += box.before + box.height;
		}
	}
	return stack(children, height);
}

function measureBlock(
	scene: Scene,
	element: Element,
	width: number,
	style: string,
): Box | undefined {
	switch (element.name) {
		case "text":
			return measureText(scene, element, width, style, "P", "");
		case "heading":
			return measureText(
				scene,
				element,
				width,
				style,
				element.attributes.level === "2" ? "H2" : "H1",
				"",
			);
		case "link":
			return measureText(
				scene,
				element,
				width,
				style,
				"Link",
				target(element.text, element.attributes.scheme ?? ""),
			);
		case "block":
			return measureArea(scene, element, width, style);
		case "columns":
			return measureColumns(scene, element, width, style);
		case "table":
			return measureTable(scene, element, width, style);
		case "space":
			return fixed("space", element.attributes.height ?? 0, 0, false);
		case "rule":
			return {
				...fixed(
					"rule",
					element.attributes.thickness ?? 0,
					element.attributes["space-before"] ?? 0,
					element.attributes["with-previous"] === true,
				),
				width,
				color: element.attributes.color ?? INK,
			};
		case "image":
			return measureImage(scene, element, width);
		case "qr":
			return measureQr(element, width);
		default:
			// Styles, marks and page headers stand among the blocks of a document.
			return undefined;
	}
}

function fixed<Kind extends "space" | "rule" | "image" | "qr">(
	kind: Kind,
	height: number,
	before: number,
	withPrevious: boolean,
) {
	return {
		kind,
		height,
		before,
		baseline: height,
		together: true,
		withPrevious,
	};
}

function textOf(
	element: ElementOf<"image"> | ElementOf<"qr">,
	name: "source" | "alternative" | "content",
): string {
	return element.children.find((child) => child.name === name)?.text ?? "";
}

function target(text: string, scheme: string): string {
	return /^[a-z]+:/i.test(text) ? text : scheme + text.replace(/\s/g, "");
}

function aligned(align: Align, width: number, content: number): number {
	switch (align) {
		case "left":
			return 0;
		case "center":
			return (width - content) / 2;
		case "right":
			return width - content;
	}
}

function measureText(
	scene: Scene,
	element: ElementOf<"text"> | ElementOf<"heading"> | ElementOf<"link">,
	width: number,
	style: string,
	structure: StructureType,
	url: string,
): TextBox {
	const { attributes } = element;
	return textBox(
		scene,
		resolve(scene, element),
		width,
		lookOf(scene, attributes.style ?? style),
		attributes.align ?? "left",
		structure,
		url,
		attributes["space-before"] ?? 0,
		attributes["with-previous"] === true,
	);
}

/** A block: of a given height, where it has one, into which its content is made to fit. */
function measureArea(
	scene: Scene,
	element: ElementOf<"block">,
	width: number,
	inherited: string,
): StackBox {
	const { attributes } = element;
	const style = attributes.style ?? inherited;
	const { height } = attributes;
	const content =
		height === undefined
			? measureStack(scene, element.children, width, style)
			: shrinkToFit(scene, height, attributes.shrink ?? 1, () =>
					withinHeight(
						element,
						height,
						measureStack(scene, element.children, width, style),
					),
				);
	return {
		...content,
		height: Math.max(content.height, height ?? 0),
		before: attributes["space-before"] ?? 0,
		together: attributes.together === true || height !== undefined,
		withPrevious: attributes["with-previous"] === true,
	};
}

/** Measures at ever smaller scales until the content fits `height` or `least` is reached. */
function shrinkToFit(
	scene: Scene,
	height: number,
	least: number,
	measure: () => StackBox,
): StackBox {
	const scale = scene.scale;
	let content = measure();
	for (
		let step = 1;
		content.height > height && 1 - step * SHRINK_STEP >= least;
		step++
	) {
		scene.scale = scale * (1 - step * SHRINK_STEP);
		content = measure();
	}
	scene.scale = scale;
	return content;
}

/** Takes from the spaces that may shrink what the content is too high. */
function withinHeight(
	element: ElementOf<"block">,
	height: number,
	content: StackBox,
): StackBox {
	let excess = content.height - height;
	if (excess <= 0) {
		return content;
	}
	const shrinking = element.children.map(
		(child) => child.name === "space" && child.attributes.shrink === true,
	);
	let total = content.height;
	const children = content.children.map((box, index) => {
		if (box.kind !== "space" || !shrinking[index] || excess <= 0) {
			return box;
		}
		const taken = Math.min(box.height, excess);
		excess -= taken;
		total -= taken;
		return { ...box, height: box.height - taken };
	});
	return stack(children, total);
}

function measureColumns(
	scene: Scene,
	element: ElementOf<"columns">,
	width: number,
	inherited: string,
): Box {
	const { attributes } = element;
	const style = attributes.style ?? inherited;
	const gap = attributes.gap ?? 0;
	const parts = element.children as ElementOf<"column">[];
	let remaining = width - gap * (parts.length - 1);
	let resting = 0;
	for (const part of parts) {
		if (typeof part.attributes.width === "number") {
			remaining -= part.attributes.width;
		} else {
			resting++;
		}
	}
	let x = 0;
	let height = 0;
	const columns: { x: number; content: StackBox }[] = [];
	for (const part of parts) {
		const columnWidth =
			typeof part.attributes.width === "number"
				? part.attributes.width
				: Math.max(remaining / resting, 0);
		const content = measureStack(
			scene,
			part.children,
			columnWidth,
			part.attributes.style ?? style,
		);
		columns.push({ x, content });
		x += columnWidth + gap;
		height = Math.max(height, content.height);
	}
	return {
		kind: "columns",
		height,
		before: attributes["space-before"] ?? 0,
		baseline: columns[0]?.content.baseline ?? 0,
		together: true,
		withPrevious: attributes["with-previous"] === true,
		columns,
	};
}

/** A picture as large as its box allows, in its own proportions. */
function measureImage(
	scene: Scene,
	element: ElementOf<"image">,
	width: number,
): Box {
	const { attributes } = element;
	const bytes = decodeDataUri(textOf(element, "source"));
	const pixels = scene.imageSize(bytes);
	const scale = Math.min(
		Math.min(attributes.width ?? width, width) / pixels.width,
		(attributes.height ?? Number.POSITIVE_INFINITY) / pixels.height,
	);
	const drawnWidth = pixels.width * scale;
	return {
		...fixed(
			"image",
			pixels.height * scale,
			attributes["space-before"] ?? 0,
			attributes["with-previous"] === true,
		),
		x: aligned(attributes.align ?? "left", width, drawnWidth),
		width: drawnWidth,
		bytes,
		alternative: textOf(element, "alternative"),
	};
}

/** The sides of modules come in steps of this, in points: they are sharp on screens then, and short to write. */
const QR_SIDE_STEP = 0.5;

/** A QR code whose side is as near to `size` as its modules allow. */
function measureQr(element: ElementOf<"qr">, width: number): Box {
	const { attributes } = element;
	const { count, rectangles } = makeQrCode(textOf(element, "content"));
	const wanted = Math.min(attributes.size ?? width, width) / count;
	const side = Math.max(
		QR_SIDE_STEP,
		Math.round(wanted / QR_SIDE_STEP) * QR_SIDE_STEP,
	);
	return {
		...fixed(
			"qr",
			count * side,
			attributes["space-before"] ?? 0,
			attributes["with-previous"] === true,
		),
		x: aligned(attributes.align ?? "left", width, count * side),
		count,
		rectangles,
		side,
		color: attributes.color ?? INK,
		alternative: textOf(element, "alternative"),
	};
}
