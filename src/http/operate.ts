/** What operators and developers ask: health, metrics, the description of the API and of its problems. */
import { sha256Hex } from "../invoice/digest.ts";
import { StoreUnavailable } from "../store/store.ts";
import { errorFields } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { matchesWeakly } from "./negotiation.ts";
import { openApiDocument } from "./openapi.ts";
import {
	PROBLEM_TYPES,
	Problem,
	type ProblemName,
	problemUri,
} from "./problem.ts";
import { type Answer, defineRoute, type Route } from "./route.ts";
import type { Services } from "./services.ts";

/** Seconds after which readiness may be asked again. */
const READY_RETRY_S = 1;

const OK: Answer = {
	status: 200,
	headers: { "Content-Type": "application/json" },
	body: '{"status":"ok"}',
};

/** `documented` are the other routes, for the description of the API. */
export function operateRoutes(
	services: Services,
	metrics: Metrics,
	documented: readonly Route[],
): Route[] {
	const ready: Answer = {
		...OK,
		body: JSON.stringify({ status: "ok", ...services.runtime }),
	};
	const routes: Route[] = [
		defineRoute({
			method: "GET",
			path: "/health/live",
			operation: "isLive",
			summary: "Whether the process answers",
			access: "public",
			answers: {
				200: {
					description: "It does.",
					content: { "application/json": "Health" },
				},
			},
			handle: () => OK,
		}),
		defineRoute({
			method: "GET",
			path: "/health/ready",
			operation: "isReady",
			summary: "Whether the service can take invoices",
			description:
				"The database answers and takes writes, and the service is not shutting down.",
			access: "public",
			answers: {
				200: {
					description: "It can.",
					content: { "application/json": "Readiness" },
				},
			},
			problems: ["unavailable"],
			async handle({ requestId }) {
				if (services.isClosing()) {
					throw notReady("The service is shutting down.", READY_RETRY_S);
				}
				try {
					await services.store.ready();
				} catch (error) {
					services.log("warn", "not ready", {
						requestId,
						...errorFields(error),
					});
					throw error instanceof StoreUnavailable
						? error
						: notReady("The database does not answer.", READY_RETRY_S);
				}
				return ready;
			},
		}),
		defineRoute({
			method: "GET",
			path: "/metrics",
			operation: "readMetrics",
			summary: "Metrics for Prometheus",
			description:
				"Open to all while the service listens on this machine only; else for tokens with the scope metrics:read.",
			access: services.loopback ? "public" : "metrics:read",
			answers: {
				200: {
					description: "The text format of Prometheus.",
					content: { "text/plain": { type: "string" } },
				},
			},
			handle: () => ({
				status: 200,
				headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" },
				body: metrics.text(
					services.store.queue(),
					services.processMetrics?.() ?? [],
				),
			}),
		}),
		defineRoute({
			method: "GET",
			path: "/problems/{name}",
			operation: "readProblemType",
			summary: "What a type of problem means",
			access: "public",
			answers: {
				200: {
					description: "The type.",
					content: { "application/json": "ProblemType" },
				},
			},
			problems: ["not-found"],
			handle({ path }) {
				const name = path.name as ProblemName;
				if (!Object.hasOwn(PROBLEM_TYPES, name)) {
					throw new Problem("not-found", "There is no such type of problem.");
				}
				return {
					status: 200,
					headers: { "Content-Type": "application/json" },
					body: JSON.stringify({
						type: problemUri(name),
						...PROBLEM_TYPES[name],
					}),
				};
			},
		}),
		defineRoute({
			method: "GET",
			path: "/openapi.json",
			operation: "readDescription",
			summary: "This description",
			access: "public",
			answers: {
				200: {
					description: "OpenAPI 3.1.",
					content: { "application/json": { type: "object" } },
					headers: ["ETag"],
				},
				304: { description: "The caller has it already.", headers: ["ETag"] },
			},
			handle: ({ request }) => describe(request),
		}),
	];

	let description: { text: string; entityTag: string } | undefined;
	function describe(request: Request): Answer {
		if (description === undefined) {
			const text = JSON.stringify(
				openApiDocument([...documented, ...routes], services.version),
			);
			description = {
				text,
				entityTag: `"${sha256Hex(new TextEncoder().encode(text))}"`,
			};
		}
		const { text, entityTag } = description;
		const headers = { ETag: entityTag, "Cache-Control": "public, no-cache" };
		const ifNoneMatch = request.headers.get("if-none-match");
		return ifNoneMatch !== null && matchesWeakly(ifNoneMatch, entityTag)
			? { status: 304, headers }
			: {
					status: 200,
					headers: { "Content-Type": "application/json", ...headers },
					body: text,
				};
	}
	return routes;
}

function notReady(detail: string, retry_s: number): Problem {
	return new Problem("unavailable", detail, {
		headers: { "Retry-After": String(retry_s) },
	});
}
