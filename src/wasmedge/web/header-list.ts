/** Header fields as the fetch classes and the HTTP engine hold them: checked, names in lower case. */

/**
 * Fields of a message. Fields of one name are one entry, joined by ", " (RFC 9110,
 * 5.3); Set-Cookie alone cannot be joined (6265, 3) and stands apart.
 */
export interface HeaderList {
	/** By name in lower case. */
	readonly fields: Map<string, string>;
	/** Values of Set-Cookie, in their order. */
	readonly cookies: string[];
}

/** RFC 9110, 5.1 and 5.6.2: token */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Fetch Standard, "header value": bytes, but NUL, CR and LF, which would end the field. */
const VALUE = /^[^\0\r\n\u0100-\uffff]*$/;

const SET_COOKIE = "set-cookie";

/** A name that was seen before: a service writes the same few again and again. */
interface KnownName {
	/** In lower case. */
	name: string;
	/** The value that was checked last; most headers have the same in every response. */
	checkedValue: string;
}

const knownNames = new Map<string, KnownName>();
const KNOWN_NAMES_MAX = 256;

function knownName(name: unknown): KnownName {
	const text = String(name);
	let known = knownNames.get(text);
	if (known === undefined) {
		if (!NAME.test(text)) {
			throw new TypeError(
				`${JSON.stringify(text)} is no header name: only letters, digits and !#$%&'*+-.^_\`|~ may stand in one.`,
			);
		}
		known = { name: text.toLowerCase(), checkedValue: "" };
		if (knownNames.size < KNOWN_NAMES_MAX) {
			knownNames.set(text, known);
		}
	}
	return known;
}

function checkedValue(value: unknown, known: KnownName): string {
	if (value === known.checkedValue) {
		return known.checkedValue;
	}
	known.checkedValue = normalizeValue(value, known.name);
	return known.checkedValue;
}

/** The value without white space around it. Throws a TypeError where it holds CR, LF, NUL or characters that are no bytes. */
export function normalizeValue(value: unknown, name: string): string {
	let text = String(value);
	if (
		text.length > 0 &&
		(text.charCodeAt(0) <= 0x20 || text.charCodeAt(text.length - 1) <= 0x20)
	) {
		text = text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
	}
	if (!VALUE.test(text)) {
		throw new TypeError(
			`The value of the header ${name} holds a line break, a NUL or a character above U+00FF; encode it.`,
		);
	}
	return text;
}

/** A list of the record's own properties. */
export function listOfRecord(
	record: Readonly<Record<string, unknown>>,
): HeaderList {
	const list: HeaderList = { fields: new Map(), cookies: [] };
	const { fields } = list;
	const names = Object.keys(record);
	for (const each of names) {
		const known = knownName(each);
		fields.set(known.name, checkedValue(record[each], known));
	}
	if (fields.size === names.length && !fields.has(SET_COOKIE)) {
		return list;
	}
	// Names that differ in case only, or cookies: field by field.
	fields.clear();
	for (const each of names) {
		appendField(list, each, record[each]);
	}
	return list;
}

export function appendField(
	list: HeaderList,
	name: unknown,
	value: unknown,
): void {
	const known = knownName(name);
	const { name: key } = known;
	const text = checkedValue(value, known);
	if (key === SET_COOKIE) {
		list.cookies.push(text);
		return;
	}
	const before = list.fields.get(key);
	list.fields.set(key, before === undefined ? text : `${before}, ${text}`);
}

export function setField(
	list: HeaderList,
	name: unknown,
	value: unknown,
): void {
	const known = knownName(name);
	const { name: key } = known;
	const text = checkedValue(value, known);
	if (key === SET_COOKIE) {
		list.cookies.splice(0, list.cookies.length, text);
	} else {
		list.fields.set(key, text);
	}
}

export function deleteField(list: HeaderList, name: unknown): void {
	const key = knownName(name).name;
	if (key === SET_COOKIE) {
		list.cookies.length = 0;
	} else {
		list.fields.delete(key);
	}
}

/** The value, those of several Set-Cookie joined as the Fetch Standard has it; null where there is none. */
export function getField(list: HeaderList, name: unknown): string | null {
	const found = list.fields.get(name as string);
	if (found !== undefined) {
		return found;
	}
	const key = knownName(name).name;
	if (key === SET_COOKIE) {
		return list.cookies.length === 0 ? null : list.cookies.join(", ");
	}
	return list.fields.get(key) ?? null;
}

/** Name and value of every field, sorted by name, each Set-Cookie for itself. */
export function sortedFields(list: HeaderList): [string, string][] {
	const pairs: [string, string][] = [...list.fields];
	for (const cookie of list.cookies) {
		pairs.push([SET_COOKIE, cookie]);
	}
	// Sorting is stable, so cookies keep their order.
	return pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
