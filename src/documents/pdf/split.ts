/** Breaking boxes where a page ends. */
import {
	type Box,
	type ColumnsBox,
	EPSILON,
	type RowBox,
	type StackBox,
	stack,
	type TableBox,
	type TextBox,
} from "./boxes.ts";

/** Lines of a paragraph that stay together at the end and at the beginning of a page. */
const PARAGRAPH_LINES_MIN = 2;

/** Rows of a table that stand beneath its head before a page ends. */
const TABLE_ROWS_MIN = 2;

/** A row higher than this may be broken, in points: a third of a page; lower ones move on as a whole. */
const ROW_HEIGHT_MAX = 250;

/** What is placed of such a row, or of a block that has to be broken, in points: about three lines. */
const PART_HEIGHT_MIN = 40;

/** What stands on this page and what is left for the next. */
export type Split = readonly [first: Box | undefined, rest: Box | undefined];

/** How a box is broken. */
interface Break {
	/** Room on this page, in points. */
	readonly height: number;
	/** Room that must remain where the box ends on this page, for what stands with its end. */
	readonly reserve: number;
	/** Whether something must be placed, because a new page would not have more room. */
	readonly forced: boolean;
	/** Whether the box begins at the top of a page: a table then need not have several rows there. */
	readonly fresh: boolean;
	/** Whether other columns go on beside it: structure elements then end with the page. */
	readonly parallel: boolean;
}

/**
 * Breaks a box at the end of a page that has room for `height`, so that the
 * first part is never missing: what should stay together is broken where a
 * page is too low for it.
 */
export function splitAtPage(box: Box, height: number): Split {
	return split(box, {
		height,
		reserve: 0,
		forced: true,
		fresh: true,
		parallel: false,
	});
}

function split(box: Box, room: Break): Split {
	if (box.height + room.reserve <= room.height + EPSILON) {
		return [box, undefined];
	}
	switch (box.kind) {
		case "text":
			return splitText(box, room);
		case "stack":
			return splitStack(box, room);
		case "columns":
			return room.forced ? splitColumns(box, room) : [undefined, box];
		case "table":
			return splitTable(box, room);
		default:
			return room.forced ? [box, undefined] : [undefined, box];
	}
}

function splitText(box: TextBox, room: Break): Split {
	const { leading } = box.look;
	const count = box.lines.length;
	const fitting = Math.floor((room.height + EPSILON) / leading);
	let placed = Math.min(fitting, count - PARAGRAPH_LINES_MIN);
	if (placed < PARAGRAPH_LINES_MIN) {
		if (!room.forced) {
			return [undefined, box];
		}
		placed = Math.max(1, Math.min(fitting, count - 1));
	}
	if (placed >= count) {
		return [box, undefined];
	}
	const part = (from: number, to: number): TextBox => ({
		...box,
		lines: box.lines.slice(from, to),
		widths: box.widths.slice(from, to),
		height: (to - from) * leading,
		before: from === 0 ? box.before : 0,
		opens: room.parallel || (from === 0 && box.opens),
		closes: room.parallel || (to === count && box.closes),
	});
	return [part(0, placed), part(placed, count)];
}

function splitStack(box: StackBox, room: Break): Split {
	if (box.together && !room.forced) {
		return [undefined, box];
	}
	const { children } = box;
	const placed: Box[] = [];
	let used = 0;
	// Whether no page has room for a box and what is to stand with its end: that is then broken instead.
	let forcesNext = false;
	for (let index = 0; index < children.length; index++) {
		const child = children[index];
		if (child === undefined) {
			break;
		}
		const height = room.height - used - child.before;
		const reserve =
			index === children.length - 1
				? room.reserve
				: followersHeight(children, index);
		const [first, rest] = splitChild(child, {
			height,
			reserve,
			forced: (room.forced && index === 0) || forcesNext,
			fresh: room.fresh && index === 0,
			parallel: room.parallel,
		});
		if (first !== undefined) {
			placed.push(first);
			used += child.before + first.height;
		}
		if (rest !== undefined) {
			// The space above a block is dropped at the top of a page.
			const left = [{ ...rest, before: 0 }, ...children.slice(index + 1)];
			return [
				placed.length === 0
					? undefined
					: { ...stack(placed, used), before: box.before },
				stack(
					left,
					heightFrom(box, index) - child.before - child.height + rest.height,
				),
			];
		}
		forcesNext =
			child.height + reserve > height + EPSILON &&
			room.height - used >= PART_HEIGHT_MIN;
	}
	return [{ ...stack(placed, used), before: box.before }, undefined];
}

/** On an empty page, what is to stand with the box's end gives way first, then what is to stay together. */
function splitChild(child: Box, room: Break): Split {
	const wished = split(child, { ...room, forced: false });
	if (wished[0] !== undefined || !room.forced) {
		return wished;
	}
	const alone = split(child, { ...room, reserve: 0, forced: false });
	return alone[0] !== undefined ? alone : split(child, { ...room, reserve: 0 });
}

/** The height of a stack from the child of that index on. */
function heightFrom(box: StackBox, index: number): number {
	let { height } = box;
	for (const child of box.children.slice(0, index)) {
		height -= child.before + child.height;
	}
	return height;
}

/** The room that the blocks which stand with this one's end need at least. */
function followersHeight(children: readonly Box[], index: number): number {
	const next = children[index + 1];
	if (next === undefined || !next.withPrevious) {
		return 0;
	}
	const least = leastHeight(next);
	return (
		next.before +
		least +
		(least === next.height ? followersHeight(children, index + 1) : 0)
	);
}

