/** Measuring tables: the widths of their columns, the heights of their rows. */
import {
	type Align,
	type Carry,
	type CellBox,
	EPSILON,
	type RowBox,
	type StackBox,
	type TableBox,
	type TextBox,
} from "./boxes.ts";
import { breakLines } from "./lines.ts";
import type { ElementOf } from "./markup.ts";
import {
	INK,
	lookOf,
	resolve,
	type Scene,
	SHRINK_STEP,
	textBox,
} from "./scene.ts";

/** Where a table has no width to share out, what remains for each column that takes the rest. */
const REST_WIDTH_MIN = 60;

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

/** Measures a table at the largest scale at which its columns fit; undefined where it has no rows. */
export function measureTable(
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
		return scene.measureBlocks(scene, cell.children, width, style);
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
