/** Request of the Fetch Standard, and the HTTP engine's way to make one. */
import { AbortController, type AbortSignal } from "./abort.ts";
import {
	Body,
	type BodyContent,
	type BodySource,
	copyBody,
	type OwnContent,
	ownContent,
	takeBody,
} from "./body.ts";
import type { HeaderList } from "./header-list.ts";
import {
	type Headers,
	type HeadersContent,
	headersOver,
	listOf,
} from "./headers.ts";
import { URL } from "./url.ts";

export interface RequestOptions {
	method?: string;
	headers?: HeadersContent;
	body?: OwnContent;
	signal?: AbortSignal | null;
	/** Of no effect here: bodies always go one way. */
	duplex?: "half";
}

/** A parsed request, as the HTTP engine has it. */
export interface RequestParts {
	/** As sent: "GET" */
	method: string;
	/**
	 * Absolute and well formed: `http://${host}${target}`. It is not parsed again,
	 * so dot segments and the like stay as they are; Hono splits it as it stands.
	 */
	url: string;
	/**
	 * By name in lower case, fields of one name joined by ", " (Cookie by "; "). Only
	 * what a strict parser has let pass; it is neither checked nor copied.
	 */
	headers: Map<string, string>;
	/** Bytes are taken over, not copied. null where the request has no body. */
	body: Uint8Array | BodySource | null;
	/** Aborts when the client leaves before it has its answer; made when the request is asked for it. */
	signal?: () => AbortSignal;
}

/** Methods whose case does not matter (Fetch Standard, "normalize a method"). */
const NORMALIZED_METHOD = /^(?:delete|get|head|options|post|put)$/i;

/** RFC 9110, 9.1: a token. */
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The Fetch Standard's "forbidden method". */
const FORBIDDEN_METHOD = /^(?:connect|trace|track)$/i;

/** Parts whose headers and body may come from a program too. */
interface CheckedParts extends Omit<RequestParts, "headers" | "body"> {
	headers: Map<string, string> | HeaderList;
	body: BodyContent;
}

/** Tells the constructor that it is handed parts that need no check. */
const TRUSTED: unique symbol = Symbol("trusted");

export class Request extends Body {
	#parts: CheckedParts;
	#headers: Headers | undefined;
	#signal: AbortSignal | undefined;

	/**
	 * @param input an absolute URL, or another request
	 * @throws TypeError where URL, method, header or body are not allowed
	 */
	constructor(
		input: string | URL | Request | CheckedParts,
		options: RequestOptions | typeof TRUSTED = {},
	) {
		const parts =
			options === TRUSTED
				? (input as CheckedParts)
				: checkedParts(input as string | URL | Request, options);
		super(parts.body);
		this.#parts = parts;
	}

	get method(): string {
		return this.#parts.method;
	}

	get url(): string {
		return this.#parts.url;
	}

	get headers(): Headers {
		if (this.#headers === undefined) {
			const { headers } = this.#parts;
			this.#headers = headersOver(
				headers instanceof Map ? { fields: headers, cookies: [] } : headers,
			);
		}
		return this.#headers;
	}

	get signal(): AbortSignal {
		this.#signal ??= this.#parts.signal?.() ?? new AbortController().signal;
		return this.#signal;
	}

	get duplex(): "half" {
		return "half";
	}

	clone(): Request {
		return new Request(
			{
				...this.#parts,
				headers: listOf(this.headers),
				body: copyBody(this),
				signal: () => this.signal,
			},
			TRUSTED,
		);
	}

	get [Symbol.toStringTag](): string {
		return "Request";
	}
}

/** A request of what the HTTP engine has parsed; costs next to nothing until its body or headers are asked for. */
export function createRequest(parts: RequestParts): globalThis.Request {
	return new Request(parts, TRUSTED) as unknown as globalThis.Request;
}

function checkedParts(
	input: string | URL | Request,
	options: RequestOptions,
): CheckedParts {
	const base = input instanceof Request ? input : undefined;
	const method = normalizeMethod(options.method ?? base?.method ?? "GET");
	const own = options.body ?? null;
	const hasBody = own !== null || (base !== undefined && base.body !== null);
	if (hasBody && (method === "GET" || method === "HEAD")) {
		throw new TypeError(`A request with the method ${method} has no body.`);
	}
	const headers = listOf(options.headers ?? base?.headers);
	const { content, type } = ownContent(own);
	if (type !== undefined && !headers.fields.has("content-type")) {
		headers.fields.set("content-type", type);
	}
	const given = options.signal;
	return {
		method,
		url: base?.url ?? checkedUrl(String(input)),
		headers,
		// The other request's body passes over to this one.
		body: own === null && base !== undefined ? takeBody(base) : content,
		signal: () => given ?? base?.signal ?? new AbortController().signal,
	};
}

function checkedUrl(text: string): string {
	const url = new URL(text);
	if (url.username !== "" || url.password !== "") {
		throw new TypeError(
			"A request's URL has no user and password; send them as a header.",
		);
	}
	return url.href;
}

function normalizeMethod(method: string): string {
	const text = String(method);
	if (!METHOD.test(text) || FORBIDDEN_METHOD.test(text)) {
		throw new TypeError(
			`A request's method cannot be ${JSON.stringify(text)}.`,
		);
	}
	return NORMALIZED_METHOD.test(text) ? text.toUpperCase() : text;
}
