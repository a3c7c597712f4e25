/** Reads QR codes in pictures. */
import jsqr from "jsqr";

// Bundlers differ in what they take for the default export of a CommonJS module.
const decode = (jsqr as unknown as { default?: typeof jsqr }).default ?? jsqr;

/** What the QR code in a picture of RGBA pixels says. */
export function readCode(
	pixels: Uint8ClampedArray,
	width: number,
	height: number,
): string | undefined {
	return decode(pixels, width, height)?.data;
}
