/** Resident memory after a thousand different invoices in a fresh process, in MiB; run by bench.ts as a bundle of its own. */
import { createPdfRenderer } from "../../src/documents/pdf/render.ts";
import { digestSnapshot } from "../../src/invoice/digest.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { benchSnapshot } from "./invoices.ts";
import { row } from "./measure.ts";

const DOCUMENTS = 1000;
const MEBIBYTE = 1024 * 1024;
const TARGET_MEBIBYTES = 150;

const renderer = createPdfRenderer(await loadPdfAssets());
for (let seed = 0; seed < DOCUMENTS; seed += 1) {
	const invoice = benchSnapshot(10, seed);
	renderer.render({ invoice, digest: digestSnapshot(invoice).digest });
}
const resident = process.memoryUsage().rss / MEBIBYTE;
row(
	`resident memory after ${DOCUMENTS} PDFs`,
	`${resident.toFixed(0)} MiB`,
	`target ${TARGET_MEBIBYTES} MiB`,
	resident / TARGET_MEBIBYTES,
	{ most: 1 },
);
