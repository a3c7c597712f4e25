/** Reading invoices: one by its number, as JSON or PDF; many by customer or issue date. */
import * as z from "zod";
import type { TemplateReference } from "../documents/pdf/template.ts";
import { SERIES_PATTERN, TEMPLATE_NAME_PATTERN } from "../invoice/draft.ts";
import { parseNumber } from "../invoice/number.ts";
import {
	InvalidCursor,
	type InvoiceStore,
	type Page,
	type RegisterEntry,
} from "../store/store.ts";
import { type Caller, readableLoginName } from "./caller.ts";
import type { Metrics } from "./metrics.ts";
import { acceptable, matchesStrongly, matchesWeakly } from "./negotiation.ts";
import { Problem } from "./problem.ts";
import {
	CACHE_FOR_EVER,
	contentDisposition,
	invoicePath,
	jsonEntityTag,
	pdfEntityTag,
	REPRESENTATIONS,
	type Representation,
	readSnapshot,
	reprDigest,
} from "./representation.ts";
import {
	type Answer,
	type AnswerDescription,
	type Call,
	defineRoute,
	invalidParameter,
	type Route,
} from "./route.ts";
import type { Services } from "./services.ts";

const LIST_LIMIT_DEFAULT = 20;
const LIST_LIMIT_MAX = 100;

const TemplateQuery = z.strictObject({
	template: z
		.string()
		.regex(
			/^[a-z][a-z0-9-]{0,39}\/[1-9][0-9]{0,3}$/,
			'must be a template\'s name and version, such as "invoice/1"',
		)
		.optional()
		.register(z.globalRegistry, {
			description:
				"Renders the PDF with another template than the invoice's own. Such a copy has another entity tag.",
			examples: ["invoice/1"],
		}),
});

const day = (description: string) =>
	z.iso
		.date('must be a calendar day, such as "2026-11-24"')
		.register(z.globalRegistry, { description, examples: ["2026-11-24"] });

const pageFields = {
	limit: z.coerce
		.number(`must be a number from 1 to ${LIST_LIMIT_MAX}`)
		.int("must be a whole number")
		.min(1, "must be at least 1")
		.max(LIST_LIMIT_MAX, `must be at most ${LIST_LIMIT_MAX}`)
		.default(LIST_LIMIT_DEFAULT)
		.register(z.globalRegistry, { description: "Invoices on a page." }),
	after: z
		.string()
		.max(500, "is none of ours")
		.optional()
		.register(z.globalRegistry, {
			description:
				'Where the page starts: taken from the Link with rel="next" of the page before.',
		}),
};

const CustomerQuery = z.strictObject(pageFields);

const DateQuery = z
	.strictObject({
		from: day("First issue date."),
		to: day("Last issue date, inclusive."),
		series: z
			.string()
			.regex(SERIES_PATTERN, 'must be a series, such as "RE-2026"')
			.optional()
			.register(z.globalRegistry, { description: "This number range only." }),
		...pageFields,
	})
	.refine(({ from, to }) => from <= to, {
		path: ["to"],
		error: "must not lie before from",
	});

const JSON_CONTENT = { "application/json": "Invoice" } as const;
const PDF_CONTENT = {
	"application/pdf": { type: "string", format: "binary" },
} as const;

const NOT_MODIFIED: AnswerDescription = {
	description: "The caller has it already (If-None-Match).",
	headers: ["ETag"],
};

