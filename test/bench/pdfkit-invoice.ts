/** The peer of the PDF benchmark: the same invoice as anybody would write it with pdfkit, fonts registered by path. */
import { join } from "node:path";
import PDFDocument from "pdfkit";
import type { Snapshot } from "../../src/invoice/snapshot.ts";

const FONTS = join(process.cwd(), "fonts");
const LEFT = 71;
const RIGHT = 538;
const COLUMNS = [
	{ title: "Pos.", x: LEFT, width: 26, align: "left" },
	{ title: "Bezeichnung", x: 97, width: 200, align: "left" },
	{ title: "Menge", x: 300, width: 60, align: "right" },
	{ title: "Einzelpreis", x: 365, width: 70, align: "right" },
	{ title: "USt.", x: 440, width: 30, align: "right" },
	{ title: "Betrag", x: 470, width: 68, align: "right" },
] as const;

function money(amount: string, currency: string): string {
	return `${amount.replace(".", ",")} ${currency}`;
}

/** Renders a snapshot straightforwardly; resolves to the file's bytes. */
export function renderWithPdfkit(invoice: Snapshot): Promise<Uint8Array> {
	const document = new PDFDocument({
		size: "A4",
		margin: 50,
		bufferPages: true,
	});
	document.registerFont("regular", join(FONTS, "RechnungSans-Regular.ttf"));
	document.registerFont("semibold", join(FONTS, "RechnungSans-SemiBold.ttf"));
	const chunks: Buffer[] = [];
	document.on("data", (chunk: Buffer) => chunks.push(chunk));

	const { seller, buyer, currency } = invoice;
	const address = (party: typeof seller | typeof buyer) =>
		[
			party?.name,
			party?.address?.line1,
			`${party?.address?.postalCode ?? ""} ${party?.address?.city ?? ""}`,
		]
			.filter((line) => line !== undefined)
			.join("\n");
	document
		.font("regular")
		.fontSize(7)
		.text(address(seller).replaceAll("\n", " · "), LEFT, 130);
	document.fontSize(10).text(address(buyer), LEFT, 145);
	document.fontSize(9);
	for (const [index, [label, value]] of [
		["Rechnungsnummer", invoice.number],
		["Rechnungsdatum", invoice.issueDate],
		[
			"Leistungszeitraum",
			`${invoice.delivery?.period?.start ?? ""} – ${invoice.delivery?.period?.end ?? ""}`,
		],
		["Fällig am", invoice.payment?.dueDate ?? ""],
	].entries()) {
		document.text(label ?? "", 360, 145 + index * 14, { width: 80 });
		document.text(value ?? "", 440, 145 + index * 14, {
			width: 98,
			align: "right",
		});
	}
	document.font("semibold").fontSize(17).text("Rechnung", LEFT, 270);

	let y = 310;
	const head = () => {
		document.font("semibold").fontSize(8);
		for (const column of COLUMNS) {
			document.text(column.title, column.x, y, {
				width: column.width,
				align: column.align,
			});
		}
		y += 14;
		document.moveTo(LEFT, y).lineTo(RIGHT, y).lineWidth(0.5).stroke();
		y += 5;
		document.font("regular").fontSize(9);
	};
	head();
	for (const line of invoice.lines) {
		const name =
			line.description === undefined
				? line.name
				: `${line.name}\n${line.description}`;
		const height = document.heightOfString(name, { width: COLUMNS[1].width });
		if (y + height > 720) {
			document.addPage();
			y = 60;
			head();
		}
		const cells = [
			line.id,
			name,
			`${line.quantity} ${line.unit}`,
			money(line.price, currency),
			`${line.vat.rate ?? ""} %`,
			money(line.netAmount, currency),
		];
		for (const [index, column] of COLUMNS.entries()) {
			document.text(cells[index] ?? "", column.x, y, {
				width: column.width,
				align: column.align,
			});
		}
		y += height + 6;
	}
	if (y > 640) {
		document.addPage();
		y = 60;
	}
	const sums: [string, string][] = [
		["Summe netto", invoice.totals.taxExclusive],
		...invoice.vatBreakdown.map((group): [string, string] => [
			`USt. ${group.rate ?? ""} % auf ${money(group.taxableAmount, currency)}`,
			group.taxAmount,
		]),
		["Rechnungsbetrag", invoice.totals.payable],
	];
	for (const [label, amount] of sums) {
		document.text(label, 300, y, { width: 165 });
		document.text(money(amount, currency), 470, y, {
			width: 68,
			align: "right",
		});
		y += 14;
	}
	document.text(invoice.payment?.terms ?? "", LEFT, y + 10, { width: 460 });
	document.text(
		`IBAN ${invoice.payment?.creditTransfer?.iban ?? ""}`,
		LEFT,
		y + 24,
	);
	const pages = document.bufferedPageRange().count;
	for (let index = 0; index < pages; index += 1) {
		document.switchToPage(index);
		document
			.fontSize(7)
			.text(
				`${seller.name} · ${seller.registration ?? ""} · ${seller.vatIdentifier ?? ""}`,
				LEFT,
				770,
				{ lineBreak: false },
			);
		document.text(`Seite ${index + 1} von ${pages}`, 470, 770, {
			width: 68,
			align: "right",
			lineBreak: false,
		});
	}
	return new Promise((resolve) => {
		document.on("end", () => resolve(Buffer.concat(chunks)));
		document.end();
	});
}
