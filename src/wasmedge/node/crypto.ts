/** `crypto`: hashes and random bytes, by the host. The driver wants it for SCRAM-SHA-1's MD5; the rest it does by the global crypto. */

const HASHES: ReadonlySet<string> = new Set<HashName>([
	"md5",
	"sha1",
	"sha256",
	"sha384",
	"sha512",
]);

type Content = Uint8Array | string;
type Encoding = "hex" | "base64" | "base64url";

interface Digest {
	update(content: Content): this;
	digest(): Uint8Array<ArrayBuffer>;
	digest(encoding: Encoding): string;
}

/** Throws a RangeError for a hash that the host has not. */
export function createHash(name: string): Digest {
	const hash = hashNamed(name);
	return digestOf((bytes) => host.hash(hash, bytes));
}

export function createHmac(name: string, key: Content): Digest {
	const hash = hashNamed(name);
	const keyBytes = bytesOf(key);
	return digestOf((bytes) => host.hmac(hash, keyBytes, bytes));
}

export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(count);
	host.fillRandom(bytes);
	return bytes;
}

export function timingSafeEqual(one: Uint8Array, other: Uint8Array): boolean {
	if (one.length !== other.length) {
		throw new RangeError(
			`Only bytes of the same length are compared; there are ${one.length} and ${other.length}.`,
		);
	}
	return host.equalBytes(one, other);
}

export function pbkdf2Sync(
	password: Content,
	salt: Content,
	iterations: number,
	length: number,
	name: string,
): Uint8Array<ArrayBuffer> {
	return host.pbkdf2(
		hashNamed(name),
		bytesOf(password),
		bytesOf(salt),
		iterations,
		length,
	);
}

/** 0: not in the mode that U.S. authorities ask for. */
export function getFips(): 0 {
	return 0;
}

/** Collects the parts: the host hashes all at once. */
function digestOf(
	finish: (bytes: Uint8Array) => Uint8Array<ArrayBuffer>,
): Digest {
	const parts: Uint8Array[] = [];
	function digest(): Uint8Array<ArrayBuffer>;
	function digest(encoding: Encoding): string;
	function digest(encoding?: Encoding) {
		const result = finish(joined(parts));
		return encoding === undefined ? result : textOf(result, encoding);
	}
	return {
		update(content) {
			parts.push(bytesOf(content));
			return this;
		},
		digest,
	};
}

function textOf(bytes: Uint8Array, encoding: Encoding): string {
	switch (encoding) {
		case "hex":
			return host.encodeHex(bytes);
		case "base64":
			return host.encodeBase64(bytes);
		case "base64url":
			return host
				.encodeBase64(bytes)
				.replaceAll("+", "-")
				.replaceAll("/", "_")
				.replace(/=+$/, "");
	}
	throw new RangeError(
		`A digest is given as bytes, hex, base64 or base64url; ${encoding} was asked for.`,
	);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
	const [only] = parts;
	if (only !== undefined && parts.length === 1) {
		return only;
	}
	const whole = new Uint8Array(
		parts.reduce((sum, { length }) => sum + length, 0),
	);
	let offset = 0;
	for (const part of parts) {
		whole.set(part, offset);
		offset += part.length;
	}
	return whole;
}

function bytesOf(content: Content): Uint8Array {
	return typeof content === "string" ? host.encodeUtf8(content) : content;
}

function hashNamed(name: string): HashName {
	const plain = name.toLowerCase().replace("-", "");
	if (!HASHES.has(plain)) {
		throw new RangeError(
			`There is no hash ${name} here; there are ${[...HASHES].join(", ")}.`,
		);
	}
	return plain as HashName;
}
