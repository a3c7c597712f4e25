/** What our libraries want of fflate, by the host's zlib: pictures are inflated natively, and no tables are made at every start. */

/** Of a PNG picture, inflated: 4 million pixels of four samples of two bytes, with room to spare. */
const INFLATED_LENGTH_MAX = 64 * 1024 * 1024;

type Receiver = (chunk: Uint8Array, isLast: boolean) => void;

/** A zlib stream that is inflated when its last piece has come. */
export class Unzlib {
	readonly #pieces: Uint8Array[] = [];
	readonly #receive: Receiver;

	constructor(receive: Receiver) {
		this.#receive = receive;
	}

	push(piece: Uint8Array, isLast = false): void {
		if (piece.length > 0) {
			this.#pieces.push(piece.slice());
		}
		if (isLast) {
			this.#receive(unzlibSync(joined(this.#pieces)), true);
		}
	}
}

/** Inflates the zlib format (RFC 1950). Throws where the data are damaged. */
export function unzlibSync(bytes: Uint8Array): Uint8Array {
	return host.inflate(bytes, "zlib", INFLATED_LENGTH_MAX);
}

/** For writing PNG pictures and compressing by pdfkit, which no document of ours does. */
export function zlibSync(): never {
	throw new Error(
		"Compressing by fflate is not there inside WasmEdge: documents are compressed by nativeDeflate.",
	);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
	let length = 0;
	for (const piece of pieces) {
		length += piece.length;
	}
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const piece of pieces) {
		bytes.set(piece, at);
		at += piece.length;
	}
	return bytes;
}
