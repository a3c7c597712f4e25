/** Templates as files: <directory>/<name>/<version>/*.hbs and texts.<language>.json. */
import { type Files, readTextFile } from "../../files.ts";
import { TEMPLATE_NAME_PATTERN } from "../../invoice/draft.ts";
import { compileTemplate, precompileTemplate } from "./compile.ts";
import type { TemplateLibrary, TemplateReference } from "./template.ts";

const VERSION = /^[1-9][0-9]{0,3}$/;

/** Compiles every template of a directory. Other files and folders are left alone. */
export async function loadTemplates(
	files: Files,
	directory: string,
): Promise<TemplateLibrary> {
	return mapTemplates(files, directory, compileTemplate);
}

/** The same as the source text of a JavaScript expression, for a bundler to write into a module. */
export async function precompileTemplates(
	files: Files,
	directory: string,
): Promise<string> {
	const templates = await mapTemplates(files, directory, precompileTemplate);
	return `[${templates.join(",\n")}]`;
}

/** The files of one version of a template, by name. */
export async function readTemplateFiles(
	files: Files,
	directory: string,
): Promise<Record<string, string>> {
	const names = (await files.readFolder(directory))
		.map(({ name }) => name)
		.filter((name) => !name.startsWith("."))
		.sort();
	const contents = await Promise.all(
		names.map((name) => readTextFile(files, `${directory}/${name}`)),
	);
	return Object.fromEntries(
		names.map((name, index) => [name, contents[index] ?? ""]),
	);
}

async function mapTemplates<Result>(
	files: Files,
	directory: string,
	work: (
		template: TemplateReference,
		contents: Record<string, string>,
	) => Result,
): Promise<Result[]> {
	const results: Result[] = [];
	for (const name of await foldersOf(files, directory)) {
		if (!TEMPLATE_NAME_PATTERN.test(name)) {
			continue;
		}
		for (const version of await foldersOf(files, `${directory}/${name}`)) {
			if (VERSION.test(version)) {
				const folder = `${directory}/${name}/${version}`;
				const contents = await readTemplateFiles(files, folder);
				results.push(work({ name, version: Number(version) }, contents));
			}
		}
	}
	return results;
}

async function foldersOf(files: Files, directory: string): Promise<string[]> {
	const entries = await files.readFolder(directory);
	return entries
		.filter(({ isFolder }) => isFolder)
		.map(({ name }) => name)
		.sort();
}
