/** The same documents in the browser as in Node. */
import { strict as assert } from "node:assert";
import {
	createTestWriter,
	readPictures,
	sampleDigests,
} from "../documents/writer-samples.ts";
import { readAsset } from "./asset.ts";

describe("In the browser, the PDF writer", () => {
	it("gives the bytes that it gives in Node", async () => {
		const writer = await createTestWriter(readAsset);
		const pictures = await readPictures(readAsset);
		const golden = new TextDecoder().decode(
			await readAsset("test/golden/writer/digests.txt"),
		);
		assert.equal(sampleDigests(writer, pictures), golden);
	});

	it("needs nothing of Node's", () => {
		assert.equal("document" in globalThis, true);
		assert.equal("Buffer" in globalThis, false);
	});
});
