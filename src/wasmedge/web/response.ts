/** Response of the Fetch Standard, and the HTTP engine's way to read one. */
import {
	Body,
	copyBody,
	type OwnContent,
	ownContent,
	takeBody,
} from "./body.ts";
import { type HeaderList, normalizeValue } from "./header-list.ts";
import {
	type Headers,
	type HeadersContent,
	headersOver,
	listOf,
} from "./headers.ts";
import type { ReadableStream } from "./readable-stream.ts";
import { URL } from "./url.ts";

export interface ResponseOptions {
	status?: number;
	statusText?: string;
	headers?: HeadersContent;
}

/** What the HTTP engine sends. */
export interface ResponseParts {
	/** 200 to 599 */
	status: number;
	/** "" where the engine is to choose it. */
	statusText: string;
	/** By name in lower case, without Set-Cookie; the response's own, not a copy. Free of CR, LF and NUL. */
	headers: ReadonlyMap<string, string>;
	/** Values of Set-Cookie, a field each. */
	cookies: readonly string[];
	/** As the program gave it: text is to be sent in UTF-8. */
	body: string | Uint8Array | ReadableStream<Uint8Array> | null;
}

/** Fetch Standard, "null body status"; 101 cannot be made. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

let partsOf: (response: Response) => ResponseParts;

export class Response extends Body {
	#status: number;
	#statusText: string;
	#list: HeaderList;
	#headers: Headers | undefined;

	/**
	 * @throws RangeError on a status outside 200 to 599
	 * @throws TypeError on a faulty header, or a body where the status allows none
	 */
	constructor(body?: OwnContent, options: ResponseOptions = {}) {
		const { content, type } = ownContent(body);
		super(content);
		const { status = 200, statusText = "" } = options;
		this.#status = checkedStatus(status);
		this.#statusText =
			statusText === "" ? "" : normalizeValue(statusText, "status text");
		this.#list = listOf(options.headers);
		if (content !== null && BODILESS.has(this.#status)) {
			throw new TypeError(`A response of status ${status} has no body.`);
		}
		if (type !== undefined && !this.#list.fields.has("content-type")) {
			this.#list.fields.set("content-type", type);
		}
	}

	/** A response of the value's JSON text. */
	static json(value: unknown, options: ResponseOptions = {}): Response {
		const text = JSON.stringify(value);
		if (text === undefined) {
			throw new TypeError("The value has no JSON form.");
		}
		const response = new Response(text, {
			...options,
			headers: options.headers ?? { "content-type": "application/json" },
		});
		if (
			options.headers !== undefined &&
			!listOf(options.headers).fields.has("content-type")
		) {
			response.headers.set("content-type", "application/json");
		}
		return response;
	}

	static redirect(url: string | URL, status = 302): Response {
		const location = new URL(String(url)).href;
		if (!REDIRECTS.has(status)) {
			throw new RangeError(`${status} is no status of a redirect.`);
		}
		return new Response(null, { status, headers: { location } });
	}

	static error(): never {
		throw new Error(
			"Response.error() is not supported inside WasmEdge: answer with a status of 500 or above.",
		);
	}

	get status(): number {
		return this.#status;
	}

	get statusText(): string {
		return this.#statusText;
	}

	get ok(): boolean {
		return this.#status <= 299;
	}

	get headers(): Headers {
		this.#headers ??= headersOver(this.#list);
		return this.#headers;
	}

	get type(): "default" {
		return "default";
	}

	get url(): "" {
		return "";
	}

	get redirected(): false {
		return false;
	}

	clone(): Response {
		return new Response(copyBody(this) as OwnContent, {
			status: this.#status,
			statusText: this.#statusText,
			headers: this.headers,
		});
	}

	get [Symbol.toStringTag](): string {
		return "Response";
	}

	static {
		partsOf = (response) => ({
			status: response.#status,
			statusText: response.#statusText,
			headers: response.#list.fields,
			cookies: response.#list.cookies,
			// A response's content is never a BodySource: only the engine makes those, for requests.
			body: takeBody(response) as ResponseParts["body"],
		});
	}
}

/** What is to be sent, without a copy; the body counts as read. Throws a TypeError where it has been, or where it is no Response of ours. */
export function responseParts(
	response: Response | globalThis.Response,
): ResponseParts {
	return partsOf(response as Response);
}

function checkedStatus(status: number): number {
	const integer = Math.trunc(Number(status));
	if (!(integer >= 200 && integer <= 599)) {
		throw new RangeError(
			`A response's status is an integer of 200 to 599, not ${status}.`,
		);
	}
	return integer;
}
