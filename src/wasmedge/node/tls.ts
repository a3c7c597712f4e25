/** `tls` for the MongoDB driver: a client that always verifies its server, over the host's TLS. */
import { type ConnectOptions, Socket } from "./net.ts";
import { Duplex } from "./stream.ts";

type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

/** Of Node's options, those that mean something here. Others are refused by `connect`. */
export interface TlsOptions extends ConnectOptions {
	/** Is sent to the server and must stand in its certificate; `host` where it is not given. */
	servername?: string;
	/** Certificates of the authorities that may sign the server's, in PEM. */
	ca?: Pem;
	/** The client's certificate chain in PEM, with `key`. */
	cert?: Pem;
	/** The client's private key in PEM, not encrypted. */
	key?: Pem;
	rejectUnauthorized?: boolean;
	checkServerIdentity?: unknown;
}

/** Most bytes of a record (RFC 8446, 5.1). */
const RECORD_BYTES_MAX = 16 * 1024;

/** Where records are decrypted; each is copied out at once. */
const record = new Uint8Array(RECORD_BYTES_MAX);

/** Options that would make a difference, and what to do instead. */
const REFUSALS: Readonly<Record<string, string>> = {
	passphrase:
		"An encrypted private key cannot be read: give the key without a password, in a file that only the service may read (tlsCertificateKeyFile without tlsCertificateKeyFilePassword).",
	crl: "Lists of revoked certificates are not supported: leave tlsCRLFile out.",
	pfx: "PKCS #12 is not supported: give the certificate and the key in PEM.",
	socket:
		"TLS over a socket that is there already, as of a proxy, is not supported.",
	secureContext:
		"Secure contexts are not supported: give `ca`, `cert` and `key`.",
	secureProtocol: "The protocol cannot be chosen: it is TLS 1.3 or 1.2.",
	ciphers: "Ciphers cannot be chosen: leave `ciphers` out.",
	ecdhCurve: "Curves cannot be chosen: leave `ecdhCurve` out.",
	minDHSize: "Finite field Diffie-Hellman is not used: leave `minDHSize` out.",
	session: "TLS sessions are not resumed: leave `session` out.",
	ALPNProtocols: "ALPN is not supported: leave `ALPNProtocols` out.",
};

/**
 * Throws a sentence where the options ask for less than a verified server, or
 * for what is not supported.
 */
export function checkTlsOptions(
	options: object,
): asserts options is TlsOptions & { ca: Pem } {
	const { rejectUnauthorized, checkServerIdentity, ca, ...others } =
		options as TlsOptions & Record<string, unknown>;
	if (rejectUnauthorized === false) {
		throw new Error(
			"A MongoDB server is always verified here: leave tlsInsecure and tlsAllowInvalidCertificates out, and name its authority's PEM file by tlsCAFile.",
		);
	}
	if (checkServerIdentity !== undefined) {
		throw new Error(
			"The name in a MongoDB server's certificate is always verified here: leave tlsInsecure and tlsAllowInvalidHostnames out, and connect by a name that the certificate has.",
		);
	}
	for (const [name, value] of Object.entries(others)) {
		const refusal = REFUSALS[name];
		if (refusal !== undefined && value !== undefined && value !== null) {
			throw new Error(refusal);
		}
	}
	if (ca === undefined || ca === null) {
		throw new Error(
			"TLS needs to know which authorities may sign the server's certificate, and the sandbox has no store of its own: name their PEM file, in a folder that WasmEdge preopens, by tlsCAFile.",
		);
	}
}

/** A TLS connection as Node's stream. Emits "secureConnect", and else what a `Socket` emits. */
export class TLSSocket extends Duplex {
	readonly encrypted = true;
	/** True from "secureConnect" on: a server that cannot be verified never gets so far. */
	authorized = false;
	/** Always null: what would be here ends the connection by an "error". */
	readonly authorizationError = null;
	readonly #socket = new Socket();
	readonly #session: TlsSession;
	#isSecure = false;
	#hasEnded = false;
	/** Writes until the handshake is done, one at a time: the stream keeps the others back. */
	#unwritten: (() => void) | undefined;
	#whenDrained: ((error?: Error | null) => void) | undefined;

