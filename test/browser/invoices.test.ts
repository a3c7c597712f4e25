/** Whole invoices in the browser: the portable code makes the bytes that it makes in Node. */
import { strict as assert } from "node:assert";
import { compileTemplate } from "../../src/documents/pdf/compile.ts";
import { createPortableDeflate } from "../../src/documents/pdf/deflate.ts";
import { createPdfRenderer } from "../../src/documents/pdf/render.ts";
import { digestSnapshot, sha256Hex } from "../../src/invoice/digest.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { readAsset } from "./asset.ts";

const TEMPLATE = { name: "invoice", version: 1 };
const FOLDER = `templates/${TEMPLATE.name}/${TEMPLATE.version}`;

/** All files of a released template; they never change. */
const FILES = [
	"account.hbs",
	"document.hbs",
	"footer.hbs",
	"letterhead.hbs",
	"line-total.hbs",
	"lines.hbs",
	"payment.hbs",
	"tax-inclusive.hbs",
	"texts.de.json",
	"texts.en.json",
	"totals.hbs",
	"vat-breakdown.hbs",
];

async function readText(path: string): Promise<string> {
	return new TextDecoder().decode(await readAsset(path));
}

async function readJson<Value>(path: string): Promise<Value> {
	return JSON.parse(await readText(path)) as Value;
}

describe("In the browser, an invoice", () => {
	it("has the digest and the document that it has in Node", async () => {
		const template = compileTemplate(
			TEMPLATE,
			Object.fromEntries(
				await Promise.all(
					FILES.map(async (file) => [
						file,
						await readText(`${FOLDER}/${file}`),
					]),
				),
			),
		);
		const renderer = createPdfRenderer({
			fonts: {
				regular: await readAsset("fonts/RechnungSans-Regular.ttf"),
				semibold: await readAsset("fonts/RechnungSans-SemiBold.ttf"),
			},
			templates: [template],
			deflate: createPortableDeflate(),
		});
		const golden = await readJson<Record<string, string>>(
			"test/golden/documents/digests.json",
		);
		assert.ok(Object.keys(golden).length > 20);
		for (const [name, expected] of Object.entries(golden)) {
			const { digest, invoice } = await readJson<{
				digest: string;
				invoice: Snapshot;
			}>(`test/golden/records/${name}.json`);
			assert.equal(digestSnapshot(invoice).digest, digest, name);
			const document = renderer.render({ invoice, digest });
			assert.equal(sha256Hex(document), expected, name);
		}
	});
});
