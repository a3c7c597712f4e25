/** Text: the one form in which characters are stored, hashed and drawn. */
import { pointer, type Violation } from "./violation.ts";

/** Nesting of a draft; its own schema needs 6. Deeper input is refused before it is walked. */
export const DEPTH_MAX = 12;

/**
 * Normalises every text of a JSON value: Unicode NFC, line ends as "\n", tabs
 * and no-break variants kept apart (a tab becomes a space). What cannot be put
 * on paper (control characters, halves of a surrogate pair) is reported.
 * A character without a glyph would break PDF/A (ISO 19005-3, 6.2.11.8). What
 * is in order already is not copied, and the value itself is never changed.
 */
export function normalizeTexts(value: unknown): {
	value: unknown;
	violations: Violation[];
} {
	const violations: Violation[] = [];
	const path: PropertyKey[] = [];
	const walk = (node: unknown): unknown => {
		if (typeof node === "string") {
			return normalize(node, path, violations);
		}
		if (typeof node !== "object" || node === null) {
			return node;
		}
		if (path.length >= DEPTH_MAX) {
			violations.push({
				pointer: pointer(...path),
				rule: "depth",
				message: `Nothing in a draft is nested deeper than ${DEPTH_MAX} levels.`,
			});
			return null;
		}
		return Array.isArray(node) ? walkList(node) : walkObject(node);
	};
	const walkList = (list: readonly unknown[]): unknown => {
		let copy: unknown[] | undefined;
		for (let index = 0; index < list.length; index++) {
			path.push(index);
			const item = walk(list[index]);
			path.pop();
			if (item !== list[index]) {
				copy ??= [...list];
				copy[index] = item;
			}
		}
		return copy ?? list;
	};
	const walkObject = (object: object): unknown => {
		const fields = object as Record<string, unknown>;
		let copy: Record<string, unknown> | undefined;
		for (const key of Object.keys(fields)) {
			path.push(key);
			const item = walk(fields[key]);
			path.pop();
			if (item !== fields[key]) {
				copy ??= { ...fields };
				copy[key] = item;
			}
		}
		return copy ?? object;
	};
	return { value: walk(value), violations };
}

// Tabs and line ends are mended below; every other control character is refused.
const PLAIN = /^[\x20-\x7e]*$/;
const LINE_END = /\r\n?|\u2028|\u2029|\u0085/g;
const REFUSED = /[^\P{C}\n\u00ad\u200b-\u200d\u2060\ufeff]/u;

function normalize(
	text: string,
	path: readonly PropertyKey[],
	violations: Violation[],
): string {
	if (PLAIN.test(text)) {
		return text;
	}
	const normalized = text
		.replace(LINE_END, "\n")
		.replaceAll("\t", " ")
		.normalize("NFC");
	const refused = REFUSED.exec(normalized);
	if (refused !== null) {
		violations.push({
			pointer: pointer(...path),
			rule: "text",
			message: `The character ${codePointName(refused[0].codePointAt(0) ?? 0)} cannot be printed; remove it.`,
		});
	}
	return normalized;
}

/** Writes a code point as "U+0041". */
export function codePointName(codePoint: number): string {
	return `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}
