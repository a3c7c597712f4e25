/** Pictures that come as data URIs. */

const ALPHABET =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const SEXTETS = new Uint8Array(128);
for (let index = 0; index < ALPHABET.length; index++) {
	SEXTETS[ALPHABET.charCodeAt(index)] = index;
}

/** Decoded pictures: a firm's logo stands on all of its invoices. At most about 36 kB each. */
const DECODED_MAX = 32;

const decoded = new Map<string, Uint8Array>();

/**
 * The bytes of a base64 data URI; the same array for the same URI, so that it
 * may be known again. Throws where the text is none.
 */
export function decodeDataUri(uri: string): Uint8Array {
	const known = decoded.get(uri);
	if (known !== undefined) {
		return known;
	}
	const comma = uri.indexOf(",");
	const base64 = uri.slice(comma + 1).replace(/=+$/, "");
	if (!uri.startsWith("data:") || !/^[A-Za-z0-9+/]+$/.test(base64)) {
		throw new Error(
			`A picture must be a data URI with base64 data, such as "data:image/png;base64,…", not “${uri.slice(0, 40)}”.`,
		);
	}
	const bytes = new Uint8Array(Math.floor((base64.length * 3) / 4));
	let bits = 0;
	let collected = 0;
	let length = 0;
	for (let index = 0; index < base64.length; index++) {
		collected = (collected << 6) | (SEXTETS[base64.charCodeAt(index)] ?? 0);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[length++] = (collected >> bits) & 0xff;
		}
	}
	if (decoded.size >= DECODED_MAX) {
		decoded.clear();
	}
	decoded.set(uri, bytes);
	return bytes;
}
