/** Reading public keys on P-256 and Ed25519: raw, as JWK (RFC 7517) or as SubjectPublicKeyInfo (RFC 5480, 8410). */
import {
	type Bytes,
	bytesOf,
	CryptoKey,
	checkedUsages,
	failure,
	type JsonWebKey,
	unsupported,
} from "./crypto-key.ts";

type PublicKeyAlgorithm = "ECDSA" | "Ed25519";

interface Kind {
	kty: string;
	crv: string;
	/** DER of everything before the key's own bytes; there is only one way to write it. */
	spkiStart: Uint8Array;
	/** Bytes of a coordinate. */
	length: number;
}

const KINDS: Readonly<Record<PublicKeyAlgorithm, Kind>> = {
	ECDSA: {
		kty: "EC",
		crv: "P-256",
		// SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING of 66 bytes }
		spkiStart: bytesOfHex(
			"3059301306072a8648ce3d020106082a8648ce3d030107034200",
		),
		length: 32,
	},
	Ed25519: {
		kty: "OKP",
		crv: "Ed25519",
		// SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING of 33 bytes }
		spkiStart: bytesOfHex("302a300506032b6570032100"),
		length: 32,
	},
};

/** Begins a point that is written with both coordinates (SEC 1, 2.3.3). */
const UNCOMPRESSED = 0x04;

/** Throws a DataError where it is no such key, a NotSupportedError on a private one. */
export function importPublicKey(
	algorithm: PublicKeyAlgorithm,
	format: string,
	data: Bytes | JsonWebKey,
	extractable: boolean,
	usages: readonly string[],
): CryptoKey {
	const checked = checkedUsages(usages, ["verify"], false);
	const bytes = publicKeyBytes(algorithm, format, data, checked, extractable);
	return new CryptoKey({
		type: "public",
		algorithm:
			algorithm === "ECDSA"
				? { name: "ECDSA", namedCurve: "P-256" }
				: { name: "Ed25519" },
		extractable: Boolean(extractable),
		usages: checked,
		bytes,
	});
}

function publicKeyBytes(
	algorithm: PublicKeyAlgorithm,
	format: string,
	data: Bytes | JsonWebKey,
	usages: readonly string[],
	extractable: boolean,
): Uint8Array {
	const kind = KINDS[algorithm];
	switch (format) {
		case "raw":
			return checkedKey(algorithm, new Uint8Array(bytesOf(data as Bytes)));
		case "spki": {
			const der = bytesOf(data as Bytes);
			const start = der.subarray(0, kind.spkiStart.length);
			if (!isEqual(start, kind.spkiStart)) {
				throw faulty(`It is no public key on ${kind.crv}.`);
			}
			return checkedKey(algorithm, der.slice(kind.spkiStart.length));
		}
		case "jwk":
			return checkedKey(
				algorithm,
				bytesOfJwk(algorithm, data as JsonWebKey, usages, extractable),
			);
		default:
			throw unsupported(`Importing a key as ${format}`);
	}
}

function bytesOfJwk(
	algorithm: PublicKeyAlgorithm,
	jwk: JsonWebKey,
	usages: readonly string[],
	extractable: boolean,
): Uint8Array {
	const { kty, crv, length } = KINDS[algorithm];
	if (jwk.kty !== kty || jwk.crv !== crv) {
		throw faulty(`The JWK is no key on ${crv}.`);
	}
	if (jwk.d !== undefined) {
		throw unsupported("A private key");
	}
	if (
		(jwk.use !== undefined && usages.length > 0 && jwk.use !== "sig") ||
		(jwk.key_ops !== undefined &&
			usages.some((each) => !jwk.key_ops?.includes(each))) ||
		(jwk.ext === false && extractable)
	) {
		throw faulty("The JWK is not for this use.");
	}
	const x = coordinate(jwk.x, length);
	if (algorithm === "Ed25519") {
		return x;
	}
	const point = new Uint8Array(1 + 2 * length);
	point[0] = UNCOMPRESSED;
	point.set(x, 1);
	point.set(coordinate(jwk.y, length), 1 + length);
	return point;
}

function coordinate(text: string | undefined, length: number): Uint8Array {
	const isBase64Url = typeof text === "string" && /^[\w-]+$/.test(text);
	const bytes = isBase64Url
		? host.decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/"))
		: undefined;
	if (bytes?.length !== length) {
		throw faulty(`A coordinate has ${length} bytes in base64url.`);
	}
	return bytes;
}

function checkedKey(
	algorithm: PublicKeyAlgorithm,
	bytes: Uint8Array,
): Uint8Array {
	const { length, crv } = KINDS[algorithm];
	if (algorithm === "Ed25519") {
		if (bytes.length !== length) {
			throw faulty(`A public key on ${crv} has ${length} bytes.`);
		}
	} else if (!isOnP256(bytes, length)) {
		throw faulty(
			"It is no uncompressed point on P-256; compressed ones are not supported.",
		);
	}
	return bytes;
}

// FIPS 186-5 and SP 800-186, 3.2.1.3: y² = x³ − 3x + b over the field of p
const P256_P =
	0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const P256_B =
	0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

function isOnP256(point: Uint8Array, length: number): boolean {
	if (point.length !== 1 + 2 * length || point[0] !== UNCOMPRESSED) {
		return false;
	}
	const x = integerOf(point.subarray(1, 1 + length));
	const y = integerOf(point.subarray(1 + length));
	return (
		x < P256_P &&
		y < P256_P &&
		(y * y - (x * x * x - 3n * x + P256_B)) % P256_P === 0n
	);
}

function integerOf(bytes: Uint8Array): bigint {
	return BigInt(`0x${host.encodeHex(bytes)}`);
}

function bytesOfHex(hex: string): Uint8Array {
	return Uint8Array.from(hex.match(/../g) ?? [], (pair) =>
		Number.parseInt(pair, 16),
	);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function faulty(sentence: string): DOMException {
	return failure("DataError", sentence);
}
