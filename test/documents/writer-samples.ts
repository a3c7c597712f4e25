/** Documents drawn straight on a canvas, the same in Node and in the browser. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type {
	Canvas,
	DocumentProperties,
	FontName,
	StructureType,
} from "../../src/documents/pdf/canvas.ts";
import { createPortableDeflate } from "../../src/documents/pdf/deflate.ts";
import {
	createPdfWriter,
	type PdfWriter,
} from "../../src/documents/pdf/writer.ts";

/** Reads a file of the repository by its path from the root. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

export const PICTURES = [
	"logo-rgba.png",
	"logo-rgb.png",
	"logo-palette.png",
	"logo-grey-alpha.png",
	"logo-grey.png",
	"logo-1bit.png",
	"logo.jpg",
	"logo-progressive.jpg",
	"logo-grey.jpg",
] as const;
export type Pictures = Readonly<Record<string, Uint8Array>>;

export const PROPERTIES: DocumentProperties = {
	title: "Rechnung RE-2026-000123 <Müller & Söhne>",
	author: "Stadtflitzer Carsharing GmbH",
	subject: "Rechnung vom 24.11.2026",
	language: "de",
	createdAt: new Date("2026-11-24T09:00:00.000Z"),
	identity: "sha256:6b86b273ff34fce1 invoice/1",
};

export async function createTestWriter(readFile: ReadFile): Promise<PdfWriter> {
	return createPdfWriter({
		fonts: {
			regular: await readFile("fonts/RechnungSans-Regular.ttf"),
			semibold: await readFile("fonts/RechnungSans-SemiBold.ttf"),
		},
		deflate: createPortableDeflate(),
	});
}

export async function readPictures(readFile: ReadFile): Promise<Pictures> {
	const pictures: Record<string, Uint8Array> = {};
	for (const name of PICTURES) {
		pictures[name] = await readFile(`test/documents/pictures/${name}`);
	}
	return pictures;
}

/** Draws lines of text below each other, each a paragraph. */
export function drawParagraphs(
	canvas: Canvas,
	lines: readonly string[],
	{
		font = "regular",
		type = "P",
		top = 100,
	}: { font?: FontName; type?: StructureType; top?: number } = {},
): void {
	lines.forEach((line, index) => {
		canvas.begin(type);
		canvas.text(70, top + index * 16, line, {
			font,
			size: 10,
			color: "#161616",
		});
		canvas.end();
	});
}

export const LETTER = [
	"Stadtflitzer Carsharing GmbH · Lindenallee 12 · 45127 Essen",
	"Größe, Übermaß, Öfen, ÄPFEL, Straße – „Zitat“ und ‚halbes‘ – 50 % günstiger…",
	"Offizielle Pflegefinanzierung: Kaufinteresse, Auflage, Schiffahrt, ﬁ",
	"AVATAR, To, Ty, V.A.T., 1.234,56 €, −12,00 €, 19 %, § 14 UStG, n° 7, 3 × 2",
	"Crème brûlée à la carte, señor Núñez, João, Åse Ødegård, Þór",
	"((Klammern)) \\ Rückstrich",
];

export const WORLD = [
	"Ελληνικά: Αθήνα, Ωμέγα, ϋ ΐ",
	"Кириллица: Москва, Київ, Ђорђе, Ўзбекистон",
	"Łódź, Kraków, Český Krumlov, Győr, İstanbul, Ștefan, Nguyễn Thị Hồng",
	"№ 7, ← → ↑ ↓, ≤ ≥ ≠ ∑ √ ∞, ₴ ₽ ₺ ₿ £ ¥",
];

function drawLetter(canvas: Canvas): void {
	drawParagraphs(canvas, ["Rechnung RE-2026-000123"], {
		font: "semibold",
		type: "H1",
		top: 70,
	});
	drawParagraphs(canvas, LETTER);
	canvas.artifact(() => canvas.line(70, 230, 525, 230, 0.5, "#8d8d8d"));
	canvas.begin("P");
	canvas.text(70, 260, "Mehr unter ", style());
	canvas.begin("Link");
	const left = 70 + canvas.fonts.regular.width("Mehr unter ") * 10;
	canvas.text(left, 260, "stadtflitzer.example/rückfragen", style());
	canvas.link(left, 250, 150, 14, "https://stadtflitzer.example/rückfragen");
	canvas.end();
	canvas.end();
}

