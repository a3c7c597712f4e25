/**
 * One connection: takes requests out of what the client sends, one after the
 * other, hands each to the app, and sends the answer.
 *
 * It never waits. What happens reaches it by four functions: the socket is ready
 * (`connectionReady`), the app has answered or reads the body, time has passed
 * (`checkDeadline`), the server ends (`closeWhenAnswered`).
 */
import { Problem, problemText } from "../../http/problem.ts";
import { AbortController, type AbortSignal } from "../web/abort.ts";
import type { BodySource } from "../web/body.ts";
import type { RequestParts } from "../web/request.ts";
import type { ResponseParts } from "../web/response.ts";
import { type AnswerStream, openAnswerStream } from "./answer-stream.ts";
import { type BodyDecoder, createBodyDecoder } from "./body.ts";
import { type RequestHead, readHead } from "./parser.ts";
import { RequestRefused } from "./refusal.ts";
import {
	headBytes,
	KEEP_ALIVE_S,
	reasonOf,
	responseHead,
} from "./response-head.ts";

/** Time is counted in ticks of this many milliseconds: one timer for all connections. */
export const TICK_MS = 1000;

/** Bounds of a connection in ticks; as much as a tick may be added. The first two are those of the server on Node. */
export const TICKS = {
	/** For a request's head, and for the first byte of a connection. */
	head: 10,
	/** For a whole request. */
	request: 60,
	/** For the next request. */
	keepAlive: KEEP_ALIVE_S,
	/** For the client to take the next part of an answer. */
	send: 60,
	/** For the rest of a body that the app has not read, behind its answer. */
	drain: 2,
	/** For the client to read the last answer and close. */
	linger: 2,
} as const;

/** What a client may send behind the answer to a request whose body nobody read, in bytes; then the connection is closed. */
const DRAIN_BYTES_MAX = 64 * 1024 * 1024;

const NEVER = Number.POSITIVE_INFINITY;
const NOTHING: Uint8Array = new Uint8Array(0);

/** The socket below; its functions throw a HostError where the connection is lost. */
export interface Transport {
	/** Bytes read into `target`; 0 where the peer has ended, -1 where nothing is there. */
	receive(target: Uint8Array): number;
	/** Bytes taken of the chunks from `offset` on; -1 where none can be. */
	send(chunks: readonly Uint8Array[], offset: number): number;
	/** Sums of host.READABLE and host.WRITABLE */
	watch(interest: Interest): void;
	/** Tells the peer that nothing more comes. */
	endSending(): void;
	close(): void;
}

/** What the connections of a server have in common. */
export interface ConnectionServer {
	/** Answers a request; throws or rejects where that fails. */
	answer: (request: RequestParts) => ResponseParts | Promise<ResponseParts>;
	/** Is told what failed in the app, or in this server. */
	onFailure: (error: unknown) => void;
	onClosed: (connection: Connection) => void;
	/** Bytes are received here first; one for all, so that idle connections cost none. */
	readonly receiveBuffer: Uint8Array;
	/** Ticks since the server began. */
	tick: number;
	/** Whether it accepts no further requests. */
	isClosing: boolean;
}

/**
 * idle: nothing of a request has come. head: a part of its head has. answering: the
 * app has it. draining: its answer is sent, its body is not through. lingering: the
 * last answer is sent, the client is to close. closed: over.
 */
type Phase =
	| "idle"
	| "head"
	| "answering"
	| "draining"
	| "lingering"
	| "closed";

/** A request that the app has, and its answer so far. */
export interface Exchange {
	/** What the answer depends on. */
	readonly head: RequestHead;
	/** Of the body, until it is read to its end. */
	decoder: BodyDecoder | undefined;
	/** The client waits to be told to send its body. */
	holdsBack: boolean;
	/** The app waits for the body's next bytes. */
	reader: BodyReader | undefined;
	/** The app said that it reads no further. */
	isBodyCancelled: boolean;
	hasAnswer: boolean;
	/** Of an answer that is a stream. */
	stream: AnswerStream | undefined;
	/** Made where the app asks for its signal. */
	abort: AbortController | undefined;
}

