/** As much of the host as modules of src/wasmedge need that are tested on Node: to be imported before them. All tests share it. */
import {
	createHash,
	createHmac,
	createPublicKey,
	pbkdf2Sync,
	randomFillSync,
	timingSafeEqual,
	verify,
} from "node:crypto";
import { inflateSync } from "node:zlib";

const NodeDecoder = TextDecoder;
const encoder = new TextEncoder();

function bufferOf(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy whose buffer is its own. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	return new Uint8Array(bytes);
}

function jwkOf(kty: string, crv: string, ...coordinates: Uint8Array[]) {
	const [x, y] = coordinates.map((each) =>
		bufferOf(each).toString("base64url"),
	);
	return createPublicKey({
		key: { kty, crv, x, ...(y === undefined ? {} : { y }) },
		format: "jwk",
	});
}

export const NODE_HOST: Partial<Host> = {
	READABLE: 1,
	WRITABLE: 2,
	BROKEN: 4,

	monotonicNow: () => performance.now(),
	fillRandom: (bytes) => void randomFillSync(bytes),
	writeText: (stream, text) =>
		void (stream === 1 ? process.stdout : process.stderr).write(text),

	encodeUtf8: (text) => own(encoder.encode(text)),
	encodeUtf8Into: (text, target) => encoder.encodeInto(text, target),
	utf8Length: (text) => Buffer.byteLength(text),
	decodeUtf8: (bytes, fatal) =>
		new NodeDecoder("utf-8", { fatal, ignoreBOM: true }).decode(bytes),
	decodeLatin1: (bytes) => bufferOf(bytes).toString("latin1"),
	writeLatin1(target, offset, text) {
		target.set(Buffer.from(text, "latin1"), offset);
	},
	encodeBase64: (bytes) => bufferOf(bytes).toString("base64"),
	decodeBase64(text) {
		try {
			return Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
		} catch {
			return undefined;
		}
	},
	encodeHex: (bytes) => bufferOf(bytes).toString("hex"),
	findBytes: (bytes, pattern, start) => bufferOf(bytes).indexOf(pattern, start),

	inflate: (bytes) => own(inflateSync(bytes)),

	hash: (name, bytes) => own(createHash(name).update(bytes).digest()),
	hashHex: (name, bytes) => createHash(name).update(bytes).digest("hex"),
	hmac: (name, key, bytes) => own(createHmac(name, key).update(bytes).digest()),
	pbkdf2: (name, password, salt, iterations, length) =>
		own(pbkdf2Sync(password, salt, iterations, length, name)),
	equalBytes: (a, b) => timingSafeEqual(a, b),
	verifyEd25519: (key, signature, bytes) =>
		verify(null, bytes, jwkOf("OKP", "Ed25519", key), signature),
	verifyP256: (key, signature, bytes) =>
		verify(
			"sha256",
			bytes,
			{
				key: jwkOf("EC", "P-256", key.subarray(1, 33), key.subarray(33)),
				dsaEncoding: "ieee-p1363",
			},
			signature,
		),
};

Object.assign(globalThis, { host: NODE_HOST });
