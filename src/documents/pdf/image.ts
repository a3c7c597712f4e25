/** Pictures for a document: PNG (with transparency) and JPEG as PDF image objects. */
import { convertIndexedToRgb, type DecodedPng, decode } from "fast-png";
import type { Deflate } from "./deflate.ts";

/** A PDF image object, less its length. */
export interface ImageStream {
	/** Entries of the stream's dictionary. */
	readonly entries: string;
	readonly bytes: Uint8Array;
}

export interface Image extends ImageStream {
	/** How opaque each pixel is; undefined where all are. */
	readonly mask: ImageStream | undefined;
}

export interface ImageSize {
	/** In pixels. */
	readonly width: number;
	readonly height: number;
}

/** More than a logo can use: 40 × 40 cm at 300 dpi would be 22 million, a letterhead 18 × 4 cm is 1. */
const PIXELS_MAX = 4_000_000;

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_HEADER_LENGTH = 24;
const OPAQUE = 255;

/**
 * Reads the size of a picture without decoding it.
 * @throws {Error} where the bytes are neither PNG nor JPEG, or the picture is too large.
 */
export function readImageSize(bytes: Uint8Array): ImageSize {
	const { width, height } = isPng(bytes)
		? readPngHeader(bytes)
		: readJpegFrame(bytes);
	if (width === 0 || height === 0 || width * height > PIXELS_MAX) {
		throw new Error(
			`The picture is ${width} × ${height} pixels; it must have at least one and at most ${PIXELS_MAX}. Make it smaller.`,
		);
	}
	return { width, height };
}

/**
 * Makes PDF image objects of pictures. Each array of bytes is decoded once: a
 * firm's logo stands on all of its invoices.
 */
export function createImageReader(
	deflate: Deflate,
): (bytes: Uint8Array) => Image {
	const images = new WeakMap<Uint8Array, Image>();
	return (bytes) => {
		let image = images.get(bytes);
		if (image === undefined) {
			const size = readImageSize(bytes);
			image = isPng(bytes) ? readPng(bytes, deflate) : readJpeg(bytes, size);
			images.set(bytes, image);
		}
		return image;
	};
}

function isPng(bytes: Uint8Array): boolean {
	return (
		bytes.length > PNG_HEADER_LENGTH &&
		PNG_SIGNATURE.every((byte, at) => bytes[at] === byte)
	);
}

function readPngHeader(bytes: Uint8Array): ImageSize {
	const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	return { width: data.getUint32(16), height: data.getUint32(20) };
}

function imageEntries(
	{ width, height }: ImageSize,
	colorSpace: string,
): string {
	return `/Type/XObject/Subtype/Image/Width ${width}/Height ${height}/BitsPerComponent 8/ColorSpace/${colorSpace}`;
}

function readPng(bytes: Uint8Array, deflate: Deflate): Image {
	let png: DecodedPng;
	try {
		png = decode(bytes, { checkCrc: true });
	} catch (error) {
		throw new Error(
			`The PNG picture is damaged (${error instanceof Error ? error.message : error}). Save it again, or use another.`,
			{ cause: error },
		);
	}
	const { pixels, colors, alpha } = separateAlpha(png);
	return {
		entries: `${imageEntries(png, colors === 1 ? "DeviceGray" : "DeviceRGB")}/Filter/FlateDecode`,
		bytes: deflate(pixels, "once"),
		mask: alpha && {
			entries: `${imageEntries(png, "DeviceGray")}/Filter/FlateDecode`,
			bytes: deflate(alpha, "once"),
		},
	};
}

interface Pixels {
	/** One byte a sample. */
	pixels: Uint8Array;
	colors: 1 | 3;
	alpha: Uint8Array | undefined;
}

/** Brings every kind of PNG to 8 bits, with its transparency apart. */
function separateAlpha(png: DecodedPng): Pixels {
	const { samples, channels, depth } = unpack(png);
	const hasAlpha = channels === 2 || channels === 4;
	const colors = channels < 3 ? 1 : 3;
	const count = png.width * png.height;
	const pixels = new Uint8Array(count * colors);
	const alpha = new Uint8Array(count).fill(OPAQUE);
	const most = 2 ** depth - 1;
	const key = png.transparency;
	let isOpaque = true;
	for (let pixel = 0; pixel < count; pixel++) {
		let matches = key !== undefined;
		for (let color = 0; color < colors; color++) {
			const sample = samples[pixel * channels + color] ?? 0;
			pixels[pixel * colors + color] = Math.round((sample * 255) / most);
			matches &&= sample === key?.[color];
		}
		if (hasAlpha) {
			const sample = samples[pixel * channels + colors] ?? most;
			alpha[pixel] = Math.round((sample * 255) / most);
		} else if (matches) {
			alpha[pixel] = 0;
		}
		isOpaque &&= alpha[pixel] === OPAQUE;
	}
	return { pixels, colors, alpha: isOpaque ? undefined : alpha };
}

/** One array element a sample: palettes looked up, packed bits spread out. */
function unpack(png: DecodedPng): {
	samples: ArrayLike<number>;
	channels: number;
	depth: number;
} {
	if (png.palette) {
		return {
			samples: convertIndexedToRgb(png),
			channels: png.palette[0]?.length ?? 3,
			depth: 8,
		};
	}
	if (png.depth >= 8) {
		return { samples: png.data, channels: png.channels, depth: png.depth };
	}
	const samples = new Uint8Array(png.width * png.height);
	const rowLength = Math.ceil((png.width * png.depth) / 8);
	for (let row = 0; row < png.height; row++) {
		for (let column = 0; column < png.width; column++) {
			const bit = column * png.depth;
			const byte = png.data[row * rowLength + (bit >> 3)] ?? 0;
			samples[row * png.width + column] =
				(byte >> (8 - png.depth - (bit & 7))) & (2 ** png.depth - 1);
		}
	}
	return { samples, channels: 1, depth: png.depth };
}

interface JpegFrame extends ImageSize {
	components: number;
}

function readJpeg(bytes: Uint8Array, size: ImageSize): Image {
	const { components } = readJpegFrame(bytes);
	if (components !== 1 && components !== 3) {
		throw new Error(
			`The JPEG picture has ${components} colour components (CMYK), which PDF/A does not allow beside sRGB. Save it as RGB.`,
		);
	}
	return {
		entries: `${imageEntries(size, components === 1 ? "DeviceGray" : "DeviceRGB")}/Filter/DCTDecode`,
		bytes,
		mask: undefined,
	};
}

/** Start-of-frame markers (ITU-T T.81, table B.1): those of Huffman-coded baseline and progressive pictures, which PDF readers decode. */
const FRAME_MARKERS: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
const START_OF_SCAN = 0xda;

function readJpegFrame(bytes: Uint8Array): JpegFrame {
	const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	let at = 2;
	const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
	while (isJpeg && at + 9 < bytes.length && bytes[at] === 0xff) {
		const marker = bytes[at + 1] ?? 0;
		if (FRAME_MARKERS.has(marker) && bytes[at + 4] === 8) {
			return {
				height: data.getUint16(at + 5),
				width: data.getUint16(at + 7),
				components: data.getUint8(at + 9),
			};
		}
		if (marker === START_OF_SCAN) {
			break;
		}
		// A marker may be preceded by any number of fill bytes 0xff.
		at += marker === 0xff ? 1 : 2 + data.getUint16(at + 2);
	}
	throw new Error(
		"The picture is neither a PNG nor a JPEG of 8 bits a colour, or it is damaged. Save it as PNG.",
	);
}
