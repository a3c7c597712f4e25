/** TCP connections to others, over the event loop: connecting, queues with back-pressure, and how they end. */
import { addressesOf, forgetAddresses } from "./addresses.ts";
import {
	cancelTimer,
	loopTimer,
	queueTick,
	queueTimer,
	setWatchReferenced,
	unwatch,
	watch,
} from "./loop.ts";

/** Bytes waiting to be sent from which on the writer is asked to wait. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Room into which bytes are received; what arrives is handed on as views of it. */
const SLAB_BYTES = 64 * 1024;

/** With less room than this a new slab is begun. */
const SLAB_REST_BYTES = 8 * 1024;

/** Slabs filled in one turn, before others have theirs. */
const SLABS_PER_TURN = 8;

/** Chunks handed to the host in one call. */
const CHUNKS_PER_SEND = 64;

/** The next address is tried when the one before has not answered for so long (RFC 8305, 5). */
const ATTEMPT_DELAY_MS = 250;

/** What becomes of a connection. Each is called on a turn, or tick, of its own: never within a call of the connection's functions. */
export interface TcpEvents {
	connected(): void;
	/** A view; it stays as it is. */
	received(bytes: Uint8Array): void;
	/** The peer sends nothing more. */
	ended(): void;
	/** All that waited has been sent. */
	drained(): void;
	/** `closed` follows. */
	failed(error: Error): void;
	/** It is over; nothing follows. */
	closed(): void;
}

/** A connection, or an attempt at one. */
export interface TcpConnection {
	/** Sends the bytes, which must not be changed any more. False where the writer should wait for `drained`. */
	write(bytes: Uint8Array): boolean;
	/** Ends our half once everything is sent. */
	end(): void;
	/** Closes it at once; what waits is not sent. */
	destroy(): void;
	/** Stops receiving, until `resume`; the system's buffer fills and the peer has to wait. */
	pause(): void;
	resume(): void;
	/** Whether it keeps the program alive; at first it does. */
	setReferenced(isReferenced: boolean): void;
	/** False where the system does not know the option. */
	setKeepAlive(isAlive: boolean): boolean;
	/** Bytes waiting to be sent. */
	waitingBytes(): number;
	/** Of the established connection. */
	remote(): SocketAddress | undefined;
	local(): SocketAddress | undefined;
}

/** An error as Node has them, whose code tells what to do. */
export interface ConnectionError extends Error {
	/** "ECONNREFUSED", "ENOTFOUND", "EPIPE", … */
	code: string;
	syscall: string;
}

/**
 * Connects to a host, at whichever of its addresses answers first: the next one
 * is tried when the one before has refused, or has not answered for a quarter
 * of a second.
 *
 * @param hostName a name, or a literal address
 */
