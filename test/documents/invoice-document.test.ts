import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { giroCode } from "../../src/documents/pdf/giro-code.ts";
import {
	createPdfRenderer,
	type PdfRenderer,
} from "../../src/documents/pdf/render.ts";
import { digestSnapshot } from "../../src/invoice/digest.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { goldenSnapshot, goldenSnapshots } from "../golden.ts";
import { readCode } from "./code-reader.ts";

describe("the document of an invoice", () => {
	let renderer: PdfRenderer;
	let folder: string;
	before(async () => {
		renderer = createPdfRenderer(await loadPdfAssets({ root: process.cwd() }));
		folder = mkdtempSync(join(tmpdir(), "documents-"));
	});
	after(() => {
		rmSync(folder, { recursive: true });
	});

	function render(invoice: Snapshot): Uint8Array {
		return renderer.render({ invoice, ...digestSnapshot(invoice) });
	}

	function written(invoice: Snapshot): string {
		const file = join(folder, "invoice.pdf");
		writeFileSync(file, render(invoice));
		return file;
	}

	/** The text of each page, as it stands there, in single spaces. */
	function pagesOf(invoice: Snapshot): string[] {
		return execFileSync("pdftotext", ["-layout", written(invoice), "-"], {
			encoding: "utf8",
		})
			.split("\f")
			.slice(0, -1)
			.map((page) => page.replace(/[ \u00a0]+/g, " "));
	}

	function textOf(invoice: Snapshot): string {
		return pagesOf(invoice).join("\n");
	}

	const titles: [name: string, ...texts: (string | RegExp)[]][] = [
		[
			"car-sharing-380",
			"Rechnung RE-2026-000001",
			"Leistungszeitraum 01.11. – 20.11.2026",
			"Fällig am 08.12.2026",
			"3 Tage 49,90 € 19 % 139,70 €",
			"Umsatzsteuer 19 % auf 147,20 € 27,97 €",
			"Rechnungsbetrag 175,17 €",
			"IBAN DE89 3704 0044 0532 0130 00",
			"USt-IdNr. DE123456788",
			"Amtsgericht Essen, HRB 12345",
			"Seite 1 von 1",
		],
		[
			"car-sharing-gross-380",
			"Betrag inkl. USt.",
			"4,90 € 19 % 41,65 €",
			"Bereits bezahlt -20,00 €",
			"Zu zahlen 53,15 €",
			"Darin enthalten: Nettobetrag",
		],
		["car-sharing-prepayment-386", "Vorauszahlungsrechnung VA-2026-000001"],
		["car-sharing-small-amount-380", /^Rechnung /m],
		[
			"car-sharing-cancellation-384",
			"Stornorechnung ST-2026-000001",
			"zu RE-2026-000001 vom 24.11.2026",
			"Stornobetrag -175,17 €",
		],
		["craftsman-partial-326", "Teilrechnung RE-2026-000001"],
		[
			"craftsman-private-property-380",
			"zwei Jahre lang aufzubewahren",
			"3 % von 4.646,10 € -139,38 €",
		],
		[
			"craftsman-reverse-charge-380",
			/Steuerschuldnerschaft des\s+auf 2\.940,00 € 0,00 €\s+Leistungsempfängers/,
			"Ihre USt-IdNr. DE129273398",
		],
		[
			"craftsman-small-business-380",
			"Steuerbefreiung für Kleinunternehmer (§ 19 UStG)",
			"GRIECHENLAND",
			"Zahlungsart: bar",
		],
		["craftsman-photovoltaic-zero-380", "Umsatzsteuer 0 %"],
		["software-outside-scope-380", "Nicht steuerbar"],
		[
			"software-training-exempt-380",
			"Steuerfrei nach § 4 Nr. 21 UStG",
			"Umsatzsteuer 7 % auf 441,00 € 30,87 €",
		],
		[
			"software-reverse-charge-en-380",
			"Invoice RE-2026-000001",
			"Period of supply 1 – 31 October 2026",
			"Due date 24 December 2026",
			"Reverse charge on €9,907.00 €0.00",
			"62.75 h €128.00 €8,032.00",
			"FRANCE",
			"Page 1 of 1",
		],
		[
			"software-credit-en-381",
			"Credit note",
			"for RE-2026-000001 of 24 November 2026",
		],
		["wholesale-credit-381", "Rechnungskorrektur"],
		[
			"wholesale-intra-community-380",
			"Steuerfreie innergemeinschaftliche Lieferung",
			"Lieferadresse: Magazijn Noord, Papaverweg 34, 1032 KJ Amsterdam, NIEDERLANDE",
		],
		["wholesale-export-jpy-380", "Exempt export", "¥1,636,000"],
		["wholesale-dinar-380", "BHD 342.000"],
		[
			"wholesale-self-billed-389",
			"Gutschrift GS-2026-000001",
			"Ihre Steuernummer 27/123/45678",
			"Auszahlung auf dieses Konto",
		],
		["wholesale-used-goods-380", "Gebrauchtgegenstände/Sonderregelung"],
	];
	for (const [name, ...texts] of titles) {
		it(`${name} says ${texts[0]}`, () => {
			const text = textOf(goldenDocument(name));
			for (const part of texts) {
				if (typeof part === "string") {
					assert.ok(text.includes(part), `“${part}” is missing in:\n${text}`);
				} else {
					assert.match(text, part);
				}
			}
		});
	}

	/** Drafts and corrections alike. */
	function goldenDocument(name: string): Snapshot {
		const golden = goldenSnapshots().find(
			(candidate) => candidate.name === name,
		);
		assert.ok(golden, `${name} is no golden invoice`);
		return golden.snapshot;
	}

	it("never says Gutschrift where it is not self-billed (§ 14 (2) UStG)", () => {
		for (const { snapshot } of goldenSnapshots()) {
			assert.equal(
				/Gutschrift/.test(textOf(snapshot)),
				snapshot.type === "389",
				snapshot.number,
			);
		}
	});

	it("shows no tax under a special scheme or outside the scope", () => {
		for (const name of [
			"craftsman-small-business-380",
			"wholesale-used-goods-380",
			"software-outside-scope-380",
		]) {
			assert.doesNotMatch(textOf(goldenSnapshot(name)), /Umsatzsteuer|USt\.|%/);
		}
	});

	it("carries the subtotal from page to page", () => {
		const invoice = goldenSnapshot("wholesale-carried-over-380");
		const pages = pagesOf(invoice);
		assert.ok(pages.length >= 3);
		let cents = 0;
		let carried: string | undefined;
		for (const [index, page] of pages.entries()) {
			assert.ok(page.includes(`Seite ${index + 1} von ${pages.length}`));
			const subtotals = [...page.matchAll(/Übertrag ([0-9.,]+ €)/g)].map(
				([, amount]) => amount,
			);
			if (carried !== undefined) {
				assert.match(page, /Pos\. Bezeichnung Menge/);
				assert.equal(subtotals.shift(), carried, `page ${index + 1}`);
			}
			for (const [, amount = ""] of page.matchAll(
				/^ ?\d+ .* (-?[0-9.]+,[0-9]{2}) €$/gm,
			)) {
				cents += Number(amount.replace(/[.,]/g, ""));
			}
			carried = subtotals.shift();
			if (carried !== undefined) {
				assert.equal(Number(carried.replace(/[^0-9]/g, "")), cents);
			}
		}
		assert.equal(carried, undefined, "nothing is carried from the last page");
		assert.equal(cents, Number(invoice.totals.lineTotal.replace(".", "")));
	});

	it("has a code on paper that says what it should", () => {
		const invoice = goldenSnapshot("car-sharing-380");
		const picture = execFileSync("pdftoppm", ["-r", "150", written(invoice)], {
			maxBuffer: 2 ** 26,
		});
		const header = /^P6\s+(\d+) (\d+)\s+255\s/.exec(
			picture.subarray(0, 40).toString("latin1"),
		);
		const width = Number(header?.[1]);
		const height = Number(header?.[2]);
		const start = header?.[0].length ?? 0;
		const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
		for (let index = 0; index < width * height; index++) {
			for (let channel = 0; channel < 3; channel++) {
				pixels[index * 4 + channel] = picture[start + index * 3 + channel] ?? 0;
			}
		}
		assert.equal(readCode(pixels, width, height), giroCode(invoice));
	});

	it("is the same, byte for byte, however often and after whatever it is made", () => {
		const documents = goldenSnapshots().map(({ snapshot }) => snapshot);
		const first = documents.map((snapshot) => Buffer.from(render(snapshot)));
		const again = documents
			.toReversed()
			.map((snapshot) => Buffer.from(render(snapshot)))
			.reverse();
		for (const [index, bytes] of first.entries()) {
			assert.ok(bytes.equals(again[index] ?? Buffer.alloc(0)));
		}
		assert.equal(new Set(first.map(String)).size, documents.length);
	});

	it("may be made with another template, or says which there are", () => {
		const invoice = goldenSnapshot("car-sharing-380");
		const record = { invoice, digest: digestSnapshot(invoice).digest };
		const template = { name: "invoice", version: 2 };
		assert.equal(renderer.hasTemplate(template), false);
		assert.throws(
			() => renderer.render(record, { template }),
			/The template “invoice” has no version 2; it has: 1/,
		);
		assert.equal(renderer.hasTemplate(invoice.template), true);
		assert.equal(renderer.canPrint("€".codePointAt(0) ?? 0), true);
		assert.equal(renderer.canPrint("漢".codePointAt(0) ?? 0), false);
	});
});
