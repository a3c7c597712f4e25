/**
 * crypto.subtle of the Web Cryptography API, over the host: digests, HMAC, PBKDF2
 * as SCRAM has it, and checking signatures of ES256 and Ed25519.
 */
import {
	type Bytes,
	bytesOf,
	CryptoKey,
	checkedUsages,
	failure,
	type JsonWebKey,
	keyContent,
	unsupported,
} from "./crypto-key.ts";
import { importPublicKey } from "./public-key.ts";

type NamedAlgorithm = string | { readonly name: string };

/** What the algorithms here are told beside their names. */
interface AlgorithmOptions {
	readonly name: string;
	readonly hash?: NamedAlgorithm;
	readonly namedCurve?: string;
	readonly length?: number;
	readonly salt?: Bytes;
	readonly iterations?: number;
}

const HASHES: Readonly<Record<string, HashName>> = {
	"SHA-1": "sha1",
	"SHA-256": "sha256",
	"SHA-384": "sha384",
	"SHA-512": "sha512",
};

const BITS_PER_BYTE = 8;

/** r ‖ s (RFC 7518, 3.4) */
const ES256_SIGNATURE_LENGTH = 64;

/** RFC 8032, 5.1.6 */
const ED25519_SIGNATURE_LENGTH = 64;

export const subtle = {
	async digest(algorithm: NamedAlgorithm, data: Bytes): Promise<ArrayBuffer> {
		return host.hash(hashOf(algorithm), bytesOf(data)).buffer;
	},

	async importKey(
		format: string,
		data: Bytes | JsonWebKey,
		algorithm: string | AlgorithmOptions,
		extractable: boolean,
		usages: readonly string[],
	): Promise<CryptoKey> {
		const options = optionsOf(algorithm);
		switch (options.name.toUpperCase()) {
			case "HMAC":
				return importHmac(format, data, options, extractable, usages);
			case "PBKDF2":
				return importPassword(format, data, extractable, usages);
			case "ECDSA":
				if (options.namedCurve !== "P-256") {
					throw unsupported(`The curve ${options.namedCurve}`);
				}
				return importPublicKey("ECDSA", format, data, extractable, usages);
			case "ED25519":
				return importPublicKey("Ed25519", format, data, extractable, usages);
			default:
				throw unsupported(`The algorithm ${options.name}`);
		}
	},

	async sign(
		algorithm: NamedAlgorithm,
		key: CryptoKey,
		data: Bytes,
	): Promise<ArrayBuffer> {
		const { name } = optionsOf(algorithm);
		if (name.toUpperCase() !== "HMAC") {
			throw unsupported(`Signing by ${name}`);
		}
		return hmac(key, "sign", bytesOf(data)).buffer;
	},

	async verify(
		algorithm: string | AlgorithmOptions,
		key: CryptoKey,
		signature: Bytes,
		data: Bytes,
	): Promise<boolean> {
		const { name, hash } = optionsOf(algorithm);
		const given = bytesOf(signature);
		const message = bytesOf(data);
		switch (name.toUpperCase()) {
			case "HMAC": {
				const expected = hmac(key, "verify", message);
				return (
					expected.length === given.length && host.equalBytes(expected, given)
				);
			}
			case "ECDSA": {
				const { bytes } = usableKey(key, "ECDSA", "verify");
				if (hash === undefined || hashOf(hash) !== "sha256") {
					throw unsupported("ECDSA on P-256 with a hash other than SHA-256");
				}
				return (
					given.length === ES256_SIGNATURE_LENGTH &&
					host.verifyP256(bytes, given, message)
				);
			}
			case "ED25519": {
				const { bytes } = usableKey(key, "Ed25519", "verify");
				return (
					given.length === ED25519_SIGNATURE_LENGTH &&
					host.verifyEd25519(bytes, given, message)
				);
			}
			default:
				throw unsupported(`The algorithm ${name}`);
		}
	},

	async deriveBits(
		algorithm: string | AlgorithmOptions,
		key: CryptoKey,
		length: number,
	): Promise<ArrayBuffer> {
		const { name, hash, salt, iterations } = optionsOf(algorithm);
		if (name.toUpperCase() !== "PBKDF2") {
			throw unsupported(`Deriving bits by ${name}`);
		}
		const { bytes } = usableKey(key, "PBKDF2", "deriveBits");
		if (salt === undefined || hash === undefined) {
			throw new TypeError("PBKDF2 needs a salt and a hash.");
		}
		if (
			!Number.isInteger(length) ||
			length < 0 ||
			length % BITS_PER_BYTE !== 0 ||
			!Number.isInteger(iterations) ||
			(iterations as number) < 1
		) {
			throw failure(
				"OperationError",
				"PBKDF2 derives whole bytes, in at least one iteration.",
			);
		}
		if (length === 0) {
			return new ArrayBuffer(0);
		}
		return host.pbkdf2(
			hashOf(hash),
			bytes,
			bytesOf(salt),
			iterations as number,
			length / BITS_PER_BYTE,
		).buffer;
	},

	/** An HMAC key as raw bytes; other keys are not given out. */
	async exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer> {
		const { algorithm, bytes, extractable } = keyContent(key);
		if (!extractable) {
			throw failure("InvalidAccessError", "The key is not extractable.");
		}
		if (format !== "raw" || algorithm.name === "PBKDF2") {
			throw unsupported(`Exporting a key as ${format}`);
		}
		return new Uint8Array(bytes).buffer;
	},

	encrypt: async (): Promise<never> => refuse("Encrypting"),
	decrypt: async (): Promise<never> => refuse("Decrypting"),
	generateKey: async (): Promise<never> => refuse("Generating keys"),
	deriveKey: async (): Promise<never> => refuse("Deriving keys"),
	wrapKey: async (): Promise<never> => refuse("Wrapping keys"),
	unwrapKey: async (): Promise<never> => refuse("Unwrapping keys"),
};

