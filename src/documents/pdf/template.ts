/** Templates at run time: a compiled template and a snapshot give the markup of a document. */
import Handlebars from "handlebars/dist/cjs/handlebars.runtime.js";
import type { Snapshot } from "../../invoice/snapshot.ts";
import {
	type TemplateData,
	type TextsByLanguage,
	templateData,
} from "./template-data.ts";
import { TEMPLATE_FUNCTIONS } from "./template-functions.ts";

/** A template as Handlebars' compiler leaves it: an object of functions. */
export type CompiledPart = Parameters<typeof Handlebars.template>[0];

/** One version of a template, compiled; ./compile.ts makes it of its files. */
export interface CompiledTemplate {
	readonly name: string;
	readonly version: number;
	/** By file name without ".hbs"; "document" is the whole, the others are its partials. */
	readonly parts: Readonly<Record<string, CompiledPart>>;
	readonly texts: TextsByLanguage;
}

/** The templates that documents can be made with. */
export type TemplateLibrary = readonly CompiledTemplate[];

/** Which template, and which version of it. */
export interface TemplateReference {
	readonly name: string;
	readonly version: number;
}

/** The part that is rendered. */
export const MAIN_PART = "document";

export interface Templates {
	has(template: TemplateReference): boolean;
	/** The markup of a document. Throws an Error that says what is there where name or version is unknown. */
	markup(invoice: Snapshot, template: TemplateReference): string;
}

type Instance = (invoice: Snapshot) => string;

/** Makes a library's templates ready; each is set up when it is first used. */
export function createTemplates(library: TemplateLibrary): Templates {
	const instances = new Map<string, Instance>();
	const find = ({ name, version }: TemplateReference) =>
		library.find(
			(candidate) => candidate.name === name && candidate.version === version,
		);
	return {
		has: (template) => find(template) !== undefined,
		markup(invoice, template) {
			const key = `${template.name}/${template.version}`;
			let instance = instances.get(key);
			if (instance === undefined) {
				const compiled = find(template);
				if (compiled === undefined) {
					throw new Error(unknownTemplate(library, template));
				}
				instance = instantiate(compiled);
				instances.set(key, instance);
			}
			return instance(invoice);
		},
	};
}

function unknownTemplate(
	library: TemplateLibrary,
	{ name, version }: TemplateReference,
): string {
	const versions = library
		.filter((candidate) => candidate.name === name)
		.map((candidate) => candidate.version)
		.sort((a, b) => a - b);
	return versions.length > 0
		? `The template “${name}” has no version ${version}; it has: ${versions.join(", ")}.`
		: `There is no template “${name}”; there are: ${[...new Set(library.map((candidate) => candidate.name))].join(", ") || "none"}.`;
}

/** An environment of its own, so that the partials of two templates cannot meet. */
function instantiate(compiled: CompiledTemplate): Instance {
	const environment = Handlebars.create();
	for (const [name, action] of Object.entries(TEMPLATE_FUNCTIONS)) {
		environment.registerHelper(name, action as (...all: unknown[]) => unknown);
	}
	for (const [name, part] of Object.entries(compiled.parts)) {
		if (name !== MAIN_PART) {
			environment.registerPartial(name, environment.template(part));
		}
	}
	const main = compiled.parts[MAIN_PART];
	if (main === undefined) {
		throw new Error(
			`The template ${compiled.name}/${compiled.version} has no ${MAIN_PART}.hbs.`,
		);
	}
	const render = environment.template<Snapshot>(main);
	return (invoice) => {
		const data: TemplateData = templateData(
			invoice,
			compiled.texts[invoice.language],
		);
		return render(invoice, { data });
	};
}
