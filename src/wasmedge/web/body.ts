/** The body of a request or response: text, bytes or a stream, read once and no earlier than asked for. */
import { isDisturbed, ReadableStream, streamOf } from "./readable-stream.ts";
import { URLSearchParams } from "./url.ts";

/** Bytes that are still to come, as the HTTP engine hands them out. */
export interface BodySource {
	/** The next bytes, or undefined at the end; rejects where the peer has left. Asked one at a time. */
	read(): Promise<Uint8Array | undefined>;
	/** Tells that nobody will read on. */
	cancel(reason: unknown): void;
}

export type BodyContent =
	| string
	| Uint8Array
	| ReadableStream<Uint8Array>
	| BodySource
	| null;

/** What programs may hand to Request and Response. */
export type OwnContent =
	| string
	| ArrayBuffer
	| ArrayBufferView
	| ReadableStream<Uint8Array>
	| URLSearchParams
	| null
	| undefined;

/**
 * A program's body, and the media type that it brings. Bytes are not copied:
 * whoever hands them in leaves them alone until they are sent. Throws a TypeError
 * on a stream that is locked or read from.
 */
export function ownContent(content: OwnContent): {
	content: Exclude<BodyContent, BodySource>;
	type?: string;
} {
	if (typeof content === "string") {
		return { content, type: "text/plain;charset=UTF-8" };
	}
	if (content === null || content === undefined) {
		return { content: null };
	}
	if (content instanceof Uint8Array) {
		return { content };
	}
	if (content instanceof ReadableStream) {
		if (content.locked || isDisturbed(content)) {
			throw new TypeError("The stream is locked or has been read from.");
		}
		return { content };
	}
	if (content instanceof ArrayBuffer) {
		return { content: new Uint8Array(content) };
	}
	if (ArrayBuffer.isView(content)) {
		const { buffer, byteOffset, byteLength } = content;
		return { content: new Uint8Array(buffer, byteOffset, byteLength) };
	}
	if (content instanceof URLSearchParams) {
		return {
			content: String(content),
			type: "application/x-www-form-urlencoded;charset=UTF-8",
		};
	}
	return { content: String(content), type: "text/plain;charset=UTF-8" };
}

let takeContent: (body: Body) => BodyContent;
let peekContent: (body: Body) => BodyContent;
let replaceContent: (body: Body, content: ReadableStream<Uint8Array>) => void;

/** What Request and Response have in common (the Fetch Standard's mixin Body). */
export abstract class Body {
	/** Of no meaning where there is a stream, but that it is not null. */
	#content: Exclude<BodyContent, ReadableStream<Uint8Array>>;
	/** Made when first asked for; from then on the content is read through it. */
	#stream: ReadableStream<Uint8Array> | undefined;
	#used = false;

	protected constructor(content: BodyContent) {
		if (content instanceof ReadableStream) {
			this.#content = "";
			this.#stream = content;
		} else {
			this.#content = content;
		}
	}

	get body(): ReadableStream<Uint8Array> | null {
		if (this.#content === null) {
			return null;
		}
		this.#stream ??= this.#used
			? spentStream()
			: streamOfContent(this.#content);
		return this.#stream;
	}

	get bodyUsed(): boolean {
		return (
			this.#used || (this.#stream !== undefined && isDisturbed(this.#stream))
		);
	}

	/** The bytes, which are the caller's to change. */
	async bytes(): Promise<Uint8Array<ArrayBuffer>> {
		const content = this.#take();
		if (content === null) {
			return new Uint8Array(0);
		}
		if (typeof content === "string") {
			return host.encodeUtf8(content);
		}
		if (content instanceof Uint8Array) {
			return new Uint8Array(content.slice().buffer);
		}
		return await readAll(content);
	}

	async arrayBuffer(): Promise<ArrayBuffer> {
		const bytes = await this.bytes();
		return bytes.byteLength === bytes.buffer.byteLength
			? bytes.buffer
			: bytes.slice().buffer;
	}

	async text(): Promise<string> {
		const content = this.#take();
		if (content === null) {
			return "";
		}
		if (typeof content === "string") {
			return withoutMark(wellFormed(content));
		}
		const bytes =
			content instanceof Uint8Array ? content : await readAll(content);
		return withoutMark(host.decodeUtf8(bytes, false));
	}

	async json(): Promise<unknown> {
		return JSON.parse(await this.text());
	}

	async blob(): Promise<never> {
		throw unsupported("blob");
	}

	async formData(): Promise<never> {
		throw unsupported("formData");
	}

	/** What is to be read, once. Throws a TypeError the second time. */
	#take(): BodyContent {
		if (this.#content === null) {
			return null;
		}
		if (this.bodyUsed || this.#stream?.locked === true) {
			throw new TypeError("The body is locked or has been read already.");
		}
		const content = this.#stream ?? this.#content;
		this.#used = true;
		this.#content = "";
		return content;
	}

