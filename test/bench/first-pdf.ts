/** Our first PDF of a fresh process; argument: a snapshot's file. Run by bench.ts as a bundle of its own. */
import { readFileSync } from "node:fs";
import { createPdfRenderer } from "../../src/documents/pdf/render.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";

const [file = ""] = process.argv.slice(2);
const invoice = JSON.parse(readFileSync(file, "utf8")) as Snapshot;
createPdfRenderer(await loadPdfAssets()).render({
	invoice,
	digest: "0".repeat(64),
});