interface BodyReader {
	resolve: (bytes: Uint8Array | undefined) => void;
	reject: (error: Error) => void;
}

export interface Connection {
	readonly server: ConnectionServer;
	readonly transport: Transport;
	phase: Phase;
	exchange: Exchange | undefined;
	/** What was received and not used yet; a view on the receive buffer only while it is being used. */
	held: Uint8Array;
	/** Chunks that the socket has not taken, and how many of their bytes it has. */
	unsent: Uint8Array[];
	sentBytes: number;
	unsentBytes: number;
	interest: Interest;
	/** The peer sends nothing more. */
	hasEnded: boolean;
	/** This answer is the last one. */
	isLast: boolean;
	drainedBytes: number;
	/** Tick from which on its time is over. */
	deadline: number;
	/** `advance` is running further up the stack. */
	isAdvancing: boolean;
}

/** Begins a connection. */
export function openConnection(
	server: ConnectionServer,
	transport: Transport,
): Connection {
	const connection: Connection = {
		server,
		transport,
		// Node's server too gives a new connection no more time than a head.
		phase: "head",
		exchange: undefined,
		held: NOTHING,
		unsent: [],
		sentBytes: 0,
		unsentBytes: 0,
		interest: 0,
		hasEnded: false,
		isLast: false,
		drainedBytes: 0,
		deadline: server.tick + TICKS.head,
		isAdvancing: false,
	};
	updateInterest(connection);
	return connection;
}

/** Takes what the socket has, and gives it what is to be sent. */
export function connectionReady(connection: Connection, flags: Interest): void {
	// Written out, and not by `run`: it is the way of every request.
	try {
		if (
			connection.unsent.length > 0 &&
			(flags & (host.WRITABLE | host.BROKEN)) !== 0
		) {
			sendOn(connection);
		}
		if (
			connection.phase !== "closed" &&
			(flags & (host.READABLE | host.BROKEN)) !== 0
		) {
			receive(connection);
		}
	} catch (error) {
		fail(connection, error);
	}
	updateInterest(connection);
}

/** Ends what has taken too long. To be called once a tick. */
export function checkDeadline(connection: Connection): void {
	if (connection.server.tick > connection.deadline) {
		run(connection, () => endLate(connection));
	}
}

function endLate(connection: Connection): void {
	if (connection.unsent.length > 0) {
		// The client does not take its answer.
		destroy(connection);
		return;
	}
	switch (connection.phase) {
		case "head":
			refuse(connection, timeout("The request's head has not come in time."));
			break;
		case "answering":
			if (connection.exchange?.hasAnswer === true) {
				destroy(connection);
			} else {
				refuse(connection, timeout("The request has not come in time."));
			}
			break;
		case "draining":
			linger(connection);
			break;
		default:
			destroy(connection);
	}
}

function timeout(sentence: string): RequestRefused {
	return new RequestRefused(408, sentence);
}

/** Closes it now, unless a request is being answered: then behind the answer. */
export function closeWhenAnswered(connection: Connection): void {
	if (connection.phase === "idle" || connection.phase === "head") {
		// A request may have come that nobody has looked at.
		connectionReady(connection, host.READABLE);
	}
	if (connection.phase === "idle" || connection.phase === "head") {
		run(connection, () =>
			connection.unsent.length > 0 ? linger(connection) : destroy(connection),
		);
	}
}

/** Closes it whatever is under way. The app learns of it by its body, its stream and its signal. */
export function destroy(connection: Connection): void {
	if (connection.phase === "closed") {
		return;
	}
	connection.phase = "closed";
	connection.held = NOTHING;
	connection.unsent = [];
	abandonExchange(
		connection,
		new Error("The client has closed the connection."),
	);
	connection.transport.close();
	connection.server.onClosed(connection);
}

