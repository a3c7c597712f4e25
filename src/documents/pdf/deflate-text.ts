/** Compresses PDF's own text: every character is a byte, and none is above U+00FF. */
import { writeLatin1 } from "#latin1";
import type { Deflate, DeflateEffort } from "./deflate.ts";

const SCRATCH_LENGTH_AT_FIRST = 64 * 1024;
/** A long document's scratch is given back to the garbage collector. */
const SCRATCH_LENGTH_KEPT_MAX = 1024 * 1024;

let scratch = new Uint8Array(SCRATCH_LENGTH_AT_FIRST);

/** Compresses text; its bytes are needed no longer than that, so all share one place. */
export function deflateText(
	text: string,
	deflate: Deflate,
	effort: DeflateEffort,
): Uint8Array {
	if (scratch.length < text.length) {
		scratch = new Uint8Array(text.length);
	}
	writeLatin1(scratch, 0, text);
	const compressed = deflate(scratch.subarray(0, text.length), effort);
	if (scratch.length > SCRATCH_LENGTH_KEPT_MAX) {
		scratch = new Uint8Array(SCRATCH_LENGTH_AT_FIRST);
	}
	return compressed;
}
