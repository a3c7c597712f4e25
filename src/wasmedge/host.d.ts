/**
 * What the C host gives the program inside WasmEdge: the global `host`.
 *
 * Every call checks its arguments and throws a TypeError or RangeError on a
 * wrong one. What the operating system refuses is a HostError, with the error's
 * POSIX name as `code`. Byte arguments are views; nothing is kept of them after
 * the call, unless it says so. Nothing here waits, but `poll` and `resolve`.
 */
declare const host: Host;

/** An error of the operating system. */
interface HostError extends Error {
	/** POSIX name: "ECONNREFUSED", "ENOENT", … */
	code: string;
	/** The call that failed: "connect" */
	syscall: string;
}

/** Number of an open socket or standard stream. */
type Descriptor = number;

/** Ways to watch a socket, and what `poll` reports; a sum of flags. */
type Interest = number;

interface SocketAddress {
	family: 4 | 6;
	/** "127.0.0.1", "::1" */
	address: string;
	port: number;
}

type HashName = "md5" | "sha1" | "sha256" | "sha384" | "sha512";

type DeflateFormat = "zlib" | "gzip" | "raw";

interface Host {
	// The loop

	/**
	 * Names the function that the host calls again and again, whenever no job (of a
	 * promise) is left: one macrotask, or one `poll`. It ends the program by returning false.
	 */
	setTurn(turn: () => boolean): void;
	/** Queues a job behind those that wait: a microtask. */
	queueJob(job: () => void): void;
	/** Is told of rejections that nobody handles once all jobs are done. */
	onUnhandledRejection(handler: (reason: unknown) => void): void;
	/** Is told of errors thrown by the turn itself; without it they end the program with status 1. */
	onUncaughtError(handler: (error: unknown) => void): void;
	/** Ends the process at once; nothing else runs. */
	exit(status: number): never;

	// Clocks, randomness, the process

	/** Milliseconds since an arbitrary start, with fractions; never goes back. */
	monotonicNow(): number;
	/** Fills all of the bytes from the system's generator, fit for keys. */
	fillRandom(bytes: Uint8Array): void;
	/** The environment's variables that WasmEdge passes on. */
	environment(): Record<string, string>;
	/** Bytes of linear memory, and those of them that JavaScript's values take. */
	memoryUsage(): { linear: number; used: number };
	/** CPU seconds of this process. */
	cpuSeconds(): number;
	/** Runs the cycle collector. */
	collectGarbage(): void;
	/** "aot" where the module runs natively, "interpreter" where WasmEdge interprets it (measured at start). */
	readonly mode: "aot" | "interpreter";
	/** Versions of what the engine is made of: { quickjs: "0.16.2", zlib: "1.3.1", … } */
	readonly versions: Readonly<Record<string, string>>;

	// Files of the preopened folders, read only

	/** A whole file. */
	readFile(path: string): Uint8Array<ArrayBuffer>;
	/** Entries of a folder in no particular order, without "." and "..". */
	readFolder(path: string): { name: string; isFolder: boolean }[];
	/** Writes all of the text, in UTF-8, to standard output (1) or standard error (2); waits where a pipe is full. */
	writeText(stream: 1 | 2, text: string): void;

	// Sockets; all of them are TCP and never block

	openSocket(family: 4 | 6): Descriptor;
	bindSocket(socket: Descriptor, address: string, port: number): void;
	listenSocket(socket: Descriptor, backlog: number): void;
	/** The next connection, or undefined where none waits. */
	acceptSocket(listener: Descriptor): Descriptor | undefined;
	/** Begins to connect; done when the socket is writable and `socketError` is undefined. */
	connectSocket(socket: Descriptor, address: string, port: number): void;
	/** The error that a socket has come to (SO_ERROR), or undefined. */
	socketError(socket: Descriptor): HostError | undefined;
	/** Bytes read into `target`; 0 where the peer has ended, -1 where nothing is there yet. */
	receive(socket: Descriptor, target: Uint8Array): number;
	/**
	 * Sends the chunks in one call, from byte `offset` of them all on. Number of bytes
	 * taken, which may be fewer; -1 where none can be taken yet.
	 */
	send(
		socket: Descriptor,
		chunks: readonly Uint8Array[],
		offset: number,
	): number;
	shutdownSocket(
		socket: Descriptor,
		direction: "read" | "write" | "both",
	): void;
	/** Closes it and ends its watch. */
	closeSocket(socket: Descriptor): void;
	/** False where the system does not know the option. */
	setSocketOption(
		socket: Descriptor,
		option: "keepAlive" | "reuseAddress",
		value: boolean,
	): boolean;
	localAddress(socket: Descriptor): SocketAddress;
	peerAddress(socket: Descriptor): SocketAddress;
	/** Addresses of a name by the system's resolver; waits for its answer. Literal addresses need no resolver. */
	resolve(name: string): { family: 4 | 6; address: string }[];

	readonly READABLE: Interest;
	readonly WRITABLE: Interest;
	/** Only reported: the connection is broken or ended. */
	readonly BROKEN: Interest;
	/** Watches a descriptor for `interest` until told otherwise; 0 ends the watch. */
	watch(descriptor: Descriptor, interest: Interest): void;
	/**
	 * Waits until a watched descriptor is ready or the time is over; Infinity waits
	 * for ever. Writes pairs of descriptor and flags; returns the number of pairs.
	 */
	poll(timeout_ms: number, events: Int32Array): number;

	// Text and bytes