/** Runs what happens to the connection, deals with what that throws, and watches for what it needs next. */
function run(connection: Connection, action: () => void): void {
	try {
		action();
	} catch (error) {
		fail(connection, error);
	}
	updateInterest(connection);
}

/** The connection is lost, which is nobody's fault; or we have a fault, which is to be told. */
function fail(connection: Connection, error: unknown): void {
	if (!(error instanceof Error && "code" in error)) {
		connection.server.onFailure(error);
	}
	destroy(connection);
}

/** The app's answer is not wanted any more. */
function abandonExchange(connection: Connection, reason: Error): void {
	const { exchange } = connection;
	if (exchange === undefined) {
		return;
	}
	connection.exchange = undefined;
	exchange.reader?.reject(reason);
	exchange.stream?.cancel(reason);
	exchange.abort?.abort(reason);
}

// Receiving

function receive(connection: Connection): void {
	const buffer = connection.server.receiveBuffer;
	const length = connection.transport.receive(buffer);
	if (length < 0) {
		return;
	}
	if (length === 0) {
		connection.hasEnded = true;
	} else {
		const bytes = buffer.subarray(0, length);
		connection.held =
			connection.held.length === 0 ? bytes : joined(connection.held, bytes);
	}
	advance(connection);
	if (connection.held.length > 0 && connection.held.buffer === buffer.buffer) {
		// The next connection receives into the same buffer.
		connection.held = connection.held.slice();
	}
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
	const both = new Uint8Array(first.length + second.length);
	both.set(first);
	both.set(second, first.length);
	return both;
}

/** Uses what is held as far as that is possible now. */
function advance(connection: Connection): void {
	if (connection.isAdvancing) {
		return;
	}
	connection.isAdvancing = true;
	try {
		while (step(connection)) {
			// Each step has used something.
		}
	} catch (error) {
		if (!(error instanceof RequestRefused)) {
			throw error;
		}
		refuse(connection, error);
	} finally {
		connection.isAdvancing = false;
	}
	if (connection.held.length === 0) {
		// Not to keep the bytes that it is the empty rest of.
		connection.held = NOTHING;
	}
}

/** One step; false where more bytes, the app or the client are to be waited for. */
function step(connection: Connection): boolean {
	switch (connection.phase) {
		case "idle":
		case "head":
			return takeRequest(connection);
		case "answering":
			feedReader(connection);
			return false;
		case "draining":
			return drain(connection);
		case "lingering":
			connection.held = NOTHING;
			if (connection.hasEnded && connection.unsent.length === 0) {
				destroy(connection);
			}
			return false;
		case "closed":
			return false;
	}
}

/** Begins the next request, where its head is there. */
function takeRequest(connection: Connection): boolean {
	const { held, server } = connection;
	// The answers to what came before must be on their way first: who does not read them sends in vain.
	if (connection.unsent.length > 0) {
		return false;
	}
	const found = held.length === 0 ? undefined : readHead(held, 0);
	if (found !== undefined) {
		connection.held = held.subarray(found.end);
		begin(connection, found.head);
		return true;
	}
	if (connection.hasEnded) {
		if (held.length === 0) {
			destroy(connection);
			return false;
		}
		throw new RequestRefused(400, "The request ended within its head.");
	}
	if (held.length > 0 && connection.phase === "idle") {
		connection.phase = "head";
		connection.deadline = server.tick + TICKS.head;
	}
	return false;
}

