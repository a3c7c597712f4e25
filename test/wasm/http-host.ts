/** The part of the WasmEdge host that the HTTP modules need, on Node: to be imported before them. */

const found = (bytes: Uint8Array, pattern: Uint8Array, start: number) =>
	Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(
		pattern,
		start,
	);

Object.assign(globalThis, {
	host: {
		READABLE: 1,
		WRITABLE: 2,
		BROKEN: 4,
		findBytes: found,
		decodeLatin1: (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1"),
		writeLatin1(target: Uint8Array, offset: number, text: string) {
			target.set(Buffer.from(text, "latin1"), offset);
		},
		encodeUtf8: (text: string) => new Uint8Array(Buffer.from(text)),
	},
});
