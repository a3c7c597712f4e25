/** The assets of documents, found from where the program lies. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FONT_FILES, loadAssets } from "../assets.ts";
import { createPortableDeflate } from "../documents/pdf/deflate.ts";
import type { PdfRendererAssets } from "../documents/pdf/render.ts";
import { FILE_SYSTEM } from "./file-system.ts";

/** Where the assets are. */
export interface NodeAssetLocations {
	/** The folder with fonts/ and templates/: the nearest above this program where it is left out. */
	root?: string | undefined;
	/** A directory of further templates (TEMPLATES_DIRECTORY). */
	furtherTemplates?: string | undefined;
}

/** All that documents are made with. Throws as `loadAssets` does. */
export async function loadPdfAssets({
	root = findRoot(),
	furtherTemplates,
}: NodeAssetLocations = {}): Promise<PdfRendererAssets> {
	return {
		...(await loadAssets(FILE_SYSTEM, { root, furtherTemplates })),
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
