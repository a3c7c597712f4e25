/** Compiling templates: from the files of a template's folder to what the run time needs. Not part of a bundle whose templates are precompiled. */
import { LANGUAGES } from "../../invoice/draft.ts";
import {
	type CompiledTemplate,
	MAIN_PART,
	type TemplateReference,
} from "./template.ts";
import { translatePart } from "./template-code.ts";
import type { TemplateTexts } from "./template-data.ts";
import { REQUIRED_TEXTS } from "./template-functions.ts";

const PART = /^([a-z][a-z0-9-]*)\.hbs$/;
const TEXTS = /^texts\.([a-z]{2})\.json$/;

/** One part as the source text of a JavaScript function. */
function precompilePart(
	file: string,
	source: string,
	parts: ReadonlySet<string>,
): string {
	try {
		return translatePart(withoutIndentation(source), parts);
	} catch (error) {
		throw new Error(
			`${file}: ${error instanceof Error ? error.message : String(error)}`,
			{ cause: error },
		);
	}
}

/** White space of the markup means as much as one line break: the rest is not worth writing into every document. */
function withoutIndentation(source: string): string {
	return source.replace(/^[ \t]+|[ \t]+$/gm, "");
}

/** The texts of one language, checked. */
function readTexts(file: string, json: string): TemplateTexts {
	let texts: unknown;
	try {
		texts = JSON.parse(json);
	} catch (error) {
		throw new Error(`${file} is not JSON: ${(error as Error).message}`, {
			cause: error,
		});
	}
	const missing = REQUIRED_TEXTS.filter(
		(name) => !Object.hasOwn(texts as object, name),
	);
	if (missing.length > 0) {
		throw new Error(`${file} lacks the texts ${missing.join(", ")}.`);
	}
	return texts as TemplateTexts;
}

/**
 * Compiles a version of a template of its files (by file name) to the source
 * text of a JavaScript expression, for a bundler to write into a module.
 * Throws an Error that names the file where one is faulty, missing or not of a
 * template.
 */
export function precompileTemplate(
	{ name, version }: TemplateReference,
	files: Readonly<Record<string, string>>,
): string {
	const names = new Set(
		Object.keys(files).flatMap((file) => PART.exec(file)?.[1] ?? []),
	);
	const parts: string[] = [];
	const texts: Partial<Record<string, TemplateTexts>> = {};
	for (const [file, content] of Object.entries(files)) {
		const path = `${name}/${version}/${file}`;
		const part = PART.exec(file)?.[1];
		const language = TEXTS.exec(file)?.[1];
		if (part !== undefined) {
			parts.push(
				`${JSON.stringify(part)}:${precompilePart(path, content, names)}`,
			);
		} else if (language !== undefined) {
			texts[language] = readTexts(path, content);
		} else {
			throw new Error(
				`${path} is no file of a template: there are *.hbs and texts.<language>.json.`,
			);
		}
	}
	const missing = [
		...(`${MAIN_PART}.hbs` in files ? [] : [`${MAIN_PART}.hbs`]),
		...LANGUAGES.filter((language) => texts[language] === undefined).map(
			(language) => `texts.${language}.json`,
		),
	];
	if (missing.length > 0) {
		throw new Error(
			`The template ${name}/${version} lacks ${missing.join(" and ")}.`,
		);
	}
	return `{name:${JSON.stringify(name)},version:${version},parts:{${parts.join(",")}},texts:${JSON.stringify(texts)}}`;
}

/** Compiles a version of a template for use in this process. Throws as `precompileTemplate` does. */
export function compileTemplate(
	template: TemplateReference,
	files: Readonly<Record<string, string>>,
): CompiledTemplate {
	// What a bundler would have written into a module.
	const source = precompileTemplate(template, files);
	return new Function(`return (${source});`)() as CompiledTemplate;
}
