/** The HTTP server inside WasmEdge: bounded in connections, time and size, and ended without losing what it accepted. */
import { unwatch, watch } from "../loop.ts";
import { createRequest, type RequestParts } from "../web/request.ts";
import { type ResponseParts, responseParts } from "../web/response.ts";
import {
	type Connection,
	type ConnectionServer,
	checkDeadline,
	closeWhenAnswered,
	connectionReady,
	destroy,
	openConnection,
	TICK_MS,
	type Transport,
} from "./connection.ts";

/** Most connections at once; where all of them are busy, further ones wait in the system's queue. */
const CONNECTIONS_MAX = 10_000;

/** Connections that wait to be accepted, in the system's queue. */
const BACKLOG = 511; // Node's

/** Accepted at once where no other process listens on the same socket. */
const ACCEPTED_AT_ONCE_MAX = 64;

/** Bytes that one call receives. */
const RECEIVED_BYTES_MAX = 64 * 1024;

/** What was accepted may take this long to be answered when the service ends, in milliseconds; as on Node. */
const CLOSE_MS_MAX = 30_000;

/** The launcher's: number of the socket that it listens on for all processes. */
const LISTEN_DESCRIPTOR = "LISTEN_DESCRIPTOR";

export interface ServerOptions {
	/** The app. */
	fetch: (
		request: globalThis.Request,
	) => globalThis.Response | Promise<globalThis.Response>;
	/** Address to listen on; of no effect where the launcher listens (environment variable LISTEN_DESCRIPTOR). */
	host: string;
	/** 0: one that is free */
	port: number;
	/** Is told when the launcher has ended the socket that it listens on: the service is to stop. */
	onListenerEnded?: () => void;
	/** Is told what failed and was answered 500, or could not be answered. By default it is written to standard error. */
	onFailure?: (error: unknown) => void;
	/** Most connections at once. */
	connectionsMax?: number;
}

export interface RunningServer {
	/** "http://127.0.0.1:8000" */
	url: string;
	/** Connections that are open. */
	connectionCount(): number;
	/** Accepts nothing more, and resolves when all that was accepted is answered, or CLOSE_MS_MAX is over. */
	close(): Promise<void>;
}

/** Listens; rejects with a HostError where the address cannot be had. */
export async function startServer({
	fetch,
	host: address,
	port,
	onListenerEnded = () => {},
	onFailure = writeFailure,
	connectionsMax = CONNECTIONS_MAX,
}: ServerOptions): Promise<RunningServer> {
	const inherited = inheritedListener();
	const listener = inherited ?? listen(address, port);
	const acceptedAtOnce = inherited === undefined ? ACCEPTED_AT_ONCE_MAX : 1;
	const connections = new Set<Connection>();
	let isAccepting = false;
	let hasListener = true;
	/** Whether another one may wait to be accepted: the last that was asked for was there. */
	let othersMayWait = false;
	let ticking: ReturnType<typeof setInterval> | undefined;
	let onEmpty: (() => void) | undefined;
	let closed: Promise<void> | undefined;

	const server: ConnectionServer = {
		answer: (request) => answer(fetch, request),
		onFailure,
		onClosed(connection) {
			connections.delete(connection);
			if (connections.size === 0) {
				// An idle process sleeps.
				clearInterval(ticking);
				ticking = undefined;
				onEmpty?.();
			}
			setAccepting(true);
		},
		receiveBuffer: new Uint8Array(RECEIVED_BYTES_MAX),
		tick: 0,
		isClosing: false,
	};

	function setAccepting(isWanted: boolean): void {
		if (isWanted !== isAccepting && hasListener) {
			isAccepting = isWanted;
			watch(listener, isWanted ? host.READABLE : 0, accept);
		}
	}

	function accept(): void {
		for (let count = 0; count < acceptedAtOnce && isAccepting; count += 1) {
			if (connections.size >= connectionsMax) {
				if (count > 0) {
					// Whether another one waits, the next turn tells.
					return;
				}
				if (!closeIdle()) {
					setAccepting(false);
					return;
				}
			}
			const socket = acceptNext();
			othersMayWait = socket !== undefined;
			if (socket === undefined) {
				return;
			}
			open(socket);
		}
	}

	function acceptNext(): Descriptor | undefined {
		try {
			return host.acceptSocket(listener);
		} catch (error) {
			const { code } = error as HostError;
			if (code === "EMFILE" || code === "ENFILE" || code === "ENOBUFS") {
				// The system allows no more; one of ours has to end first.
				if (!closeIdle()) {
					setAccepting(false);
				}
			} else if (code === "EINVAL" || code === "EBADF") {
				stopListening();
				onListenerEnded();
			} else if (code !== "ECONNABORTED") {
				onFailure(error);
			}
			return undefined;
		}
	}

	/** Makes room by closing the connection that was opened first of those that wait for nothing. */
	function closeIdle(): boolean {
		for (const connection of connections) {
			if (connection.phase === "idle" && connection.unsent.length === 0) {
				// Its next request may have come in the same turn.
				connectionReady(connection, host.READABLE);
			}
			if (connection.phase === "idle" && connection.unsent.length === 0) {
				destroy(connection);
			}
			if (connection.phase === "closed") {
				return true;
			}
		}
		return false;
	}

	function open(socket: Descriptor): void {
		let connection: Connection | undefined;
		const onReady = (flags: Interest) => {
			if (connection !== undefined) {
				connectionReady(connection, flags);
			}
			// One for each that is served: those that wait must not be taken one by one only whenever all others have had their turn.
			if (othersMayWait && connections.size < connectionsMax) {
				accept();
			}
		};
		connection = openConnection(server, socketTransport(socket, onReady));
		connections.add(connection);
		ticking ??= setInterval(tick, TICK_MS);
	}

	function tick(): void {
		server.tick += 1;
		for (const connection of connections) {
			checkDeadline(connection);
		}
		// One that was busy may be idle now, and can make room.
		setAccepting(true);
	}

	function stopListening(): void {
		hasListener = false;
		isAccepting = false;
		unwatch(listener);
	}

	function close(): Promise<void> {
		return new Promise((resolve) => {
			stopListening();
			server.isClosing = true;
			if (inherited === undefined) {
				host.closeSocket(listener);
			}
			// The launcher's stays open: it has it open too, so that closing it here does not take it out of
			// WasmEdge's epoll set, whose next report of it would end the process.
			const late = setTimeout(() => {
				for (const connection of connections) {
					destroy(connection);
				}
			}, CLOSE_MS_MAX);
			onEmpty = () => {
				clearTimeout(late);
				resolve();
			};
			for (const connection of connections) {
				closeWhenAnswered(connection);
			}
			if (connections.size === 0) {
				onEmpty();
			}
		});
	}

	setAccepting(true);
	return {
		url: urlOf(host.localAddress(listener)),
		connectionCount: () => connections.size,
		close() {
			closed ??= close();
			return closed;
		},
	};
}