export function connectTcp(
	hostName: string,
	port: number,
	tcpEvents: TcpEvents,
): TcpConnection {
	/** Addresses that were not tried yet. */
	let untried: { family: 4 | 6; address: string }[] = [];
	/** Sockets that are being connected. */
	const attempts = new Set<Descriptor>();
	const refusals: ConnectionError[] = [];
	const nextAttempt = loopTimer(tryNext);
	let socket: Descriptor | undefined;
	let isReferenced = true;
	let keepsAlive = false;
	let isPaused = false;
	let isEnding = false;
	let hasEnded = false;
	let peerHasEnded = false;
	let isClosed = false;
	let waiting: Uint8Array[] = [];
	let waitingCount = 0;
	/** Of the first chunk that waits. */
	let sentBytes = 0;
	let wantsDrained = false;
	let slab = new Uint8Array(0);
	let slabUsed = 0;

	queueTick(begin);
	return {
		write,
		end,
		destroy,
		pause,
		resume,
		setReferenced,
		setKeepAlive,
		waitingBytes: () => waitingCount,
		remote: () => (socket === undefined ? undefined : host.peerAddress(socket)),
		local: () => (socket === undefined ? undefined : host.localAddress(socket)),
	};

	function begin(): void {
		if (isClosed) {
			return;
		}
		try {
			untried = [...addressesOf(hostName)];
		} catch (cause) {
			fail(unknownName(hostName, cause));
			return;
		}
		if (untried.length === 0) {
			fail(unknownName(hostName, undefined));
			return;
		}
		tryNext();
	}

	function tryNext(): void {
		cancelTimer(nextAttempt);
		let begun = false;
		while (!begun) {
			const next = untried.shift();
			if (next === undefined) {
				break;
			}
			begun = attempt(next);
		}
		if (untried.length > 0) {
			queueTimer(nextAttempt, ATTEMPT_DELAY_MS);
		} else if (attempts.size === 0) {
			forgetAddresses(hostName);
			fail(refusal(hostName, port, refusals));
		}
	}

	/** False where the address is refused at once. */
	function attempt({ family, address }: (typeof untried)[number]): boolean {
		let descriptor: Descriptor | undefined;
		try {
			descriptor = host.openSocket(family);
			host.connectSocket(descriptor, address, port);
		} catch (error) {
			refusals.push(
				connectionError(error, "connect", `${address} port ${port}`),
			);
			if (descriptor !== undefined) {
				host.closeSocket(descriptor);
			}
			return false;
		}
		const opened = descriptor;
		attempts.add(opened);
		watch(opened, host.WRITABLE, () => {
			const error = host.socketError(opened);
			if (error === undefined) {
				attempts.delete(opened);
				abandonAttempts();
				open(opened);
				return;
			}
			refusals.push(
				connectionError(error, "connect", `${address} port ${port}`),
			);
			abandon(opened);
			tryNext();
		});
		setWatchReferenced(opened, isReferenced);
		return true;
	}

	function abandon(descriptor: Descriptor): void {
		attempts.delete(descriptor);
		unwatch(descriptor);
		host.closeSocket(descriptor);
	}

	function abandonAttempts(): void {
		cancelTimer(nextAttempt);
		untried = [];
		for (const descriptor of attempts) {
			abandon(descriptor);
		}
	}

	function open(descriptor: Descriptor): void {
		socket = descriptor;
		if (keepsAlive) {
			host.setSocketOption(descriptor, "keepAlive", true);
		}
		tcpEvents.connected();
		if (!isClosed) {
			send();
		}
	}

	function onReady(flags: number): void {
		if (waiting.length > 0 && (flags & (host.WRITABLE | host.BROKEN)) !== 0) {
			send();
		}
		if (!isClosed && !isPaused && !peerHasEnded) {
			if ((flags & (host.READABLE | host.BROKEN)) !== 0) {
				receive();
			}
		}
	}

	/** Watches for what is wanted now. */
	function watchWanted(): void {
		if (socket !== undefined && !isClosed) {
			const reading = isPaused || peerHasEnded ? 0 : host.READABLE;
			const writing = waiting.length > 0 ? host.WRITABLE : 0;
			watch(socket, reading | writing, onReady);
		}
	}

	function receive(): void {
		for (let filled = 0; filled < SLABS_PER_TURN; filled += 1) {
			if (slab.length - slabUsed < SLAB_REST_BYTES) {
				slab = new Uint8Array(SLAB_BYTES);
				slabUsed = 0;
			}
			const room = slab.subarray(slabUsed);
			let count: number;
			try {
				count = host.receive(socket as Descriptor, room);
			} catch (error) {
				fail(connectionError(error, "read"));
				return;
			}
			if (count < 0) {
				return;
			}
			if (count === 0) {
				peerHasEnded = true;
				watchWanted();
				tcpEvents.ended();
				closeIfOver();
				return;
			}
			slabUsed += count;
			tcpEvents.received(
				count === room.length ? room : room.subarray(0, count),
			);
			if (count < room.length || isClosed || isPaused) {
				return;
			}
		}
	}

	function write(bytes: Uint8Array): boolean {
		if (isClosed || isEnding) {
			const error = connectionError(
				new Error("The connection is over: nothing can be written to it."),
				"write",
			);
			error.code = "EPIPE";
			queueTick(() => fail(error));
			return false;
		}
		if (bytes.length === 0) {
			return waitingCount < HIGH_WATER_BYTES;
		}
		waiting.push(bytes);
		waitingCount += bytes.length;
		// Behind others that wait, the loop will send it.
		if (socket !== undefined && waiting.length === 1) {
			try {
				sendWaiting(socket);
			} catch (error) {
				queueTick(() => fail(connectionError(error, "write")));
				return false;
			}
			watchWanted();
		}
		wantsDrained ||= waitingCount >= HIGH_WATER_BYTES;
		return waitingCount < HIGH_WATER_BYTES;
	}

	/** Sends what waits, as far as it is taken. */
	function send(): void {
		try {
			sendWaiting(socket as Descriptor);
		} catch (error) {
			fail(connectionError(error, "write"));
			return;
		}
		watchWanted();
		if (waiting.length === 0) {
			if (wantsDrained) {
				wantsDrained = false;
				tcpEvents.drained();
			}
			shutDownIfSent();
		}
	}

	function sendWaiting(descriptor: Descriptor): void {
		while (waiting.length > 0) {
			const chunks =
				waiting.length > CHUNKS_PER_SEND
					? waiting.slice(0, CHUNKS_PER_SEND)
					: waiting;
			const count = host.send(descriptor, chunks, sentBytes);
			if (count < 0) {
				return;
			}
			waitingCount -= count;
			if (waitingCount === 0) {
				waiting = [];
				sentBytes = 0;
				return;
			}
			sentBytes += count;
			let done = 0;
			for (const { length } of chunks) {
				if (sentBytes < length) {
					break;
				}
				sentBytes -= length;
				done += 1;
			}
			waiting.splice(0, done);
		}
	}

	function end(): void {
		if (!isEnding && !isClosed) {
			isEnding = true;
			queueTick(shutDownIfSent);
		}
	}

	function shutDownIfSent(): void {
		if (
			!isEnding ||
			hasEnded ||
			isClosed ||
			socket === undefined ||
			waiting.length > 0
		) {
			return;
		}
		hasEnded = true;
		try {
			host.shutdownSocket(socket, "write");
		} catch (error) {
			fail(connectionError(error, "shutdown"));
			return;
		}
		closeIfOver();
	}

	function closeIfOver(): void {
		if (hasEnded && peerHasEnded && !isClosed) {
			release();
			tcpEvents.closed();
		}
	}

	function fail(error: ConnectionError): void {
		if (isClosed) {
			return;
		}
		release();
		tcpEvents.failed(error);
		tcpEvents.closed();
	}

	function destroy(): void {
		if (!isClosed) {
			release();
			queueTick(() => tcpEvents.closed());
		}
	}

	function release(): void {
		isClosed = true;
		abandonAttempts();
		waiting = [];
		waitingCount = 0;
		if (socket !== undefined) {
			unwatch(socket);
			host.closeSocket(socket);
			socket = undefined;
		}
	}

	function pause(): void {
		isPaused = true;
		watchWanted();
	}

	function resume(): void {
		isPaused = false;
		watchWanted();
	}

	function setReferenced(keeps: boolean): void {
		isReferenced = keeps;
		nextAttempt.isReferenced = keeps;
		for (const descriptor of attempts) {
			setWatchReferenced(descriptor, keeps);
		}
		if (socket !== undefined) {
			setWatchReferenced(socket, keeps);
		}
	}

	function setKeepAlive(isAlive: boolean): boolean {
		keepsAlive = isAlive;
		return (
			socket === undefined || host.setSocketOption(socket, "keepAlive", isAlive)
		);
	}
}

