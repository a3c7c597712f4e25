import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import type { Canvas } from "../../src/documents/pdf/canvas.ts";
import {
	createPortableDeflate,
	DEFLATE_PARAMETERS,
} from "../../src/documents/pdf/deflate.ts";
import { createGlyphCoverage } from "../../src/documents/pdf/font.ts";
import { BASIC_CHARACTERS } from "../../src/documents/pdf/subset.ts";
import type { PdfWriter } from "../../src/documents/pdf/writer.ts";
import { assertGolden } from "../golden.ts";
import {
	createTestWriter,
	drawParagraphs,
	LETTER,
	makeSample,
	type Pictures,
	PROPERTIES,
	readPictures,
	SAMPLES,
	sampleDigests,
	WORLD,
} from "./writer-samples.ts";

async function readBytes(path: string): Promise<Uint8Array> {
	return new Uint8Array(await readFile(path));
}

let writer: PdfWriter;
let pictures: Pictures;
let folder: string;

before(async () => {
	writer = await createTestWriter(readBytes);
	pictures = await readPictures(readBytes);
	folder = mkdtempSync(join(tmpdir(), "writer-"));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a tool on a PDF and returns what it prints. */
function run(tool: string, pdf: Uint8Array, before: string[], after: string[]) {
	const path = join(folder, "document.pdf");
	writeFileSync(path, pdf);
	return execFileSync(tool, [...before, path, ...after], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
	});
}

/** The text as a reader copies it: a line each, pages separated by a form feed. */
function textOf(pdf: Uint8Array): string[] {
	return run("pdftotext", pdf, ["-raw"], ["-"])
		.split("\n")
		.filter((line) => line.trim() !== "");
}

/** The file as qpdf writes it out: no compression, no object streams. */
function plain(pdf: Uint8Array): string {
	const output = join(folder, "plain.pdf");
	run("qpdf", pdf, ["--qdf", "--object-streams=disable"], [output]);
	return readFileSync(output, "latin1");
}

function draw(action: (canvas: Canvas) => void): Uint8Array {
	const canvas = writer.createCanvas(PROPERTIES);
	action(canvas);
	return canvas.finish();
}

function drawLines(lines: readonly string[]): Uint8Array {
	return draw((canvas) => drawParagraphs(canvas, lines));
}

describe("The PDF writer", () => {
	it("gives the bytes of the golden digests", () => {
		assertGolden("writer/digests.txt", sampleDigests(writer, pictures));
	});

	it("gives the same bytes again, by a writer that has made other documents and by a new one", async () => {
		const other = await createTestWriter(readBytes);
		for (const name of Object.keys(SAMPLES).reverse()) {
			const first = makeSample(writer, name, pictures);
			assert.deepEqual(makeSample(writer, name, pictures), first, name);
			assert.deepEqual(makeSample(other, name, pictures), first, name);
		}
	});

	it("gives the same bytes whatever else is being drawn", () => {
		const alone = drawLines(LETTER);
		const one = writer.createCanvas(PROPERTIES);
		const two = writer.createCanvas(PROPERTIES);
		for (let at = 0; at < LETTER.length; at++) {
			drawParagraphs(one, LETTER.slice(at, at + 1), { top: 100 + at * 16 });
			drawParagraphs(two, WORLD);
		}
		assert.notDeepEqual(two.finish(), alone);
		assert.deepEqual(one.finish(), alone);
	});

	it("writes files without a fault", () => {
		for (const name of Object.keys(SAMPLES)) {
			const pdf = makeSample(writer, name, pictures);
			const report = run("qpdf", pdf, ["--check"], []);
			assert.match(report, /No syntax or stream encoding errors/, name);
			assert.doesNotMatch(report, /WARNING/, name);
			assert.doesNotThrow(() => run("pdftotext", pdf, [], ["-"]));
		}
	});

	describe("text", () => {
		it("is copied as it was drawn: umlauts, euro, ligatures, quotes", () => {
			const copied = LETTER.map((line) => line.replaceAll("ﬁ", "fi"));
			assert.deepEqual(
				textOf(drawLines(LETTER)).slice(0, copied.length),
				copied,
			);
		});

		it("is copied as it was drawn: Greek, Cyrillic, the rest of Europe", () => {
			assert.deepEqual(textOf(drawLines(WORLD)).slice(0, WORLD.length), WORLD);
		});

		it("is the same with an exact subset of the font as with the basic one", () => {
			const coverage = createGlyphCoverage(writer.fonts);
			const basic = [...BASIC_CHARACTERS].filter((c) => /\p{L}|\p{N}/u.test(c));
			const foreign = [...writer.fonts.regular.file.characters.keys()]
				.map((codePoint) => String.fromCodePoint(codePoint))
				.filter((c) => /\p{L}/u.test(c) && !BASIC_CHARACTERS.includes(c))
				.filter((c) => coverage.missing(c) === undefined);
			fc.assert(
				fc.property(
					fc.array(fc.constantFrom(...basic), { minLength: 1, maxLength: 30 }),
					fc.constantFrom(...foreign),
					(characters, other) => {
						const word = characters.join("");
						const [inBasic] = textOf(drawLines([word]));
						const [inExact, drawnOther] = textOf(drawLines([word, other]));
						assert.equal(inBasic, word.replaceAll("ﬁ", "fi"));
						assert.equal(inExact, inBasic);
						assert.equal(drawnOther, other);
					},
				),
				{ numRuns: 15 },
			);
		});

		it("has an exact subset that is smaller than the basic one and looks the same", () => {
			const page = (lines: string[]) => {
				const pdf = drawLines(lines);
				const path = join(folder, "page");
				run("pdftoppm", pdf, ["-r", "100", "-y", "0", "-H", "150"], [path]);
				return { size: pdf.length, pixels: readFileSync(`${path}-1.ppm`) };
			};
			const below = Array.from({ length: 12 }, () => "");
			const basic = page(["Übermäßig ﬁ 12,30 €"]);
			// The foreign letter stands below what is compared.
			const exact = page(["Übermäßig ﬁ 12,30 €", ...below, "Ω"]);
			assert.ok(exact.size < basic.size, `${exact.size} < ${basic.size}`);
			assert.ok(basic.pixels.equals(exact.pixels));
			const dark = basic.pixels.subarray(15).filter((byte) => byte < 128);
			assert.ok(dark.length > 300, "nothing was drawn");
		});

		it("takes the width that was measured, kerning included", () => {
			const words = [
				"AVATAR",
				"Typo,",
				"„To“",
				"Offizier",
				"1.234,56",
				"Ўзбек",
			];
			const size = 40;
			const pdf = draw((canvas) => {
				words.forEach((word, index) => {
					canvas.begin("P");
					canvas.text(70, 100 + index * 60, word, {
						font: "regular",
						size,
						color: "#000000",
					});
					canvas.end();
				});
			});
			const boxes = [
				...run("pdftotext", pdf, ["-bbox"], ["-"]).matchAll(
					/xMin="([\d.]+)".* xMax="([\d.]+)".*>(.+)<\/word>/g,
				),
			];
			assert.deepEqual(
				boxes.map((box) => box[3]),
				words,
			);
			for (const [, left, right, word = ""] of boxes) {
				const width = writer.fonts.regular.face.width(word) * size;
				assert.ok(
					Math.abs(Number(right) - Number(left) - width) < 0.05,
					`${word}: ${Number(right) - Number(left)} instead of ${width}`,
				);
			}
		});

		it("with a character that the font lacks is refused in a sentence that names it", () => {
			assert.throws(() => drawLines(["Grüße aus 北京"]), {
				message: /"北京" has the character U\+5317, which the font cannot draw/,
			});
		});

		it("outside of any structure element is refused: nobody would hear it", () => {
			assert.throws(
				() =>
					draw((canvas) =>
						canvas.text(70, 100, "verloren", {
							font: "regular",
							size: 9,
							color: "#000000",
						}),
					),
				{ message: /"verloren" was drawn outside of the structure/ },
			);
		});
	});

	describe("fonts", () => {
		it("are embedded as subsets, each once, and only those that are used", () => {
			const fonts = run(
				"pdffonts",
				makeSample(writer, "pages", pictures),
				[],
				[],
			);
			assert.equal(
				fonts.match(
					/\+RechnungSans-Regular +CID TrueType +Identity-H +yes yes yes/g,
				)?.length,
				1,
			);
			assert.equal(
				fonts.match(
					/\+RechnungSans-SemiBold +CID TrueType +Identity-H +yes yes yes/g,
				)?.length,
				1,
			);
			assert.doesNotMatch(
				run("pdffonts", drawLines(LETTER), [], []),
				/SemiBold/,
			);
		});

		it("have the widths of the font file, so that nothing is set too wide or too near", () => {
			for (const lines of [LETTER, WORLD]) {
				const [, list] =
					/\/W \[([\s\d[\]]*?)\]\s*(?:\/|>>)/.exec(plain(drawLines(lines))) ??
					[];
				const runs = [...(list ?? "").matchAll(/(\d+)\s*\[([\d\s]*)\]/g)];
				const { advances } = writer.fonts.regular.file;
				let count = 0;
				for (const [, first, widths] of runs) {
					for (const width of (widths ?? "").trim().split(/\s+/)) {
						assert.equal(Number(width), advances[Number(first) + count]);
						count++;
					}
					count = 0;
				}
				assert.ok(runs.length > 3);
			}
		});
	});

	describe("the file", () => {
		it("claims PDF/A-3b, and says title, author, language and time in both places", () => {
			const pdf = drawLines(LETTER);
			const info = run("pdfinfo", pdf, [], []);
			assert.match(info, /Title: +Rechnung RE-2026-000123 <Müller & Söhne>/);
			assert.match(info, /Author: +Stadtflitzer Carsharing GmbH/);
			assert.match(info, /PDF version: +1\.7/);
			assert.match(info, /Tagged: +yes/);
			assert.match(info, /Page size: +595\.28 x 841\.89 pts \(A4\)/);
			const metadata = run("pdfinfo", pdf, ["-meta"], []);
			assert.match(metadata, /<pdfaid:part>3<\/pdfaid:part>/);
			assert.match(metadata, /<pdfaid:conformance>B</);
			assert.match(metadata, /&lt;Müller &amp; Söhne&gt;/);
			assert.match(metadata, /<xmp:CreateDate>2026-11-24T09:00:00Z/);
			assert.match(metadata, /<dc:language><rdf:Bag><rdf:li>de</);
			const objects = plain(pdf);
			assert.match(objects, /\/Lang \(de\)/);
			assert.match(objects, /\/DisplayDocTitle true/);
			assert.match(objects, /\/GTS_PDFA1/);
			assert.match(objects, /D:20261124090000Z/);
		});

		it("has an identifier of its document's identity alone", () => {
			const identifier = (identity: string) => {
				const canvas = writer.createCanvas({ ...PROPERTIES, identity });
				const [, id] =
					/\/ID\[<([0-9a-f]{32})>/.exec(
						Buffer.from(canvas.finish()).toString("latin1"),
					) ?? [];
				return id;
			};
			assert.ok(identifier("a"));
			assert.equal(identifier("a"), identifier("a"));
			assert.notEqual(identifier("a"), identifier("b"));
		});

		it("holds no compressed stream that another zlib could not read", () => {
			const pdf = Buffer.from(makeSample(writer, "pages", pictures));
			const streams =
				/\/Filter\s*\/FlateDecode[^>]*?\/Length (\d+)[^>]*>>\nstream\n/g;
			const text = pdf.toString("latin1");
			let count = 0;
			for (const match of text.matchAll(streams)) {
				const start = match.index + match[0].length;
				assert.doesNotThrow(() =>
					inflateSync(pdf.subarray(start, start + Number(match[1]))),
				);
				count++;
			}
			assert.ok(count > 8, `only ${count} streams were looked at`);
		});
	});

	describe("the structure", () => {
		const structureOf = (pdf: Uint8Array) =>
			run("pdfinfo", pdf, ["-struct-text"], [])
				.replace(/ \((block|inline)\)|:$/gm, "")
				.split("\n")
				.map((line) => line.trimEnd())
				.filter((line) => line !== "");

		it("tells headings, paragraphs and links in the order they were drawn", () => {
			const structure = structureOf(makeSample(writer, "letter", pictures));
			const text = structure.map((line) => line.trim()).join("\n");
			assert.match(
				text,
				/^Document\nH1\n"Rechnung RE-2026-000123"\nP\n"Stadtflitzer/,
			);
			assert.match(
				text,
				/P\n"Mehr unter "\nLink\n"stadtflitzer\.example\/rückfragen"/,
			);
		});

		it("tells tables by rows and cells, over pages, with heads and spans, and leaves page numbers out", () => {
			const pdf = makeSample(writer, "pages", pictures);
			const text = structureOf(pdf)
				.map((line) => line.trim())
				.join("\n");
			assert.equal(text.match(/^TR$/gm)?.length, 92);
			assert.equal(text.match(/^TD$/gm)?.length, 271);
			assert.match(text, /"Betrag"\n(.*\n)*?TBody/);
			assert.match(text, /TD\n"90"\nTD\n"Buchung 8041"/);
			assert.doesNotMatch(text, /Seite \d/);
			// A paragraph over the page break is one paragraph.
			assert.match(
				text,
				/P\n"Zahlbar innerhalb von "\n"14 Tagen ohne Abzug\."$/,
			);
			const objects = plain(pdf);
			assert.equal(objects.match(/\/Scope \/Column/g)?.length, 3);
			assert.match(objects, /\/ColSpan 3/);
		});

		it("describes figures in words, with the place they take", () => {
			const objects = plain(makeSample(writer, "pictures", pictures));
			assert.equal(objects.match(/\/S \/Figure/g)?.length, 10);
			assert.equal(objects.match(/\/BBox \[/g)?.length, 10);
			assert.match(objects, /\/Alt \(Schachbrett\)/);
		});

		it("is complete: each mark on a page belongs to an element that knows it", () => {
			const objects = plain(makeSample(writer, "pages", pictures));
			const marks = objects.match(/\/MCID \d+>*\s*(>>)?\s*BDC/g) ?? [];
			const owners = [...objects.matchAll(/\/Nums \[([\s\S]*?)\]\s*>>/g)]
				.map(([, numbers]) => numbers?.match(/\d+ 0 R/g)?.length ?? 0)
				.reduce((sum, count) => sum + count, 0);
			assert.ok(marks.length > 270);
			assert.equal(owners, marks.length);
		});

		it("must be closed: an element left open, or one end() too many, is refused", () => {
			assert.throws(() => draw((canvas) => canvas.begin("P")), {
				message: /element P was begun and never ended/,
			});
			assert.throws(() => draw((canvas) => canvas.end()), {
				message: /no structure element open/,
			});
		});
	});

	describe("pictures", () => {
		it("keep their pixels and their transparency", () => {
			const pdf = makeSample(writer, "pictures", pictures);
			const list = run("pdfimages", pdf, ["-list"], []);
			assert.equal(list.match(/ smask /g)?.length, 3);
			assert.equal(list.match(/ jpeg /g)?.length, 3);
			assert.equal(list.match(/ 240 +80 /g)?.length, 12);
		});

		it("stand once in the file, however often they are drawn", () => {
			const logo = pictures["logo.jpg"] ?? new Uint8Array();
			const times = (count: number) =>
				draw((canvas) => {
					for (let at = 0; at < count; at++) {
						canvas.begin("Figure", { alternative: "Logo" });
						canvas.image(logo, 70, 60 * at, 120, 40);
						canvas.end();
					}
				}).length;
			assert.ok(times(5) - times(1) < 1000);
		});

		it("that are no PNG or JPEG, damaged, too large or CMYK are refused with the reason", async () => {
			const canvas = writer.createCanvas(PROPERTIES);
			const png = pictures["logo-rgba.png"] ?? new Uint8Array();
			const damaged = png.slice();
			damaged[png.length >> 1] = (damaged[png.length >> 1] ?? 0) ^ 0xff;
			const huge = png.slice();
			new DataView(huge.buffer).setUint32(16, 100_000);
			const cmyk = await readBytes("test/documents/pictures/logo-cmyk.jpg");
			for (const [bytes, message] of [
				[
					new TextEncoder().encode("<svg xmlns='…'></svg>"),
					/neither a PNG nor a JPEG/,
				],
				[png.subarray(0, 60), /damaged/],
				[damaged, /damaged/],
				[huge, /100000 × 80 pixels/],
				[cmyk, /CMYK/],
				[new Uint8Array(), /neither a PNG nor a JPEG/],
			] as const) {
				assert.throws(
					() => {
						canvas.imageSize(bytes);
						canvas.image(bytes, 0, 0, 10, 10);
					},
					{ message },
				);
			}
		});
	});

	it("draws on the page that was selected, and refuses one that is not there", () => {
		const pages = run(
			"pdftotext",
			makeSample(writer, "pages", pictures),
			[],
			["-"],
		).split("\f");
		assert.equal(pages.length - 1, 4);
		pages.slice(0, -1).forEach((text, index) => {
			assert.match(text, new RegExp(`Seite ${index + 1} von 4`));
		});
		assert.throws(() => draw((canvas) => canvas.selectPage(1)), {
			message: /has only pages 0 to 0/,
		});
	});

	it("writes a QR code's squares in units of its grid, each in its place", () => {
		const grid = fc.record({
			left: fc.integer({ min: 0, max: 40_000 }).map((value) => value / 100),
			top: fc.integer({ min: 0, max: 60_000 }).map((value) => value / 100),
			unit: fc.double({ min: 0.5, max: 4, noNaN: true }),
			cells: fc.uniqueArray(fc.integer({ min: 0, max: 1600 }), {
				minLength: 20,
				maxLength: 60,
			}),
		});
		fc.assert(
			fc.property(grid, ({ left, top, unit, cells }) => {
				const rectangles = cells.map(
					(cell) =>
						[cell % 40, Math.floor(cell / 40), 1 + (cell % 3), 1] as const,
				);
				const drawn = rectangles.map(([column, row, columns, rows]) => ({
					x: left + column * unit,
					y: top + row * unit,
					width: columns * unit,
					height: rows * unit,
				}));
				const content = plain(
					draw((canvas) => {
						canvas.begin("Figure", { alternative: "Muster" });
						canvas.grid(left, top, unit, 43, rectangles.flat(), "#000000");
						canvas.end();
					}),
				);
				const number = "(-?[\\d.]+)";
				const [, scale, flipped, originX, originY] = new RegExp(
					`q ${number} 0 0 ${number} ${number} ${number} cm`,
				)
					.exec(content)
					?.map(Number) ?? [0, 1, -1, 0, 841.89];
				const written = [
					...content.matchAll(
						new RegExp(`^${number} ${number} ${number} ${number} re$`, "gm"),
					),
				].map((match) => match.slice(1).map(Number));
				assert.equal(written.length, drawn.length);
				written.forEach(([x = 0, y = 0, width = 0, height = 0], at) => {
					const expected = drawn[at];
					assert.ok(expected);
					const actual = {
						x: x * (scale ?? 0) + (originX ?? 0),
						y: 841.89 - (y * (flipped ?? 0) + (originY ?? 0)),
						width: width * (scale ?? 0),
						height: height * (scale ?? 0),
					};
					for (const key of ["x", "y", "width", "height"] as const) {
						assert.ok(
							Math.abs(actual[key] - expected[key]) < 0.011,
							`${key}: ${actual[key]} instead of ${expected[key]}`,
						);
					}
				});
				assert.match(content, / cm\n/);
			}),
			{ numRuns: 20 },
		);
	});

	it("cannot be finished twice", () => {
		const canvas = writer.createCanvas(PROPERTIES);
		canvas.finish();
		assert.throws(() => canvas.finish(), { message: /called twice/ });
	});

	it("refuses a colour that is none", () => {
		assert.throws(
			() => draw((canvas) => canvas.rectangle(0, 0, 1, 1, "#red")),
			{ message: /"#red" is not of the form "#rrggbb"/ },
		);
	});
});

describe("The deflate", () => {
	const deflate = createPortableDeflate();

	it("gives back every byte, whatever was compressed before", () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.uint8Array({ maxLength: 2000 }),
					fc
						.tuple(
							fc.stringMatching(/^[a-z ]{1,40}$/),
							fc.integer({ min: 1, max: 3000 }),
						)
						.map(([text, times]) =>
							new TextEncoder().encode(text.repeat(times)),
						),
				),
				fc.constantFrom("once" as const, "each" as const),
				(bytes, effort) => {
					assert.deepEqual(
						new Uint8Array(inflateSync(deflate(bytes, effort))),
						bytes,
					);
				},
			),
		);
	});

	it("gives the same bytes after a reset as a new one gives", () => {
		const long = readFileSync("fonts/RechnungSans-Regular.ttf");
		const text = readFileSync("fonts/LICENSE.txt");
		for (const effort of ["once", "each"] as const) {
			deflate(new Uint8Array(long), effort);
			assert.deepEqual(
				deflate(new Uint8Array(text), effort),
				createPortableDeflate()(new Uint8Array(text), effort),
			);
		}
	});

	it("is about as small as Node's zlib at the same level", () => {
		const text = new Uint8Array(readFileSync("fonts/LICENSE.txt"));
		for (const effort of ["once", "each"] as const) {
			const ours = deflate(text, effort).length;
			const nodes = deflateSync(text, {
				level: DEFLATE_PARAMETERS.level[effort],
			}).length;
			assert.ok(Math.abs(ours - nodes) < nodes * 0.03, `${ours} ~ ${nodes}`);
		}
	});
});
