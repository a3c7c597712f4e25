/** Milliseconds of a PDF in any runtime: the same snapshots, rendered again and again. */
import {
	createPdfRenderer,
	type PdfRendererAssets,
} from "../../src/documents/pdf/render.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";

/** The measured invoices by what they are called. */
export type MeasuredInvoices = Record<string, Snapshot[]>;

const WARM_UP = 3;
const ROUNDS = 3;
const ROUND_MS = 700;

/** Best round's milliseconds a document, and those of the first of all. */
export function measurePdfs(
	assets: PdfRendererAssets,
	invoices: MeasuredInvoices,
): Record<string, number> {
	const start = performance.now();
	const renderer = createPdfRenderer(assets);
	const render = (invoice: Snapshot | undefined) => {
		if (invoice === undefined) throw new RangeError("There is no invoice.");
		renderer.render({ invoice, digest: "0".repeat(64) });
	};
	render(Object.values(invoices)[0]?.[0]);
	const figures: Record<string, number> = { first: performance.now() - start };
	for (const [name, different] of Object.entries(invoices)) {
		for (let count = 0; count < WARM_UP; count += 1) {
			render(different[count % different.length]);
		}
		let best = Number.POSITIVE_INFINITY;
		for (let round = 0; round < ROUNDS; round += 1) {
			const began = performance.now();
			let calls = 0;
			while (performance.now() - began < ROUND_MS) {
				render(different[calls % different.length]);
				calls += 1;
			}
			best = Math.min(best, (performance.now() - began) / calls);
		}
		figures[name] = best;
	}
	return figures;
}
