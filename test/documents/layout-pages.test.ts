import assert from "node:assert/strict";
import fc from "fast-check";
import { layOut } from "../../src/documents/pdf/layout.ts";
import { parseMarkup } from "../../src/documents/pdf/markup.ts";
import {
	type DrawnText,
	layOutPlainly,
	pagesOf,
	type Recording,
	record,
} from "./recording.ts";

/** 60 lines of 10 points fit on a page: 841.89 − 120.94 − 120.95. */
const STYLES = `<style name="body" size="10pt" leading="10pt"/>`;

function document(body: string, attributes = ""): string {
	return `<document left="20pt" right="20pt" top="120.94pt" bottom="120.95pt" ${attributes}>${STYLES}${body}</document>`;
}

function lines(count: number, name = "line"): string {
	return Array.from(
		{ length: count },
		(_, index) => `<text>${name} ${index + 1}</text>`,
	).join("");
}

function table(rows: string[]): string {
	return `<table><table-column width="rest"/><table-column width="auto" align="right"/>
		<head><cell>Item</cell><cell>Amount</cell></head>
		<carry-forward><cell>carried</cell><cell><subtotal/></cell></carry-forward>
		<brought-forward><cell>brought</cell><cell><subtotal/></cell></brought-forward>
		${rows.join("\n")}</table>`;
}

function rows(count: number): string[] {
	return Array.from(
		{ length: count },
		(_, index) =>
			`<row><value>${index + 1}</value><cell>item ${index + 1}</cell><cell>${index + 1}</cell></row>`,
	);
}

const TOTALS = `<block together="yes" with-previous="yes">${lines(5, "total")}</block>`;

function pages(body: string): string[][] {
	return pagesOf(layOutPlainly(document(body)));
}

describe("page breaks", () => {
	it("fill a page to its last line", () => {
		assert.deepEqual(
			pages(lines(61)).map((page) => page.length),
			[60, 1],
		);
	});

	it("leave two lines of a paragraph on either page", () => {
		const paragraph = (count: number) =>
			`<text>${Array.from({ length: count }, (_, index) => `p${index + 1}`).join("<break/>")}</text>`;
		const ends = (body: string) =>
			pages(body).map((page) => page[page.length - 1]);
		assert.deepEqual(ends(lines(58) + paragraph(4)), ["p2", "p4"]);
		assert.deepEqual(ends(lines(59) + paragraph(4)), ["line 59", "p4"]);
		assert.deepEqual(ends(lines(57) + paragraph(4)), ["p2", "p4"]);
	});

	it("drop the space above what a page begins with", () => {
		const recording = layOutPlainly(
			document(`${lines(60)}<text space-before="50pt">next</text>`),
		);
		const next = recording.texts.find(({ text }) => text === "next");
		assert.equal(next?.page, 1);
		assert.equal(next?.y, recording.texts[0]?.y);
	});

	it("move a block that stays together as a whole, and break one that no page can hold", () => {
		const block = (count: number) =>
			`<block together="yes">${lines(count, "kept")}</block>`;
		assert.deepEqual(
			pages(lines(56) + block(5)).map((page) => page.length),
			[56, 5],
		);
		assert.deepEqual(
			pages(lines(1) + block(70)).map((page) => page.length),
			[1, 60, 10],
		);
	});

	it("refuse a header and footer that leave no room", () => {
		assert.throws(
			() =>
				layOutPlainly(
					document(`<page-footer><space height="500pt"/></page-footer>`),
				),
			/Header and footer leave 100 points/,
		);
	});

	it("count the pages", () => {
		const recording = layOutPlainly(
			document(
				`<page-header on="following"><text>again</text></page-header>
				<page-footer><text>page <page-number/> of <page-count/></text></page-footer>${lines(130)}`,
			),
		);
		assert.deepEqual(
			pagesOf(recording).map((page) => [
				page[0],
				page.filter((line) => line.startsWith("page")),
			]),
			[
				["line 1", ["page 1 of 3"]],
				["again", ["page 2 of 3"]],
				["again", ["page 3 of 3"]],
			],
		);
	});

	it("know no document of more pages than can be", () => {
		assert.throws(
			() => layOutPlainly(document(`<space height="500pt"/>`.repeat(2001))),
			/more than 2000 pages/,
		);
	});
});