	static {
		takeContent = (body) => body.#take();
		peekContent = (body) => body.#stream ?? body.#content;
		replaceContent = (body, content) => {
			body.#content = "";
			body.#stream = content;
		};
	}
}

/** The content as it is, not copied; the body counts as read. Throws a TypeError where it has been. */
export function takeBody(body: Body): BodyContent {
	return takeContent(body);
}

/** A second content with the same bytes; what was a stream is split. */
export function copyBody(body: Body): BodyContent {
	if (body.bodyUsed) {
		throw new TypeError("A body that has been read cannot be copied.");
	}
	const content = peekContent(body);
	if (
		content === null ||
		typeof content === "string" ||
		content instanceof Uint8Array
	) {
		return content;
	}
	const [own, copy] = (
		content instanceof ReadableStream ? content : streamOfContent(content)
	).tee();
	replaceContent(body, own);
	return copy;
}

/** Concatenates all that comes. */
async function readAll(
	content: ReadableStream<Uint8Array> | BodySource,
): Promise<Uint8Array<ArrayBuffer>> {
	const source =
		content instanceof ReadableStream ? sourceOf(content) : content;
	const chunks: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const chunk = await source.read();
		if (chunk === undefined) {
			break;
		}
		if (!(chunk instanceof Uint8Array)) {
			throw new TypeError("A body's stream must give Uint8Arrays.");
		}
		chunks.push(chunk);
		length += chunk.length;
	}
	const [first] = chunks;
	if (chunks.length === 1 && first?.buffer instanceof ArrayBuffer) {
		return first as Uint8Array<ArrayBuffer>;
	}
	const whole = new Uint8Array(length);
	let at = 0;
	for (const chunk of chunks) {
		whole.set(chunk, at);
		at += chunk.length;
	}
	return whole;
}

function sourceOf(stream: ReadableStream<Uint8Array>): BodySource {
	const reader = stream.getReader();
	return {
		async read() {
			const { done, value } = await reader.read();
			return done ? undefined : value;
		},
		cancel: (reason) => void reader.cancel(reason),
	};
}

function streamOfContent(
	content: string | Uint8Array | BodySource,
): ReadableStream<Uint8Array> {
	if (typeof content === "string") {
		return streamOf(host.encodeUtf8(content));
	}
	if (content instanceof Uint8Array) {
		return streamOf(content);
	}
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				const chunk = await content.read();
				if (chunk === undefined) {
					controller.close();
				} else {
					controller.enqueue(chunk);
				}
			},
			cancel: (reason) => content.cancel(reason),
		},
		// Nothing is read ahead: the client waits as long as the reader does.
		{ highWaterMark: 0 },
	);
}

/** The stream of a body that was read in another way: locked, at its end. */
function spentStream(): ReadableStream<Uint8Array> {
	const stream = streamOf(new Uint8Array(0));
	void stream.getReader().read();
	return stream;
}

/** Without the byte order mark (Encoding Standard, "UTF-8 decode"). */
function withoutMark(text: string): string {
	return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** With U+FFFD for halves of surrogate pairs, as encoding and decoding would leave it. */
function wellFormed(text: string): string {
	return (text as string & { toWellFormed(): string }).toWellFormed();
}

function unsupported(method: string): Error {
	return new Error(
		`${method}() is not supported inside WasmEdge: read the body as bytes, text or JSON.`,
	);
}