export function readRoutes(services: Services, metrics: Metrics): Route[] {
	const { store } = services;
	const reading = {
		method: "GET",
		access: "callers",
		problems: ["not-found", "precondition-failed", "unavailable"],
	} as const;
	return [
		defineRoute({
			...reading,
			path: "/invoices/{number}",
			operation: "readInvoice",
			summary: "Read an invoice",
			description:
				"As JSON or PDF, as Accept asks; JSON where it leaves the choice. With `template` the PDF is meant.",
			query: TemplateQuery,
			answers: {
				200: {
					description: "The invoice.",
					content: { ...JSON_CONTENT, ...PDF_CONTENT },
					headers: ["ETag", "Content-Location"],
				},
				304: NOT_MODIFIED,
			},
			problems: [...reading.problems, "not-acceptable"],
			handle: (call) => readInvoice(services, metrics, call),
		}),
		defineRoute({
			...reading,
			path: "/invoices/{number}.json",
			operation: "readInvoiceJson",
			summary: "Read an invoice as JSON",
			description:
				"The canonical bytes (RFC 8785) that were hashed when the invoice was issued: their SHA-256 is the entity tag.",
			answers: {
				200: {
					description: "The invoice.",
					content: JSON_CONTENT,
					headers: ["ETag", "Repr-Digest"],
				},
				304: NOT_MODIFIED,
			},
			handle: (call) => readInvoice(services, metrics, call, "json"),
		}),
		defineRoute({
			...reading,
			path: "/invoices/{number}.pdf",
			operation: "readInvoicePdf",
			summary: "Read an invoice as PDF",
			query: TemplateQuery,
			answers: {
				200: {
					description: "The document, PDF/A-3.",
					content: PDF_CONTENT,
					headers: ["ETag"],
				},
				304: NOT_MODIFIED,
			},
			handle: (call) => readInvoice(services, metrics, call, "pdf"),
		}),
		defineRoute({
			method: "GET",
			path: "/customers/{loginName}/invoices",
			operation: "listCustomerInvoices",
			summary: "List a customer's invoices",
			description: "Newest first, in pages.",
			access: "callers",
			query: CustomerQuery,
			answers: {
				200: {
					description: "One page.",
					content: { "application/json": "InvoiceList" },
					headers: ["Link"],
				},
			},
			problems: ["not-found", "unavailable"],
			async handle({ path, query, caller }) {
				const loginName = (path.loginName ?? "").normalize("NFC");
				const own = readableLoginName(caller);
				if (own !== undefined && own !== loginName) {
					throw new Problem("not-found", "There is no such customer.");
				}
				const { limit, after } = query;
				const page = await listed(
					store.listByCustomer(loginName, {
						limit,
						...(after === undefined ? {} : { after }),
					}),
				);
				return pageAnswer(
					page,
					`/customers/${encodeURIComponent(loginName)}/invoices`,
					{ limit },
				);
			},
		}),
		defineRoute({
			method: "GET",
			path: "/invoices",
			operation: "listInvoices",
			summary: "List invoices by issue date",
			description: "In the order of issue date, series and number, in pages.",
			access: "invoices:read",
			query: DateQuery,
			answers: {
				200: {
					description: "One page.",
					content: { "application/json": "InvoiceList" },
					headers: ["Link"],
				},
			},
			problems: ["unavailable"],
			async handle({ query }) {
				const { from, to, series, limit, after } = query;
				const page = await listed(
					store.listByDate({
						from,
						to,
						limit,
						...(series === undefined ? {} : { series }),
						...(after === undefined ? {} : { after }),
					}),
				);
				return pageAnswer(page, "/invoices", { from, to, series, limit });
			},
		}),
	];
}

/** One invoice, in the representation that its address fixes or Accept chooses. */
async function readInvoice(
	services: Services,
	metrics: Metrics,
	call: Call<{ template?: string | undefined }>,
	fixed?: Representation,
): Promise<Answer> {
	const { headers } = call.request;
	const template = requestedTemplate(services, call.query.template);
	const representation =
		fixed ??
		chooseRepresentation(headers.get("accept"), template !== undefined);
	const entry = await findVisibleEntry(
		services.store,
		call.path.number ?? "",
		call.caller,
	);
	const isPdf = representation === "pdf";
	const entityTag = isPdf
		? pdfEntityTag(entry.digest, services.version, template)
		: jsonEntityTag(entry.digest);
	const cacheHeaders: Record<string, string> = {
		ETag: entityTag,
		"Cache-Control": CACHE_FOR_EVER,
		Vary: fixed === undefined ? "Accept, Authorization" : "Authorization",
	};
	if (fixed === undefined) {
		cacheHeaders["Content-Location"] =
			invoicePath(entry.number, representation) +
			(template === undefined ? "" : `?template=${call.query.template}`);
	}
	const ifMatch = headers.get("if-match");
	if (ifMatch !== null && !matchesStrongly(ifMatch, entityTag)) {
		throw new Problem(
			"precondition-failed",
			`If-Match names another entity tag than ${entityTag}.`,
		);
	}
	const ifNoneMatch = headers.get("if-none-match");
	if (ifNoneMatch !== null && matchesWeakly(ifNoneMatch, entityTag)) {
		return { status: 304, headers: cacheHeaders };
	}
	const contentHeaders = {
		"Content-Type": REPRESENTATIONS[representation],
		...(isPdf ? {} : { "Repr-Digest": reprDigest(entry.digest) }),
		...cacheHeaders,
	};
	if (call.isHead) {
		// RFC 9110, 9.3.2 lets HEAD leave out what only the content would tell.
		return { status: 200, headers: contentHeaders };
	}
	const stored = await services.store.findInvoice(entry);
	if (!isPdf) {
		return { status: 200, headers: contentHeaders, body: stored.canonical };
	}
	const invoice = readSnapshot(stored);
	const started = performance.now();
	const body = services.renderer.render(
		{ invoice, digest: stored.digest },
		template === undefined ? {} : { template },
	);
	metrics.documentRendered(performance.now() - started);
	return {
		status: 200,
		headers: {
			...contentHeaders,
			"Content-Disposition": contentDisposition(invoice),
		},
		body,
	};
}

