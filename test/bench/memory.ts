/** Our memory for a thousand invoices; run by bench.ts as a bundle of its own. */
import { createPdfRenderer } from "../../src/documents/pdf/render.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { printMemory } from "./memory-of.ts";

const renderer = createPdfRenderer(await loadPdfAssets());
await printMemory((invoice) =>
	renderer.render({ invoice, digest: invoice.number.padEnd(64, "0") }),
);
