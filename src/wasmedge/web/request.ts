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

export class Request extends Body {
	#method: string;
	#url: string;
	#list: HeaderList;
	#headers: Headers | undefined;
	#signal: AbortSignal | undefined;
	#makeSignal: (() => AbortSignal) | undefined;

	/**
	 * @param input an absolute URL, or another request
	 * @throws TypeError where URL, method, header or body are not allowed
	 */
	constructor(input: string | URL | Request, options: RequestOptions = {}) {
		const { method, url, headers, body, signal } =
			input instanceof Trusted ? input.parts : checkedParts(input, options);
		super(body);
		this.#method = method;
		this.#url = url;
		this.#list =
			"fields" in headers ? headers : { fields: headers, cookies: [] };
		this.#makeSignal = signal;
	}

	get method(): string {
		return this.#method;
	}

	get url(): string {
		return this.#url;
	}

	get headers(): Headers {
		this.#headers ??= headersOver(this.#list);
		return this.#headers;
	}

	get signal(): AbortSignal {
		this.#signal ??= this.#makeSignal?.() ?? new AbortController().signal;
		return this.#signal;
	}

	get duplex(): "half" {
		return "half";
	}

	clone(): Request {
		return new Request(
			new Trusted({
				method: this.#method,
				url: this.#url,
				headers: listOf(this.headers),
				body: copyBody(this),
				signal: () => this.signal,
			}) as unknown as Request,
		);
	}

	get [Symbol.toStringTag](): string {
		return "Request";
	}
}

/** Parts that need no check. */
class Trusted {
	readonly parts: Omit<RequestParts, "headers" | "body"> & {
		headers: Map<string, string> | HeaderList;
		body: BodyContent;
	};
	constructor(parts: Trusted["parts"]) {
		this.parts = parts;
	}
}

/** A request of what the HTTP engine has parsed; costs next to nothing until its body or headers are asked for. */
export function createRequest(parts: RequestParts): globalThis.Request {
	return new Request(
		new Trusted(parts) as unknown as Request,
	) as unknown as globalThis.Request;
}

function checkedParts(
	input: string | URL | Request,
	options: RequestOptions,
): Omit<RequestParts, "headers" | "body"> & {
	headers: HeaderList;
	body: BodyContent;
} {
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
		url: base?.url ?? new URL(String(input)).href,
		headers,
		// The other request's body passes over to this one.
		body: own === null && base !== undefined ? takeBody(base) : content,
		signal: () => given ?? base?.signal ?? new AbortController().signal,
	};
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
