/** `net` for the MongoDB driver: sockets that connect over TCP. */
import { literalFamily } from "../addresses.ts";
import { cancelTimer, loopTimer, queueTimer } from "../loop.ts";
import { connectTcp, type TcpConnection } from "../socket.ts";
import { Duplex } from "./stream.ts";

/** Of Node's options, those that mean something here; the others make no difference over TCP. */
export interface ConnectOptions {
	host?: string;
	port?: number;
	/** A Unix socket's path, which is refused. */
	path?: string;
	keepAlive?: boolean;
	/** Has no effect: WasmEdge cannot set TCP_NODELAY. */
	noDelay?: boolean;
	/** Milliseconds without traffic after which "timeout" is emitted. */
	timeout?: number;
}

/** A TCP connection as Node's stream. Emits "connect", "data", "end", "drain", "timeout", "error", "close". */
export class Socket extends Duplex {
	connecting = false;
	#connection: TcpConnection | undefined;
	#remote: SocketAddress | undefined;
	#local: SocketAddress | undefined;
	#whenSent: ((error?: Error | null) => void)[] = [];
	#timeout_ms = 0;
	#isReferenced = true;
	#idle = loopTimer(() => this.emit("timeout"));

	constructor() {
		super();
		this.#idle.isReferenced = false;
	}

	connect(options: ConnectOptions, onConnect?: () => void): this {
		if (options.path !== undefined) {
			throw new Error(
				`Unix sockets are not supported here: connect by host and port, not to ${options.path}.`,
			);
		}
		const { host: name = "localhost", port } = options;
		if (
			port === undefined ||
			!Number.isInteger(port) ||
			port < 1 ||
			port > 65535
		) {
			throw new RangeError(
				`A connection needs a port from 1 to 65535; it was given ${port}.`,
			);
		}
		if (onConnect !== undefined) {
			this.once("connect", onConnect);
		}
		if (options.timeout !== undefined) {
			this.setTimeout(options.timeout);
		}
		this.connecting = true;
		let failure: Error | null = null;
		this.#connection = connectTcp(name, port, {
			connected: () => {
				this.connecting = false;
				this.#remote = this.#connection?.remote();
				this.#local = this.#connection?.local();
				this.#noteTraffic();
				this.emit("connect");
				this.emit("ready");
			},
			received: (bytes) => {
				this.#noteTraffic();
				this.push(bytes);
			},
			ended: () => {
				// As Node's, without `allowHalfOpen`: we end when the peer has. An end that nobody listens for ends it too.
				this.push(null);
				this.resume();
				this.end();
			},
			drained: () => {
				this.#noteTraffic();
				this.#settleSent();
			},
			failed: (error) => {
				failure = error;
			},
			closed: () => {
				this.connecting = false;
				this.destroy(failure);
			},
		});
		this.#connection.setReferenced(this.#isReferenced);
		if (options.keepAlive === true) {
			this.#connection.setKeepAlive(true);
		}
		return this;
	}

	get remoteAddress(): string | undefined {
		return this.#remote?.address;
	}

	get remotePort(): number | undefined {
		return this.#remote?.port;
	}

	get remoteFamily(): string | undefined {
		return this.#remote && `IPv${this.#remote.family}`;
	}

	get localAddress(): string | undefined {
		return this.#local?.address;
	}

	get localPort(): number | undefined {
		return this.#local?.port;
	}

	/** "timeout" is emitted after so many milliseconds without traffic; 0: never. */
	setTimeout(timeout_ms: number, onTimeout?: () => void): this {
		this.#timeout_ms = timeout_ms;
		if (onTimeout !== undefined) {
			this.once("timeout", onTimeout);
		}
		if (timeout_ms > 0 && !this.destroyed) {
			queueTimer(this.#idle, timeout_ms);
		} else {
			cancelTimer(this.#idle);
		}
		return this;
	}

	setKeepAlive(isAlive = false): this {
		this.#connection?.setKeepAlive(isAlive);
		return this;
	}

	/** Has no effect: WasmEdge cannot set TCP_NODELAY; every message is sent in one call instead. */
	setNoDelay(_isWithoutDelay = true): this {
		return this;
	}

	ref(): this {
		return this.#setReferenced(true);
	}

	unref(): this {
		return this.#setReferenced(false);
	}

	#setReferenced(isReferenced: boolean): this {
		this.#isReferenced = isReferenced;
		this.#connection?.setReferenced(isReferenced);
		return this;
	}

	#noteTraffic(): void {
		if (this.#timeout_ms > 0) {
			queueTimer(this.#idle, this.#timeout_ms);
		}
	}

	#settleSent(): void {
		const callbacks = this.#whenSent;
		this.#whenSent = [];
		for (const callback of callbacks) {
			callback();
		}
	}

	protected override _pause(): void {
		this.#connection?.pause();
	}

	protected override _resume(): void {
		this.#connection?.resume();
	}

	protected override _write(
		chunk: unknown,
		_encoding: string,
		callback: (error?: Error | null) => void,
	): void {
		if (this.#connection === undefined) {
			callback(
				new Error("The socket is not connected: call `connect` before."),
			);
			return;
		}
		if (this.#connection.write(chunk as Uint8Array)) {
			callback();
		} else {
			this.#whenSent.push(callback);
		}
	}

	protected override _final(callback: (error?: Error | null) => void): void {
		this.#connection?.end();
		callback();
	}

	protected override _destroy(
		error: Error | null,
		callback: (error?: Error | null) => void,
	): void {
		cancelTimer(this.#idle);
		this.#whenSent = [];
		this.#connection?.destroy();
		callback(error);
	}
}

export function createConnection(
	options: ConnectOptions,
	onConnect?: () => void,
): Socket {
	return new Socket().connect(options, onConnect);
}

export const connect = createConnection;

/** 4 or 6 for a literal address, 0 for anything else. */
export function isIP(text: string): 0 | 4 | 6 {
	return literalFamily(text);
}

export function isIPv4(text: string): boolean {
	return literalFamily(text) === 4;
}

export function isIPv6(text: string): boolean {
	return literalFamily(text) === 6;
}

export function createServer(): never {
	throw new Error(
		"Servers are not opened by `net` here: the service has its own HTTP server.",
	);
}
