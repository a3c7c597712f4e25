/** Shape: whether JSON has the form of a schema, and what of it can still be used where it has not. */
import type * as z from "zod";
import { createShapeReader, type ShapeReader, UNSURE } from "./shape-reader.ts";
import { DEPTH_MAX, normalizeTexts } from "./text.ts";
import { pointer, type Violation } from "./violation.ts";

/**
 * Normalises the texts of a JSON value and parses it. Every fault of shape or
 * text is named. `value` is what remains without the faulty places, so that
 * further rules can be asked; it is absent where nothing remains.
 */
export function parseShape<Schema extends z.ZodType>(
	schema: Schema,
	input: unknown,
): { value?: z.output<Schema>; violations: Violation[] } {
	const { value, violations } = normalizeTexts(input);
	const read = shapeReader(schema)(value);
	if (read !== UNSURE) {
		return { value: read as z.output<Schema>, violations };
	}
	let result = schema.safeParse(value);
	if (!result.success) {
		violations.push(...shapeViolations(value, result.error.issues));
		const rest: unknown = structuredClone(value);
		for (let round = 0; round < DEPTH_MAX && !result.success; round += 1) {
			removeFaults(rest, result.error.issues);
			result = schema.safeParse(rest);
		}
	}
	return result.success ? { value: result.data, violations } : { violations };
}

const shapeReaders = new WeakMap<z.ZodType, ShapeReader>();

/** Each schema's reader is made when it is first needed. */
function shapeReader(schema: z.ZodType): ShapeReader {
	let reader = shapeReaders.get(schema);
	if (reader === undefined) {
		reader = createShapeReader(schema);
		shapeReaders.set(schema, reader);
	}
	return reader;
}

function shapeViolations(
	value: unknown,
	issues: readonly z.core.$ZodIssue[],
): Violation[] {
	return issues.flatMap((issue) =>
		issue.code === "unrecognized_keys"
			? issue.keys.map((key) => ({
					pointer: pointer(...issue.path, key),
					rule: "schema",
					message: `"${key}" is not a known field here; check its spelling or remove it.`,
				}))
			: [
					{
						pointer: pointer(...issue.path),
						rule: "schema",
						message: shapeMessage(valueAt(value, issue.path), issue),
					},
				],
	);
}

/** The schema's messages are predicates ("must be text"); this makes sentences of them. */
function shapeMessage(value: unknown, issue: z.core.$ZodIssue): string {
	const key = issue.path.at(-1);
	const subject =
		key === undefined
			? "The body"
			: typeof key === "number"
				? "This entry"
				: `"${String(key)}"`;
	const isObject = issue.code === "invalid_type" && issue.expected === "object";
	const predicate = isObject ? "must be an object" : issue.message;
	return value === undefined
		? `${subject} is missing: it ${predicate}.`
		: `${subject} ${predicate}.`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
	let value = root;
	for (const key of path) {
		value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
	}
	return value;
}

/** Takes the faulty places out of a copy of the input, for the rules that can still be asked. */
function removeFaults(
	root: unknown,
	issues: readonly z.core.$ZodIssue[],
): void {
	for (const issue of issues) {
		const faulty =
			issue.code === "unrecognized_keys"
				? issue.keys.map((key) => [...issue.path, key])
				: [issue.path];
		for (const path of faulty) {
			remove(root, path);
		}
	}
}

/** Removes a place, or what it stands in where it is not there itself (a missing field). */
function remove(root: unknown, path: readonly PropertyKey[]): void {
	const key = path.at(-1);
	if (key === undefined) {
		return;
	}
	const parent = valueAt(root, path.slice(0, -1));
	const value = valueAt(parent, [key]);
	if (value === undefined) {
		remove(root, path.slice(0, -1));
	} else if (!Array.isArray(parent)) {
		delete (parent as Record<PropertyKey, unknown>)[key];
	} else if (isEmpty(value)) {
		remove(root, path.slice(0, -1));
	} else {
		// The place is kept, so that the pointers of what follows stay right.
		parent[key as number] = {};
	}
}

function isEmpty(value: unknown): boolean {
	return (
		typeof value === "object" &&
		value !== null &&
		Object.keys(value).length === 0
	);
}
