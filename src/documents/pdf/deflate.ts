/** The one deflate: the same compressed bytes on every runtime. */
import {
	Z_DEFAULT_STRATEGY,
	Z_FINISH,
	Z_OK,
	Z_STREAM_END,
	ZStream,
	zlibDeflate,
	zlibDeflateInit2,
	zlibDeflateReset,
} from "pako";

/**
 * How hard to try. Once: for what is compressed once per process and written
 * into every document. Each: for what every document has of its own.
 */
export type DeflateEffort = "once" | "each";

/** Compresses to the zlib format (RFC 1950). */
export type Deflate = (bytes: Uint8Array, effort: DeflateEffort) => Uint8Array;

/**
 * Arguments of zlib's deflateInit2, by measurement of one-page invoices: level
 * 1 takes 45 % of the time of level 6 and makes streams 18 % larger, 3 %
 * of a document; level 9 makes fonts no smaller than 6. The small window and
 * memory level cost a document nothing, and save clearing a large hash table
 * for every stream.
 */
export const DEFLATE_PARAMETERS = {
	level: { once: 6, each: 1 },
	windowBits: 14,
	memoryLevel: 6,
} as const;

const DEFLATED = 8;

/**
 * A deflate that gives plain zlib's output, written in JavaScript. A runtime
 * with plain zlib of its own may stand in with the same parameters. It keeps
 * its working memory, 150 kB for each effort, for the next call.
 */
export function createPortableDeflate(): Deflate {
	const compressors: Partial<Record<DeflateEffort, Compressor>> = {};
	return (bytes, effort) => {
		compressors[effort] ??= createCompressor(DEFLATE_PARAMETERS.level[effort]);
		return compressors[effort](bytes);
	};
}

type Compressor = (bytes: Uint8Array) => Uint8Array;

function createCompressor(level: number): Compressor {
	const stream = new ZStream();
	check(
		zlibDeflateInit2(
			stream,
			level,
			DEFLATED,
			DEFLATE_PARAMETERS.windowBits,
			DEFLATE_PARAMETERS.memoryLevel,
			Z_DEFAULT_STRATEGY,
			// The hash function of the original zlib; Node's patched fork has another.
			true,
		),
		Z_OK,
	);
	let output = new Uint8Array(OUTPUT_LENGTH_AT_FIRST);
	return (bytes) => {
		check(zlibDeflateReset(stream), Z_OK);
		const bound = lengthBound(bytes.length);
		if (output.length < bound) {
			output = new Uint8Array(bound);
		}
		stream.input = bytes;
		stream.next_in = 0;
		stream.avail_in = bytes.length;
		stream.output = output;
		stream.next_out = 0;
		stream.avail_out = output.length;
		check(zlibDeflate(stream, Z_FINISH), Z_STREAM_END);
		const result = output.slice(0, stream.next_out);
		if (output.length > OUTPUT_LENGTH_KEPT_MAX) {
			output = new Uint8Array(OUTPUT_LENGTH_AT_FIRST);
			stream.output = output;
		}
		stream.input = NOTHING;
		return result;
	};
}

const NOTHING = new Uint8Array(0);
const OUTPUT_LENGTH_AT_FIRST = 64 * 1024;
/** A large picture's output is given back to the garbage collector. */
const OUTPUT_LENGTH_KEPT_MAX = 1024 * 1024;

/** More than deflate ever makes of that many bytes (zlib's deflateBound for small memory levels). */
function lengthBound(length: number): number {
	return length + (length >> 3) + (length >> 6) + 64;
}

function check(status: number, expected: number): void {
	if (status !== expected) {
		throw new Error(
			`Compressing failed with zlib's status ${status} instead of ${expected}, which its parameters never lead to: the library has changed.`,
		);
	}
}
