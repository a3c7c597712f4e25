/** Routes: one description from which the address, its checks and its documentation are made. */
import type * as z from "zod";
import type { Violation } from "../invoice/violation.ts";
import { pointer } from "../invoice/violation.ts";
import type { Caller, Scope } from "./caller.ts";
import { Problem, type ProblemName } from "./problem.ts";

/** A request on its way through a route. */
export interface Call<Query = unknown> {
	request: Request;
	requestId: string;
	/** HEAD is answered as GET, without the body; what only the body needs can be saved. */
	isHead: boolean;
	/** The values in the path, decoded. */
	path: Readonly<Record<string, string>>;
	/** The query parameters, checked. */
	query: Query;
	caller: Caller;
}

/** What is answered; common header fields are added to it. */
export interface Answer {
	status: number;
	headers?: Readonly<Record<string, string>>;
	body?: string | Uint8Array;
}

/** A header field that a request may have, for the documentation. */
export interface HeaderParameter {
	name: string;
	description: string;
	schema: Readonly<Record<string, unknown>>;
}

/** A successful answer, for the documentation. */
export interface AnswerDescription {
	description: string;
	/** By media type: a component's name, or a JSON schema. */
	content?: Readonly<
		Record<string, string | Readonly<Record<string, unknown>>>
	>;
	/** Header fields beyond the common ones. */
	headers?: readonly (keyof typeof ANSWER_HEADERS)[];
}

/** Header fields of answers that callers can build on. */
export const ANSWER_HEADERS = {
	Allow: "Methods of this address.",
	"Content-Location": "Address of this very representation.",
	ETag: "Strong entity tag; of JSON it is the SHA-256 of the canonical bytes.",
	Link: 'The next page, rel="next"; absent on the last one (RFC 8288).',
	Location: "Address of the document.",
	"Repr-Digest": "SHA-256 of the representation (RFC 9530).",
	"Retry-After": "Seconds after which a retry makes sense.",
	"WWW-Authenticate": "What is missing (RFC 6750).",
} as const;

/** Who may call a route: everyone, whoever has a valid token (the handler decides what he sees), or who has a scope. */
export type Access = "public" | "callers" | Scope;

export interface Route<Query extends z.ZodObject = z.ZodObject> {
	method: "GET" | "POST";
	/** With values in braces: "/invoices/{number}.pdf". */
	path: string;
	/** Unique name of the operation. */
	operation: string;
	summary: string;
	description?: string;
	access: Access;
	query?: Query;
	headers?: readonly HeaderParameter[];
	body?: {
		/** Name of the schema's component. */
		schema: string;
		required: boolean;
		example: unknown;
	};
	answers: Readonly<Record<number, AnswerDescription>>;
	/** Problems beyond those that every route may have. */
	problems?: readonly ProblemName[];
	handle(call: Call<z.infer<Query>>): Promise<Answer> | Answer;
}

/** Gives a route's handler the type of its query; in the table of all routes it is forgotten. */
export function defineRoute<Query extends z.ZodObject>(
	route: Route<Query>,
): Route {
	return route as unknown as Route;
}

/** Checks the query parameters; throws the problem 400 that names all faults. */
export function readQuery(
	values: Readonly<Record<string, string[]>>,
	schema: z.ZodObject | undefined,
): Record<string, unknown> {
	const violations: Violation[] = [];
	const single: Record<string, string> = {};
	const known = Object.keys(schema?.shape ?? {});
	for (const [name, [value = "", ...more]] of Object.entries(values)) {
		if (!known.includes(name)) {
			violations.push(
				queryViolation(
					name,
					`"${name}" is not a parameter here; ${known.length === 0 ? "there are none" : `there are ${known.join(", ")}`}.`,
				),
			);
		} else if (more.length > 0) {
			violations.push(
				queryViolation(name, `"${name}" is given more than once.`),
			);
		} else {
			single[name] = value;
		}
	}
	const result = schema?.safeParse(single);
	for (const issue of result?.error?.issues ?? []) {
		const [name = ""] = issue.path;
		if (!violations.some((other) => other.pointer === pointer(name))) {
			violations.push(
				queryViolation(name, `"${String(name)}" ${issue.message}.`),
			);
		}
	}
	if (violations.length > 0) {
		throw invalidQuery(violations);
	}
	return result?.data ?? {};
}

/** The problem 400 of a query parameter whose fault shows only later. */
export function invalidParameter(name: string, message: string): Problem {
	return invalidQuery([queryViolation(name, message)]);
}

function invalidQuery(violations: readonly Violation[]): Problem {
	return new Problem(
		"invalid-query",
		violations.map(({ message }) => message).join(" "),
		{ violations },
	);
}

function queryViolation(name: PropertyKey, message: string): Violation {
	return { pointer: pointer(name), rule: "query", message };
}
