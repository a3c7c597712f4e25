/** The golden invoices as documents: their bytes by digest, and the text that a reader gets. */
import { execFileSync } from "node:child_process";
import { createPdfRenderer } from "../../src/documents/pdf/render.ts";
import { digestSnapshot, sha256Hex } from "../../src/invoice/digest.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { assertGolden, goldenSnapshots } from "../golden.ts";

describe("golden documents", () => {
	const documents = new Map<string, Uint8Array>();

	before(async () => {
		const renderer = createPdfRenderer(await loadPdfAssets());
		for (const { name, snapshot } of goldenSnapshots()) {
			const { digest } = digestSnapshot(snapshot);
			documents.set(name, renderer.render({ invoice: snapshot, digest }));
		}
	});

	for (const { name } of goldenSnapshots()) {
		it(`${name} reads as it did`, () => {
			const text = execFileSync("pdftotext", ["-layout", "-", "-"], {
				input: documents.get(name),
				encoding: "utf8",
			});
			assertGolden(`documents/${name}.txt`, text);
		});
	}

	it("have the bytes that they had", () => {
		const digests = Object.fromEntries(
			[...documents].map(([name, bytes]) => [name, sha256Hex(bytes)]),
		);
		assertGolden(
			"documents/digests.json",
			`${JSON.stringify(digests, null, "\t")}\n`,
		);
	});
});
