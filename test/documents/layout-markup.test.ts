import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseMarkup } from "../../src/documents/pdf/markup.ts";
import { ELEMENTS } from "../../src/documents/pdf/vocabulary.ts";

function textOf(markup: string): string {
	const document = parseMarkup(`<document>${markup}</document>`);
	return document.children[0]?.text ?? "";
}

describe("layout markup", () => {
	const faults: [what: string, markup: string, message: RegExp][] = [
		[
			"an unknown element",
			"<document>\n\t<tabel/></document>",
			/Line 2, column 2 .*<tabel> is not an element/,
		],
		[
			"an unknown attribute",
			'<document><text colour="red">x</text></document>',
			/<text> has no attribute “colour”; it has: .*style/,
		],
		[
			"a length without a unit",
			'<document><space height="4"/></document>',
			/“height” of <space> must be a length .* not “4”/,
		],
		[
			"an attribute that comes twice",
			'<document><space height="4mm" height="5mm"/></document>',
			/<space> has “height” twice/,
		],
		[
			"an element where it does not stand",
			"<document><row/></document>",
			/<row> does not stand in <document>/,
		],
		[
			"text outside a text element",
			"<document>\n<block>Hello</block></document>",
			/Line 2, column 8 .*Text does not stand in <block>/,
		],
		[
			"a cell with text and elements",
			"<document><table><row><cell>Hello <text>you</text></cell></row></table></document>",
			/<cell> holds text or elements, not both/,
		],
		[
			"a wrong end tag",
			"<document><block></blok></document>",
			/<\/blok> closes nothing: <\/block> is due/,
		],
		[
			"a missing end tag",
			"<document><block></block>",
			/ends before <\/document>/,
		],
		[
			"an unknown character reference",
			"<document><text>a &eacute; b</text></document>",
			/“&eacute;” is no character reference/,
		],
		["a bare ampersand", "<document><text>a & b</text></document>", /“&”/],
		["an unclosed tag", "<document><text", /This tag is not closed/],
		["two documents", "<document/><document/>", /outside <document>/],
		["nothing", "", /no <document>/],
	];
	for (const [what, markup, message] of faults) {
		it(`refuses ${what} and says where`, () => {
			assert.throws(() => parseMarkup(markup), message);
		});
	}

	it("reads back what Handlebars escapes", () => {
		assert.equal(
			textOf("<text>&lt;b&gt; &amp;amp; &quot;&#x27;&#x60;&#x3D;</text>"),
			"<b> &amp; \"'`=",
		);
	});

	it("takes white space as HTML does: only <break/> and U+2028 break a line", () => {
		assert.equal(
			textOf(
				"<text>\n\t one\n\ttwo \u2028 three<break/>\n four\u00a0five </text>",
			),
			"one two\u2028three\u2028four\u00a0five",
		);
	});

	it("is described in templates/README.md, element by element and attribute by attribute", () => {
		const readme = readFileSync("templates/README.md", "utf8");
		const rows = new Map(
			[...readme.matchAll(/^\| `<([a-z-]+)>` +\|([^|]*)\|/gm)].map(
				([, name = "", attributes = ""]) => [
					name,
					[...attributes.matchAll(/`([a-z-]+)`/g)].map(([, key]) => key).sort(),
				],
			),
		);
		assert.deepEqual(
			Object.fromEntries([...rows].sort()),
			Object.fromEntries(
				Object.entries(ELEMENTS)
					.map(([name, { attributes }]) => [
						name,
						Object.keys(attributes).sort(),
					])
					.sort(),
			),
		);
	});
});
