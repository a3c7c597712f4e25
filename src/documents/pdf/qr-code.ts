/** QR codes as rectangles of dark modules. */
import { correction, generate, mode } from "lean-qr";

/** A code's modules. */
export interface QrCode {
	/** In a row and in a column. */
	readonly count: number;
	/** The dark ones: column, row, columns and rows of each rectangle, one after the other. */
	readonly rectangles: readonly number[];
}

/**
 * Every mask makes a readable code. Choosing the best of the eight by their
 * penalties, as ISO/IEC 18004 advises, takes 15 times as long as all the rest
 * of the code; this one, a mesh of diagonals, never gave an unreadable one.
 */
const QR_MASK = 3;

const NUMERIC = /^[0-9]*$/;
const ALPHANUMERIC = /^[0-9A-Z $%*+./:-]*$/;

const UTF8 = new TextEncoder();

/** In the shortest of the encodings that every reader knows: UTF-8 without saying so. */
function encode(text: string) {
	if (NUMERIC.test(text)) {
		return mode.numeric(text);
	}
	return ALPHANUMERIC.test(text)
		? mode.alphaNumeric(text)
		: mode.bytes(UTF8.encode(text));
}

/** Makes the code of a text, with error correction M (15 %). Throws where it is too long for any. */
export function makeQrCode(text: string): QrCode {
	const code = generate(encode(text), {
		minCorrectionLevel: correction.M,
		maxCorrectionLevel: correction.M,
		mask: QR_MASK,
	});
	const count = code.size;
	const rectangles: number[] = [];
	// Runs of dark modules by their first column, and the row in which each began:
	// what the next row repeats grows by it. Fewer rectangles have fewer seams and bytes.
	const widths = new Uint8Array(count);
	const tops = new Uint8Array(count);
	for (let row = 0; row <= count; row++) {
		let end = 0;
		for (let column = 0; column < count; column++) {
			let width = 0;
			if (column >= end) {
				end = column;
				// Outside of the code nothing is dark.
				while (code.get(end, row)) {
					end++;
				}
				width = end - column;
			}
			const above = widths[column] ?? 0;
			if (above !== width) {
				if (above > 0) {
					const top = tops[column] ?? 0;
					rectangles.push(column, top, above, row - top);
				}
				widths[column] = width;
				tops[column] = row;
			}
		}
	}
	return { count, rectangles };
}
