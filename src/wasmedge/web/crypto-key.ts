/** CryptoKey of the Web Cryptography API, and what its operations on keys share. */

export type Bytes = ArrayBuffer | ArrayBufferView;

export interface JsonWebKey {
	readonly kty?: string;
	readonly crv?: string;
	readonly x?: string;
	readonly y?: string;
	readonly d?: string;
	readonly k?: string;
	readonly use?: string;
	readonly key_ops?: readonly string[];
	readonly ext?: boolean;
	readonly alg?: string;
}

export type KeyAlgorithm =
	| { name: "HMAC"; hash: { name: string }; length: number }
	| { name: "PBKDF2" }
	| { name: "ECDSA"; namedCurve: "P-256" }
	| { name: "Ed25519" };

export interface KeyContent {
	type: "secret" | "public";
	algorithm: KeyAlgorithm;
	extractable: boolean;
	usages: readonly string[];
	/** HMAC, PBKDF2: the secret; ECDSA: the uncompressed point; Ed25519: the public key. */
	bytes: Uint8Array;
}

let contentIn: (key: CryptoKey) => KeyContent;

export class CryptoKey {
	#content: KeyContent;

	/** For importKey alone. */
	constructor(content: KeyContent) {
		this.#content = content;
	}

	get type(): KeyContent["type"] {
		return this.#content.type;
	}

	get extractable(): boolean {
		return this.#content.extractable;
	}

	get algorithm(): KeyAlgorithm {
		return this.#content.algorithm;
	}

	get usages(): readonly string[] {
		return this.#content.usages;
	}

	get [Symbol.toStringTag](): string {
		return "CryptoKey";
	}

	static {
		contentIn = (key) => key.#content;
	}
}

/** What a key holds; no program can come by it in another way. Throws a TypeError where it is no CryptoKey. */
export function keyContent(key: CryptoKey): KeyContent {
	return contentIn(key);
}

/** The usages without repetition. Throws a SyntaxError where the key has no such use, or none at all but needs one. */
export function checkedUsages(
	usages: readonly string[],
	possible: readonly string[],
	isNeeded: boolean,
): readonly string[] {
	if (usages.some((each) => !possible.includes(each))) {
		throw failure(
			"SyntaxError",
			`The key is for ${possible.join(" and ")} only.`,
		);
	}
	if (isNeeded && usages.length === 0) {
		throw failure("SyntaxError", "A secret key needs at least one usage.");
	}
	return possible.filter((each) => usages.includes(each));
}

/** A view of the bytes. Throws a TypeError where there are none. */
export function bytesOf(data: Bytes): Uint8Array {
	if (data instanceof Uint8Array) {
		return data;
	}
	if (data instanceof ArrayBuffer) {
		return new Uint8Array(data);
	}
	if (ArrayBuffer.isView(data)) {
		return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	}
	throw new TypeError("Expected an ArrayBuffer or a view of one.");
}

export function unsupported(what: string): DOMException {
	return failure(
		"NotSupportedError",
		`${what} is not supported inside WasmEdge: it has SHA-1 and SHA-2, HMAC, PBKDF2, and checks signatures of ES256 and Ed25519.`,
	);
}

export function failure(name: string, message: string): DOMException {
	return new DOMException(message, name);
}
