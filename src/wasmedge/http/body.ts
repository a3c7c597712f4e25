/**
 * Takes the body of a request out of the bytes of its connection (RFC 9112, 6 and 7).
 * Bytes in, bytes of the body or a refusal out; what does not belong to it stays.
 */
import { FIELDS_MAX, type Framing } from "./parser.ts";
import { RequestRefused } from "./refusal.ts";

/** Longest line before a chunk: its size and what extends it. */
const CHUNK_LINE_BYTES_MAX = 256;

/**
 * What sizes, extensions, line ends and trailers may take beyond as many bytes as
 * the body has: a body of a million chunks, or one that is all extensions, costs
 * more to read than it is worth.
 */
const FRAMING_BYTES_MAX = 16 * 1024;

/** RFC 9112, 7.1: the size in at most 8 hexadecimal digits, so below 4 GiB, and extensions, which are ignored. */
const CHUNK_LINE =
	/^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t \x21\x23-\x5b\x5d-\x7e]*"))?)*$/;

const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

const CR = 0x0d;
const LF = 0x0a;
const LINE_END = new Uint8Array([CR, LF]);

const NOTHING = new Uint8Array(0);

/** Reads one body, piece by piece. */
export interface BodyDecoder {
	/** Whether all of the body was read. */
	isDone: boolean;
	/**
	 * Reads from `start` on as far as it can. `body` is a copy; bytes from `end` on
	 * were not taken and are to be given again with those that follow them. Throws
	 * RequestRefused where the body is malformed.
	 */
	decode(
		bytes: Uint8Array,
		start: number,
	): { body: Uint8Array<ArrayBuffer>; end: number };
}

export function createBodyDecoder(framing: Framing): BodyDecoder {
	return framing === "chunked" ? chunkedDecoder() : lengthDecoder(framing);
}

function lengthDecoder(length: number): BodyDecoder {
	let missing = length;
	const decoder: BodyDecoder = {
		isDone: length === 0,
		decode(bytes, start) {
			const end = Math.min(bytes.length, start + missing);
			missing -= end - start;
			decoder.isDone = missing === 0;
			return { body: bytes.slice(start, end), end };
		},
	};
	return decoder;
}

type Expected = "size" | "data" | "end of data" | "trailer";

function chunkedDecoder(): BodyDecoder {
	let expected: Expected = "size";
	/** Of this chunk, still to come */
	let missing = 0;
	let trailers = 0;
	let framingBytes = 0;
	let bodyBytes = 0;

	/** Where the line that begins at `at` ends; undefined where its end has not come. */
	const lineEnd = (bytes: Uint8Array, at: number, bytesMax: number) => {
		const end = host.findBytes(bytes, LINE_END, at);
		if ((end < 0 ? bytes.length : end) - at > bytesMax) {
			throw malformed("A line between its chunks is too long");
		}
		return end < 0 ? undefined : end;
	};
	const count = (length: number) => {
		framingBytes += length;
		if (framingBytes > FRAMING_BYTES_MAX + bodyBytes) {
			throw malformed(
				"It has more bytes between its chunks than in them; send larger ones",
			);
		}
	};

	const decoder: BodyDecoder = {
		isDone: false,
		decode(bytes, start) {
			const body = new Uint8Array(bytes.length - start);
			let length = 0;
			let at = start;
			reading: while (!decoder.isDone && at < bytes.length) {
				switch (expected) {
					case "size": {
						const end = lineEnd(bytes, at, CHUNK_LINE_BYTES_MAX);
						if (end === undefined) {
							break reading;
						}
						missing = chunkSize(host.decodeLatin1(bytes.subarray(at, end)));
						count(end + 4 - at);
						expected = missing === 0 ? "trailer" : "data";
						at = end + 2;
						break;
					}
					case "data": {
						const end = Math.min(bytes.length, at + missing);
						body.set(bytes.subarray(at, end), length);
						length += end - at;
						bodyBytes += end - at;
						missing -= end - at;
						at = end;
						if (missing === 0) {
							expected = "end of data";
						}
						break;
					}
					case "end of data":
						if (
							bytes[at] !== CR ||
							(at + 1 < bytes.length && bytes[at + 1] !== LF)
						) {
							throw malformed("A chunk is longer than its size says");
						}
						if (at + 1 === bytes.length) {
							break reading;
						}
						at += 2;
						expected = "size";
						break;
					case "trailer": {
						const end = lineEnd(bytes, at, FRAMING_BYTES_MAX);
						if (end === undefined) {
							break reading;
						}
						if (end === at) {
							decoder.isDone = true;
						} else {
							checkTrailer(host.decodeLatin1(bytes.subarray(at, end)));
							trailers += 1;
							count(end + 2 - at);
							if (trailers > FIELDS_MAX) {
								throw malformed(
									`It has more than ${FIELDS_MAX} trailer fields`,
								);
							}
						}
						at = end + 2;
						break;
					}
				}
			}
			return {
				body: length === 0 ? NOTHING : body.subarray(0, length),
				end: at,
			};
		},
	};
	return decoder;
}

function chunkSize(line: string): number {
	const match = CHUNK_LINE.exec(line);
	if (match === null) {
		throw malformed(
			"The line before a chunk must be its size in at most 8 hexadecimal digits",
		);
	}
	return Number.parseInt(match[1] as string, 16);
}

/** Trailers mean nothing to us; they are dropped, never merged into the header. */
function checkTrailer(line: string): void {
	if (!TRAILER_LINE.test(line)) {
		throw malformed("A line behind its chunks is no trailer field");
	}
}

function malformed(fault: string): RequestRefused {
	return new RequestRefused(400, `The chunked body is malformed. ${fault}.`);
}
