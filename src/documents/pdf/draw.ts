/** Drawing boxes on a canvas, with the structure that readers hear. */
import type {
	Box,
	CellBox,
	ImageBox,
	QrBox,
	RowBox,
	TableBox,
	TextBox,
} from "./boxes.ts";
import type { Canvas, StructureAttributes } from "./canvas.ts";

/** Where a line of text or a rule is drawn. */
interface Pen {
	readonly canvas: Canvas;
	/** Whether what is drawn is repetition or decoration, which has no structure. */
	readonly artifact: boolean;
}

const COLUMN_HEAD: StructureAttributes = { scope: "Column" };
const ROW_HEAD: StructureAttributes = { scope: "Row" };

/** Draws a box with its top left corner at (x, y). */
export function drawBox(
	canvas: Canvas,
	box: Box,
	x: number,
	y: number,
	artifact: boolean,
): void {
	draw({ canvas, artifact }, box, x, y);
}

function draw(pen: Pen, box: Box, x: number, y: number): void {
	switch (box.kind) {
		case "text":
			drawText(pen, box, x, y, true);
			break;
		case "stack": {
			let top = y;
			for (const child of box.children) {
				top += child.before;
				draw(pen, child, x, top);
				top += child.height;
			}
			break;
		}
		case "columns":
			for (const column of box.columns) {
				draw(pen, column.content, x + column.x, y);
			}
			break;
		case "rule":
			asArtifact(pen, () => {
				rule(
					pen.canvas,
					x,
					y + box.height / 2,
					box.width,
					box.height,
					box.color,
				);
			});
			break;
		case "image":
			drawImage(pen, box, x, y);
			break;
		case "qr":
			drawQr(pen, box, x, y);
			break;
		case "table":
			drawTable(pen, box, x, y);
			break;
		case "space":
			break;
	}
}

function asArtifact(pen: Pen, action: () => void): void {
	if (pen.artifact) {
		action();
	} else {
		pen.canvas.artifact(action);
	}
}

function rule(
	canvas: Canvas,
	x: number,
	y: number,
	width: number,
	thickness: number,
	color: TableBox["ruleColor"],
): void {
	canvas.line(x, y, x + width, y, thickness, color);
}

function drawText(
	pen: Pen,
	box: TextBox,
	x: number,
	y: number,
	isStructured: boolean,
): void {
	const { canvas } = pen;
	const structured = isStructured && !pen.artifact;
	if (structured && box.opens) {
		canvas.begin(box.structure);
	}
	let baseline = y + box.baseline;
	for (let index = 0; index < box.lines.length; index++) {
		const line = box.lines[index] ?? "";
		const width = box.widths[index] ?? 0;
		let left = x;
		if (box.align === "right") {
			left += box.width - width - box.indent;
		} else if (box.align === "center") {
			left += (box.width - width) / 2;
		}
		if (line !== "") {
			canvas.text(left, baseline, line, box.look);
			if (box.url !== "" && !pen.artifact) {
				canvas.link(
					left,
					baseline - box.baseline,
					width,
					box.look.leading,
					box.url,
				);
			}
		}
		baseline += box.look.leading;
	}
	if (structured && box.closes) {
		canvas.end();
	}
}

function drawImage(pen: Pen, box: ImageBox, x: number, y: number): void {
	const { canvas } = pen;
	if (!pen.artifact) {
		canvas.begin("Figure", { alternative: box.alternative });
	}
	canvas.image(box.bytes, x + box.x, y, box.width, box.height);
	if (!pen.artifact) {
		canvas.end();
	}
}

function drawQr(pen: Pen, box: QrBox, x: number, y: number): void {
	const { canvas } = pen;
	// Whole points from the sheet's lower left corner, where PDF counts from.
	const left = Math.floor(x + box.x);
	const top = canvas.pageHeight - Math.round(canvas.pageHeight - y);
	if (!pen.artifact) {
		canvas.begin("Figure", { alternative: box.alternative });
	}
	canvas.grid(left, top, box.side, box.count, box.rectangles, box.color);
	if (!pen.artifact) {
		canvas.end();
	}
}

function drawTable(pen: Pen, table: TableBox, x: number, y: number): void {
	const { canvas } = pen;
	const silent: Pen = pen.artifact ? pen : { canvas, artifact: true };
	if (table.opens && !pen.artifact) {
		canvas.begin("Table");
	}
	let top = y;
	const { head, broughtForward, carryForward } = table;
	if (table.continued && (head !== undefined || broughtForward !== undefined)) {
		asArtifact(pen, () => {
			if (head !== undefined) {
				drawRow(silent, head, x, top);
				top += head.height;
			}
			if (broughtForward !== undefined) {
				drawRow(silent, broughtForward, x, top);
				top += broughtForward.height;
			}
		});
	} else if (head !== undefined) {
		drawRow(pen, head, x, top);
		top += head.height;
	}
	for (const row of table.rows) {
		drawRow(pen, row, x, top);
		top += row.height;
	}
	asArtifact(pen, () => {
		if (carryForward !== undefined) {
			drawRow(silent, carryForward, x, top);
		}
		drawRules(canvas, table, x, y);
	});
	if (table.closes && !pen.artifact) {
		canvas.end();
	}
}

function drawRow(pen: Pen, row: RowBox, x: number, y: number): void {
	const { canvas, artifact } = pen;
	if (!artifact) {
		canvas.begin("TR");
	}
	for (const cell of row.cells) {
		if (!artifact) {
			canvas.begin(
				cell.heads === undefined ? "TD" : "TH",
				cellAttributes(cell),
			);
		}
		const { content } = cell;
		if (content.kind === "text") {
			drawText(pen, content, x + cell.x, y + cell.y, false);
		} else {
			draw(pen, content, x + cell.x, y + cell.y);
		}
		if (!artifact) {
			canvas.end();
		}
	}
	if (!artifact) {
		canvas.end();
	}
}

function cellAttributes(cell: CellBox): StructureAttributes | undefined {
	if (cell.span > 1) {
		return cell.heads === undefined
			? { columnSpan: cell.span }
			: { columnSpan: cell.span, scope: cell.heads };
	}
	switch (cell.heads) {
		case "Row":
			return ROW_HEAD;
		case "Column":
			return COLUMN_HEAD;
		default:
			return undefined;
	}
}

/** The rules of all rows at once: a table without any draws nothing. */
function drawRules(
	canvas: Canvas,
	table: TableBox,
	x: number,
	y: number,
): void {
	let top = y;
	const between = (row: RowBox | undefined): void => {
		if (row === undefined) {
			return;
		}
		const color = row.ruleColor ?? table.ruleColor;
		if (row.ruleAbove > 0) {
			rule(canvas, x, top, table.width, row.ruleAbove, color);
		}
		top += row.height;
		if (row.ruleBelow > 0) {
			rule(canvas, x, top, table.width, row.ruleBelow, color);
		}
	};
	between(table.head);
	between(table.broughtForward);
	for (const row of table.rows) {
		between(row);
	}
	between(table.carryForward);
}
