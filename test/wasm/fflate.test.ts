import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import "./node-host.ts";
import {
	Unzlib,
	unzlibSync,
	zlibSync,
} from "../../src/wasmedge/node/fflate.ts";

describe("fflate inside WasmEdge", () => {
	it("inflates a stream whatever pieces it comes in, and however often its buffer is used again", () => {
		const content = fc.uint8Array({ maxLength: 2000 });
		fc.assert(
			fc.property(content, fc.integer({ min: 1, max: 300 }), (bytes, size) => {
				const deflated = new Uint8Array(deflateSync(bytes));
				const received: [Uint8Array, boolean][] = [];
				const stream = new Unzlib((chunk, isLast) => {
					received.push([chunk, isLast]);
				});
				const piece = new Uint8Array(size);
				for (let at = 0; at < deflated.length; at += size) {
					const part = deflated.subarray(at, at + size);
					piece.set(part);
					stream.push(piece.subarray(0, part.length));
				}
				assert.deepEqual(received, []);
				stream.push(new Uint8Array(0), true);
				assert.deepEqual(received, [[bytes, true]]);
				assert.deepEqual(unzlibSync(deflated), bytes);
			}),
		);
	});

	it("refuses damaged data, and to compress", () => {
		const stream = new Unzlib(() => {});
		stream.push(new Uint8Array([1, 2, 3]));
		assert.throws(() => stream.push(new Uint8Array(0), true));
		assert.throws(() => zlibSync(), /Compressing by fflate is not there/);
	});
});
