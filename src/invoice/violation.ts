/** A violation: one fault of a draft, told so that a person can mend it. */

export interface Violation {
	/** JSON pointer (RFC 6901) into what the caller sent; "" is the whole. */
	pointer: string;
	/** Id of the rule: an entry of the law table, or "schema". */
	rule: string;
	/** Where the rule comes from. */
	source?: string;
	/** Business term of EN 16931, such as "BT-27". */
	term?: string;
	/** What is wrong and what to do, in a sentence. */
	message: string;
}

/** Joins keys to a JSON pointer (RFC 6901): `pointer("lines", 0, "price")` is "/lines/0/price". */
export function pointer(...keys: readonly PropertyKey[]): string {
	let text = "";
	for (const key of keys) {
		text += `/${typeof key === "number" ? key : escaped(String(key))}`;
	}
	return text;
}

const ESCAPABLE = /[~/]/;

function escaped(key: string): string {
	return ESCAPABLE.test(key)
		? key.replaceAll("~", "~0").replaceAll("/", "~1")
		: key;
}