function importHmac(
	format: string,
	data: Bytes | JsonWebKey,
	{ hash, length }: AlgorithmOptions,
	extractable: boolean,
	usages: readonly string[],
): CryptoKey {
	if (format !== "raw") {
		throw unsupported(`Importing an HMAC key as ${format}`);
	}
	if (hash === undefined) {
		throw new TypeError("An HMAC key needs a hash.");
	}
	const bytes = new Uint8Array(bytesOf(data as Bytes));
	const name = hashName(hash);
	const bits = bytes.length * BITS_PER_BYTE;
	if (bits === 0 || (length !== undefined && length !== bits)) {
		throw failure(
			"DataError",
			"An HMAC key has at least one byte, and as many bits as announced.",
		);
	}
	return new CryptoKey({
		type: "secret",
		algorithm: { name: "HMAC", hash: { name }, length: bits },
		extractable: Boolean(extractable),
		usages: checkedUsages(usages, ["sign", "verify"], true),
		bytes,
	});
}

function importPassword(
	format: string,
	data: Bytes | JsonWebKey,
	extractable: boolean,
	usages: readonly string[],
): CryptoKey {
	if (format !== "raw") {
		throw unsupported(`Importing a password as ${format}`);
	}
	if (extractable) {
		throw failure("SyntaxError", "A password cannot be extractable.");
	}
	return new CryptoKey({
		type: "secret",
		algorithm: { name: "PBKDF2" },
		extractable: false,
		usages: checkedUsages(usages, ["deriveBits", "deriveKey"], true),
		bytes: new Uint8Array(bytesOf(data as Bytes)),
	});
}

function hmac(
	key: CryptoKey,
	usage: string,
	message: Uint8Array,
): Uint8Array<ArrayBuffer> {
	const { algorithm, bytes } = usableKey(key, "HMAC", usage);
	const { hash } = algorithm as { hash: { name: string } };
	return host.hmac(hashOf(hash), bytes, message);
}

function usableKey(key: CryptoKey, algorithm: string, usage: string) {
	const content = keyContent(key);
	if (content.algorithm.name !== algorithm || !content.usages.includes(usage)) {
		throw failure(
			"InvalidAccessError",
			`The key is not one of ${algorithm} for "${usage}".`,
		);
	}
	return content;
}

function optionsOf(algorithm: string | AlgorithmOptions): AlgorithmOptions {
	return typeof algorithm === "string" ? { name: algorithm } : algorithm;
}

function hashName(hash: NamedAlgorithm): string {
	const name = (typeof hash === "string" ? hash : hash.name).toUpperCase();
	if (!Object.hasOwn(HASHES, name)) {
		throw unsupported(`The hash ${name}`);
	}
	return name;
}

function hashOf(hash: NamedAlgorithm): HashName {
	return HASHES[hashName(hash)] as HashName;
}

function refuse(what: string): never {
	throw unsupported(what);
}
