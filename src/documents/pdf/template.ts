/** Templates at run time: a compiled template and a snapshot give the markup of a document. */
import type { Snapshot } from "../../invoice/snapshot.ts";
import { type TextsByLanguage, templateData } from "./template-data.ts";
import {
	type Call,
	TEMPLATE_FUNCTIONS,
	type TemplateFunctionName,
} from "./template-functions.ts";

/** A part as ./template-code.ts translates it: writes its markup. */
export type CompiledPart = (
	rendering: Rendering,
	scope: Scope,
	loop: Loop | undefined,
) => string;

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

/** What fields are looked up in, and around it what "../" reaches. */
interface Scope {
	readonly context: unknown;
	readonly parent: Scope | undefined;
}

/** Where an `each` is. */
interface Loop {
	readonly entries: readonly unknown[];
	/** Names of the entries, where they are fields. */
	readonly keys: readonly string[] | undefined;
	readonly count: number;
	entry: unknown;
	index: number;
	key: string | number;
	first: boolean;
	last: boolean;
}

/** What the code of a template's parts works with; one for each document. */
interface Rendering {
	readonly data: Call["data"];
	readonly functions: typeof TEMPLATE_FUNCTIONS;
	/** What each function is handed last. */
	readonly calls: Readonly<Record<TemplateFunctionName, Call>>;
	part(name: string, scope: Scope, loop: Loop | undefined): string;
	readonly escaped: typeof escaped;
	readonly text: typeof text;
	readonly given: typeof given;
	readonly within: typeof within;
	readonly loop: typeof loop;
	readonly next: typeof next;
}

const FUNCTION_NAMES = Object.keys(
	TEMPLATE_FUNCTIONS,
) as TemplateFunctionName[];

function instantiate(compiled: CompiledTemplate): Instance {
	const { parts } = compiled;
	const main = parts[MAIN_PART];
	if (main === undefined) {
		throw new Error(
			`The template ${compiled.name}/${compiled.version} has no ${MAIN_PART}.hbs.`,
		);
	}
	return (invoice) => {
		const data = {
			...templateData(invoice, compiled.texts[invoice.language]),
			root: invoice,
		};
		const calls: Partial<Record<TemplateFunctionName, Call>> = {};
		for (const name of FUNCTION_NAMES) {
			calls[name] = { name, data };
		}
		const rendering: Rendering = {
			data,
			functions: TEMPLATE_FUNCTIONS,
			calls: calls as Rendering["calls"],
			part: (name, scope, loop) => parts[name]?.(rendering, scope, loop) ?? "",
			escaped,
			text,
			given,
			within,
			loop,
			next,
		};
		return main(rendering, { context: invoice, parent: undefined }, undefined);
	};
}

/** A value as text; what is not there is empty. */
function text(value: unknown): string {
	return value === undefined || value === null ? "" : String(value);
}

const MARKUP_CHARACTER = /[&<>"'`=]/;
const MARKUP_CHARACTERS = /[&<>"'`=]/g;

const ESCAPES: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#x27;",
	"`": "&#x60;",
	"=": "&#x3D;",
};

/** A value as text in which the characters of markup are escaped. */
function escaped(value: unknown): string {
	const written = typeof value === "string" ? value : text(value);
	return MARKUP_CHARACTER.test(written)
		? written.replace(
				MARKUP_CHARACTERS,
				(character) => ESCAPES[character] ?? character,
			)
		: written;
}

/** Whether `if` takes its first way: lists without entries, zero and empty text are not there. */
function given(value: unknown): boolean {
	return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function within(scope: Scope, context: unknown): Scope {
	return context === scope.context ? scope : { context, parent: scope };
}

const NONE: readonly unknown[] = [];

/** Begins to go through the entries of a list, or through the fields of an object. */
function loop(value: unknown): Loop {
	const isObject = typeof value === "object" && value !== null;
	const keys =
		isObject && !Array.isArray(value) ? Object.keys(value) : undefined;
	let entries = NONE;
	if (Array.isArray(value)) {
		entries = value;
	} else if (isObject) {
		entries = Object.values(value);
	}
	return {
		entries,
		keys,
		count: entries.length,
		entry: undefined,
		index: -1,
		key: "",
		first: false,
		last: false,
	};
}

/** Goes on to the next entry; false after the last. */
function next(at: Loop): boolean {
	const index = at.index + 1;
	if (index >= at.count) {
		return false;
	}
	at.index = index;
	at.entry = at.entries[index];
	at.key = at.keys?.[index] ?? index;
	at.first = index === 0;
	at.last = index === at.count - 1;
	return true;
}
