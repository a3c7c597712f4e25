/** Templates as files: <directory>/<name>/<version>/*.hbs and texts.<language>.json. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
	compileTemplate,
	precompileTemplate,
} from "../documents/pdf/compile.ts";
import type {
	TemplateLibrary,
	TemplateReference,
} from "../documents/pdf/template.ts";
import { TEMPLATE_NAME_PATTERN } from "../invoice/draft.ts";

const VERSION = /^[1-9][0-9]{0,3}$/;

/** Compiles every template of a directory. Other files and folders are left alone. */
export async function loadTemplates(
	directory: string,
): Promise<TemplateLibrary> {
	return mapTemplates(directory, compileTemplate);
}

/** The same as the source text of a JavaScript expression, for a bundler to write into a module. */
export async function precompileTemplates(directory: string): Promise<string> {
	return `[${(await mapTemplates(directory, precompileTemplate)).join(",\n")}]`;
}

/** The files of one version of a template, by name. */
export async function readTemplateFiles(
	directory: string,
): Promise<Record<string, string>> {
	const names = (await readdir(directory))
		.filter((name) => !name.startsWith("."))
		.sort();
	const contents = await Promise.all(
		names.map((name) => readFile(join(directory, name), "utf8")),
	);
	return Object.fromEntries(
		names.map((name, index) => [name, contents[index] ?? ""]),
	);
}

async function mapTemplates<Result>(
	directory: string,
	work: (template: TemplateReference, files: Record<string, string>) => Result,
): Promise<Result[]> {
	const results: Result[] = [];
	for (const name of await foldersOf(directory)) {
		if (!TEMPLATE_NAME_PATTERN.test(name)) {
			continue;
		}
		for (const version of await foldersOf(join(directory, name))) {
			if (VERSION.test(version)) {
				const files = await readTemplateFiles(join(directory, name, version));
				results.push(work({ name, version: Number(version) }, files));
			}
		}
	}
	return results;
}

async function foldersOf(directory: string): Promise<string[]> {
	const entries = await readdir(directory, { withFileTypes: true });
	return entries
		.filter((entry) => entry.isDirectory())
		.map((entry) => entry.name)
		.sort();
}
