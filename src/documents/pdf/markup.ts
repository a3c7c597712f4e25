/** The parser of the layout markup: strict, and exact about where a fault is. */
import { type Attributes, ELEMENTS, type ElementName } from "./vocabulary.ts";

/** An element of the markup with its attributes read. */
export interface ElementOf<Name extends ElementName> {
	readonly name: Name;
	readonly attributes: Attributes<Name>;
	children: readonly Element[];
	/** Text with its white space collapsed; empty where the element has none. */
	text: string;
	/** Whether `text` contains the characters of PLACEHOLDER. */
	hasPlaceholder: boolean;
}

/** Any element; its name tells which. */
export type Element = {
	[Name in ElementName]: ElementOf<Name>;
}[ElementName];

/**
 * What stands in text for a value that is known only on the page. Unicode keeps
 * these code points out of text (noncharacters), and a draft with one is refused.
 */
export const PLACEHOLDER = {
	"page-number": "\ufdd0",
	"page-count": "\ufdd1",
	subtotal: "\ufdd2",
} as const;

/**
 * A line break within text: <break/>, or a line break of the invoice itself
 * (which holds none of these: its line breaks are "\n", and white space as
 * written in a template means nothing).
 */
export const LINE_BREAK = "\u2028";

/** Start tags whose attributes have been read. A template has some hundred different ones; what is written into a text is not a tag. */
const TAGS_MAX = 2000;

interface Tag {
	name: ElementName;
	attributes: Attributes<ElementName>;
	closed: boolean;
	/** What the element writes into the text that it stands in; empty where it does not stand in text. */
	inText: string;
	/** Whether text may stand in the element, and which elements may. */
	allowsText: boolean;
	allows: readonly string[];
}

/** An element whose end tag has not come yet. */
interface Open {
	tag: Tag;
	element: Element;
}

/** The children of elements that have none, which most have. */
const NONE: readonly Element[] = [];

const tags = new Map<string, Tag>();

/**
 * Parses the markup of one document. Throws an Error that names line, column
 * and the fault: an unknown element or attribute, a wrong value, text or an
 * element where it may not stand, or a missing end tag.
 */
export function parseMarkup(markup: string): ElementOf<"document"> {
	const open: Open[] = [];
	let current: Open | undefined;
	let root: Element | undefined;
	let position = 0;
	for (;;) {
		const start = markup.indexOf("<", position);
		const end = start === -1 ? markup.length : start;
		if (end > position) {
			addText(markup, position, end, current);
		}
		if (start === -1) {
			break;
		}
		const close = markup.indexOf(">", start);
		if (close === -1) {
			throw fault(markup, start, "This tag is not closed by “>”.");
		}
		position = close + 1;
		if (markup.charCodeAt(start + 1) === SLASH) {
			if (
				current === undefined ||
				close - start - 2 !== current.tag.name.length ||
				!markup.startsWith(current.tag.name, start + 2)
			) {
				const expected =
					current === undefined
						? "no element is open"
						: `</${current.tag.name}> is due`;
				throw fault(
					markup,
					start,
					`${markup.slice(start, close + 1)} closes nothing: ${expected}.`,
				);
			}
			finish(current.element);
			open.pop();
			current = open[open.length - 1];
			continue;
		}
		const tag = readTag(markup, start, close);
		const element = {
			name: tag.name,
			attributes: tag.attributes,
			children: NONE,
			text: "",
			hasPlaceholder: false,
		} as Element;
		if (current !== undefined) {
			addElement(markup, start, current, element, tag.inText);
		} else if (root === undefined && element.name === "document") {
			root = element;
		} else {
			throw fault(
				markup,
				start,
				`<${element.name}> stands outside <document>, which is the outermost element and stands once.`,
			);
		}
		if (!tag.closed) {
			current = { tag, element };
			open.push(current);
		}
	}
	if (current !== undefined) {
		throw fault(
			markup,
			markup.length,
			`The markup ends before </${current.tag.name}>.`,
		);
	}
	if (root?.name !== "document") {
		throw fault(markup, 0, "The markup has no <document>.");
	}
	return root;
}

const SLASH = 0x2f;

const IN_TEXT: Readonly<Partial<Record<ElementName, string>>> = {
	break: LINE_BREAK,
	...PLACEHOLDER,
};

function addElement(
	markup: string,
	offset: number,
	{ tag, element: parent }: Open,
	element: Element,
	inText: string,
): void {
	if (!tag.allows.includes(element.name)) {
		throw fault(
			markup,
			offset,
			tag.allows.length === 0
				? `Nothing stands in <${parent.name}> but text; <${element.name}> does not.`
				: `<${element.name}> does not stand in <${parent.name}>; there are: ${tag.allows.join(", ")}.`,
		);
	}
	if (inText !== "") {
		parent.text += inText;
		parent.hasPlaceholder ||= inText !== LINE_BREAK;
		return;
	}
	if (parent.text !== "" && !isBlank(parent.text, 0, parent.text.length)) {
		throw fault(
			markup,
			offset,
			`<${parent.name}> holds text or elements, not both: put the text into <text>.`,
		);
	}
	if (parent.children === NONE) {
		parent.children = [element];
	} else {
		(parent.children as Element[]).push(element);
	}
}

