/**
 * `@mongodb-js/saslprep`: passwords as SCRAM wants them (RFC 4013).
 *
 * Almost every password is plain ASCII, which SASLprep leaves as it is, or
 * refuses for a control character. Only for others the package's table of code
 * points is unpacked: doing so at each start took longer than all else.
 */
import prepare from "saslprep:prepare";
import { CODE_POINTS_GZIP } from "./saslprep-code-points.ts";

const ASCII = /^[\0-\x7f]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 3454, table C.2.1
const ASCII_CONTROL = /[\0-\x1f\x7f]/;

/** The unpacked table has 420 kB. */
const CODE_POINTS_BYTES_MAX = 1_000_000;

interface CodePointSet {
	get(codePoint: number): boolean;
}

let codePoints: Record<string, CodePointSet> | undefined;

/** Throws where a character is prohibited, or unassigned in Unicode 3.2. */
export function saslprep(
	text: string,
	options?: { allowUnassigned?: boolean },
): string {
	if (typeof text !== "string") {
		throw new TypeError("Expected string.");
	}
	if (ASCII.test(text)) {
		if (ASCII_CONTROL.test(text)) {
			throw new Error(
				"Prohibited character, see https://tools.ietf.org/html/rfc4013#section-2.3",
			);
		}
		return text;
	}
	codePoints ??= unpackCodePoints();
	return prepare(codePoints, text, options);
}

/** The package's own format: sets one after the other, each its length in bytes and a bit for every code point. */
function unpackCodePoints(): Record<string, CodePointSet> {
	const packed = host.decodeBase64(CODE_POINTS_GZIP);
	if (packed === undefined) {
		throw new Error("The table of code points of SASLprep is damaged.");
	}
	const bytes = host.inflate(packed, "gzip", CODE_POINTS_BYTES_MAX);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	let offset = 0;
	const nextSet = (): CodePointSet => {
		const length = view.getUint32(offset);
		const bits = bytes.subarray(offset + 4, offset + 4 + length);
		offset += 4 + length;
		return {
			get: (codePoint) =>
				((bits[codePoint >> 3] ?? 0) & (128 >> (codePoint & 7))) !== 0,
		};
	};
	return {
		unassigned_code_points: nextSet(),
		commonly_mapped_to_nothing: nextSet(),
		non_ASCII_space_characters: nextSet(),
		prohibited_characters: nextSet(),
		bidirectional_r_al: nextSet(),
		bidirectional_l: nextSet(),
	};
}
