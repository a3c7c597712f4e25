/** Our own templates; the bundle has this module's answer written into it, compiled. */
import { join } from "node:path";
import type { TemplateLibrary } from "../documents/pdf/template.ts";
import { loadTemplates } from "./template-files.ts";

/** The templates of the folder templates/ below `root`. */
export function loadOwnTemplates(root: string): Promise<TemplateLibrary> {
	return loadTemplates(join(root, "templates"));
}
