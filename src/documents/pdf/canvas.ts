/** The canvas: what the layout draws on, and the only thing it knows of PDF. */

/** The two weights that documents are set in. */
export type FontName = "regular" | "semibold";

/** An opaque colour as "#rrggbb" (DeviceRGB through the document's sRGB output intent). */
export type Color = `#${string}`;

/** Metrics of a font as fractions of the type size (1 = one em). */
export interface FontFace {
	readonly ascent: number;
	/** Positive: how far the lowest letters reach below the baseline. */
	readonly descent: number;
	readonly capHeight: number;
	readonly xHeight: number;
	/** Advance width of `text` as it will be drawn, kerning and ligatures included. */
	width(text: string): number;
	/** Whether the font can draw this character. */
	has(codePoint: number): boolean;
}

export interface TextStyle {
	font: FontName;
	/** Type size in points. */
	size: number;
	color: Color;
}

/** Standard structure types of ISO 32000-1, 14.8.4, as far as an invoice needs them. */
export type StructureType =
	| "Sect"
	| "Div"
	| "H1"
	| "H2"
	| "P"
	| "Table"
	| "THead"
	| "TBody"
	| "TFoot"
	| "TR"
	| "TH"
	| "TD"
	| "Figure"
	| "Link";

export interface StructureAttributes {
	/** Alternative text (Figure). */
	alternative?: string;
	/** TH: which cells it heads. */
	scope?: "Row" | "Column";
	/** TH, TD: columns it spans. */
	columnSpan?: number;
}

/**
 * An A4 document in the making. Lengths are points (1/72 inch); the origin is
 * the top left corner of the page and y grows downwards.
 */
export interface Canvas {
	readonly fonts: Readonly<Record<FontName, FontFace>>;
	readonly pageWidth: number;
	readonly pageHeight: number;
	/** Starts a further page and draws on it from now on. */
	addPage(): void;
	readonly pageCount: number;
	/** Draws on an earlier page again (from 0), for "page n of N". */
	selectPage(index: number): void;
	/**
	 * Draws one line of text with its baseline at y. A line that goes on in the
	 * next keeps the space at its end: that is what separates their words for
	 * those who copy or hear them.
	 *
	 * Throws on a character that the font lacks, and outside of any structure
	 * element and artifact, where nobody would hear it.
	 */
	text(x: number, y: number, text: string, style: TextStyle): void;
	/**
	 * Fills a rectangle; those of one colour that follow each other become one
	 * shape, without seams. Outside of any element it is decoration, as are
	 * lines and images.
	 */
	rectangle(
		x: number,
		y: number,
		width: number,
		height: number,
		color: Color,
	): void;
	/**
	 * Fills rectangles that lie on a grid of `count` × `count` squares, as one
	 * shape; of each they give column, row, columns and rows, one after the
	 * other. (x, y) is the grid's top left corner and `side` that of a square.
	 */
	grid(
		x: number,
		y: number,
		side: number,
		count: number,
		rectangles: readonly number[],
		color: Color,
	): void;
	line(
		fromX: number,
		fromY: number,
		toX: number,
		toY: number,
		lineWidth: number,
		color: Color,
	): void;
	/** Draws a PNG or JPEG into the given box. */
	image(
		bytes: Uint8Array,
		x: number,
		y: number,
		width: number,
		height: number,
	): void;
	/** The size of a PNG or JPEG in pixels. */
	imageSize(bytes: Uint8Array): { width: number; height: number };
	/** Makes a box a link to `url`, in the current element if that is a Link, else in one of its own. */
	link(x: number, y: number, width: number, height: number, url: string): void;
	/** Opens a structure element; what is drawn until `end` belongs to it. An element may go on over pages. */
	begin(type: StructureType, attributes?: StructureAttributes): void;
	end(): void;
	/** Draws what is decoration or repetition (rules, repeated heads, page numbers): no reader speaks it. */
	artifact(draw: () => void): void;
	/** Closes the document and returns its bytes; nothing can be drawn afterwards. */
	finish(): Uint8Array;
}

export interface DocumentProperties {
	title: string;
	author: string;
	subject: string;
	/** BCP 47, "de" or "en". */
	language: string;
	/** The only time in the file: when the invoice was issued. */
	createdAt: Date;
	/** Distinguishes documents in /ID; the snapshot's digest and the template. */
	identity: string;
}