function connectionError(
	cause: unknown,
	call: string,
	place = "",
): ConnectionError {
	const code = codeOf(cause) ?? "EIO";
	const why = cause instanceof Error ? cause.message : String(cause);
	const error = new Error(
		place === "" ? `${call}: ${why}` : `${call} ${code} ${place}`,
		{ cause },
	);
	return Object.assign(error, { code, syscall: call });
}

function codeOf(error: unknown): string | undefined {
	return error instanceof Error &&
		"code" in error &&
		typeof error.code === "string"
		? error.code
		: undefined;
}

function unknownName(name: string, cause: unknown): ConnectionError {
	const why = cause instanceof Error ? `: ${cause.message}` : "";
	const error = new Error(
		`getaddrinfo ENOTFOUND ${name}: the name has no address that the resolver knows${why}. Check the name, or write the address instead.`,
		{ cause },
	);
	return Object.assign(error, { code: "ENOTFOUND", syscall: "getaddrinfo" });
}

/** Why none of the addresses could be reached. */
function refusal(
	hostName: string,
	port: number,
	refusals: readonly ConnectionError[],
): ConnectionError {
	const first = refusals[0];
	if (first !== undefined && refusals.length === 1) {
		return first;
	}
	const error = new Error(
		`No address of ${hostName} port ${port} answers: ${refusals.map(({ message }) => message).join("; ")}`,
		{ cause: first },
	);
	return Object.assign(error, {
		code: first?.code ?? "ECONNREFUSED",
		syscall: "connect",
	});
}
