/** The service as a function from a request to an answer: routes wired to the services that it is handed. */
import { type Context, Hono, type HonoRequest } from "hono";
import { getPath as honoPath } from "hono/utils/url";
import {
	ANONYMOUS,
	type Caller,
	identifyCaller,
	requireScope,
} from "./http/caller.ts";
import { correctRoutes } from "./http/correct.ts";
import { createRoutes } from "./http/create.ts";
import { errorFields } from "./http/log.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { operateRoutes } from "./http/operate.ts";
import { PROBLEM_TYPES, Problem, problemText } from "./http/problem.ts";
import { readRoutes } from "./http/read.ts";
import { type Answer, type Route, readQuery } from "./http/route.ts";
import type { Services } from "./http/services.ts";
import { StoreUnavailable } from "./store/store.ts";

export type { Services } from "./http/services.ts";

/**
 * Makes the app. `app.fetch` is all that a runtime needs.
 *
 * @example
 * const app = createApp(services);
 * const answer = await app.request("/invoices/RE-2026-000123.pdf");
 */
export function createApp(services: Services): Hono {
	const metrics = createMetrics();
	const documents = [
		...createRoutes(services, metrics),
		...correctRoutes(services, metrics),
		...readRoutes(services, metrics),
	];
	const routes = [...documents, ...operateRoutes(services, metrics, documents)];
	const app = new Hono({ getPath });
	const paths = [...new Set(routes.map((route) => route.path))];
	// The router takes the first that fits.
	for (const path of paths.sort((a, b) => openness(a) - openness(b))) {
		const here = routes.filter((route) => route.path === path);
		const pattern = routerPattern(path);
		for (const route of here) {
			app.on(route.method, pattern, exchanger(services, metrics, route));
		}
		app.all(pattern, exchanger(services, metrics, otherMethods(path, here)));
	}
	app.notFound(exchanger(services, metrics, NOWHERE));
	return app;
}

/** What answers a method that an address does not have. */
function otherMethods(path: string, routes: readonly Route[]): Target {
	const allow = [
		...routes.flatMap(({ method }) =>
			method === "GET" ? ["GET", "HEAD"] : [method],
		),
		"OPTIONS",
	].join(", ");
	return {
		path,
		access: "public",
		handle({ request }) {
			if (request.method === "OPTIONS") {
				return { status: 204, headers: { Allow: allow } };
			}
			throw new Problem("method-not-allowed", `This address takes ${allow}.`, {
				headers: { Allow: allow },
			});
		},
	};
}

/** What answers where there is no address. */
const NOWHERE: Target = {
	path: "none",
	access: "public",
	handle() {
		throw new Problem(
			"not-found",
			"There is no such address; /openapi.json lists them.",
		);
	},
};

type Target = Pick<Route, "path" | "access" | "query" | "handle">;

/** How much a path leaves open: nothing, a value before a suffix, a whole segment. */
function openness(path: string): number {
	if (!path.includes("{")) {
		return 0;
	}
	return /\}[^/]/.test(path) ? 1 : 2;
}

/** "/invoices/{number}.pdf" as the router writes it: "/invoices/:number{[^/]+\\.pdf}". */
function routerPattern(path: string): string {
	return path.replace(/\{(\w+)\}([^/]*)/g, (_, name: string, suffix: string) =>
		suffix === ""
			? `:${name}`
			: `:${name}{[^/]+${suffix.replaceAll(".", "\\.")}}`,
	);
}

/** Reads the values of a path; what the pattern has after a value is taken off it. */
function pathReader(
	path: string,
): (request: HonoRequest) => Record<string, string> {
	const places = [...path.matchAll(/\{(\w+)\}([^/]*)/g)].map(
		([, name = "", suffix = ""]) => ({ name, suffixLength: suffix.length }),
	);
	return (request) => {
		const values: Record<string, string> = {};
		for (const { name, suffixLength } of places) {
			const value = request.param(name) ?? "";
			values[name] = value.slice(0, value.length - suffixLength);
		}
		return values;
	};
}

