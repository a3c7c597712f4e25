/** Headers of the Fetch Standard. */
import {
	appendField,
	deleteField,
	getField,
	type HeaderList,
	listOfRecord,
	setField,
	sortedFields,
} from "./header-list.ts";

/** What the constructor takes: another Headers, pairs, or a record. */
export type HeadersContent =
	| Headers
	| Iterable<Iterable<string>>
	| Readonly<Record<string, string>>;

let listIn: (headers: Headers) => HeaderList;
let withList: (list: HeaderList) => Headers;

/** Header fields; names know no case, every name and value is checked when it comes in. */
export class Headers {
	#list: HeaderList;

	constructor(content?: HeadersContent) {
		this.#list = listOf(content);
	}

	append(name: string, value: string): void {
		appendField(this.#list, name, value);
	}

	delete(name: string): void {
		deleteField(this.#list, name);
	}

	get(name: string): string | null {
		return getField(this.#list, name);
	}

	getSetCookie(): string[] {
		return [...this.#list.cookies];
	}

	has(name: string): boolean {
		return getField(this.#list, name) !== null;
	}

	set(name: string, value: string): void {
		setField(this.#list, name, value);
	}

	forEach(
		callback: (value: string, name: string, headers: Headers) => void,
		thisArgument?: unknown,
	): void {
		for (const [name, value] of sortedFields(this.#list)) {
			callback.call(thisArgument, value, name, this);
		}
	}

	*entries(): IterableIterator<[string, string]> {
		yield* sortedFields(this.#list);
	}

	*keys(): IterableIterator<string> {
		for (const [name] of sortedFields(this.#list)) {
			yield name;
		}
	}

	*values(): IterableIterator<string> {
		for (const [, value] of sortedFields(this.#list)) {
			yield value;
		}
	}

	[Symbol.iterator](): IterableIterator<[string, string]> {
		return this.entries();
	}

	get [Symbol.toStringTag](): string {
		return "Headers";
	}

	static {
		listIn = (headers) => headers.#list;
		withList = (list) => {
			const headers = new Headers();
			headers.#list = list;
			return headers;
		};
	}
}

/** Headers over a list that is shared, not copied. */
export function headersOver(list: HeaderList): Headers {
	return withList(list);
}

/** A list of its own with the fields of `content`. Throws a TypeError where one is not well formed. */
export function listOf(content: HeadersContent | null | undefined): HeaderList {
	if (content instanceof Headers) {
		const { fields, cookies } = listIn(content);
		return { fields: new Map(fields), cookies: [...cookies] };
	}
	if (content === undefined) {
		return { fields: new Map(), cookies: [] };
	}
	if (content === null || typeof content !== "object") {
		throw new TypeError(
			"Headers are made of a record, of pairs of name and value, or of other Headers.",
		);
	}
	if (Symbol.iterator in content) {
		const list: HeaderList = { fields: new Map(), cookies: [] };
		for (const pair of content) {
			if (typeof pair !== "object") {
				throw new TypeError("Each header of a sequence is a pair, not text.");
			}
			const [name, value, ...more] = pair;
			if (name === undefined || value === undefined || more.length > 0) {
				throw new TypeError(
					"Each header of a sequence is a pair: a name and a value.",
				);
			}
			appendField(list, name, value);
		}
		return list;
	}
	return listOfRecord(content);
}
