/** Boxes: what measuring makes of the markup: every width, height and line is known, only the page is not. Lengths in points. */
import type { Color, StructureType, TextStyle } from "./canvas.ts";

/** A text style with its line height. */
export interface Look extends TextStyle {
	leading: number;
}

export type Align = "left" | "right" | "center";

interface Block {
	readonly height: number;
	/** Space above it, dropped at the top of a page. */
	readonly before: number;
	/** How far below its top the first baseline lies. */
	readonly baseline: number;
	/** Broken over pages only where it is higher than a page. */
	readonly together: boolean;
	/** Its beginning stands on the page on which the block before it ends. */
	readonly withPrevious: boolean;
}

export interface TextBox extends Block {
	readonly kind: "text";
	readonly width: number;
	readonly lines: readonly string[];
	/** Widths of the lines in points. */
	readonly widths: readonly number[];
	readonly look: Look;
	readonly align: Align;
	/** How far decimal alignment moves the text away from the right edge. */
	readonly indent: number;
	readonly structure: StructureType;
	/** What the text is a link to; empty where it is none. */
	readonly url: string;
	/** Whether its structure element begins and ends with it: a paragraph over two pages is one. */
	readonly opens: boolean;
	readonly closes: boolean;
}

export interface StackBox extends Block {
	readonly kind: "stack";
	readonly children: readonly Box[];
}

export interface ColumnsBox extends Block {
	readonly kind: "columns";
	readonly columns: readonly { x: number; content: StackBox }[];
}

export interface SpaceBox extends Block {
	readonly kind: "space";
}

export interface RuleBox extends Block {
	readonly kind: "rule";
	readonly width: number;
	readonly color: Color;
}

export interface ImageBox extends Block {
	readonly kind: "image";
	readonly x: number;
	readonly width: number;
	readonly bytes: Uint8Array;
	readonly alternative: string;
}

export interface QrBox extends Block {
	readonly kind: "qr";
	readonly x: number;
	/** Modules in a row and in a column. */
	readonly count: number;
	/** The dark modules as rectangles: column, row, columns and rows of each, one after the other. */
	readonly rectangles: readonly number[];
	/** Side of a module in points. */
	readonly side: number;
	readonly color: Color;
	readonly alternative: string;
}

export interface CellBox {
	readonly x: number;
	/** Below the top of the row, so that the first baselines of a row's cells meet. */
	readonly y: number;
	readonly content: TextBox | StackBox;
	/** Columns it spans. */
	readonly span: number;
	readonly heads: "Row" | "Column" | undefined;
}

export interface RowBox {
	readonly height: number;
	readonly paddingTop: number;
	readonly paddingBottom: number;
	readonly cells: readonly CellBox[];
	/** Thickness of the rules above and below; 0 for none. */
	readonly ruleAbove: number;
	readonly ruleBelow: number;
	/** The table's colour where it is undefined. */
	readonly ruleColor: Color | undefined;
	/** What the row adds to the subtotal; empty for nothing. */
	readonly value: string;
}

export interface TableBox extends Block {
	readonly kind: "table";
	readonly width: number;
	readonly ruleColor: Color;
	readonly head: RowBox | undefined;
	/** Stands beneath the repeated head of a table that goes on. */
	readonly broughtForward: RowBox | undefined;
	readonly rows: readonly RowBox[];
	/** Stands beneath the last row of a table that is to go on. */
	readonly carryForward: RowBox | undefined;
	/** Makes the two rows above for what the rows so far come to. */
	readonly carry: Carry | undefined;
	/** Values of the rows on earlier pages. */
	readonly carried: readonly string[];
	/** Whether it began on an earlier page: the head is then a repetition. */
	readonly continued: boolean;
	readonly opens: boolean;
	readonly closes: boolean;
}

export interface Carry {
	/** Heights of the rows, the same for every subtotal. */
	readonly forwardHeight: number;
	readonly broughtHeight: number;
	forward(values: readonly string[]): RowBox | undefined;
	brought(values: readonly string[]): RowBox | undefined;
}

export type Box =
	| TextBox
	| StackBox
	| ColumnsBox
	| SpaceBox
	| RuleBox
	| ImageBox
	| QrBox
	| TableBox;

/** Lengths that differ by less are equal: sums of fractions in floating point. */
export const EPSILON = 0.01;

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
