/** Our own templates; a bundle has this module's answer written into it, compiled. */

import type { TemplateLibrary } from "./documents/pdf/template.ts";
import { loadTemplates } from "./documents/pdf/template-files.ts";
import type { Files } from "./files.ts";

/** The templates of the folder templates/ below `root`. */
export function loadOwnTemplates(
	files: Files,
	root: string,
): Promise<TemplateLibrary> {
	return loadTemplates(files, `${root}/templates`);
}
