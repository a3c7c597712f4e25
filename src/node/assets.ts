/** Reading fonts and templates from the file system, once, when the service starts. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FontName } from "../documents/pdf/canvas.ts";
import { compileTemplate } from "../documents/pdf/compile.ts";
import { createPortableDeflate } from "../documents/pdf/deflate.ts";
import type { PdfRendererAssets } from "../documents/pdf/render.ts";
import type {
	CompiledTemplate,
	TemplateLibrary,
} from "../documents/pdf/template.ts";
import { TEMPLATE_NAME_PATTERN } from "../invoice/draft.ts";

/** Where the assets are. */
export interface AssetLocations {
	/** The folder with fonts/ and templates/: the nearest above this program where it is left out. */
	root?: string;
	/** A directory of further templates (TEMPLATES_DIRECTORY). */
	furtherTemplates?: string;
}

const FONT_FILES: Readonly<Record<FontName, string>> = {
	regular: "RechnungSans-Regular.ttf",
	semibold: "RechnungSans-SemiBold.ttf",
};

const VERSION = /^[1-9][0-9]{0,3}$/;

/**
 * All that documents are made with: our fonts and templates, and those of a
 * further directory of the same structure (<name>/<version>/*.hbs and
 * texts.<language>.json). Throws an Error that names the file where one is
 * missing or faulty, or where both directories have the same version of a template.
 */
export async function loadPdfAssets({
	root = findRoot(),
	furtherTemplates,
}: AssetLocations = {}): Promise<PdfRendererAssets> {
	const fonts = join(root, "fonts");
	const [regular, semibold, own, further] = await Promise.all([
		loadFont(fonts, "regular"),
		loadFont(fonts, "semibold"),
		loadTemplates(join(root, "templates")),
		furtherTemplates === undefined ? [] : loadTemplates(furtherTemplates),
	]);
	const doubled = further.find(({ name, version }) =>
		own.some((other) => other.name === name && other.version === version),
	);
	if (doubled !== undefined) {
		throw new Error(
			`The template ${doubled.name}/${doubled.version} in ${furtherTemplates} is one of ours already, and documents must go on looking the same: give it another name or version.`,
		);
	}
	return {
		fonts: { regular, semibold },
		templates: [...own, ...further],
		deflate: createPortableDeflate(),
	};
}

/** The sources and a bundle lie at different depths below the folder. */
function findRoot(): string {
	const start = dirname(fileURLToPath(import.meta.url));
	let folder = start;
	while (!existsSync(join(folder, "fonts", FONT_FILES.regular))) {
		const parent = dirname(folder);
		if (parent === folder) {
			throw new Error(
				`No folder above ${start} has fonts/${FONT_FILES.regular}: the service needs its folders fonts/ and templates/ beside or above the program.`,
			);
		}
		folder = parent;
	}
	return folder;
}

async function loadFont(folder: string, name: FontName): Promise<Uint8Array> {
	return new Uint8Array(await readFile(join(folder, FONT_FILES[name])));
}

/** Compiles every template of a directory: <name>/<version>/. Other files and folders are left alone. */
export async function loadTemplates(
	directory: string,
): Promise<TemplateLibrary> {
	const templates: CompiledTemplate[] = [];
	for (const name of await foldersOf(directory)) {
		if (!TEMPLATE_NAME_PATTERN.test(name)) {
			continue;
		}
		for (const version of await foldersOf(join(directory, name))) {
			if (VERSION.test(version)) {
				templates.push(
					compileTemplate(
						{ name, version: Number(version) },
						await readTemplateFiles(join(directory, name, version)),
					),
				);
			}
		}
	}
	return templates;
}

async function foldersOf(directory: string): Promise<string[]> {
	const entries = await readdir(directory, { withFileTypes: true });
	return entries
		.filter((entry) => entry.isDirectory())
		.map((entry) => entry.name)
		.sort();
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