function requestedTemplate(
	{ renderer }: Services,
	text: string | undefined,
): TemplateReference | undefined {
	if (text === undefined) {
		return undefined;
	}
	const [name = "", version] = text.split("/");
	const template = { name, version: Number(version) };
	if (!TEMPLATE_NAME_PATTERN.test(name) || !renderer.hasTemplate(template)) {
		throw invalidParameter("template", `There is no template "${text}".`);
	}
	return template;
}

function chooseRepresentation(
	accept: string | null,
	pdfOnly: boolean,
): Representation {
	const offered = pdfOnly
		? (["pdf"] as const)
		: (Object.keys(REPRESENTATIONS) as Representation[]);
	const types = offered.map((each) => REPRESENTATIONS[each]);
	const [best] = acceptable(accept, types);
	const representation = offered.find((each) => REPRESENTATIONS[each] === best);
	if (representation === undefined) {
		throw new Problem(
			"not-acceptable",
			`Accept admits none of what there is: ${types.join(", ")}.`,
		);
	}
	return representation;
}

/** The register's entry of an invoice that the caller may see; else the problem 404, the same for both reasons. */
export async function findVisibleEntry(
	store: InvoiceStore,
	number: string,
	caller: Caller,
): Promise<RegisterEntry> {
	const own = readableLoginName(caller);
	const entry =
		parseNumber(number) === undefined
			? undefined
			: await store.findEntry(number);
	if (entry === undefined || (own !== undefined && own !== entry.loginName)) {
		throw noInvoice();
	}
	return entry;
}

export function noInvoice(): Problem {
	return new Problem("not-found", "There is no invoice of this number.");
}

async function listed(page: Promise<Page>): Promise<Page> {
	try {
		return await page;
	} catch (error) {
		if (error instanceof InvalidCursor) {
			throw invalidParameter(
				"after",
				'"after" is none of our cursors; take it from the Link of the page before.',
			);
		}
		throw error;
	}
}

const LIST_START = new TextEncoder().encode('{"invoices":[');
const LIST_COMMA = new TextEncoder().encode(",");
const LIST_END = new TextEncoder().encode("]}");

/** A page: the canonical texts side by side, so that nothing is decoded or encoded. */
function pageAnswer(
	{ invoices, next }: Page,
	path: string,
	parameters: Readonly<Record<string, string | number | undefined>>,
): Answer {
	const parts: Uint8Array[] = [LIST_START];
	for (const [index, { canonical }] of invoices.entries()) {
		if (index > 0) {
			parts.push(LIST_COMMA);
		}
		parts.push(canonical);
	}
	parts.push(LIST_END);
	const query = Object.entries({ ...parameters, after: next })
		.flatMap(([name, value]) =>
			value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
		)
		.join("&");
	return {
		status: 200,
		headers: {
			"Content-Type": "application/json",
			...(next === undefined ? {} : { Link: `<${path}?${query}>; rel="next"` }),
		},
		body: concatenate(parts),
	};
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(
		parts.reduce((length, part) => length + part.length, 0),
	);
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}
