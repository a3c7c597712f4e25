/** `util.inspect`: values as text for logs. */

/** Levels of nesting that are shown. */
const DEPTH_MAX = 4;

/** Entries of a list, map or object that are shown. */
const ENTRIES_MAX = 100;

const CUSTOM = Symbol.for("nodejs.util.inspect.custom");
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

interface InspectOptions {
	depth?: number | null;
}

/** A value as text on one line, for people. */
export function inspect(value: unknown, options: InspectOptions = {}): string {
	const depth =
		options.depth === null
			? Number.POSITIVE_INFINITY
			: (options.depth ?? DEPTH_MAX);
	return textOf(value, depth, new Set(), inspect);
}

inspect.custom = CUSTOM;

function textOf(
	value: unknown,
	depth: number,
	outer: Set<object>,
	self: typeof inspect,
): string {
	switch (typeof value) {
		case "string":
			return outer.size === 0 ? `'${value}'` : JSON.stringify(value);
		case "bigint":
			return `${value}n`;
		case "symbol":
			return value.toString();
		case "function":
			return `[Function: ${value.name || "anonymous"}]`;
		case "object":
			break;
		default:
			return Object.is(value, -0) ? "-0" : String(value);
	}
	if (value === null) {
		return "null";
	}
	const custom = (value as Record<symbol, unknown>)[CUSTOM];
	if (typeof custom === "function" && custom !== self) {
		const shown: unknown = custom.call(value, depth, {}, self);
		return typeof shown === "string"
			? shown
			: textOf(shown, depth, outer, self);
	}
	if (outer.has(value)) {
		return "[Circular]";
	}
	if (value instanceof Date) {
		return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
	}
	if (value instanceof RegExp) {
		return String(value);
	}
	if (value instanceof Error) {
		const cause =
			value.cause === undefined || depth < 1
				? ""
				: ` [cause]: ${textOf(value.cause, depth - 1, new Set([...outer, value]), self)}`;
		return `${value.stack ? `${value.name}: ${value.message}\n${value.stack.trimEnd()}` : `[${value.name}: ${value.message}]`}${cause}`;
	}
	return containerText(value, depth, new Set([...outer, value]), self);
}

function containerText(
	value: object,
	depth: number,
	outer: Set<object>,
	self: typeof inspect,
): string {
	const name = Object.getPrototypeOf(value)?.constructor?.name ?? "";
	if (depth < 0) {
		return `[${name || "Object"}]`;
	}
	const inner = (part: unknown) => textOf(part, depth - 1, outer, self);
	if (Array.isArray(value)) {
		return `[ ${limited(value.map(inner)).join(", ")} ]`;
	}
	if (ArrayBuffer.isView(value)) {
		return `${name}(${value.byteLength} bytes)`;
	}
	if (value instanceof Map) {
		const entries = [...value].map(
			([key, content]) => `${inner(key)} => ${inner(content)}`,
		);
		return `Map(${value.size}) { ${limited(entries).join(", ")} }`;
	}
	if (value instanceof Set) {
		return `Set(${value.size}) { ${limited([...value].map(inner)).join(", ")} }`;
	}
	const entries = Object.entries(value).map(
		([key, content]) =>
			`${IDENTIFIER.test(key) ? key : JSON.stringify(key)}: ${inner(content)}`,
	);
	const prefix = name === "" || name === "Object" ? "" : `${name} `;
	return entries.length === 0
		? `${prefix}{}`
		: `${prefix}{ ${limited(entries).join(", ")} }`;
}

function limited(entries: string[]): string[] {
	return entries.length <= ENTRIES_MAX
		? entries
		: [
				...entries.slice(0, ENTRIES_MAX),
				`… ${entries.length - ENTRIES_MAX} more`,
			];
}
