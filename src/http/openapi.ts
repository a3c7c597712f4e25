/** The OpenAPI 3.1 document, made of the routes and of the schemas that validate. */
import * as z from "zod";
import { SCOPES } from "./caller.ts";
import { PROBLEM_TYPES, type ProblemName } from "./problem.ts";
import { ANSWER_HEADERS, type Route } from "./route.ts";
// Registers the schemas of answers; those of requests come with the routes.
import "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

/** Problems that any route may answer. */
const COMMON_PROBLEMS: readonly ProblemName[] = [
	"invalid-query",
	"method-not-allowed",
	"internal",
];
const CALLER_PROBLEMS: readonly ProblemName[] = [
	"unauthenticated",
	"forbidden",
];
const BODY_PROBLEMS: readonly ProblemName[] = [
	"malformed-body",
	"invalid-header",
	"body-too-large",
	"unsupported-media-type",
];

const DESCRIPTION = `An invoice document service: a draft goes in; a legally complete, numbered, immutable invoice comes out, as JSON and as PDF.

Amounts, quantities, prices and rates are decimal numbers in strings. Names are those of EN 16931. Every refusal is an \`application/problem+json\` (RFC 9457). Send \`X-Request-Id\` to find a request in the log; it is answered in any case.`;

/** Makes the document; \`version\` is the service's. */
export function openApiDocument(
	routes: readonly Route[],
	version: string,
): Json {
	return {
		openapi: "3.1.0",
		info: {
			title: "Rechnungsverwaltung",
			version,
			description: DESCRIPTION,
			license: { name: "MIT", identifier: "MIT" },
		},
		servers: [{ url: "/" }],
		tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
		paths: pathItems(routes),
		components: {
			schemas: components(),
			headers: Object.fromEntries(
				Object.entries(ANSWER_HEADERS).map(([name, description]) => [
					name,
					{ description, schema: { type: "string" } },
				]),
			),
			responses: Object.fromEntries(
				Object.keys(PROBLEM_TYPES).map((name) => [
					name,
					problemResponse([name as ProblemName]),
				]),
			),
			securitySchemes: {
				bearer: {
					type: "http",
					scheme: "bearer",
					bearerFormat: "JWT",
					description: `A JWT (HS256, ES256 or EdDSA) with \`sub\`, \`exp\` and \`scope\`: ${Object.entries(
						SCOPES,
					)
						.map(([scope, meaning]) => `\`${scope}\`: ${meaning}`)
						.join(
							"; ",
						)}. A token with \`loginName\` and none of these scopes reads that customer's invoices only. Where no key is configured no token is needed.`,
				},
			},
		},
	};
}

function tagOf({ path }: Route): string {
	return path.startsWith("/invoices") || path.startsWith("/customers")
		? "invoices"
		: "operation";
}

function pathItems(routes: readonly Route[]): Json {
	const items: Record<string, Record<string, unknown>> = {};
	for (const route of routes) {
		const item = items[route.path] ?? {};
		item[route.method.toLowerCase()] = operation(route);
		items[route.path] = item;
	}
	return items;
}

function operation(route: Route): Json {
	return {
		operationId: route.operation,
		tags: [tagOf(route)],
		summary: route.summary,
		...(route.description === undefined
			? {}
			: { description: route.description }),
		...(route.access === "public"
			? { security: [] }
			: {
					security: [
						{ bearer: route.access === "callers" ? [] : [route.access] },
					],
				}),
		parameters: parameters(route),
		...(route.body === undefined
			? {}
			: {
					requestBody: {
						required: route.body.required,
						content: {
							"application/json": {
								schema: reference(route.body.schema),
								example: route.body.example,
							},
						},
					},
				}),
		responses: responses(route),
	};
}

