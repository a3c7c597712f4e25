/** crypto of the Web Cryptography API, over the host. */
import { failure } from "./crypto-key.ts";
import { subtle } from "./subtle-crypto.ts";

type IntegerArray =
	| Int8Array
	| Uint8Array
	| Uint8ClampedArray
	| Int16Array
	| Uint16Array
	| Int32Array
	| Uint32Array
	| BigInt64Array
	| BigUint64Array;

/** Web Cryptography API, 10.1.1 */
const RANDOM_BYTES_MAX = 65_536;

export const crypto = {
	subtle,

	/** Fills the array from the system's generator. Throws a TypeMismatchError or a QuotaExceededError. */
	getRandomValues<Values extends IntegerArray>(values: Values): Values {
		if (
			!ArrayBuffer.isView(values) ||
			!/^(?:Big)?(?:Ui|I)nt\d+(?:Clamped)?Array$/.test(
				values[Symbol.toStringTag],
			)
		) {
			throw failure(
				"TypeMismatchError",
				"Random values are filled into an array of integers.",
			);
		}
		const { buffer, byteOffset, byteLength } = values;
		if (byteLength > RANDOM_BYTES_MAX) {
			throw failure(
				"QuotaExceededError",
				`At most ${RANDOM_BYTES_MAX} bytes are filled at once.`,
			);
		}
		host.fillRandom(new Uint8Array(buffer, byteOffset, byteLength));
		return values;
	},

	/** RFC 9562, 5.4 */
	randomUUID(): string {
		const bytes = nextRandomBytes();
		bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
		bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
		const hex = host.encodeHex(bytes);
		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
	},
};

const UUID_BYTES = 16;

/** Random bytes for the next UUIDs, fetched many at a time: a call of the system costs more than all the rest. Each byte is used once. */
const pool = new Uint8Array(128 * UUID_BYTES);
let used = pool.length;

function nextRandomBytes(): Uint8Array {
	if (used === pool.length) {
		host.fillRandom(pool);
		used = 0;
	}
	used += UUID_BYTES;
	return pool.subarray(used - UUID_BYTES, used);
}
