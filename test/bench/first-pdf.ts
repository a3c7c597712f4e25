/** The first PDF of a fresh process; argument: whose. Run by bench.ts as a bundle of its own. */
import { readFileSync } from "node:fs";
import type { Snapshot } from "../../src/invoice/snapshot.ts";

const [whose, file = ""] = process.argv.slice(2);
const invoice = JSON.parse(readFileSync(file, "utf8")) as Snapshot;

if (whose === "ours") {
	const { createPdfRenderer } = await import(
		"../../src/documents/pdf/render.ts"
	);
	const { loadPdfAssets } = await import("../../src/node/assets.ts");
	createPdfRenderer(await loadPdfAssets()).render({
		invoice,
		digest: "0".repeat(64),
	});
} else {
	const { renderWithPdfkit } = await import("./pdfkit-invoice.ts");
	await renderWithPdfkit(invoice);
}
