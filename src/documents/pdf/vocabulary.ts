/** The vocabulary of the layout markup: its elements, their attributes and what may stand in them. */
import type { Color, FontName } from "./canvas.ts";

/** Points (1/72 inch) in a millimetre. */
export const POINTS_PER_MILLIMETRE = 72 / 25.4;

type Reader<Value> = (text: string) => Value | undefined;

/** How an attribute is read; `expects` completes the sentence "… must be". */
interface Attribute<Value> {
	read: Reader<Value>;
	expects: string;
}

const LENGTH = /^(0|[0-9]+(?:\.[0-9]+)?)(mm|pt)$/;

function readLength(text: string): number | undefined {
	if (text === "0") {
		return 0;
	}
	const match = LENGTH.exec(text);
	if (match === null) {
		return undefined;
	}
	return match[2] === "mm"
		? Number(match[1]) * POINTS_PER_MILLIMETRE
		: Number(match[1]);
}

const length: Attribute<number> = {
	read: readLength,
	expects: 'a length in millimetres or points, such as "4.5mm" or "9pt"',
};

const width: Attribute<number | "auto" | "rest"> = {
	read: (text) =>
		text === "auto" || text === "rest" ? text : readLength(text),
	expects: 'a length, "auto" (as wide as its content) or "rest" (what remains)',
};

const color: Attribute<Color> = {
	read: (text) => (/^#[0-9a-f]{6}$/.test(text) ? (text as Color) : undefined),
	expects: 'a colour, such as "#1f2a33"',
};

const word: Attribute<string> = {
	read: (text) => (/^[a-z][a-z0-9-]*$/.test(text) ? text : undefined),
	expects: "a name in small letters",
};

const whole: Attribute<number> = {
	read: (text) => (/^[1-9][0-9]?$/.test(text) ? Number(text) : undefined),
	expects: "a whole number from 1",
};

const fraction: Attribute<number> = {
	read: (text) =>
		/^(0\.[0-9]*[1-9]|1)$/.test(text) ? Number(text) : undefined,
	expects: 'a fraction, such as "0.8"',
};

const yes: Attribute<true> = {
	read: (text) => (text === "yes" ? true : undefined),
	expects: '"yes"; leave it out otherwise',
};

function oneOf<const Words extends readonly string[]>(
	...words: Words
): Attribute<Words[number]> {
	return {
		read: (text) => words.find((candidate) => candidate === text),
		expects: `one of ${words.join(", ")}`,
	};
}

const font: Attribute<FontName> = oneOf("regular", "semibold");
const align = oneOf("left", "right", "center");
const pages = oneOf("first", "following", "every");

/** What every block has. */
const block = {
	"space-before": length,
	"with-previous": yes,
};

const text = { ...block, style: word, align };

const row = {
	style: word,
	"padding-top": length,
	"padding-bottom": length,
	"rule-above": length,
	"rule-below": length,
	"rule-color": color,
};

const BLOCKS = [
	"block",
	"columns",
	"heading",
	"image",
	"link",
	"qr",
	"rule",
	"space",
	"table",
	"text",
] as const;

/** Elements that stand within text. */
const INLINE = ["break", "page-count", "page-number", "subtotal"] as const;

/**
 * Every element: its attributes, the elements that may stand in it, and whether
 * text may. templates/README.md describes them to template authors; a test
 * holds it to this table.
 */
export const ELEMENTS = {
	document: {
		attributes: { left: length, right: length, top: length, bottom: length },
		children: [
			"title",
			"author",
			"subject",
			"style",
			"mark",
			"page-header",
			"page-footer",
			...BLOCKS,
		],
		text: false,
	},
	title: { attributes: {}, children: [], text: true },
	author: { attributes: {}, children: [], text: true },
	subject: { attributes: {}, children: [], text: true },
	style: {
		attributes: { name: word, font, size: length, leading: length, color },
		children: [],
		text: false,
	},
	mark: {
		attributes: {
			x: length,
			y: length,
			length,
			thickness: length,
			color,
			on: pages,
		},
		children: [],
		text: false,
	},
	"page-header": {
		attributes: { on: pages, gap: length, style: word },
		children: BLOCKS,
		text: false,
	},
	"page-footer": {
		attributes: { on: pages, gap: length, style: word },
		children: BLOCKS,
		text: false,
	},
	block: {
		attributes: {
			...block,
			style: word,
			height: length,
			shrink: fraction,
			together: yes,
		},
		children: BLOCKS,
		text: false,
	},
	columns: {
		attributes: { ...block, style: word, gap: length },
		children: ["column"],
		text: false,
	},
	column: {
		attributes: { width, style: word },
		children: BLOCKS,
		text: false,
	},
	text: { attributes: text, children: INLINE, text: true },
	heading: {
		attributes: { ...text, level: oneOf("1", "2") },
		children: INLINE,
		text: true,
	},
	link: {
		attributes: { ...text, scheme: oneOf("https://", "mailto:", "tel:") },
		children: [],
		text: true,
	},
	break: { attributes: {}, children: [], text: false },
	"page-number": { attributes: {}, children: [], text: false },
	"page-count": { attributes: {}, children: [], text: false },
	subtotal: { attributes: {}, children: [], text: false },
	space: {
		attributes: { height: length, shrink: yes },
		children: [],
		text: false,
	},
	rule: {
		attributes: { ...block, thickness: length, color },
		children: [],
		text: false,
	},
	image: {
		attributes: { ...block, width: length, height: length, align },
		children: ["source", "alternative"],
		text: false,
	},
	source: { attributes: {}, children: [], text: true },
	alternative: { attributes: {}, children: [], text: true },
	qr: {
		attributes: { ...block, size: length, color, align },
		children: ["content", "alternative"],
		text: false,
	},
	content: { attributes: {}, children: [], text: true },
	table: {
		attributes: {
			...block,
			style: word,
			gap: length,
			shrink: fraction,
			together: yes,
			"rule-color": color,
		},
		children: [
			"table-column",
			"head",
			"row",
			"carry-forward",
			"brought-forward",
		],
		text: false,
	},
	"table-column": {
		attributes: {
			width,
			align: oneOf("left", "right", "center", "decimal"),
			style: word,
			gap: length,
		},
		children: [],
		text: false,
	},
	head: { attributes: row, children: ["cell"], text: false },
	row: { attributes: row, children: ["cell", "value"], text: false },
	"carry-forward": { attributes: row, children: ["cell"], text: false },
	"brought-forward": { attributes: row, children: ["cell"], text: false },
	value: { attributes: {}, children: [], text: true },
	cell: {
		attributes: {
			style: word,
			align,
			span: whole,
			heads: oneOf("row", "column"),
		},
		children: [...BLOCKS, ...INLINE],
		text: true,
	},
} as const satisfies Record<
	string,
	{
		attributes: Record<string, Attribute<unknown>>;
		children: readonly string[];
		text: boolean;
	}
>;

export type ElementName = keyof typeof ELEMENTS;

type ReadBy<Type> = Type extends Attribute<infer Value> ? Value : never;

export type Attributes<Name extends ElementName> = {
	readonly [Key in keyof (typeof ELEMENTS)[Name]["attributes"]]?: ReadBy<
		(typeof ELEMENTS)[Name]["attributes"][Key]
	>;
};
