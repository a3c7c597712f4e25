/** Latin-1 where the runtime writes none itself: in browsers. */

/** Writes `text`, none of whose characters is above U+00FF, into `target` from `offset` on. */
export function writeLatin1(
	target: Uint8Array,
	offset: number,
	text: string,
): void {
	for (let at = 0; at < text.length; at++) {
		target[offset + at] = text.charCodeAt(at);
	}
}