describe("a table over pages", () => {
	it("repeats its head and carries the subtotal over", () => {
		const [first, second, third, ...more] = pages(table(rows(130)));
		assert.equal(more.length, 0);
		// Head, 58 rows, carried; head, brought, 57 rows, carried; head, brought, the rest.
		assert.deepEqual(first?.slice(0, 2), ["Item | Amount", "item 1 | 1"]);
		assert.deepEqual(first?.slice(-2), ["item 58 | 58", "carried | 1711"]);
		assert.deepEqual(second?.slice(0, 3), [
			"Item | Amount",
			"brought | 1711",
			"item 59 | 59",
		]);
		assert.deepEqual(second?.slice(-2), ["item 115 | 115", "carried | 6670"]);
		assert.deepEqual(third?.slice(0, 3), [
			"Item | Amount",
			"brought | 6670",
			"item 116 | 116",
		]);
		assert.equal(third?.at(-1), "item 130 | 130");
	});

	it("carries nothing where it fits", () => {
		const [only, ...more] = pages(table(rows(59)));
		assert.equal(more.length, 0);
		assert.equal(only?.at(-1), "item 59 | 59");
	});

	it("takes its last row along to the totals", () => {
		// 55 rows and the head leave four lines: too few for the five totals.
		const [first, second] = pages(table(rows(55)) + TOTALS);
		assert.deepEqual(first?.slice(-2), ["item 54 | 54", "carried | 1485"]);
		assert.deepEqual(second?.slice(0, 4), [
			"Item | Amount",
			"brought | 1485",
			"item 55 | 55",
			"total 1",
		]);
		assert.equal(pages(table(rows(54)) + TOTALS).length, 1);
	});

	it("does not begin at the foot of a page", () => {
		const head = (above: number) =>
			pages(lines(above) + table(rows(5)))[1]?.[0];
		assert.equal(head(58), "Item | Amount");
		assert.equal(head(57), "Item | Amount");
		// Head, two rows and the carried subtotal fit.
		const [first, second] = pages(lines(56) + table(rows(5)));
		assert.equal(first?.at(-1), "carried | 3");
		assert.equal(second?.[1], "brought | 3");
	});

	it("breaks a row that is higher than a page, its value counted where its amount stands", () => {
		const tall = `<row><value>7</value><cell><text>${Array.from({ length: 100 }, (_, index) => `t${index + 1}`).join("<break/>")}</text></cell><cell>7</cell></row>`;
		const [first, second, ...more] = pages(
			table([...rows(2), tall, ...rows(1)]),
		);
		assert.equal(more.length, 0);
		assert.deepEqual(first?.slice(-2), ["t56", "carried | 10"]);
		assert.deepEqual(second?.slice(0, 3), [
			"Item | Amount",
			"brought | 10",
			"t57",
		]);
		assert.equal(second?.at(-1), "item 1 | 1");
	});

	it("is one table to readers, the repeated head and subtotals artifacts", () => {
		const { elements, texts, open } = layOutPlainly(document(table(rows(130))));
		const count = (type: string) =>
			elements.filter((element) => element.type === type).length;
		assert.deepEqual(open, []);
		assert.equal(count("Table"), 1);
		assert.equal(count("TR"), 131);
		assert.equal(count("TH"), 2);
		assert.equal(count("TD"), 260);
		for (const { text, page, structure } of texts) {
			const repeated =
				/brought|carried/.test(text) || (page > 0 && text === "Item");
			if (repeated) {
				assert.ok(structure.includes("Artifact"), text);
			} else if (text.startsWith("item")) {
				assert.deepEqual(structure, ["Table", "TR", "TD"]);
			}
		}
	});

	it("never leaves totals without a row, whatever the heights", () => {
		const heights = fc.array(fc.integer({ min: 1, max: 30 }), {
			minLength: 1,
			maxLength: 60,
		});
		fc.assert(
			fc.property(
				heights,
				fc.integer({ min: 0, max: 59 }),
				fc.integer({ min: 1, max: 40 }),
				(rowHeights, above, totalLines) => {
					const body = rowHeights.map(
						(height, index) =>
							`<row><value>1</value><cell><text>r${index}${"<break/>x".repeat(height - 1)}</text></cell><cell>1</cell></row>`,
					);
					const laidOut = pages(
						`${lines(above)}${table(body)}<block together="yes" with-previous="yes">${lines(totalLines, "total")}</block>`,
					);
					for (const page of laidOut) {
						assert.ok(page.length <= 60, "a page is too full");
						const total = page.indexOf("total 1");
						if (total !== -1) {
							assert.match(page[total - 1] ?? "nothing", /^r|^x/);
						}
						for (const [index, line] of page.entries()) {
							if (line.startsWith("brought") || line.startsWith("carried")) {
								const rowsSoFar = laidOut
									.slice(0, laidOut.indexOf(page))
									.flat()
									.concat(page.slice(0, index))
									.filter((other) => / \| 1$/.test(other) && /^r/.test(other));
								assert.equal(line.split(" | ")[1], String(rowsSoFar.length));
							}
						}
					}
					assert.equal(
						laidOut.flat().filter((line) => /^r\d/.test(line)).length,
						rowHeights.length,
					);
				},
			),
			// Two high rows whose totals do not fit by a line.
			{ numRuns: 300, examples: [[[29, 27], 0, 4]] },
		);
	});
});

