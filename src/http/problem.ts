/** Problems: every refusal that the service answers, as RFC 9457 writes them. */
import type { Violation } from "../invoice/violation.ts";

/** A kind of problem; its URI is "/problems/" and its name. */
export interface ProblemType {
	status: number;
	/** The same for every problem of this type. */
	title: string;
	/** What it means and what to do, for the documentation. */
	meaning: string;
}

export const PROBLEM_TYPES = {
	"malformed-body": {
		status: 400,
		title: "The body is not JSON as we read it",
		meaning:
			"The body must be one JSON text in UTF-8 (RFC 8259) that means the same to every reader (RFC 7493): no member twice, no number beyond double precision, no half of a surrogate pair. `detail` says where it stops being so.",
	},
	"invalid-query": {
		status: 400,
		title: "The query parameters are not accepted",
		meaning:
			"A query parameter is unknown, missing or wrong. The violations' pointers name the parameters.",
	},
	"invalid-header": {
		status: 400,
		title: "A header field is not accepted",
		meaning: "A header field has a value that cannot be used; see `detail`.",
	},
	unauthenticated: {
		status: 401,
		title: "A valid bearer token is needed",
		meaning:
			"Send `Authorization: Bearer …` with a token that is signed with the configured key, has `sub` and `exp`, and has not expired.",
	},
	forbidden: {
		status: 403,
		title: "The token does not allow this",
		meaning: "The token is valid and lacks the scope that `detail` names.",
	},
	"not-found": {
		status: 404,
		title: "There is nothing at this address",
		meaning:
			"No such invoice or route; or it is not the token's customer's own.",
	},
	"method-not-allowed": {
		status: 405,
		title: "The method is not allowed here",
		meaning: "`Allow` lists the methods of this address.",
	},
	"not-acceptable": {
		status: 406,
		title: "None of the accepted media types is available",
		meaning: "`detail` lists what there is.",
	},
	cancelled: {
		status: 409,
		title: "The invoice has been cancelled",
		meaning:
			"A cancelled invoice takes no further correction or cancellation. `document` is the cancellation.",
	},
	corrected: {
		status: 409,
		title: "The invoice has been corrected in part",
		meaning:
			"An invoice that was credited in part is not cancelled as a whole; credit the rest by another correction. `document` is the first correction.",
	},
	contended: {
		status: 409,
		title: "Others are correcting the same invoice",
		meaning:
			"Several corrections of one invoice arrived at once and this one lost every round. Nothing was stored; send it again.",
	},
	"precondition-failed": {
		status: 412,
		title: "If-Match does not match",
		meaning: "The document has another entity tag than the one asked for.",
	},
	"body-too-large": {
		status: 413,
		title: "The body is too large",
		meaning: "`BODY_BYTES_MAX` is the limit.",
	},
	"unsupported-media-type": {
		status: 415,
		title: "The body's media type is not supported",
		meaning:
			"Send `Content-Type: application/json` (charset utf-8, if any) and no `Content-Encoding`.",
	},
	misdirected: {
		status: 421,
		title: "The service does not answer under this host name",
		meaning:
			"Without a key the service answers on this machine's own names only, so that no web page can reach it through a name of its own (DNS rebinding).",
	},
	"invalid-draft": {
		status: 422,
		title: "The draft cannot become an invoice",
		meaning:
			"`violations` names every fault: where, which rule, its source, and what to do. No number was used, nothing was stored.",
	},
	"idempotency-key-reused": {
		status: 422,
		title: "The idempotency key belongs to another request",
		meaning:
			"The key was sent before with another body or to another address. Take a new key for a new request.",
	},
	internal: {
		status: 500,
		title: "The service failed",
		meaning:
			"A fault of ours; it is in the log under the request id. An invoice may or may not have been stored: repeat the request with the same idempotency key to find out.",
	},
	unavailable: {
		status: 503,
		title: "The service cannot do this now",
		meaning:
			"The queue is full, the database does not answer, or the service is shutting down. Repeat after `Retry-After` seconds, with the same idempotency key.",
	},
} as const satisfies Record<string, ProblemType>;

export type ProblemName = keyof typeof PROBLEM_TYPES;

/** What a problem may say beyond its type. */
export interface ProblemExtras {
	violations?: readonly Violation[];
	/** Address of the document that stands in the way. */
	document?: string;
	headers?: Readonly<Record<string, string>>;
}

/** Ends the handling of a request with this problem. */
export class Problem extends Error {
	override readonly name = "Problem";
	readonly type: ProblemName;
	readonly extras: ProblemExtras;

	/** `detail` says in a sentence what is wrong with this request. */
	constructor(type: ProblemName, detail: string, extras: ProblemExtras = {}) {
		super(detail);
		this.type = type;
		this.extras = extras;
	}
}

/** URI of a problem type, relative to the service. */
export function problemUri(type: ProblemName): string {
	return `/problems/${type}`;
}

/** The problem as `application/problem+json`. */
export function problemText(problem: Problem, requestId: string): string {
	const { type, message, extras } = problem;
	const { status, title } = PROBLEM_TYPES[type];
	return JSON.stringify({
		type: problemUri(type),
		title,
		status,
		detail: message,
		instance: `urn:request:${requestId}`,
		...(extras.document === undefined ? {} : { document: extras.document }),
		...(extras.violations === undefined
			? {}
			: { violations: extras.violations }),
	});
}
