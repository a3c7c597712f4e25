/** Translates parts of templates, as Handlebars parses them, to the JavaScript that ./template.ts runs. */
import Handlebars from "handlebars/dist/cjs/handlebars.js";
import { TEMPLATE_FUNCTIONS } from "./template-functions.ts";

/** What `each` says of the entry that it is at. */
const LOOP_FIELDS: ReadonlySet<string> = new Set([
	"index",
	"key",
	"first",
	"last",
]);

/** Where in the generated code a statement stands. */
interface Place {
	/** Number of the variables that hold the scope and its context. */
	readonly scope: number;
	/** Number of the variable that holds the loop. */
	readonly loop: number;
}

/** The parts of a template by name: others cannot be asked for. */
type PartNames = ReadonlySet<string>;

/**
 * The source text of a function that writes the part. Handlebars' own
 * translation calls a function with a new object of options for each `if`;
 * this one is plain statements, at a fourth of the price in an interpreter,
 * and faults are found when a template is read instead of when it is rendered.
 *
 * @throws {Error} on a syntax error, with its line, and on what templates do not have.
 */
export function translatePart(source: string, parts: PartNames): string {
	const program = Handlebars.parse(source);
	const body = statements(program, { scope: 0, loop: 0 }, parts);
	return `function(r,s0,l0){const c0=s0.context,f=r.functions,k=r.calls,d=r.data;let m="";${body}return m}`;
}

function statements(
	program: hbs.AST.Program | undefined,
	place: Place,
	parts: PartNames,
): string {
	let code = "";
	for (const node of program?.body ?? []) {
		code += statement(node, place, parts);
	}
	return code;
}

function statement(
	node: hbs.AST.Statement,
	place: Place,
	parts: PartNames,
): string {
	switch (node.type) {
		case "ContentStatement": {
			const { value } = node as hbs.AST.ContentStatement;
			return value === "" ? "" : `m+=${JSON.stringify(value)};`;
		}
		case "CommentStatement":
			return "";
		case "MustacheStatement": {
			const mustache = node as hbs.AST.MustacheStatement;
			const value = call(mustache, mustache.path, place);
			return `m+=r.${mustache.escaped ? "escaped" : "text"}(${value});`;
		}
		case "PartialStatement":
			return partial(node as hbs.AST.PartialStatement, place, parts);
		case "BlockStatement":
			return block(node as hbs.AST.BlockStatement, place, parts);
		default:
			throw fault(
				node,
				`${node.type} is more of Handlebars than templates have`,
			);
	}
}

function partial(
	node: hbs.AST.PartialStatement,
	place: Place,
	parts: PartNames,
): string {
	const name = (node.name as hbs.AST.PathExpression).original;
	if (node.params.length > 0 || node.hash !== undefined) {
		throw fault(node, `The part {{> ${name}}} takes nothing but the context`);
	}
	if (!parts.has(name)) {
		throw fault(
			node,
			`There is no part “${name}”; there are: ${[...parts].join(", ")}`,
		);
	}
	return `m+=r.part(${JSON.stringify(name)},s${place.scope},l${place.loop});`;
}

function block(
	node: hbs.AST.BlockStatement,
	place: Place,
	parts: PartNames,
): string {
	const name = node.path.original;
	const [subject, ...others] = node.params;
	if (
		subject === undefined ||
		others.length > 0 ||
		node.hash !== undefined ||
		node.program?.blockParams !== undefined
	) {
		throw fault(node, `{{#${name}}} takes one value and nothing else`);
	}
	const value = expression(subject, place);
	const inverse = statements(node.inverse, place, parts);
	const otherwise = inverse === "" ? "" : `else{${inverse}}`;
	switch (name) {
		case "if":
			return `if(r.given(${value})){${statements(node.program, place, parts)}}${otherwise}`;
		case "unless":
			return `if(!r.given(${value})){${statements(node.program, place, parts)}}${otherwise}`;
		case "with": {
			const inner = { ...place, scope: place.scope + 1 };
			const { scope } = inner;
			return `{const c${scope}=${value};if(r.given(c${scope})){const s${scope}=r.within(s${place.scope},c${scope});${statements(node.program, inner, parts)}}${otherwise}}`;
		}
		case "each": {
			const scope = place.scope + 1;
			const loop = place.loop + 1;
			const body = statements(node.program, { scope, loop }, parts);
			return `{const l${loop}=r.loop(${value});if(l${loop}.count>0){while(r.next(l${loop})){const c${scope}=l${loop}.entry,s${scope}=r.within(s${place.scope},c${scope});${body}}}${otherwise}}`;
		}
		default:
			throw fault(
				node,
				`{{#${name}}} is no block; there are: if, unless, each, with`,
			);
	}
}

/** A function with its parameters, or a field where nothing is called. */
function call(
	node: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
	path: hbs.AST.Expression,
	place: Place,
): string {
	const name = (path as hbs.AST.PathExpression).original;
	const isFunction = Object.hasOwn(TEMPLATE_FUNCTIONS, name);
	if (node.hash !== undefined) {
		throw fault(node, `{{${name}}} takes no named values`);
	}
	if (!isFunction) {
		if (node.params.length > 0 || node.type === "SubExpression") {
			throw fault(
				node,
				`There is no function “${name}”; there are: ${Object.keys(TEMPLATE_FUNCTIONS).join(", ")}`,
			);
		}
		return expression(path, place);
	}
	if (node.params.length === 0) {
		throw fault(
			node,
			`{{${name}}} is a function and was given nothing; a field of that name is {{this.${name}}}`,
		);
	}
	const values = node.params.map((each) => `${expression(each, place)},`);
	return `f.${name}(${values.join("")}k.${name})`;
}

function expression(node: hbs.AST.Expression, place: Place): string {
	switch (node.type) {
		case "PathExpression":
			return field(node as hbs.AST.PathExpression, place);
		case "SubExpression": {
			const inner = node as hbs.AST.SubExpression;
			return call(inner, inner.path, place);
		}
		case "StringLiteral":
		case "NumberLiteral":
		case "BooleanLiteral":
			return JSON.stringify((node as hbs.AST.StringLiteral).value);
		default:
			throw fault(
				node,
				`${node.type} is more of Handlebars than templates have`,
			);
	}
}

function field(node: hbs.AST.PathExpression, place: Place): string {
	const [first = "", ...rest] = node.parts;
	if (node.data) {
		if (node.depth > 0) {
			throw fault(node, `${node.original} reaches out of its loop`);
		}
		return LOOP_FIELDS.has(first)
			? `l${place.loop}?.${first}`
			: `d${fieldsOf(node, [first, ...rest])}`;
	}
	let context = `c${place.scope}`;
	if (node.depth > 0) {
		context = `s${place.scope}${"?.parent".repeat(node.depth)}?.context`;
	}
	return context + fieldsOf(node, node.parts);
}

/** Never a field that every object inherits, such as its constructor. */
function fieldsOf(
	node: hbs.AST.PathExpression,
	names: readonly string[],
): string {
	let code = "";
	for (const name of names) {
		if (name in Object.prototype) {
			throw fault(node, `“${name}” is no field of an invoice`);
		}
		code += /^[A-Za-z_]\w*$/.test(name)
			? `?.${name}`
			: `?.[${JSON.stringify(name)}]`;
	}
	return code;
}

function fault({ loc }: hbs.AST.Node, message: string): Error {
	return new Error(`${message} - ${loc.start.line}:${loc.start.column}`);
}