/** Hands a request to the app. */
function begin(connection: Connection, head: RequestHead): void {
	const { server } = connection;
	connection.phase = "answering";
	connection.isLast = !head.isPersistent;
	const exchange: Exchange = {
		head,
		decoder: undefined,
		holdsBack: false,
		reader: undefined,
		isBodyCancelled: false,
		hasAnswer: false,
		stream: undefined,
		abort: undefined,
	};
	connection.exchange = exchange;
	connection.deadline = NEVER;
	const body = head.framing === 0 ? null : requestBody(connection, exchange);
	const request: RequestParts = {
		method: head.method,
		url: head.url,
		headers: head.headers,
		body: head.method === "GET" || head.method === "HEAD" ? null : body,
		signal: () => signalOf(connection, exchange),
	};
	let answer: ResponseParts | Promise<ResponseParts>;
	try {
		answer = server.answer(request);
	} catch (error) {
		answerFailure(connection, exchange, error);
		return;
	}
	if (answer instanceof Promise) {
		answer.then(
			(parts) => run(connection, () => sendAnswer(connection, exchange, parts)),
			(error: unknown) => answerFailure(connection, exchange, error),
		);
	} else {
		sendAnswer(connection, exchange, answer);
	}
}

/** The body's bytes where all of them are there; else what the app reads them from. */
function requestBody(
	connection: Connection,
	exchange: Exchange,
): Uint8Array | BodySource {
	const { head } = exchange;
	const decoder = createBodyDecoder(head.framing);
	const { body, end } = decoder.decode(connection.held, 0);
	connection.held = connection.held.subarray(end);
	if (decoder.isDone) {
		return body;
	}
	exchange.decoder = decoder;
	exchange.holdsBack = head.expectsContinue;
	connection.deadline = connection.server.tick + TICKS.request;
	let first = body;
	return {
		read() {
			if (first.length > 0) {
				const bytes = first;
				first = NOTHING as typeof first;
				return Promise.resolve(bytes);
			}
			return readBody(connection, exchange);
		},
		cancel() {
			exchange.isBodyCancelled = true;
		},
	};
}

/** The app asks for further bytes of its request's body. */
function readBody(
	connection: Connection,
	exchange: Exchange,
): Promise<Uint8Array | undefined> {
	if (exchange.decoder === undefined) {
		return Promise.resolve(undefined);
	}
	if (connection.exchange !== exchange || exchange.isBodyCancelled) {
		return Promise.reject(
			new Error("The body cannot be read any more: its request is over."),
		);
	}
	if (exchange.reader !== undefined) {
		return Promise.reject(
			new Error(
				"The body is being read already; await the bytes asked for first.",
			),
		);
	}
	return new Promise((resolve, reject) => {
		exchange.reader = { resolve, reject };
		run(connection, () => {
			if (exchange.holdsBack && !exchange.hasAnswer) {
				exchange.holdsBack = false;
				send(connection, [headBytes("HTTP/1.1 100 Continue\r\n\r\n")]);
			}
			advance(connection);
		});
	});
}

/** Gives the app the bytes that it waits for, as far as they are there. */
function feedReader(connection: Connection): void {
	const { exchange } = connection;
	const reader = exchange?.reader;
	const decoder = exchange?.decoder;
	if (exchange === undefined || reader === undefined || decoder === undefined) {
		return;
	}
	const { body, end } = decoder.decode(connection.held, 0);
	connection.held = connection.held.subarray(end);
	if (decoder.isDone) {
		exchange.decoder = undefined;
		connection.deadline = NEVER;
	}
	if (body.length > 0 || decoder.isDone) {
		exchange.reader = undefined;
		reader.resolve(body.length > 0 ? body : undefined);
	} else if (connection.hasEnded) {
		exchange.reader = undefined;
		connection.isLast = true;
		reader.reject(new Error("The client ended its request within the body."));
	}
}

/** Reads what is left of a body that the app did not want. */
function drain(connection: Connection): boolean {
	const decoder = connection.exchange?.decoder as BodyDecoder;
	const { body, end } = decoder.decode(connection.held, 0);
	connection.held = connection.held.subarray(end);
	connection.drainedBytes += body.length;
	if (decoder.isDone) {
		connection.exchange = undefined;
		awaitRequest(connection);
		return true;
	}
	if (connection.hasEnded || connection.drainedBytes > DRAIN_BYTES_MAX) {
		linger(connection);
	}
	return false;
}

