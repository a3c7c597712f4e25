/** Latin-1 by the host. */

/** Writes `text`, none of whose characters is above U+00FF, into `target` from `offset` on. */
export function writeLatin1(
	target: Uint8Array,
	offset: number,
	text: string,
): void {
	host.writeLatin1(target, offset, text);
}
