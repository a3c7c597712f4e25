import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { createFont } from "../../src/documents/pdf/font.ts";
import {
	decimalSeparator,
	sumOf,
	writeAmount,
} from "../../src/documents/pdf/format.ts";
import { layOut } from "../../src/documents/pdf/layout.ts";
import { parseMarkup } from "../../src/documents/pdf/markup.ts";
import {
	createTemplates,
	type Templates,
} from "../../src/documents/pdf/template.ts";
import { loadTemplates } from "../../src/documents/pdf/template-files.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { FILE_SYSTEM } from "../../src/node/file-system.ts";
import { goldenSnapshot, goldenSnapshots } from "../golden.ts";
import { type Recording, record } from "./recording.ts";

const MILLIMETRE = 72 / 25.4;

/** DIN 5008, form B. */
const WINDOW = { left: 20, top: 45, width: 85, height: 45 };
const FOLD_MARKS = [105, 148.5, 210];

const FONTS = {
	regular: createFont(readFileSync("fonts/RechnungSans-Regular.ttf")).face,
	semibold: createFont(readFileSync("fonts/RechnungSans-SemiBold.ttf")).face,
};

describe("the layout of an invoice", () => {
	let templates: Templates;
	before(async () => {
		templates = createTemplates(await loadTemplates(FILE_SYSTEM, "templates"));
	});

	function draw(invoice: Snapshot): Recording {
		const { currency, language } = invoice;
		const recording = record(FONTS);
		layOut(
			parseMarkup(templates.markup(invoice, { name: "invoice", version: 1 })),
			recording.canvas,
			{
				decimalSeparator: decimalSeparator(language),
				sum: (values) => writeAmount(sumOf(values), currency, language),
			},
		);
		return recording;
	}

	/** Everything within left 25, right 20, top and bottom 7 mm, and no line of text on another. */
	function assertTidy({ texts, rectangles, lines, images, open }: Recording) {
		assert.deepEqual(open, [], "a structure element was left open");
		const rows = new Map<
			string,
			{ from: number; to: number; text: string }[]
		>();
		for (const { page, x, y, width, size, text } of texts) {
			const where = `“${text}” on page ${page + 1}`;
			assert.ok(x >= 25 * MILLIMETRE - 0.1, `${where} stands too far left`);
			assert.ok(
				x + width <= 190 * MILLIMETRE + 0.1,
				`${where} stands too far right`,
			);
			assert.ok(y - size >= 7 * MILLIMETRE, `${where} stands too high`);
			assert.ok(y <= 290 * MILLIMETRE, `${where} stands too low`);
			const key = `${page} ${y.toFixed(1)}`;
			const row = rows.get(key) ?? [];
			for (const other of row) {
				assert.ok(
					x >= other.to - 0.1 || x + width <= other.from + 0.1,
					`${where} stands on “${other.text}”`,
				);
			}
			row.push({ from: x, to: x + width, text });
			rows.set(key, row);
		}
		for (const { x, y, width, height } of [...rectangles, ...images]) {
			assert.ok(
				x >= 25 * MILLIMETRE - 0.1 && x + width <= 190 * MILLIMETRE + 0.1,
			);
			assert.ok(y >= 7 * MILLIMETRE && y + height <= 290 * MILLIMETRE);
		}
		for (const { fromX, toX } of lines) {
			assert.ok(fromX > 3 * MILLIMETRE && toX <= 190 * MILLIMETRE + 0.1);
		}
	}

	/** Body text must end above the footer on its page. */
	function assertFooterIsClear({ texts }: Recording) {
		const pages = Math.max(...texts.map(({ page }) => page)) + 1;
		for (let page = 0; page < pages; page++) {
			const there = texts.filter((text) => text.page === page);
			const number = there.find(({ text }) => /^(Seite|Page) \d+ /.test(text));
			assert.ok(number, `page ${page + 1} has no number`);
			const lowest = Math.max(
				...there.filter(({ size }) => size > 7).map(({ y }) => y),
			);
			assert.ok(lowest < number.y, `page ${page + 1} runs into its footer`);
		}
	}

	for (const { name, snapshot } of goldenSnapshots()) {
		it(`${name} stays within its margins`, () => {
			const recording = draw(snapshot);
			assertTidy(recording);
			assertFooterIsClear(recording);
		});
	}

	it("puts the address into the window of the envelope, and marks where to fold", () => {
		const { texts, lines } = draw(goldenSnapshot("car-sharing-380"));
		for (const part of ["Anna Schmidt", "Am Markt 3", "44787 Bochum"]) {
			const text = texts.find((drawn) => drawn.text === part);
			assert.ok(text);
			assert.ok(text.x >= WINDOW.left * MILLIMETRE);
			assert.ok(
				text.x + text.width <= (WINDOW.left + WINDOW.width) * MILLIMETRE,
			);
			assert.ok(text.y - text.size >= WINDOW.top * MILLIMETRE);
			assert.ok(text.y <= (WINDOW.top + WINDOW.height) * MILLIMETRE);
		}
		const title = texts.find(({ structure }) => structure.includes("H1"));
		assert.ok(title && title.y > (WINDOW.top + WINDOW.height) * MILLIMETRE);
		assert.deepEqual(
			lines
				.filter(({ fromX }) => fromX < 20 * MILLIMETRE)
				.map(({ fromY }) => Math.round((fromY / MILLIMETRE) * 10) / 10),
			FOLD_MARKS,
		);
	});

	it("gives readers a title, tables with heads, and words for pictures", () => {
		const invoice = goldenSnapshot("car-sharing-380");
		const { elements, texts } = draw({
			...invoice,
			seller: { ...invoice.seller, logo: "data:image/png;base64,AAAA" },
		});
		assert.equal(elements.filter(({ type }) => type === "H1").length, 1);
		assert.deepEqual(
			elements
				.filter(({ type }) => type === "Figure")
				.map(({ attributes }) => attributes?.alternative),
			[
				"Stadtflitzer Carsharing GmbH",
				"GiroCode mit den Daten der Überweisung",
			],
		);
		const heads = texts.filter(({ structure }) => structure.at(-1) === "TH");
		assert.ok(heads.some(({ text }) => text === "Betrag"));
		assert.ok(heads.some(({ text }) => text === "Rechnungsbetrag"));
	});

	it("says on every page who writes, and to readers once", () => {
		const { texts, canvas } = draw(
			goldenSnapshot("wholesale-carried-over-380"),
		);
		const register = texts.filter(({ text }) => text.startsWith("Amtsgericht"));
		assert.deepEqual(
			register.map(({ page }) => page),
			Array.from({ length: canvas.pageCount }, (_, page) => page),
		);
		assert.deepEqual(
			register.map(({ structure }) => structure.includes("Artifact")),
			register.map(({ page }) => page > 0),
		);
	});

	it("leaves room for content whatever a firm has to say in its footer", () => {
		const invoice = goldenSnapshot("car-sharing-380");
		const wide = "W".repeat(200);
		const address = {
			line1: wide,
			line2: wide,
			line3: wide,
			postalCode: "W".repeat(20),
			city: wide,
			region: wide,
			country: "DE",
		};
		const recording = draw({
			...invoice,
			seller: {
				...invoice.seller,
				name: wide,
				address,
				contact: { name: wide, phone: "W".repeat(50), email: "W".repeat(254) },
				website: wide,
				registration: wide,
				management: wide,
				taxNumber: "W".repeat(50),
			},
			buyer: { name: wide, tradingName: wide, address },
		});
		assertTidy(recording);
		assertFooterIsClear(recording);
	});

	const letters =
		"abcdefghijklmnopqrstuvwxyzäöüßABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-/&()éλЖ€";
	const word = fc.string({
		unit: fc.constantFrom(...letters),
		minLength: 1,
		maxLength: 70,
		size: "max",
	});
	const text = (words: number) =>
		fc
			.array(word, { minLength: 1, maxLength: words, size: "max" })
			.map((all) => all.join(" ").slice(0, words * 20));
	const paragraphs = fc
		.array(text(60), { minLength: 1, maxLength: 30, size: "max" })
		.map((all) => all.join("\n").slice(0, 5000));
	const maybe = <Value>(value: fc.Arbitrary<Value>) =>
		fc.option(value, { nil: undefined });
	const address = fc.record({
		line1: text(10),
		line2: maybe(text(10)),
		line3: maybe(text(10)),
		postalCode: fc.constant("45127"),
		city: text(10),
		region: maybe(text(10)),
		country: fc.constantFrom("DE", "AT", "US"),
	});
	const party = fc.record({
		name: text(10),
		tradingName: maybe(text(10)),
		address,
		contact: fc.record({ name: text(10), phone: text(2), email: text(10) }),
	});
	const digits = fc.bigInt({ min: 0n, max: 10n ** 13n }).map(String);
	const line = fc.record({
		id: fc.oneof(fc.constant("1"), text(2)),
		name: text(10),
		description: maybe(paragraphs),
		sellerId: maybe(text(5)),
		quantity: fc.tuple(digits, digits).map(([a, b]) => `${a}.${b.slice(0, 6)}`),
		unit: fc.constantFrom("DAY", "C62", "LS"),
		price: digits.map((amount) => `${amount}.123456`),
		netAmount: digits.map((amount) => `${amount}.00`),
		vat: fc.constant({ category: "S" as const, rate: "19" }),
	});
	const invoices = fc.record({
		seller: party.chain((seller) =>
			fc
				.record({
					registration: text(10),
					management: text(10),
					website: text(10),
					vatIdentifier: fc.constant("DE136695976"),
				})
				.map((more) => ({ ...seller, ...more })),
		),
		buyer: party,
		lines: fc.array(line, { minLength: 1, maxLength: 40, size: "max" }),
		notes: fc.array(fc.record({ text: paragraphs }), { maxLength: 3 }),
		buyerReference: maybe(text(5)),
		orderReference: maybe(text(5)),
		payable: digits.map((amount) => `${amount}.00`),
		terms: maybe(paragraphs),
	});

	// fast-check prefers the short; here the long is what matters.
	it("stays within its margins whatever the texts and numbers are", () => {
		const invoice = goldenSnapshot("car-sharing-380");
		fc.assert(
			fc.property(invoices, ({ payable, terms, ...fields }) => {
				const recording = draw({
					...invoice,
					...fields,
					totals: { ...invoice.totals, payable },
					payment: { ...invoice.payment, terms },
				} as unknown as Snapshot);
				assertTidy(recording);
				assertFooterIsClear(recording);
			}),
			{ numRuns: 25, endOnFailure: true },
		);
	});
});
