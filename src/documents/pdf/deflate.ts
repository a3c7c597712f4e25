/** The one deflate: the same compressed bytes on every runtime. */
import { deflate } from "pako";

/** Compresses to the zlib format (RFC 1950). */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/**
 * Plain zlib's output in JavaScript. `legacyHash` selects the hash function of
 * the original zlib; without it pako follows Node's patched fork. A runtime
 * with plain zlib of its own may stand in with the same settings.
 */
export function portableDeflate(bytes: Uint8Array): Uint8Array {
	return deflate(bytes, { level: DEFLATE_LEVEL, legacyHash: true });
}

export const DEFLATE_LEVEL = 6;