/** The room that the beginning of a box needs. */
function leastHeight(box: Box): number {
	switch (box.kind) {
		case "text":
			return box.lines.length < 2 * PARAGRAPH_LINES_MIN
				? box.height
				: PARAGRAPH_LINES_MIN * box.look.leading;
		case "stack": {
			const first = box.children[0];
			if (box.together || first === undefined) {
				return box.height;
			}
			const least = leastHeight(first);
			return (
				first.before +
				least +
				(least === first.height ? followersHeight(box.children, 0) : 0)
			);
		}
		case "table": {
			if (box.together) {
				return box.height;
			}
			let least = headHeight(box) + (box.carry?.forwardHeight ?? 0);
			for (const row of box.rows.slice(0, TABLE_ROWS_MIN)) {
				least += row.height > ROW_HEIGHT_MAX ? PART_HEIGHT_MIN : row.height;
			}
			return Math.min(least, box.height);
		}
		default:
			return box.height;
	}
}

/** Columns that are higher than a page: each goes on at its own line. */
function splitColumns(box: ColumnsBox, room: Break): Split {
	const inColumn = { ...room, reserve: 0, parallel: true };
	const parts = box.columns.map(({ x, content }) => {
		const [first, rest] = split(content, inColumn);
		return { x, first: asStack(first), rest: asStack(rest) };
	});
	const columns = (which: "first" | "rest"): ColumnsBox => {
		const contents = parts.map((part) => ({
			x: part.x,
			content: part[which],
		}));
		return {
			...box,
			columns: contents,
			height: Math.max(...contents.map(({ content }) => content.height)),
			before: which === "first" ? box.before : 0,
		};
	};
	return [
		columns("first"),
		parts.some(({ rest }) => rest.height > 0) ? columns("rest") : undefined,
	];
}

function asStack(box: Box | undefined): StackBox {
	if (box === undefined) {
		return stack([], 0);
	}
	return box.kind === "stack" ? box : stack([box], box.before + box.height);
}

function headHeight(table: TableBox): number {
	return (table.head?.height ?? 0) + (table.broughtForward?.height ?? 0);
}

function splitTable(table: TableBox, room: Break): Split {
	if (table.together && !room.forced) {
		return [undefined, table];
	}
	const { rows } = table;
	const forwardHeight = table.carry?.forwardHeight ?? 0;
	let used = headHeight(table);
	let count = 0;
	for (const row of rows) {
		const kept = count === rows.length - 1 ? room.reserve : forwardHeight;
		if (used + row.height + kept > room.height + EPSILON) {
			break;
		}
		used += row.height;
		count++;
	}
	const next = rows[count];
	if (next === undefined) {
		return [table, undefined];
	}
	const left = room.height - used - forwardHeight;
	const mustBreak = count === 0 && room.forced;
	if (mustBreak || (next.height > ROW_HEIGHT_MAX && left >= PART_HEIGHT_MIN)) {
		const [first, rest] = splitRow(next, left);
		// A row that fits but for what must stand with it moves on as a whole.
		if (mustBreak || rest !== undefined) {
			const following = rows.slice(count + 1);
			return parts(
				table,
				[...rows.slice(0, count), first],
				rest === undefined ? following : [rest, ...following],
				room,
			);
		}
	}
	const isTooFew =
		count < Math.min(TABLE_ROWS_MIN, rows.length) && !table.continued;
	if (count === 0 || (isTooFew && !room.forced && !room.fresh)) {
		return [undefined, table];
	}
	return parts(table, rows.slice(0, count), rows.slice(count), room);
}

/** The table up to a page's end with what it carries forward, and from there on with what was brought forward. */
function parts(
	table: TableBox,
	placed: readonly RowBox[],
	left: readonly RowBox[],
	room: Break,
): Split {
	if (left.length === 0) {
		return [tableOf(table, placed, { opens: table.opens }), undefined];
	}
	const carried = [...table.carried];
	for (const row of placed) {
		if (row.value !== "") {
			carried.push(row.value);
		}
	}
	return [
		tableOf(table, placed, {
			carryForward: table.carry?.forward(carried),
			closes: room.parallel,
		}),
		tableOf(table, left, {
			before: 0,
			broughtForward: table.carry?.brought(carried),
			carried,
			continued: true,
			opens: room.parallel,
		}),
	];
}

function tableOf(
	table: TableBox,
	rows: readonly RowBox[],
	change: Partial<TableBox>,
): TableBox {
	const part: TableBox = { ...table, ...change, rows };
	let height = headHeight(part) + (part.carryForward?.height ?? 0);
	for (const row of rows) {
		height += row.height;
	}
	return { ...part, height };
}

/** Breaks a row that is higher than a page: the first part has at least one line of one cell. */
function splitRow(
	row: RowBox,
	height: number,
): [first: RowBox, rest: RowBox | undefined] {
	const cells = row.cells.map((cell) => {
		const [first, rest] = split(cell.content, {
			height: height - cell.y,
			reserve: 0,
			forced: true,
			fresh: false,
			parallel: true,
		});
		return { cell, first: asStack(first), rest: asStack(rest) };
	});
	if (cells.every(({ rest }) => rest.height === 0)) {
		return [row, undefined];
	}
	const bottom = Math.max(
		...cells.map(({ cell, first }) => cell.y + first.height),
	);
	const remaining = Math.max(...cells.map(({ rest }) => rest.height));
	return [
		{
			...row,
			height: bottom + row.paddingBottom,
			cells: cells.map(({ cell, first }) => ({ ...cell, content: first })),
			ruleBelow: 0,
		},
		{
			...row,
			height: row.paddingTop + remaining + row.paddingBottom,
			cells: cells.map(({ cell, rest }) => ({
				...cell,
				y: row.paddingTop,
				content: rest,
			})),
			ruleAbove: 0,
			value: "",
		},
	];
}
