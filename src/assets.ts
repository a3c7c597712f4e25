/** What documents are made with, read once, when the service starts: fonts and templates. */
import type { FontName } from "./documents/pdf/canvas.ts";
import type { TemplateLibrary } from "./documents/pdf/template.ts";
import { loadTemplates } from "./documents/pdf/template-files.ts";
import type { Files } from "./files.ts";
import { loadOwnTemplates } from "./own-templates.ts";

/** Where the assets are. */
export interface AssetLocations {
	/** The folder with fonts/ and, where they are not built in, templates/. */
	root: string;
	/** A directory of further templates (TEMPLATES_DIRECTORY). */
	furtherTemplates?: string | undefined;
}

export interface Assets {
	fonts: Readonly<Record<FontName, Uint8Array>>;
	templates: TemplateLibrary;
}

/** The files of the fonts below the folder fonts/. */
export const FONT_FILES: Readonly<Record<FontName, string>> = {
	regular: "RechnungSans-Regular.ttf",
	semibold: "RechnungSans-SemiBold.ttf",
};

/**
 * Our fonts and templates, and those of a further directory of the same
 * structure (<name>/<version>/*.hbs and texts.<language>.json). Throws an
 * Error that names the file where one is missing or faulty, or where both
 * directories have the same version of a template.
 */
export async function loadAssets(
	files: Files,
	{ root, furtherTemplates }: AssetLocations,
): Promise<Assets> {
	const loadFont = (name: FontName) =>
		files.readFile(`${root}/fonts/${FONT_FILES[name]}`);
	const [regular, semibold, own, further] = await Promise.all([
		loadFont("regular"),
		loadFont("semibold"),
		loadOwnTemplates(files, root),
		furtherTemplates === undefined
			? []
			: loadTemplates(files, furtherTemplates),
	]);
	const doubled = further.find(({ name, version }) =>
		own.some((other) => other.name === name && other.version === version),
	);
	if (doubled !== undefined) {
		throw new Error(
			`The template ${doubled.name}/${doubled.version} in ${furtherTemplates} is one of ours already, and documents must go on looking the same: give it another name or version.`,
		);
	}
	return { fonts: { regular, semibold }, templates: [...own, ...further] };
}