/** The path of a request. Hono's own way looks at each character, which costs an interpreter more than the rest of routing. */
function getPath(request: Request): string {
	const { url } = request;
	if (url.includes("%")) {
		return honoPath(request);
	}
	const start = url.indexOf("/", url.indexOf("://") + "://".length);
	const query = url.indexOf("?", start);
	return query < 0 ? url.slice(start) : url.slice(start, query);
}

const REQUEST_ID = /^[A-Za-z0-9._~-]{1,128}$/;

/** What metrics tell apart: a client may invent any number of methods. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(
	"GET HEAD POST PUT PATCH DELETE OPTIONS".split(" "),
);

/** Names under which this machine calls itself. */
const OWN_HOST = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?$/i;

/** Makes what answers the requests of a target. */
function exchanger(
	services: Services,
	metrics: Metrics,
	target: Target,
): (context: Context) => Promise<Response> {
	const readPath = pathReader(target.path);
	return (context) => exchange(services, metrics, target, readPath, context);
}

/** Answers one request: identifies it and its caller, runs the handler, and sees to it that every end is told. */
async function exchange(
	services: Services,
	metrics: Metrics,
	target: Target,
	readPath: ReturnType<typeof pathReader>,
	context: Context,
): Promise<Response> {
	const started = performance.now();
	const request = context.req.raw;
	const { headers, method } = request;
	const given = headers.get("x-request-id");
	const requestId =
		given !== null && REQUEST_ID.test(given) ? given : services.newRequestId();
	let answer: Answer;
	try {
		const host = headers.get("host");
		if (
			services.loopback &&
			host !== null &&
			services.verifyToken === undefined &&
			!OWN_HOST.test(host)
		) {
			throw new Problem(
				"misdirected",
				"Without a key the service answers as localhost only.",
			);
		}
		const caller = await admit(services, headers, target.access);
		answer = await target.handle({
			request,
			requestId,
			isHead: method === "HEAD",
			path: readPath(context.req),
			query: readQuery(
				request.url.includes("?") ? context.req.queries() : {},
				target.query,
			),
			caller,
		});
	} catch (error) {
		answer = problemAnswer(error, requestId, services);
	}
	const duration_ms = performance.now() - started;
	const { status } = answer;
	metrics.requestFinished(
		KNOWN_METHODS.has(method) ? method : "other",
		target.path,
		status,
		duration_ms,
	);
	services.log(status >= 500 ? "error" : "info", "request", {
		requestId,
		method,
		route: target.path,
		status,
		duration_ms: Math.round(duration_ms * 100) / 100,
	});
	const hasBody = answer.body !== undefined && method !== "HEAD";
	return new Response(
		hasBody ? (answer.body as string | Uint8Array<ArrayBuffer>) : null,
		{
			status,
			headers: {
				"X-Request-Id": requestId,
				"X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "no-referrer",
				"Cache-Control": "no-store",
				...(services.isClosing() ? { Connection: "close" } : {}),
				...answer.headers,
			},
		},
	);
}

/** The caller, where he may use the route; else the problem 401 or 403. */
async function admit(
	services: Services,
	headers: Headers,
	access: Route["access"],
): Promise<Caller> {
	if (access === "public") {
		return ANONYMOUS;
	}
	const caller = await identifyCaller(
		headers.get("authorization"),
		services.verifyToken,
	);
	if (access !== "callers") {
		requireScope(caller, access);
	}
	return caller;
}

function problemAnswer(
	error: unknown,
	requestId: string,
	services: Services,
): Answer {
	const problem = problemOf(error);
	if (problem.type === "internal") {
		services.log("error", "failed", { requestId, ...errorFields(error) });
	}
	return {
		status: PROBLEM_TYPES[problem.type].status,
		headers: {
			"Content-Type": "application/problem+json",
			...problem.extras.headers,
		},
		body: problemText(problem, requestId),
	};
}

function problemOf(error: unknown): Problem {
	if (error instanceof Problem) {
		return error;
	}
	if (error instanceof StoreUnavailable) {
		return new Problem("unavailable", error.message, {
			headers: { "Retry-After": String(Math.ceil(error.retryAfter)) },
		});
	}
	return new Problem(
		"internal",
		"Something failed that should not. The log has it under this request's id.",
	);
}