function addText(
	markup: string,
	start: number,
	end: number,
	parent: Open | undefined,
): void {
	if (parent?.tag.allowsText === true && parent.element.children.length === 0) {
		const text = markup.slice(start, end);
		parent.element.text += text.includes("&")
			? decode(markup, start, text)
			: text;
		return;
	}
	// A line break between two tags is by far the most frequent.
	const isLineBreak = end === start + 1 && markup.charCodeAt(start) === 0x0a;
	if (!isLineBreak && !isBlank(markup, start, end)) {
		throw fault(
			markup,
			start + markup.slice(start, end).search(/\S/),
			parent === undefined
				? "Text stands outside <document>."
				: `Text does not stand in <${parent.tag.name}> by itself: put it into <text>.`,
		);
	}
}

function isBlank(text: string, start: number, end: number): boolean {
	for (let index = start; index < end; index++) {
		if (!isWhiteSpace(text.charCodeAt(index))) {
			return false;
		}
	}
	return true;
}

/** White space of markup; no-break and other spaces are characters of the text. */
function isWhiteSpace(code: number): boolean {
	return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d;
}

/** White space that HTML would not leave as it is: beside other white space, at either end, or anything but a space. */
const COLLAPSIBLE = /[\n\t\r]|(?:^|[ \u2028]) |[ \u2028]$/;

/** Collapses the white space of an element's text, as HTML does; what a QR code says is taken as it stands. */
function finish(element: Element): void {
	const { text } = element;
	if (text !== "" && element.name !== "content" && COLLAPSIBLE.test(text)) {
		element.text = collapse(text);
	}
}

function collapse(text: string): string {
	return text
		.replace(/[ \n\t\r]+/g, " ")
		.replace(/ ?\u2028 ?/g, LINE_BREAK)
		.replace(/^[ \u2028]+|[ \u2028]+$/g, "");
}

/** What Handlebars writes for the characters of markup, and what a template may write itself. */
const ENTITIES: Readonly<Record<string, string>> = {
	"&amp;": "&",
	"&lt;": "<",
	"&gt;": ">",
	"&quot;": '"',
	"&nbsp;": "\u00a0",
	"&#x27;": "'",
	"&#x60;": "`",
	"&#x3D;": "=",
};

function decode(markup: string, offset: number, text: string): string {
	return text.replace(/&[^;\s]*;?/g, (entity, index: number) => {
		const character = ENTITIES[entity];
		if (character === undefined) {
			throw fault(
				markup,
				offset + index,
				`“${entity}” is no character reference; there are: ${Object.keys(ENTITIES).join(" ")}.`,
			);
		}
		return character;
	});
}

function readTag(markup: string, start: number, close: number): Tag {
	const source = markup.slice(start, close + 1);
	const known = tags.get(source);
	if (known !== undefined) {
		return known;
	}
	const tag = parseTag(markup, start, source);
	if (tags.size >= TAGS_MAX) {
		tags.clear();
	}
	tags.set(source, tag);
	return tag;
}

const TAG = /^<([a-z][a-z-]*)((?:\s+[a-z-]+="[^"<>]*")*)\s*(\/?)>$/;

function parseTag(markup: string, offset: number, source: string): Tag {
	const match = TAG.exec(source);
	if (match === null) {
		throw fault(
			markup,
			offset,
			`${source} is no tag: it needs the form <name attribute="value">.`,
		);
	}
	const [, name = "", attributeList = "", closing] = match;
	if (!isElementName(name)) {
		throw fault(
			markup,
			offset,
			`<${name}> is not an element of the markup; there are: ${Object.keys(ELEMENTS).join(", ")}.`,
		);
	}
	const readers: Readonly<
		Record<string, { read(text: string): unknown; expects: string }>
	> = ELEMENTS[name].attributes;
	const attributes: Record<string, unknown> = {};
	for (const [, key = "", value = ""] of attributeList.matchAll(
		/([a-z-]+)="([^"]*)"/g,
	)) {
		const reader = Object.hasOwn(readers, key) ? readers[key] : undefined;
		if (reader === undefined) {
			throw fault(
				markup,
				offset,
				`<${name}> has no attribute “${key}”; it has: ${Object.keys(readers).join(", ") || "none"}.`,
			);
		}
		if (key in attributes) {
			throw fault(markup, offset, `<${name}> has “${key}” twice.`);
		}
		const read = reader.read(value);
		if (read === undefined) {
			throw fault(
				markup,
				offset,
				`“${key}” of <${name}> must be ${reader.expects}, not “${value}”.`,
			);
		}
		attributes[key] = read;
	}
	return {
		name,
		attributes: attributes as Attributes<ElementName>,
		closed: closing === "/",
		inText: IN_TEXT[name] ?? "",
		allowsText: ELEMENTS[name].text,
		allows: ELEMENTS[name].children,
	};
}

function isElementName(name: string): name is ElementName {
	return Object.hasOwn(ELEMENTS, name);
}

/** An Error that says where in the markup the fault is and shows its line. */
function fault(markup: string, offset: number, message: string): Error {
	const before = markup.slice(0, offset);
	const line = before.split("\n").length;
	const column = offset - before.lastIndexOf("\n");
	const source = markup.split("\n")[line - 1] ?? "";
	return new Error(
		`Line ${line}, column ${column} of the markup: ${message}\n    ${source.trim().slice(0, 160)}`,
	);
}
