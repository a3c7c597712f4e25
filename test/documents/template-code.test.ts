import assert from "node:assert/strict";
import Handlebars from "handlebars/dist/cjs/handlebars.js";
import { compileTemplate } from "../../src/documents/pdf/compile.ts";
import { createTemplates } from "../../src/documents/pdf/template.ts";
import { templateData } from "../../src/documents/pdf/template-data.ts";
import { TEMPLATE_FUNCTIONS } from "../../src/documents/pdf/template-functions.ts";
import { goldenSnapshot } from "../golden.ts";

const LETTER = { name: "letter", version: 1 };
const TEXTS = {
	months: [],
	countries: {},
	units: {},
	from: "ab {date}",
	until: "bis {date}",
	discount: "",
	discountOnPart: "",
	titles: { "380": "Rechnung" },
};
const invoice = {
	...goldenSnapshot("car-sharing-380"),
	buyerReference: `<"Ein & Alles">`,
};

type Parts = Readonly<Record<string, string>>;

/** The markup by Handlebars itself: the one to agree with. */
function byHandlebars(source: string, parts: Parts): string {
	const environment = Handlebars.create();
	for (const [name, action] of Object.entries(TEMPLATE_FUNCTIONS)) {
		environment.registerHelper(name, action as (...all: unknown[]) => unknown);
	}
	for (const [name, part] of Object.entries(parts)) {
		environment.registerPartial(name, part);
	}
	return environment.compile(source, { preventIndent: true })(invoice, {
		data: templateData(invoice, TEXTS),
	});
}

function template(source: string, parts: Parts = {}) {
	const files = Object.entries(parts).map(([name, part]) => [
		`${name}.hbs`,
		part,
	]);
	return compileTemplate(LETTER, {
		"document.hbs": source,
		"texts.de.json": JSON.stringify(TEXTS),
		"texts.en.json": JSON.stringify(TEXTS),
		...Object.fromEntries(files),
	});
}

describe("the code of templates", () => {
	const sources: [source: string, parts?: Parts][] = [
		["plain “text” and `marks` $ {here}\n\\ and <text>&amp;</text>"],
		["{{number}} {{{buyerReference}}} {{buyerReference}} {{&buyerReference}}"],
		["{{nothing}}{{nothing.further}}{{seller.nothing.further}}{{@nothing}}."],
		["{{seller.address.city}} {{./number}} {{this.number}} {{@root.number}}"],
		["{{sequence}} {{template.version}} {{template.[name]}}"],
		["{{! a remark }}{{!-- and -- another --}}a"],
		["{{#if number}}yes{{/if}}{{#if nothing}}no{{else}}not{{/if}}"],
		["{{#if nothing}}a{{else if number}}b{{else}}c{{/if}}"],
		["{{^if nothing}}inverse{{else}}straight{{/if}}"],
		["{{#unless nothing}}a{{/unless}}{{#unless number}}b{{else}}c{{/unless}}"],
		["{{#if lines}}some{{/if}}{{#if notes}}{{notes.length}}{{/if}}"],
		["{{#each lines}}{{id}}. {{name}}{{#unless @last}}, {{/unless}}{{/each}}"],
		["{{#each lines}}{{@index}}{{@key}}{{@first}}{{@last}} {{/each}}"],
		[
			"{{#each lines}}{{../number}}/{{#with vat}}{{this.rate}}{{../id}}{{../../number}}{{/with}}{{/each}}",
		],
		["{{#each lines}}{{#if name}}{{../number}}{{/if}}{{/each}}"],
		[
			"{{#each lines}}{{#each allowances}}{{@index}}{{this.amount}}{{../id}}{{/each}}{{@index}}{{/each}}",
		],
		[
			"{{#each nothing}}a{{else}}none{{/each}}{{#each number}}b{{else}}none{{/each}}",
		],
		[
			"{{#each seller.contact}}{{@key}}={{this}}{{#if @first}}!{{/if}};{{/each}}",
		],
		[
			"{{#with seller}}{{name}} {{../number}}{{/with}}{{#with nothing}}a{{else}}{{number}}{{/with}}",
		],
		["{{#with this}}{{number}}{{../number}}{{/with}}"],
		["{{amount totals.payable}} {{date issueDate}} {{either nothing 'so'}}"],
		[
			"{{either nothing (named @text.titles type)}} {{#if (same type '380')}}x{{/if}}",
		],
		[
			"{{#if (same template.version 1)}}one{{/if}}{{#if (same smallAmount true)}}two{{/if}}",
		],
		["a{{~number~}} b {{~#if number~}} c {{~/if~}} d"],
		["{{#if number}}\nline\n{{/if}}\n{{> part}}\nend", { part: "p\n" }],
		["{{#each lines}}{{> part}}{{/each}}", { part: "{{@index}}{{name}}" }],
		["{{> part}}", { part: "{{> inner}}{{number}}", inner: "i" }],
	];
	for (const [source, parts = {}] of sources) {
		it(`writes what Handlebars writes of ${JSON.stringify(source)}`, () => {
			assert.equal(
				createTemplates([template(source, parts)]).markup(invoice, LETTER),
				byHandlebars(source, parts),
			);
		});
	}

	const faults: [source: string, message: RegExp][] = [
		["a\n{{amuont total}}", /There is no function “amuont”; .*amount.* - 2:0/],
		["{{#lines}}{{/lines}}", /\{\{#lines\}\} takes one value/],
		["{{#list lines}}{{/list}}", /\{\{#list\}\} is no block; there are: if, /],
		["{{#each lines as |line|}}{{/each}}", /takes one value and nothing else/],
		["{{#if number includeZero=true}}{{/if}}", /takes one value/],
		["{{amount number places=2}}", /\{\{amount\}\} takes no named values/],
		["{{rate}}", /a field of that name is \{\{this\.rate\}\}/],
		["{{> prat}}", /There is no part “prat”; there are: document/],
		["{{> document lines}}", /takes nothing but the context/],
		["{{> document a=1}}", /takes nothing but the context/],
		["{{#> document}}{{/document}}", /more of Handlebars than templates have/],
		["{{constructor}}", /“constructor” is no field of an invoice/],
		["{{seller.__proto__}}", /“__proto__” is no field/],
		["{{#each lines}}{{@../index}}{{/each}}", /reaches out of its loop/],
		["{{amount undefined}}", /more of Handlebars than templates have/],
	];
	for (const [source, message] of faults) {
		it(`refuses ${JSON.stringify(source)} with its place`, () => {
			assert.throws(() => template(source), message);
		});
	}
});