function awaitRequest(connection: Connection): void {
	if (connection.server.isClosing) {
		linger(connection);
		return;
	}
	connection.phase = "idle";
	connection.deadline = connection.server.tick + TICKS.keepAlive;
}

function signalOf(connection: Connection, exchange: Exchange): AbortSignal {
	exchange.abort ??= new AbortController();
	if (connection.phase === "closed") {
		exchange.abort.abort();
	}
	return exchange.abort.signal;
}

// Answering

function answerFailure(
	connection: Connection,
	exchange: Exchange,
	error: unknown,
): void {
	connection.server.onFailure(error);
	const problem = new Problem(
		"internal",
		"Something failed that should not. The service's error output has it.",
	);
	run(connection, () =>
		sendAnswer(connection, exchange, {
			status: 500,
			statusText: "",
			headers: new Map([["content-type", "application/problem+json"]]),
			cookies: [],
			body: problemText(problem, "none"),
		}),
	);
}

function sendAnswer(
	connection: Connection,
	exchange: Exchange,
	parts: ResponseParts,
): void {
	const { status, body } = parts;
	const isStream =
		body !== null && typeof body !== "string" && !(body instanceof Uint8Array);
	if (connection.exchange !== exchange) {
		// The client has left.
		if (isStream) {
			body.cancel().catch(connection.server.onFailure);
		}
		return;
	}
	exchange.hasAnswer = true;
	if (
		connection.server.isClosing ||
		// Whether the body that it held back will come now, nobody knows (RFC 9110, 10.1.1).
		exchange.holdsBack ||
		asksToClose(parts.headers.get("connection"))
	) {
		connection.isLast = true;
	}
	const isBodiless =
		exchange.head.method === "HEAD" || status === 204 || status === 304;
	if (isStream && !isBodiless) {
		exchange.stream = openAnswerStream(body, parts, {
			isOld: exchange.head.isOld,
			isLast: () => connection.isLast,
			endsConnection: () => {
				connection.isLast = true;
			},
			isBlocked: () => connection.unsent.length > 0,
			send: (chunks) => send(connection, chunks),
			onEnd: () => answered(connection),
			onFailure: (error, isHeadSent) => {
				if (isHeadSent) {
					connection.server.onFailure(error);
					destroy(connection);
				} else {
					exchange.stream = undefined;
					answerFailure(connection, exchange, error);
				}
			},
			report: connection.server.onFailure,
			run: (action) => run(connection, action),
		});
		exchange.stream.flow();
		return;
	}
	if (isStream) {
		body.cancel().catch(connection.server.onFailure);
	}
	if (isBodiless) {
		send(connection, [
			headBytes(responseHead(parts, "no body", !connection.isLast)),
		]);
	} else {
		sendWhole(connection, parts, body as string | Uint8Array | null);
	}
	answered(connection);
}

/** Head and body in one call: there is no TCP_NODELAY, and a second small segment would wait for the first one's acknowledgement. */
function sendWhole(
	connection: Connection,
	parts: ResponseParts,
	body: string | Uint8Array | null,
): void {
	const bytes =
		typeof body === "string" ? host.encodeUtf8(body) : (body ?? NOTHING);
	const head = headBytes(responseHead(parts, bytes.length, !connection.isLast));
	send(connection, bytes.length === 0 ? [head] : [head, bytes]);
}

function asksToClose(connection: string | undefined): boolean {
	return (
		connection !== undefined &&
		/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(connection)
	);
}

/** All of the answer is handed to the socket, or waits to be. */
function answered(connection: Connection): void {
	const { exchange, server } = connection;
	if (exchange === undefined) {
		return;
	}
	exchange.stream = undefined;
	exchange.reader?.reject(new Error("The request is answered already."));
	exchange.reader = undefined;
	if (connection.isLast) {
		connection.exchange = undefined;
		linger(connection);
	} else if (exchange.decoder !== undefined) {
		connection.phase = "draining";
		connection.drainedBytes = 0;
		connection.deadline = server.tick + TICKS.drain;
	} else {
		connection.exchange = undefined;
		awaitRequest(connection);
	}
	if (connection.unsent.length > 0) {
		connection.deadline = server.tick + TICKS.send;
	}
	advance(connection);
}