describe("columns of a table", () => {
	function cells(markup: string): DrawnText[] {
		return layOutPlainly(document(markup)).texts;
	}

	const NUMBERS = `<table gap="10pt"><table-column width="rest"/><table-column width="auto" align="decimal"/>
		<row><cell>a</cell><cell>1.250,00 €</cell></row>
		<row><cell>b</cell><cell>0,0825 €</cell></row>
		<row><cell>c</cell><cell>12 €</cell></row>
		<row><cell>d</cell><cell>–</cell></row></table>`;

	it("meet at the decimal separator", () => {
		const [, a, , b, , c, , d] = cells(NUMBERS);
		assert.ok(a && b && c && d);
		// A character is five points wide.
		const pointOf = ({ x, text }: DrawnText) => x + text.indexOf(",") * 5;
		assert.equal(pointOf(a), pointOf(b));
		assert.equal(c.x + 2 * 5, pointOf(a));
		// The longest tail and what has no number end at the right margin.
		assert.ok(Math.abs(b.x + b.width - 575.28) < 0.01);
		assert.ok(Math.abs(d.x + d.width - 575.28) < 0.01);
	});

	it("are set smaller where they do not fit, and stay inside", () => {
		const long = "1234567890".repeat(6);
		const drawn = cells(
			`<table gap="10pt" shrink="0.5"><table-column width="rest"/><table-column width="auto"/><table-column width="auto"/><row><cell>name</cell><cell>${long}</cell><cell>${long.slice(0, 40)}</cell></row></table>`,
		);
		assert.ok(drawn.every(({ size }) => size < 10));
		assert.ok(drawn.every(({ x, width }) => x + width <= 575.29));
	});

	it("are narrowed, and numbers broken, where even that does not help", () => {
		const long = "1234567890".repeat(30);
		const drawn = cells(
			`<table gap="10pt" shrink="0.5"><table-column width="rest"/><table-column width="auto"/><row><cell>name</cell><cell>${long}</cell></row></table>`,
		);
		assert.equal(
			drawn
				.slice(1)
				.map(({ text }) => text)
				.join(""),
			long,
		);
		assert.ok(drawn.every(({ x, width }) => x + width <= 575.29));
	});

	it("share the first baseline of a row", () => {
		const recording = record();
		layOut(
			parseMarkup(
				`<document left="20pt" right="20pt"><style name="body" size="10pt" leading="10pt"/><style name="big" size="20pt" leading="30pt"/>
				<table><table-column width="rest"/><table-column width="rest" style="big"/><row><cell>small</cell><cell>big</cell></row></table></document>`,
			),
			recording.canvas,
			{ decimalSeparator: ",", sum: () => "" },
		);
		const [small, big] = recording.texts;
		assert.equal(small?.y, big?.y);
	});

	it("refuse a row with more cells than columns", () => {
		assert.throws(
			() =>
				cells(
					`<table><table-column/><row><cell>a</cell><cell>b</cell></row></table>`,
				),
			/more cells than its table has columns \(1\)/,
		);
	});
});

describe("blocks", () => {
	it("shrink their space first, then their type", () => {
		const drawn = (count: number) =>
			layOutPlainly(
				document(
					`<block height="100pt" shrink="0.5"><space height="40pt" shrink="yes"/>${lines(count)}</block><text>after</text>`,
				),
			).texts;
		const sizes = (count: number) => drawn(count)[0]?.size;
		const afterwards = (count: number) => drawn(count).at(-1)?.y;
		assert.equal(sizes(10), 10);
		assert.equal(sizes(11), 9);
		assert.equal(afterwards(1), afterwards(11));
		// Ten lines take all of the space away.
		assert.equal(
			drawn(10)[0]?.y,
			layOutPlainly(document(lines(1))).texts[0]?.y,
		);
	});

	it("name a style that nobody defines", () => {
		assert.throws(
			() => layOutPlainly(document(`<text style="huge">x</text>`)),
			/the style “huge”, which no <style> defines; there are: body/,
		);
	});

	it("draw links, pictures and codes in their own structure", () => {
		const recording: Recording = layOutPlainly(
			document(
				`<link scheme="mailto:">a@b.example</link><link scheme="https://">http://c.example</link>
				<image width="100pt" height="20pt" align="right"><source>data:image/png;base64,AAAA</source><alternative>Logo</alternative></image>
				<qr size="100pt"><content>HELLO</content><alternative>Code</alternative></qr>`,
			),
		);
		assert.deepEqual(
			recording.links.map(({ url }) => url),
			["mailto:a@b.example", "http://c.example"],
		);
		assert.deepEqual(
			recording.elements.filter(({ type }) => type === "Figure"),
			[
				{ type: "Figure", attributes: { alternative: "Logo" } },
				{ type: "Figure", attributes: { alternative: "Code" } },
			],
		);
		const [image] = recording.images;
		// 300 × 90 pixels in 100 × 20 points.
		assert.equal(Math.round(image?.height ?? 0), 20);
		assert.equal(Math.round(image?.width ?? 0), 67);
		assert.ok(Math.abs((image?.x ?? 0) + (image?.width ?? 0) - 575.28) < 0.01);
	});
});