function parameters(route: Route): Json[] {
	const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
		name,
		in: "path",
		required: true,
		schema: { type: "string" },
	}));
	const { properties = {}, required = [] } =
		route.query === undefined
			? {}
			: (jsonSchema(route.query) as {
					properties?: Record<string, Json>;
					required?: string[];
				});
	const inQuery = Object.entries(properties).map(
		([name, { description, ...schema }]) => ({
			name,
			in: "query",
			required: required.includes(name),
			...(description === undefined ? {} : { description }),
			schema,
		}),
	);
	const inHeader = (route.headers ?? []).map((header) => ({
		...header,
		in: "header",
		required: false,
	}));
	return [...inPath, ...inQuery, ...inHeader];
}

function responses(route: Route): Json {
	const answers = Object.entries(route.answers).map(([status, answer]) => [
		status,
		{
			description: answer.description,
			...(answer.headers === undefined
				? {}
				: { headers: headerReferences(answer.headers) }),
			...(answer.content === undefined
				? {}
				: {
						content: Object.fromEntries(
							Object.entries(answer.content).map(([mediaType, schema]) => [
								mediaType,
								{
									schema:
										typeof schema === "string" ? reference(schema) : schema,
								},
							]),
						),
					}),
		},
	]);
	const problems: ProblemName[] = [
		...COMMON_PROBLEMS,
		...(route.access === "public" ? [] : CALLER_PROBLEMS),
		...(route.body === undefined ? [] : BODY_PROBLEMS),
		...(route.problems ?? []),
	];
	const byStatus = new Map<number, ProblemName[]>();
	for (const name of new Set(problems)) {
		const { status } = PROBLEM_TYPES[name];
		byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
	}
	const refusals = [...byStatus].map(([status, names]) => {
		const [only, ...others] = names;
		return [
			String(status),
			others.length === 0
				? { $ref: `#/components/responses/${only}` }
				: problemResponse(names),
		];
	});
	return Object.fromEntries(
		[...answers, ...refusals].sort(([a], [b]) =>
			String(a) < String(b) ? -1 : 1,
		),
	);
}

const PROBLEM_HEADERS: Readonly<
	Partial<Record<ProblemName, readonly (keyof typeof ANSWER_HEADERS)[]>>
> = {
	unauthenticated: ["WWW-Authenticate"],
	forbidden: ["WWW-Authenticate"],
	"method-not-allowed": ["Allow"],
	unavailable: ["Retry-After"],
};

function problemResponse(names: readonly ProblemName[]): Json {
	const headers = names.flatMap((name) => PROBLEM_HEADERS[name] ?? []);
	return {
		description: names
			.map((name) => `\`${name}\`: ${PROBLEM_TYPES[name].meaning}`)
			.join("\n\n"),
		...(headers.length === 0 ? {} : { headers: headerReferences(headers) }),
		content: {
			"application/problem+json": { schema: reference("Problem") },
		},
	};
}

function headerReferences(names: readonly string[]): Json {
	return Object.fromEntries(
		names.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
	);
}

function reference(schema: string): Json {
	return { $ref: `#/components/schemas/${schema}` };
}

const OPTIONS = { io: "input", target: "draft-2020-12" } as const;

function jsonSchema(schema: z.ZodType): Json {
	return tidy(z.toJSONSchema(schema, OPTIONS)) as Json;
}

/** Every schema that has an id. */
function components(): Json {
	const { schemas } = z.toJSONSchema(z.globalRegistry, {
		...OPTIONS,
		uri: (id) => `#/components/schemas/${id}`,
	});
	return tidy(schemas) as Json;
}

/** Takes off what is of no use within an OpenAPI document: ids, and patterns that say what the format says. */
function tidy(node: unknown): unknown {
	if (Array.isArray(node)) {
		return node.map(tidy);
	}
	if (typeof node !== "object" || node === null) {
		return node;
	}
	const hasFormat = typeof (node as { format?: unknown }).format === "string";
	return Object.fromEntries(
		Object.entries(node)
			.filter(
				([key, value]) =>
					key !== "$schema" &&
					key !== "$id" &&
					!(hasFormat && key === "pattern" && typeof value === "string"),
			)
			.map(([key, value]) => [key, tidy(value)]),
	);
}