/** Answers what is no request, and closes. */
function refuse(connection: Connection, refusal: RequestRefused): void {
	const { exchange, server } = connection;
	const isTooLate = exchange?.hasAnswer === true;
	abandonExchange(connection, refusal);
	connection.isLast = true;
	try {
		if (!isTooLate) {
			const { status, message } = refusal;
			sendWhole(
				connection,
				{
					status,
					statusText: "",
					headers: new Map([["content-type", "application/problem+json"]]),
					cookies: [],
					body: null,
				},
				JSON.stringify({
					// RFC 9457, 4.2.1: no more than the status says.
					type: "about:blank",
					title: reasonOf(status),
					status,
					detail: message,
				}),
			);
		}
		linger(connection);
	} catch (error) {
		fail(connection, error);
	}
	if (connection.unsent.length > 0) {
		connection.deadline = server.tick + TICKS.send;
	}
}

/**
 * Ends the sending, and reads on for a little: a socket closed with bytes unread
 * resets the connection, and the client may lose the answer that it has not read.
 */
function linger(connection: Connection): void {
	connection.phase = "lingering";
	connection.held = NOTHING;
	connection.deadline = connection.server.tick + TICKS.linger;
	if (connection.unsent.length > 0) {
		return;
	}
	if (connection.hasEnded) {
		destroy(connection);
	} else {
		connection.transport.endSending();
	}
}

// Sending

/** Sends, or keeps what cannot be sent yet. */
function send(connection: Connection, chunks: Uint8Array[]): void {
	let length = 0;
	for (const chunk of chunks) {
		length += chunk.length;
	}
	if (connection.unsent.length > 0) {
		connection.unsent.push(...chunks);
		connection.unsentBytes += length;
		return;
	}
	const sent = Math.max(0, connection.transport.send(chunks, 0));
	if (sent === length) {
		return;
	}
	connection.unsent = chunks;
	connection.unsentBytes = length;
	connection.sentBytes = sent;
	connection.deadline = connection.server.tick + TICKS.send;
}

/** The socket takes more. */
function sendOn(connection: Connection): void {
	const { server, transport, unsent, unsentBytes } = connection;
	const sent = transport.send(unsent, connection.sentBytes);
	if (sent <= 0) {
		return;
	}
	connection.sentBytes += sent;
	if (connection.sentBytes < unsentBytes) {
		connection.deadline = server.tick + TICKS.send;
		return;
	}
	connection.unsent = [];
	switch (connection.phase) {
		case "answering":
			connection.deadline =
				connection.exchange?.decoder === undefined
					? NEVER
					: server.tick + TICKS.request;
			connection.exchange?.stream?.flow();
			break;
		case "lingering":
			linger(connection);
			break;
		case "draining":
			connection.deadline = server.tick + TICKS.drain;
			break;
		default:
			connection.deadline = server.tick + TICKS.keepAlive;
			advance(connection);
	}
}

/** Watches for what the connection can deal with, and nothing else: what is not read holds the client back. */
function updateInterest(connection: Connection): void {
	if (connection.phase === "closed") {
		return;
	}
	const isFull =
		connection.phase === "answering" &&
		connection.exchange?.reader === undefined &&
		connection.held.length > 0;
	const isBlocked =
		connection.unsent.length > 0 &&
		(connection.phase === "idle" || connection.phase === "head") &&
		connection.held.length > 0;
	const interest =
		(connection.hasEnded || isFull || isBlocked ? 0 : host.READABLE) |
		(connection.unsent.length > 0 ? host.WRITABLE : 0);
	if (interest !== connection.interest) {
		connection.interest = interest;
		connection.transport.watch(interest);
	}
}