function drawWorld(canvas: Canvas): void {
	drawParagraphs(canvas, WORLD);
	drawParagraphs(canvas, WORLD, { font: "semibold", top: 200 });
}

function drawPages(canvas: Canvas): void {
	const rowHeight = 18;
	const rowsPerPage = 38;
	const rows = 90;
	const cell = (
		type: "TH" | "TD",
		column: number,
		row: number,
		text: string,
	) => {
		canvas.begin(type, type === "TH" ? { scope: "Column" } : {});
		canvas.text(
			70 + column * 120,
			80 + (row % rowsPerPage) * rowHeight,
			text,
			style(),
		);
		canvas.end();
	};
	canvas.begin("Table");
	canvas.begin("THead");
	canvas.begin("TR");
	["Pos.", "Leistung", "Betrag"].forEach((text, column) => {
		cell("TH", column, 0, text);
	});
	canvas.end();
	canvas.end();
	canvas.begin("TBody");
	for (let row = 1; row <= rows; row++) {
		if (row % rowsPerPage === 0) {
			canvas.addPage();
		}
		canvas.begin("TR");
		cell("TD", 0, row, `${row}`);
		cell("TD", 1, row, `Buchung ${4711 + row * 37}`);
		cell("TD", 2, row, `${row * 7},${10 + (row % 90)} €`);
		canvas.end();
	}
	canvas.begin("TR");
	canvas.begin("TD", { columnSpan: 3 });
	canvas.text(70, 700, "Summe über alle Seiten", style("semibold"));
	canvas.end();
	canvas.end();
	canvas.end();
	canvas.end();
	// A paragraph that begins on one page and ends on another.
	canvas.begin("P");
	canvas.text(70, 740, "Zahlbar innerhalb von ", style());
	canvas.addPage();
	canvas.text(70, 80, "14 Tagen ohne Abzug.", style());
	canvas.end();
	for (let page = 0; page < canvas.pageCount; page++) {
		canvas.selectPage(page);
		canvas.artifact(() => {
			canvas.text(
				450,
				810,
				`Seite ${page + 1} von ${canvas.pageCount}`,
				style(),
			);
		});
	}
}

function drawPictures(canvas: Canvas, pictures: Pictures): void {
	PICTURES.forEach((name, index) => {
		const bytes = pictures[name];
		if (bytes === undefined) {
			throw new Error(`The picture ${name} was not read.`);
		}
		const { width, height } = canvas.imageSize(bytes);
		const y = 60 + index * 60;
		canvas.artifact(() =>
			canvas.rectangle(60, y - 5, 200, height / 2 + 10, "#ffe9b0"),
		);
		canvas.begin("Figure", { alternative: `Logo aus „${name}“` });
		canvas.image(bytes, 70, y, width / 2, height / 2);
		canvas.end();
		drawParagraphs(canvas, [name], { top: y + 20 });
	});
	canvas.begin("Figure", { alternative: "Schachbrett" });
	const squares: number[] = [];
	for (let at = 0; at < 64; at++) {
		if (((at >> 3) + at) % 2 === 0) {
			squares.push(at % 8, at >> 3, 1, 1);
		}
	}
	canvas.grid(300, 60, 7.3, 8, squares, "#161616");
	canvas.end();
}

function style(font: FontName = "regular") {
	return { font, size: 10, color: "#161616" } as const;
}

/** Name → what draws it. */
export const SAMPLES: Readonly<
	Record<string, (canvas: Canvas, pictures: Pictures) => void>
> = {
	letter: drawLetter,
	world: drawWorld,
	pages: drawPages,
	pictures: drawPictures,
};

export function makeSample(
	writer: PdfWriter,
	name: string,
	pictures: Pictures,
): Uint8Array {
	const canvas = writer.createCanvas({
		...PROPERTIES,
		identity: `${PROPERTIES.identity} ${name}`,
	});
	const draw = SAMPLES[name];
	if (draw === undefined) {
		throw new Error(`There is no sample ${name}.`);
	}
	draw(canvas, pictures);
	return canvas.finish();
}

/** "name sha256" of every sample, a line each: what the golden file holds. */
export function sampleDigests(writer: PdfWriter, pictures: Pictures): string {
	return Object.keys(SAMPLES)
		.map(
			(name) =>
				`${name} ${bytesToHex(sha256(makeSample(writer, name, pictures)))}\n`,
		)
		.join("");
}
