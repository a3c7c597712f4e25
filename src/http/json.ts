/** JSON as requests may carry it: RFC 8259 that means the same to every reader (I-JSON, RFC 7493). */
import { pointer } from "../invoice/violation.ts";

/** Nesting that is read at all; a draft must be flatter still, and is told so with a pointer. */
export const JSON_DEPTH_MAX = 64;

/** Where and why a text is no such JSON. */
export interface JsonFault {
	/** What is wrong, as a sentence; of the text it repeats names of members at most. */
	message: string;
	/** From 1. */
	line: number;
	/** From 1, in UTF-16 code units. */
	column: number;
}

export type JsonResult =
	| { ok: true; value: unknown }
	| { ok: false; fault: JsonFault };

/**
 * Parses a JSON text. Beyond `JSON.parse` it refuses a member that is there
 * twice (which of two amounts would count?), numbers that a double cannot
 * hold, halves of surrogate pairs, and deep nesting. Throws what the engine
 * throws where it is not the text's fault.
 */
export function parseJson(text: string): JsonResult {
	let value: unknown;
	let failure: unknown;
	try {
		value = JSON.parse(text);
		if (isPlain(value, text)) {
			return { ok: true, value };
		}
	} catch (error) {
		// The engine's message differs from engine to engine and repeats the text; ours is made below.
		failure = error;
	}
	const fault = findFault(text);
	if (fault === undefined) {
		if (failure !== undefined && !(failure instanceof SyntaxError)) {
			throw failure; // memory that is used up, say, is no fault of the caller's
		}
		return value === undefined
			? { ok: false, fault: { message: "It is not JSON.", line: 1, column: 1 } }
			: { ok: true, value };
	}
	return { ok: false, fault };
}

const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/g;
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * Whether a parsed text is certain to have none of the faults that
 * `JSON.parse` lets pass. Each member has one colon outside of strings, and of
 * a doubled member one survives: the counts tell, at the price of a native
 * pass over the text.
 */
function isPlain(value: unknown, text: string): boolean {
	const members = text.replace(STRING, "").split(":").length - 1;
	return (
		countMembers(value, JSON_DEPTH_MAX) === members &&
		!SURROGATE_ESCAPE.test(text)
	);
}

/** Members of all objects within; NaN where something is too deep or not a finite number. */
function countMembers(value: unknown, depthLeft: number): number {
	if (typeof value !== "object" || value === null) {
		return typeof value === "number" && !Number.isFinite(value)
			? Number.NaN
			: 0;
	}
	if (depthLeft === 0) {
		return Number.NaN;
	}
	const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
	let count = Array.isArray(value) ? 0 : items.length;
	for (const item of items) {
		count += countMembers(item, depthLeft - 1);
	}
	return count;
}

/** Reads a text token by token up to its first fault. Slow beside `JSON.parse`, so asked only when there may be one. */
function findFault(text: string): JsonFault | undefined {
	const cursor = { text, at: 0 };
	let message = faultOfValue(cursor, []);
	if (message === undefined && cursor.at < text.length) {
		message = "After the value nothing but white space may follow.";
	}
	if (message === undefined) {
		return undefined;
	}
	const lines = text.slice(0, cursor.at).split("\n");
	return {
		message,
		line: lines.length,
		column: (lines.at(-1)?.length ?? 0) + 1,
	};
}

interface Cursor {
	readonly text: string;
	at: number;
}

const SPACE = /[ \t\n\r]*/y;
const STRING_TOKEN =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 refuses these characters in a string.
	/"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER_TOKEN = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD_TOKEN = /(?:true|false|null)/y;

/** The token at the cursor, and the white space after it, are read; undefined where there is none. */
function take(cursor: Cursor, token: RegExp): string | undefined {
	token.lastIndex = cursor.at;
	const found = token.exec(cursor.text)?.[0];
	if (found !== undefined) {
		SPACE.lastIndex = cursor.at + found.length;
		SPACE.exec(cursor.text);
		cursor.at = SPACE.lastIndex;
	}
	return found;
}

function takeSign(cursor: Cursor, sign: string): boolean {
	if (cursor.text[cursor.at] !== sign) {
		return false;
	}
	cursor.at += 1;
	take(cursor, SPACE);
	return true;
}

/** Reads a value; where that fails the sentence that says why, with the cursor at the place. */
function faultOfValue(
	cursor: Cursor,
	path: readonly PropertyKey[],
): string | undefined {
	take(cursor, SPACE);
	const start = cursor.at;
	if (path.length > JSON_DEPTH_MAX) {
		return `Nothing may be nested deeper than ${JSON_DEPTH_MAX} levels.`;
	}
	if (takeSign(cursor, "{")) {
		return faultOfMembers(cursor, path);
	}
	if (takeSign(cursor, "[")) {
		return faultOfItems(cursor, path);
	}
	if (cursor.text[start] === '"') {
		return faultOfString(cursor).fault;
	}
	const number = take(cursor, NUMBER_TOKEN);
	if (number !== undefined && !Number.isFinite(Number(number))) {
		cursor.at = start;
		return "The number is beyond double precision (RFC 7493, 2.2).";
	}
	return number === undefined && take(cursor, WORD_TOKEN) === undefined
		? "A value is expected here: an object, a list, a string, a number, true, false or null."
		: undefined;
}

function faultOfString(cursor: Cursor): { fault?: string; value: string } {
	const start = cursor.at;
	const token = take(cursor, STRING_TOKEN);
	if (token === undefined) {
		return {
			fault:
				"A string is expected here, in double quotes and closed, its control characters and backslashes escaped.",
			value: "",
		};
	}
	const value = JSON.parse(token) as string;
	if (/[\ud800-\udfff]/u.test(value)) {
		cursor.at = start;
		return {
			fault:
				"The string has half of a surrogate pair, which is no character (RFC 7493, 2.1).",
			value,
		};
	}
	return { value };
}

function faultOfMembers(
	cursor: Cursor,
	path: readonly PropertyKey[],
): string | undefined {
	const names = new Set<string>();
	if (takeSign(cursor, "}")) {
		return undefined;
	}
	do {
		const start = cursor.at;
		const { fault, value: name } = faultOfString(cursor);
		if (fault !== undefined) {
			return fault;
		}
		if (names.has(name)) {
			cursor.at = start;
			return `The member ${pointer(...path, name)} is there twice, and readers would differ on which one counts.`;
		}
		names.add(name);
		if (!takeSign(cursor, ":")) {
			return "A colon is expected after a member's name.";
		}
		const inner = faultOfValue(cursor, [...path, name]);
		if (inner !== undefined) {
			return inner;
		}
	} while (takeSign(cursor, ","));
	return takeSign(cursor, "}")
		? undefined
		: 'After a member "," or "}" is expected.';
}

function faultOfItems(
	cursor: Cursor,
	path: readonly PropertyKey[],
): string | undefined {
	if (takeSign(cursor, "]")) {
		return undefined;
	}
	let index = 0;
	do {
		const inner = faultOfValue(cursor, [...path, index]);
		if (inner !== undefined) {
			return inner;
		}
		index += 1;
	} while (takeSign(cursor, ","));
	return takeSign(cursor, "]")
		? undefined
		: 'After an entry "," or "]" is expected.';
}
