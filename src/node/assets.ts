/** Reading fonts and templates from the file system, once, when the service starts. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FontName } from "../documents/pdf/canvas.ts";
import { createPortableDeflate } from "../documents/pdf/deflate.ts";
import type { PdfRendererAssets } from "../documents/pdf/render.ts";
import { loadOwnTemplates } from "./own-templates.ts";
import { loadTemplates } from "./template-files.ts";

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
		loadOwnTemplates(root),
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