	/** @throws where an option is refused, or a certificate or key cannot be read */
	constructor(options: TlsOptions) {
		super();
		checkTlsOptions(options);
		const { ca, cert, key } = options;
		this.#session = host.openTls({
			serverName: options.servername || options.host || "localhost",
			authorities: joinPem(ca),
			...(cert !== undefined && { certificate: joinPem(cert) }),
			...(key !== undefined && { privateKey: joinPem(key) }),
		});
		this.#socket
			.on("connect", () => {
				this.emit("connect");
				this.#goOn();
			})
			.on("data", (bytes: Uint8Array) => {
				this.#goOn(bytes);
			})
			.on("end", () => this.#endBySocket())
			.on("drain", () => this.#settleDrained())
			.on("timeout", () => this.emit("timeout"))
			.on("error", (error: Error) => this.destroy(error))
			.on("close", () => this.destroy());
		this.#socket.connect(options);
	}

	/** "TLSv1.3" or "TLSv1.2"; null before the handshake is done. */
	getProtocol(): string | null {
		return this.#session.negotiated?.protocol ?? null;
	}

	/** By IANA's name; undefined before the handshake is done. */
	getCipher(): { name: string; version: string } | undefined {
		const negotiated = this.#session.negotiated;
		return (
			negotiated && { name: negotiated.cipher, version: negotiated.protocol }
		);
	}

	/** Has no effect: there is no renegotiation. */
	disableRenegotiation(): void {}

	get connecting(): boolean {
		return this.#socket.connecting;
	}

	get remoteAddress(): string | undefined {
		return this.#socket.remoteAddress;
	}

	get remotePort(): number | undefined {
		return this.#socket.remotePort;
	}

	get remoteFamily(): string | undefined {
		return this.#socket.remoteFamily;
	}

	get localAddress(): string | undefined {
		return this.#socket.localAddress;
	}

	get localPort(): number | undefined {
		return this.#socket.localPort;
	}

	setTimeout(timeout_ms: number, onTimeout?: () => void): this {
		if (onTimeout !== undefined) {
			this.once("timeout", onTimeout);
		}
		this.#socket.setTimeout(timeout_ms);
		return this;
	}

	setKeepAlive(isAlive = false): this {
		this.#socket.setKeepAlive(isAlive);
		return this;
	}

	setNoDelay(isWithoutDelay = true): this {
		this.#socket.setNoDelay(isWithoutDelay);
		return this;
	}

	ref(): this {
		this.#socket.ref();
		return this;
	}

	unref(): this {
		this.#socket.unref();
		return this;
	}

	/** Goes on with the handshake, or decrypts, with the bytes that came. */
	#goOn(encrypted?: Uint8Array): void {
		if (this.destroyed || this.#hasEnded) {
			return;
		}
		try {
			if (encrypted !== undefined) {
				this.#session.feed(encrypted);
			}
			if (!this.#isSecure && this.#session.handshake()) {
				this.#isSecure = true;
			}
		} catch (error) {
			this.#fail(error as Error);
			return;
		}
		this.#send();
		if (!this.#isSecure) {
			return;
		}
		if (!this.authorized) {
			this.authorized = true;
			this.emit("secureConnect");
			this.#unwritten?.();
			this.#unwritten = undefined;
		}
		this.#decrypt();
	}

	#decrypt(): void {
		while (!this.destroyed) {
			let length: number;
			try {
				length = this.#session.read(record);
			} catch (error) {
				this.#fail(error as Error);
				return;
			}
			if (length > 0) {
				this.push(record.slice(0, length));
			} else {
				this.#send();
				if (length === 0) {
					this.#endReading();
				}
				return;
			}
		}
	}

	/** Nothing more comes. As Node's, without `allowHalfOpen`: we end when it has. */
	#endReading(): void {
		this.#hasEnded = true;
		this.push(null);
		this.resume();
		this.end();
	}

	/** Without the server's good-bye the end may be forged, and what came be cut short; we do not mind where we were about to go. */
	#endBySocket(): void {
		if (this.#hasEnded) {
			return;
		}
		if (this.writableEnded) {
			this.#endReading();
		} else {
			const message = this.#isSecure
				? "The server broke the TLS connection off without ending it."
				: "The server ended the connection before it was secured by TLS.";
			this.destroy(Object.assign(new Error(message), { code: "ECONNRESET" }));
		}
	}

	/** Tells the server by an alert, where there is one, and ends. */
	#fail(error: Error): void {
		this.#send();
		this.destroy(error);
	}

	/** False where the writer should wait for the socket's "drain". */
	#send(): boolean {
		const encrypted = this.#session.takeEncrypted();
		return encrypted === undefined || this.#socket.write(encrypted);
	}

	#settleDrained(): void {
		const callback = this.#whenDrained;
		this.#whenDrained = undefined;
		callback?.();
	}

	protected override _pause(): void {
		this.#socket.pause();
	}

	protected override _resume(): void {
		this.#socket.resume();
	}

	protected override _write(
		chunk: unknown,
		encoding: string,
		callback: (error?: Error | null) => void,
	): void {
		if (!this.#isSecure) {
			this.#unwritten = () => this._write(chunk, encoding, callback);
			return;
		}
		try {
			this.#session.write(chunk as Uint8Array);
		} catch (error) {
			callback(error as Error);
			return;
		}
		if (this.#send()) {
			callback();
		} else {
			this.#whenDrained = callback;
		}
	}

	protected override _final(callback: (error?: Error | null) => void): void {
		try {
			this.#session.end();
		} catch (error) {
			callback(error as Error);
			return;
		}
		this.#send();
		this.#socket.end();
		callback();
	}

	protected override _destroy(
		error: Error | null,
		callback: (error?: Error | null) => void,
	): void {
		this.#unwritten = undefined;
		this.#whenDrained = undefined;
		this.#session.close();
		this.#socket.destroy();
		callback(error);
	}
}

/** Connects to `host` and `port`, and secures the connection. */
export function connect(
	options: TlsOptions,
	onSecureConnect?: () => void,
): TLSSocket {
	const socket = new TLSSocket(options);
	if (onSecureConnect !== undefined) {
		socket.once("secureConnect", onSecureConnect);
	}
	return socket;
}

export function createServer(): never {
	throw new Error(
		"TLS is spoken as a client only: let a proxy in front of the service end the callers' TLS.",
	);
}

/** One text of PEM blocks, which may come in any number of parts. */
function joinPem(pem: Pem): Uint8Array {
	const parts =
		typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem;
	const texts = parts.map((part) =>
		typeof part === "string" ? part : host.decodeUtf8(part, false),
	);
	return host.encodeUtf8(texts.join("\n"));
}