	encodeUtf8(text: string): Uint8Array<ArrayBuffer>;
	/** UTF-16 units read and bytes written; a character is written whole or not at all. */
	encodeUtf8Into(
		text: string,
		target: Uint8Array,
	): { read: number; written: number };
	/** Bytes that `text` takes. */
	utf8Length(text: string): number;
	/** Faulty bytes become U+FFFD as the Encoding Standard says, or a TypeError where `fatal`. A BOM is kept. */
	decodeUtf8(bytes: Uint8Array, fatal: boolean): string;
	/** Every byte is a character. */
	decodeLatin1(bytes: Uint8Array): string;
	/** Every character is a byte; one above U+00FF throws a RangeError, as does a target that is too short. */
	writeLatin1(target: Uint8Array, offset: number, text: string): void;
	/** RFC 4648 with padding. */
	encodeBase64(bytes: Uint8Array): string;
	/** Forgiving as `atob` (Infra Standard); undefined where it is no base64. */
	decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined;
	encodeHex(bytes: Uint8Array): string;
	/** Where `pattern` begins in `bytes` at `start` or later, or -1. */
	findBytes(bytes: Uint8Array, pattern: Uint8Array, start: number): number;

	// BSON (bsonspec.org)

	/**
	 * A plain document as BSON. Values of any class but Uint8Array are made by
	 * `encodeSpecial`: a document of one element with an empty key. Undefined where the
	 * document has what is left to the library (functions, bigints, cycles).
	 */
	encodeBson(
		document: object,
		ignoreUndefined: boolean,
		encodeSpecial: (value: object) => Uint8Array | undefined,
	): Uint8Array<ArrayBuffer> | undefined;
	/**
	 * The document that begins at `offset`. Object ids, timestamps, integers that
	 * are not safe, and binary values unless they are to be views (`promoteBuffers`),
	 * are made by `makeSpecial` of their type, bytes and subtype. Undefined where
	 * there is something else, or something damaged.
	 */
	decodeBson(
		bytes: Uint8Array,
		offset: number,
		promoteBuffers: boolean,
		makeSpecial: (type: number, bytes: Uint8Array, subtype: number) => unknown,
	): object | undefined;
	/**
	 * Where the elements of the document at `offset` are: each its type, where its name
	 * begins and how long it is, and the same of its value. Undefined as above.
	 */
	splitBson(
		bytes: Uint8Array,
		offset: number,
	): [number, number, number, number, number][] | undefined;

	// zlib

	/** All at once; `windowBits` 9 to 15, `memoryLevel` 1 to 9, the default strategy. */
	deflate(
		bytes: Uint8Array,
		format: DeflateFormat,
		level: number,
		windowBits: number,
		memoryLevel: number,
	): Uint8Array<ArrayBuffer>;
	/** Throws a RangeError where more than `lengthMax` bytes would come out, an Error where the data are damaged. */
	inflate(
		bytes: Uint8Array,
		format: DeflateFormat,
		lengthMax: number,
	): Uint8Array<ArrayBuffer>;
	/** CRC-32 of the bytes, going on from `previous` (0 at first). */
	crc32(bytes: Uint8Array, previous: number): number;

	// Cryptography

	hash(name: HashName, bytes: Uint8Array): Uint8Array<ArrayBuffer>;
	hashHex(name: HashName, bytes: Uint8Array): string;
	hmac(
		name: HashName,
		key: Uint8Array,
		bytes: Uint8Array,
	): Uint8Array<ArrayBuffer>;
	/** RFC 8018, 5.2; `length` in bytes. */
	pbkdf2(
		name: HashName,
		password: Uint8Array,
		salt: Uint8Array,
		iterations: number,
		length: number,
	): Uint8Array<ArrayBuffer>;
	/** In the same time for all bytes of the same length. */
	equalBytes(a: Uint8Array, b: Uint8Array): boolean;
	/** RFC 8032; the raw public key of 32 bytes. */
	verifyEd25519(
		publicKey: Uint8Array,
		signature: Uint8Array,
		bytes: Uint8Array,
	): boolean;
	/** RFC 8032; from the 32 bytes of the private key, its seed. */
	signEd25519(seed: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer>;
	publicKeyEd25519(seed: Uint8Array): Uint8Array<ArrayBuffer>;
	/** ES256: the public key is the uncompressed point of 65 bytes, the signature r ‖ s of 64 (RFC 7518, 3.4). */
	verifyP256(
		publicKey: Uint8Array,
		signature: Uint8Array,
		bytes: Uint8Array,
	): boolean;

	// TLS, as a client; a session knows no socket: bytes go in and come out

	/** Begins a session. `authorities`: PEM certificates that may sign the server's; throws where there is none that can be read. */
	openTls(options: {
		/** Is sent (SNI) and must stand in the server's certificate. */
		serverName: string;
		authorities: Uint8Array;
		/** PEM certificate chain and unencrypted private key of the client. */
		certificate?: Uint8Array;
		privateKey?: Uint8Array;
	}): TlsSession;
}

/** Made by `host.openTls`; freed by `close`, or when nobody holds it. */
interface TlsSession {
	/** Goes on with the handshake as far as the bytes at hand allow; true when it is done. Throws a sentence where the server is refused. */
	handshake(): boolean;
	/** Hands in bytes that came from the socket. */
	feed(encrypted: Uint8Array): void;
	/** Bytes to be sent over the socket since the last call, or undefined. */
	takeEncrypted(): Uint8Array<ArrayBuffer> | undefined;
	/** Encrypts all of the bytes. Only after the handshake. */
	write(plain: Uint8Array): void;
	/** Decrypts into `target`: bytes read, 0 where the server has ended properly, -1 where more is needed. Throws on a forged record. */
	read(target: Uint8Array): number;
	/** Says good-bye (close_notify), to be taken by `takeEncrypted`. */
	end(): void;
	close(): void;
	/** { protocol: "TLSv1.3", cipher: "…" } after the handshake. */
	readonly negotiated: { protocol: string; cipher: string } | undefined;
}
