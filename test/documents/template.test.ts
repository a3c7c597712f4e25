import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileTemplate } from "../../src/documents/pdf/compile.ts";
import { createTemplates } from "../../src/documents/pdf/template.ts";
import { loadTemplates } from "../../src/documents/pdf/template-files.ts";
import { TEMPLATE_FUNCTIONS } from "../../src/documents/pdf/template-functions.ts";
import { UNITS } from "../../src/invoice/codes.ts";
import { FILE_SYSTEM } from "../../src/node/file-system.ts";
import { goldenSnapshot } from "../golden.ts";

const FOLDER = "templates";
const RELEASED = join(FOLDER, "released.json");

/** Set to add new versions to templates/released.json; those that are there are never altered. */
const RELEASE = process.env.RELEASE_TEMPLATES === "1";

/** Every version's files: by "name/version", then by file name. */
function templateFiles(): Map<string, Record<string, string>> {
	const folders = (path: string) =>
		readdirSync(path, { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map(({ name }) => name);
	return new Map(
		folders(FOLDER).flatMap((name) =>
			folders(join(FOLDER, name)).map((version) => {
				const path = join(FOLDER, name, version);
				const files = readdirSync(path).sort();
				return [
					`${name}/${version}`,
					Object.fromEntries(
						files.map((file) => [file, readFileSync(join(path, file), "utf8")]),
					),
				];
			}),
		),
	);
}

function digestOf(files: Record<string, string>): string {
	const hash = createHash("sha256");
	for (const [file, content] of Object.entries(files)) {
		hash.update(`${file}\0${content}\0`);
	}
	return hash.digest("hex");
}

describe("released templates", () => {
	it("have not changed since their release", () => {
		const released: Record<string, string> = JSON.parse(
			readFileSync(RELEASED, "utf8"),
		);
		const present = new Map(
			[...templateFiles()].map(([name, files]) => [name, digestOf(files)]),
		);
		for (const [name, digest] of Object.entries(released)) {
			assert.equal(
				present.get(name),
				digest,
				`templates/${name} was released and must not change: copy it to the next version (templates/README.md)`,
			);
		}
		const added = [...present].filter(([name]) => !(name in released));
		if (RELEASE) {
			const all = { ...released, ...Object.fromEntries(added) };
			writeFileSync(RELEASED, `${JSON.stringify(all, null, "\t")}\n`);
		} else {
			assert.deepEqual(
				added.map(([name]) => name),
				[],
				"not released yet: run with RELEASE_TEMPLATES=1 when it is finished",
			);
		}
	});

	for (const [name, files] of templateFiles()) {
		const texts = (language: string): Record<string, unknown> =>
			JSON.parse(files[`texts.${language}.json`] ?? "{}");

		it(`${name} has the same texts in every language`, () => {
			const keys = (value: unknown): unknown =>
				typeof value === "object" && value !== null && !Array.isArray(value)
					? Object.fromEntries(
							Object.entries(value)
								.filter(([key]) => key !== "units")
								.sort(([a], [b]) => (a < b ? -1 : 1))
								.map(([key, inner]) => [key, keys(inner)]),
						)
					: typeof value;
			assert.deepEqual(keys(texts("de")), keys(texts("en")));
			for (const language of ["de", "en"]) {
				for (const code of Object.keys(texts(language).units ?? {})) {
					assert.ok(UNITS.has(code), `${code} is no unit`);
				}
			}
		});

		it(`${name} uses no text that is not there`, () => {
			const there = texts("de");
			for (const [file, source] of Object.entries(files)) {
				for (const [, text = ""] of source.matchAll(/@text\.([A-Za-z]+)/g)) {
					assert.ok(text in there, `${file} uses @text.${text}`);
				}
			}
		});
	}

	it("are described in their README with every function there is", () => {
		const readme = readFileSync(join(FOLDER, "README.md"), "utf8");
		for (const name of Object.keys(TEMPLATE_FUNCTIONS)) {
			assert.match(readme, new RegExp(`[{(]${name} `), name);
		}
	});
});

describe("a template", () => {
	const texts = readFileSync(
		join(FOLDER, "invoice", "1", "texts.de.json"),
		"utf8",
	);
	const invoice = goldenSnapshot("car-sharing-380");
	const LETTER = { name: "letter", version: 1 };

	function markupOf(source: string): string {
		const template = compileTemplate(LETTER, {
			"document.hbs": source,
			"texts.de.json": texts,
			"texts.en.json": texts,
		});
		return createTemplates([template]).markup(invoice, LETTER);
	}

	it("escapes what the invoice says", () => {
		const hostile = {
			...invoice,
			number: `<qr> & "'`,
		};
		const template = compileTemplate(LETTER, {
			"document.hbs": "{{number}}",
			"texts.de.json": texts,
			"texts.en.json": texts,
		});
		assert.equal(
			createTemplates([template]).markup(hostile, LETTER),
			"&lt;qr&gt; &amp; &quot;&#x27;",
		);
	});

	const written: [source: string, text: string][] = [
		["{{amount totals.payable}}", "175,17\u00a0€"],
		["{{reduction totals.payable}}", "-175,17\u00a0€"],
		["{{date issueDate}}", "24.11.2026"],
		["{{period delivery.period}}", "01.11.\u00a0– 20.11.2026"],
		[
			"{{iban payment.creditTransfer.iban}}",
			"DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
		],
		[
			"{{#each lines}}{{quantity quantity}} {{unit unit quantity}} {{rate vat.rate}};{{/each}}",
			"3 Tage 19\u00a0%;1 Stk. 19\u00a0%;",
		],
		[
			"{{#each (address buyer.address seller.address)}}{{this}};{{/each}}",
			"Am Markt 3;44787 Bochum;",
		],
		["{{named @text.titles @document}}", "Rechnung"],
		["{{either buyerReference @text.page}}", "Seite"],
		[
			"{{#if (same type '380')}}yes{{/if}}{{#if (some totals.prepaid)}}no{{/if}}",
			"yes",
		],
		[
			"{{@issuer.name}} → {{@recipient.name}}",
			"Stadtflitzer Carsharing GmbH → Anna Schmidt",
		],
	];
	for (const [source, text] of written) {
		it(`writes ${source} as ${text}`, () => {
			assert.equal(markupOf(source), text);
		});
	}

	it("is told of a field that is not there", () => {
		assert.throws(
			() => markupOf("{{amount totals.payabel}}"),
			/\{\{amount …\}\} was given a field that is not there/,
		);
	});

	const faults: [
		what: string,
		files: Record<string, string>,
		message: RegExp,
	][] = [
		[
			"a misspelt function",
			{ "document.hbs": "{{amuont totals.payable}}" },
			/letter\/1\/document\.hbs: .*amuont/,
		],
		[
			"a syntax error, with its line",
			{ "document.hbs": "a\n{{#if number}}" },
			/letter\/1\/document\.hbs: Parse error on line 2/,
		],
		["a missing document", { "part.hbs": "" }, /letter\/1 lacks document\.hbs/],
		[
			"texts that are not JSON",
			{ "document.hbs": "", "texts.de.json": "{" },
			/letter\/1\/texts\.de\.json is not JSON/,
		],
		[
			"texts without what the functions need",
			{ "document.hbs": "", "texts.de.json": "{}" },
			/texts\.de\.json lacks the texts months, countries/,
		],
		[
			"a file that does not belong",
			{ "document.html": "" },
			/letter\/1\/document\.html is no file of a template/,
		],
	];
	for (const [what, files, message] of faults) {
		it(`is refused with ${what}`, () => {
			assert.throws(
				() =>
					compileTemplate(LETTER, {
						"texts.de.json": texts,
						"texts.en.json": texts,
						...files,
					}),
				message,
			);
		});
	}

	it("is named with what there is where name or version is unknown", async () => {
		const templates = createTemplates(await loadTemplates(FILE_SYSTEM, FOLDER));
		assert.ok(templates.has({ name: "invoice", version: 1 }));
		assert.ok(!templates.has({ name: "invoice", version: 99 }));
		assert.throws(
			() => templates.markup(invoice, { name: "invoice", version: 99 }),
			/The template “invoice” has no version 99; it has: 1/,
		);
		assert.throws(
			() => templates.markup(invoice, { name: "invoce", version: 1 }),
			/There is no template “invoce”; there are: invoice/,
		);
	});
});