function answer(
	fetch: ServerOptions["fetch"],
	request: RequestParts,
): ResponseParts | Promise<ResponseParts> {
	const response = fetch(createRequest(request));
	return response instanceof Promise
		? response.then(responseParts)
		: responseParts(response);
}

/** The socket that the launcher listens on, shared by all processes; undefined where the program is to listen itself. */
function inheritedListener(): Descriptor | undefined {
	const text = host.environment()[LISTEN_DESCRIPTOR];
	if (text === undefined) {
		return undefined;
	}
	if (!/^[0-9]{1,9}$/.test(text)) {
		throw new Error(
			`${LISTEN_DESCRIPTOR} must be the number of a socket that listens; it is "${text}". The launcher sets it.`,
		);
	}
	return Number(text);
}

function listen(name: string, port: number): Descriptor {
	const [found] = host.resolve(name);
	if (found === undefined) {
		throw Object.assign(new Error(`HOST ${name} has no address.`), {
			code: "ENOTFOUND",
		});
	}
	const socket = host.openSocket(found.family);
	try {
		// A restart need not wait for the last connections of the process before it.
		host.setSocketOption(socket, "reuseAddress", true);
		host.bindSocket(socket, found.address, port);
		host.listenSocket(socket, BACKLOG);
	} catch (error) {
		host.closeSocket(socket);
		throw error;
	}
	return socket;
}

function urlOf({ family, address, port }: SocketAddress): string {
	return `http://${family === 6 ? `[${address}]` : address}:${port}`;
}

function socketTransport(
	socket: Descriptor,
	onReady: (flags: Interest) => void,
): Transport {
	return {
		receive: (target) => host.receive(socket, target),
		send: (chunks, offset) => host.send(socket, chunks, offset),
		watch: (interest) => watch(socket, interest, onReady),
		endSending: () => host.shutdownSocket(socket, "write"),
		close() {
			unwatch(socket);
			host.closeSocket(socket);
		},
	};
}

function writeFailure(error: unknown): void {
	const text =
		error instanceof Error
			? `${error.name}: ${error.message}\n${error.stack ?? ""}`
			: String(error);
	host.writeText(2, `An HTTP request failed: ${text.trimEnd()}\n`);
}
