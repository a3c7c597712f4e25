/** Measuring: from elements to boxes of a given width. */

import type {
	Align,
	Box,
	Carry,
	CellBox,
	Look,
	RowBox,
	StackBox,
	TableBox,
	TextBox,
} from "./boxes.ts";
import type { Color, FontFace, FontName, StructureType } from "./canvas.ts";
import { decodeDataUri } from "./data-uri.ts";
import { breakLines } from "./lines.ts";
import { type Element, type ElementOf, PLACEHOLDER } from "./markup.ts";

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
	readonly imageSize: (bytes: Uint8Array) => { width: number; height: number };
}

/** The style of text that asks for none. */
export const DEFAULT_STYLE = "body";

/** Steps in which a block that shrinks to fit grows smaller. */
const SHRINK_STEP = 0.05;

/** Where a table has no width to share out, what remains for each column that takes the rest. */
const REST_WIDTH_MIN = 60;

const INK: Color = "#000000";

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

/** Stacks boxes whose heights and spaces come to `height`. */
export function stack(children: readonly Box[], height: number): StackBox {
	const first = children[0];
	return {
		kind: "stack",
		height,
		before: 0,
		baseline: first === undefined ? 0 : first.before + first.baseline,
		together: false,
		withPrevious: false,
		children,
	};
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
		case "qr": {
			const size = Math.min(element.attributes.size ?? width, width);
			return {
				...fixed(
					"qr",
					size,
					element.attributes["space-before"] ?? 0,
					element.attributes["with-previous"] === true,
				),
				x: aligned(element.attributes.align ?? "left", width, size),
				size,
				content: textOf(element, "content"),
				color: element.attributes.color ?? INK,
				alternative: textOf(element, "alternative"),
			};
		}
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

/** The element's text with the values that only a page knows. */
function resolve(scene: Scene, element: Element): string {
	if (!element.hasPlaceholder) {
		return element.text;
	}
	return element.text
		.replaceAll(PLACEHOLDER["page-number"], String(scene.pageNumber))
		.replaceAll(PLACEHOLDER["page-count"], String(scene.pageCount))
		.replaceAll(PLACEHOLDER.subtotal, scene.subtotal);
}

function textBox(
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

/** A column of a table as its rows need it. */
interface Track {
	x: number;
	width: number;
	/** Space to its left. */
	gap: number;
	isAuto: boolean;
	align: Align | "decimal";
	style: string;
	/** The widest text that is not aligned at its decimals. */
	whole: number;
	/** Decimal alignment: the widest part before and from the decimal separator on. */
	lead: number;
	tail: number;
}

type RowElement =
	| ElementOf<"head">
	| ElementOf<"row">
	| ElementOf<"carry-forward">
	| ElementOf<"brought-forward">;

/** The parts of a table, told apart by name. */
interface TableParts {
	columns: ElementOf<"table-column">[];
	head: ElementOf<"head"> | undefined;
	rows: ElementOf<"row">[];
	forward: ElementOf<"carry-forward"> | undefined;
	brought: ElementOf<"brought-forward"> | undefined;
}

function partsOf(element: ElementOf<"table">): TableParts {
	const parts: TableParts = {
		columns: [],
		head: undefined,
		rows: [],
		forward: undefined,
		brought: undefined,
	};
	for (const child of element.children) {
		switch (child.name) {
			case "table-column":
				parts.columns.push(child);
				break;
			case "head":
				parts.head = child;
				break;
			case "row":
				parts.rows.push(child);
				break;
			case "carry-forward":
				parts.forward = child;
				break;
			case "brought-forward":
				parts.brought = child;
				break;
		}
	}
	return parts;
}

function measureTable(
	scene: Scene,
	element: ElementOf<"table">,
	width: number,
	inherited: string,
): TableBox | undefined {
	const { attributes } = element;
	const parts = partsOf(element);
	if (parts.rows.length === 0) {
		return undefined;
	}
	const style = attributes.style ?? inherited;
	const scale = scene.scale;
	const least = attributes.shrink ?? 1;
	let tracks = trackTable(scene, parts, width, attributes.gap ?? 0, style);
	for (
		let step = 1;
		tracks === undefined && 1 - step * SHRINK_STEP >= least;
		step++
	) {
		scene.scale = scale * (1 - step * SHRINK_STEP);
		tracks = trackTable(scene, parts, width, attributes.gap ?? 0, style);
	}
	tracks ??= trackTable(scene, parts, width, attributes.gap ?? 0, style, true);
	const settled = tracks ?? [];
	const rows = parts.rows.map((row) => measureRow(scene, row, settled));
	const head =
		parts.head === undefined
			? undefined
			: measureRow(scene, parts.head, settled);
	const carry = measureCarry(scene, parts, settled);
	scene.scale = scale;
	let height = head?.height ?? 0;
	for (const row of rows) {
		height += row.height;
	}
	const first = head ?? rows[0];
	const cell = first?.cells[0];
	return {
		kind: "table",
		height,
		before: attributes["space-before"] ?? 0,
		baseline: cell === undefined ? 0 : cell.y + cell.content.baseline,
		together: attributes.together === true,
		withPrevious: attributes["with-previous"] === true,
		width,
		ruleColor: attributes["rule-color"] ?? INK,
		head,
		broughtForward: undefined,
		rows,
		carryForward: undefined,
		carry,
		carried: [],
		continued: false,
		opens: true,
		closes: true,
	};
}

/** Rows that carry a subtotal are measured when it is known, at the scale of their table. */
function measureCarry(
	scene: Scene,
	parts: TableParts,
	tracks: readonly Track[],
): Carry | undefined {
	const { forward, brought } = parts;
	if (forward === undefined && brought === undefined) {
		return undefined;
	}
	const scale = scene.scale;
	const measure = (
		row: RowElement | undefined,
		values: readonly string[],
	): RowBox | undefined => {
		if (row === undefined) {
			return undefined;
		}
		const outer = scene.scale;
		scene.scale = scale;
		scene.subtotal = scene.sum(values);
		const box = measureRow(scene, row, tracks);
		scene.scale = outer;
		return box;
	};
	return {
		forwardHeight: measure(forward, [])?.height ?? 0,
		broughtHeight: measure(brought, [])?.height ?? 0,
		forward: (values) => measure(forward, values),
		brought: (values) => measure(brought, values),
	};
}

/**
 * Shares out the width of a table: fixed columns first, then those as wide as
 * their content, and the rest to the others. Gives undefined where too little
 * remains, or, where `squeeze` is set, narrows the columns that took too much.
 */
function trackTable(
	scene: Scene,
	parts: TableParts,
	width: number,
	gap: number,
	tableStyle: string,
	squeeze = false,
): Track[] | undefined {
	const { columns } = parts;
	const tracks: Track[] = columns.map(({ attributes }, index) => ({
		x: 0,
		width: typeof attributes.width === "number" ? attributes.width : 0,
		gap: index === 0 ? 0 : (attributes.gap ?? gap),
		isAuto: attributes.width === "auto",
		align: attributes.align ?? "left",
		style: attributes.style ?? tableStyle,
		whole: 0,
		lead: 0,
		tail: 0,
	}));
	measureNaturally(scene, parts, tracks);
	if (parts.head !== undefined) {
		widenForHead(scene, parts.head, tracks);
	}
	let used = 0;
	let autos = 0;
	let resting = 0;
	for (let index = 0; index < columns.length; index++) {
		const kind = columns[index]?.attributes.width ?? "rest";
		const track = tracks[index];
		if (track === undefined) {
			continue;
		}
		used += track.gap;
		if (kind === "rest") {
			resting++;
		} else {
			used += track.width;
			autos += kind === "auto" ? track.width : 0;
		}
	}
	const wanted = resting * REST_WIDTH_MIN * scene.scale;
	if (used + wanted > width + EPSILON) {
		if (!squeeze) {
			return undefined;
		}
		const factor =
			autos === 0 ? 1 : Math.max(0, 1 - (used + wanted - width) / autos);
		for (let index = 0; index < columns.length; index++) {
			const track = tracks[index];
			if (track?.isAuto === true) {
				used -= track.width * (1 - factor);
				track.width *= factor;
				track.tail = 0;
			}
		}
	}
	let x = 0;
	for (let index = 0; index < columns.length; index++) {
		const track = tracks[index];
		if (track === undefined) {
			continue;
		}
		if ((columns[index]?.attributes.width ?? "rest") === "rest") {
			track.width = Math.max((width - used) / resting, 0);
		}
		track.x = x + track.gap;
		x = track.x + track.width;
	}
	return tracks;
}

/** Makes room for head cells that stand over several columns. */
function widenForHead(
	scene: Scene,
	head: ElementOf<"head">,
	tracks: readonly Track[],
): void {
	let column = 0;
	for (const cell of head.children) {
		if (cell.name !== "cell") {
			continue;
		}
		const span = cell.attributes.span ?? 1;
		const last = tracks[column + span - 1];
		if (span > 1 && last?.isAuto === true) {
			const { font, size } = lookOf(
				scene,
				cell.attributes.style ?? head.attributes.style ?? last.style,
			);
			let room = -(tracks[column]?.gap ?? 0);
			for (const track of tracks.slice(column, column + span)) {
				room += track.gap + track.width;
			}
			const wanted = scene.fonts[font].width(resolve(scene, cell)) * size;
			last.width += Math.max(0, wanted - room);
		}
		column += span;
	}
}

/** Lengths that differ by less are equal: sums of fractions in floating point. */
export const EPSILON = 0.01;

/** Makes every "auto" column as wide as its texts are unbroken, and finds what decimal alignment needs; cells over several columns are left out. */
function measureNaturally(
	scene: Scene,
	parts: TableParts,
	tracks: readonly Track[],
): void {
	if (tracks.every((track) => !track.isAuto && track.align !== "decimal")) {
		return;
	}
	if (parts.head !== undefined) {
		measureRowNaturally(scene, parts.head, tracks);
	}
	for (const row of parts.rows) {
		measureRowNaturally(scene, row, tracks);
	}
	if (parts.forward !== undefined || parts.brought !== undefined) {
		// No subtotal is wider than what all rows come to, unless some are negative.
		scene.subtotal = scene.sum(parts.rows.map(rowValue));
		if (parts.forward !== undefined) {
			measureRowNaturally(scene, parts.forward, tracks);
		}
		if (parts.brought !== undefined) {
			measureRowNaturally(scene, parts.brought, tracks);
		}
	}
	for (const track of tracks) {
		if (track.isAuto) {
			track.width = Math.max(track.whole, track.lead + track.tail);
		}
	}
}

function measureRowNaturally(
	scene: Scene,
	row: RowElement,
	tracks: readonly Track[],
): void {
	let column = 0;
	for (const cell of row.children) {
		if (cell.name !== "cell") {
			continue;
		}
		const track = tracks[column];
		const span = cell.attributes.span ?? 1;
		column += span;
		if (
			track === undefined ||
			span > 1 ||
			cell.text === "" ||
			!(track.isAuto || track.align === "decimal")
		) {
			continue;
		}
		const { font, size } = lookOf(
			scene,
			cell.attributes.style ?? row.attributes.style ?? track.style,
		);
		const face = scene.fonts[font];
		const text = resolve(scene, cell);
		const split = alignsDecimals(row, cell, track)
			? decimalPoint(text, scene.decimalSeparator)
			: -1;
		if (split !== -1) {
			const tail = face.width(text.slice(split)) * size;
			track.tail = Math.max(track.tail, tail);
			track.lead = Math.max(track.lead, face.width(text) * size - tail);
		} else {
			const { widths } = breakLines(text, Number.POSITIVE_INFINITY, face);
			track.whole = Math.max(track.whole, Math.max(...widths) * size);
		}
	}
}

function alignsDecimals(
	row: RowElement,
	cell: ElementOf<"cell">,
	track: Track,
): boolean {
	return (
		track.align === "decimal" &&
		cell.attributes.align === undefined &&
		row.name !== "head"
	);
}

/**
 * Where the part of a number starts that decimal alignment lines up: at the
 * decimal separator, or after the last digit of a whole number. -1 without a digit.
 */
function decimalPoint(text: string, separator: string): number {
	let last = text.length - 1;
	while (last >= 0 && !isDigit(text.charCodeAt(last))) {
		last--;
	}
	if (last === -1) {
		return -1;
	}
	let first = last;
	while (first > 0 && isDigit(text.charCodeAt(first - 1))) {
		first--;
	}
	return first > 1 &&
		text[first - 1] === separator &&
		isDigit(text.charCodeAt(first - 2))
		? first - 1
		: last + 1;
}

function isDigit(code: number): boolean {
	return code >= 0x30 && code <= 0x39;
}

function rowValue(row: ElementOf<"row">): string {
	return row.children.find((child) => child.name === "value")?.text ?? "";
}

function measureRow(
	scene: Scene,
	row: RowElement,
	tracks: readonly Track[],
): RowBox {
	const { attributes } = row;
	const paddingTop = attributes["padding-top"] ?? 0;
	const paddingBottom = attributes["padding-bottom"] ?? 0;
	const cells: { -readonly [Key in keyof CellBox]: CellBox[Key] }[] = [];
	let column = 0;
	let value = "";
	let baseline = 0;
	for (const child of row.children) {
		if (child.name === "value") {
			value = child.text;
			continue;
		}
		if (child.name !== "cell") {
			continue;
		}
		const span = child.attributes.span ?? 1;
		const track = tracks[column];
		const last = tracks[column + span - 1];
		if (track === undefined || last === undefined) {
			throw new Error(
				`A <${row.name}> has more cells than its table has columns (${tracks.length}).`,
			);
		}
		column += span;
		const content = measureCell(
			scene,
			row,
			child,
			last.x + last.width - track.x,
			track,
			span,
		);
		baseline = Math.max(baseline, content.baseline);
		const { heads } = child.attributes;
		cells.push({
			x: track.x,
			y: 0,
			content,
			span,
			heads:
				heads === "row"
					? "Row"
					: heads === "column" || row.name === "head"
						? "Column"
						: undefined,
		});
	}
	let height = 0;
	for (const cell of cells) {
		// An empty cell has no baseline to meet.
		const drop =
			cell.content.height === 0 ? 0 : baseline - cell.content.baseline;
		cell.y = paddingTop + drop;
		height = Math.max(height, drop + cell.content.height);
	}
	return {
		height: paddingTop + height + paddingBottom,
		paddingTop,
		paddingBottom,
		cells,
		ruleAbove: attributes["rule-above"] ?? 0,
		ruleBelow: attributes["rule-below"] ?? 0,
		ruleColor: attributes["rule-color"],
		value,
	};
}

function measureCell(
	scene: Scene,
	row: RowElement,
	cell: ElementOf<"cell">,
	width: number,
	track: Track,
	span: number,
): TextBox | StackBox {
	const style = cell.attributes.style ?? row.attributes.style ?? track.style;
	if (cell.children.length > 0 || cell.text === "") {
		return measureStack(scene, cell.children, width, style);
	}
	const text = resolve(scene, cell);
	const look = lookOf(scene, style);
	const own = span === 1 ? track.align : "left";
	const align = cell.attributes.align ?? (own === "decimal" ? "right" : own);
	const box = textBox(scene, text, width, look, align, "P", "", 0, false);
	if (span > 1 || box.lines.length > 1 || !alignsDecimals(row, cell, track)) {
		return box;
	}
	const split = decimalPoint(text, scene.decimalSeparator);
	if (split === -1) {
		return box;
	}
	const tail = scene.fonts[look.font].width(text.slice(split)) * look.size;
	// Never so far that the text would leave its column.
	const room = width - (box.widths[0] ?? 0);
	box.indent = Math.max(0, Math.min(track.tail - tail, room));
	return box;
}
