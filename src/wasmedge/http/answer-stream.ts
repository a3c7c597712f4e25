/**
 * Sends an answer whose body is a stream: reads no faster than the client takes it,
 * and joins what comes at once into one call, since there is no TCP_NODELAY.
 */
import type { ResponseParts } from "../web/response.ts";
import { headBytes, responseHead } from "./response-head.ts";

/** As many bytes are read ahead of the socket, and as much as one more chunk of the stream. */
const AHEAD_BYTES_MAX = 64 * 1024;

const LINE_END = new Uint8Array([0x0d, 0x0a]);
/** The last chunk, without trailers (RFC 9112, 7.1). */
const LAST_CHUNK = new Uint8Array([0x30, 0x0d, 0x0a, 0x0d, 0x0a]);

type StreamedBody = Exclude<ResponseParts["body"], string | Uint8Array | null>;

export interface AnswerStreamOptions {
	/** The client speaks HTTP/1.0, which knows no chunks. */
	isOld: boolean;
	isLast(): boolean;
	/** The body ends with the connection. */
	endsConnection(): void;
	/** Whether the socket has not taken all that was sent; `flow` is to be called when it has. */
	isBlocked(): boolean;
	send(chunks: Uint8Array[]): void;
	/** All is sent, or waits to be. */
	onEnd(): void;
	/** The stream failed; where its head is sent, only a closed connection tells the client. */
	onFailure(error: unknown, isHeadSent: boolean): void;
	/** Is told of what failed and concerns no client. */
	report(error: unknown): void;
	/** Runs what happens outside the socket's turn, and deals with what it throws. */
	run(action: () => void): void;
}

export interface AnswerStream {
	/** Sends what is there, and reads what may be read. */
	flow(): void;
	/** The client has left. */
	cancel(reason: Error): void;
}

/** Begins to send a stream. A Content-Length of the app's is held to. */
export function openAnswerStream(
	body: StreamedBody,
	parts: ResponseParts,
	options: AnswerStreamOptions,
): AnswerStream {
	const reader = body.getReader();
	const announced = announcedLength(parts);
	let isHeadSent = false;
	let isChunked = false;
	let ahead: Uint8Array[] = [];
	let aheadBytes = 0;
	let totalBytes = 0;
	let isReading = false;
	let isFlushQueued = false;
	let isDue = false;
	let isAtEnd = false;
	let isOver = false;

	/** The head, and what is there of the body, framed. */
	function takeAhead(): Uint8Array[] {
		const chunks: Uint8Array[] = [];
		if (!isHeadSent) {
			isHeadSent = true;
			chunks.push(headBytes(head()));
		}
		if (isChunked && aheadBytes > 0) {
			// What is sent at once is one chunk.
			chunks.push(
				headBytes(`${aheadBytes.toString(16)}\r\n`),
				...ahead,
				LINE_END,
			);
		} else {
			chunks.push(...ahead);
		}
		if (isChunked && isAtEnd) {
			chunks.push(LAST_CHUNK);
		}
		ahead = [];
		aheadBytes = 0;
		isDue = false;
		return chunks;
	}

	function head(): string {
		const length = isAtEnd ? totalBytes : announced;
		if (length !== undefined) {
			return responseHead(parts, length, !options.isLast());
		}
		if (options.isOld) {
			options.endsConnection();
			return responseHead(parts, "close", false);
		}
		isChunked = true;
		return responseHead(parts, "last chunk", !options.isLast());
	}

	function flow(): void {
		if (isOver || options.isBlocked()) {
			return;
		}
		if (isAtEnd || isDue || aheadBytes >= AHEAD_BYTES_MAX) {
			const chunks = takeAhead();
			if (chunks.length > 0) {
				options.send(chunks);
			}
			if (isAtEnd) {
				isOver = true;
				options.onEnd();
				return;
			}
			if (options.isBlocked()) {
				return;
			}
		}
		if (!isReading) {
			isReading = true;
			reader.read().then(received, failed);
		}
	}

	function received(result: { done: boolean; value?: unknown }): void {
		isReading = false;
		if (isOver) {
			return;
		}
		const fault = result.done ? end() : keep(result.value);
		if (fault !== undefined) {
			const error = new Error(fault);
			reader.cancel(error).catch(options.report);
			failed(error);
			return;
		}
		options.run(flow);
	}

	/** What is wrong with the stream's end, if anything. */
	function end(): string | undefined {
		isAtEnd = true;
		return announced !== undefined && announced !== totalBytes
			? `An answer's body has ${totalBytes} bytes, and its Content-Length says ${announced}.`
			: undefined;
	}

	/** What is wrong with the chunk, if anything. */
	function keep(chunk: unknown): string | undefined {
		if (!(chunk instanceof Uint8Array)) {
			return "An answer's stream must give Uint8Arrays.";
		}
		// An empty chunk would be the last one.
		if (chunk.length > 0) {
			ahead.push(chunk);
			aheadBytes += chunk.length;
			totalBytes += chunk.length;
			queueFlush();
		}
		return announced !== undefined && totalBytes > announced
			? `An answer's body is longer than its Content-Length, ${announced}.`
			: undefined;
	}

	/** What comes until the sockets' next turn is sent together. */
	function queueFlush(): void {
		if (isFlushQueued) {
			return;
		}
		isFlushQueued = true;
		setImmediate(() => {
			isFlushQueued = false;
			isDue = aheadBytes > 0;
			options.run(flow);
		});
	}

	function failed(error: unknown): void {
		if (!isOver) {
			isOver = true;
			options.run(() => options.onFailure(error, isHeadSent));
		}
	}

	return {
		flow,
		cancel(reason) {
			if (!isOver) {
				isOver = true;
				reader.cancel(reason).catch(options.report);
			}
		},
	};
}

function announcedLength({ headers }: ResponseParts): number | undefined {
	const length = headers.get("content-length");
	return length !== undefined && /^[0-9]{1,15}$/.test(length)
		? Number(length)
		: undefined;
}
