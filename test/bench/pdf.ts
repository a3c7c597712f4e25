/** PDF against straightforward pdfkit, in one process, in turn; run by bench.ts as a bundle of its own. */
import { createPdfRenderer } from "../../src/documents/pdf/render.ts";
import { digestSnapshot } from "../../src/invoice/digest.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { benchSnapshot } from "./invoices.ts";
import { race, row } from "./measure.ts";
import { renderWithPdfkit } from "./pdfkit-invoice.ts";

const renderer = createPdfRenderer(await loadPdfAssets());

function records(lines: number, count: number) {
	return Array.from({ length: count }, (_, seed) => {
		const invoice = benchSnapshot(lines, seed);
		return { invoice, digest: digestSnapshot(invoice).digest };
	});
}

async function compare(
	what: string,
	lines: number,
	calls: { ours: number; pdfkit: number },
	target: { least?: number; most?: number },
	ratioOf: (ours: number, pdfkit: number) => number,
): Promise<void> {
	const different = records(lines, 200);
	const pick = (call: number) => {
		const record = different[call % different.length];
		if (record === undefined) throw new RangeError("There is no invoice.");
		return record;
	};
	const { ours = 0, pdfkit = 0 } = await race(
		{
			ours: {
				calls: calls.ours,
				run: (call) => renderer.render(pick(call)),
			},
			pdfkit: {
				calls: calls.pdfkit,
				run: (call) => renderWithPdfkit(pick(call).invoice),
			},
		},
		5,
	);
	row(
		what,
		`${ours.toFixed(2)} ms`,
		`pdfkit, fonts by path ${pdfkit.toFixed(2)} ms`,
		ratioOf(ours, pdfkit),
		target,
	);
}

await compare(
	"PDF, 10 lines, warm",
	10,
	{ ours: 300, pdfkit: 20 },
	{ least: 10 },
	(ours, pdfkit) => pdfkit / ours,
);
await compare(
	"PDF, 200 lines, warm (share of its time)",
	200,
	{ ours: 20, pdfkit: 6 },
	{ most: 0.25 },
	(ours, pdfkit) => ours / pdfkit,
);
