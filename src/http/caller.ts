/** Callers: who sends a request, and what he may do. */
import { Problem } from "./problem.ts";

/** What a service's token may allow (RFC 8693, 4.2). */
export const SCOPES = {
	"invoices:write": "create, check, cancel and correct invoices",
	"invoices:read": "read every invoice",
	"metrics:read": "read the metrics",
} as const;

export type Scope = keyof typeof SCOPES;

export interface Caller {
	/** Distinguishes callers: the token's `sub`. */
	subject: string;
	scopes: ReadonlySet<string>;
	/** Set for a customer: he sees his own invoices and nothing else. */
	loginName?: string;
}

/** Everyone, where no key is configured. */
export const ANONYMOUS: Caller = {
	subject: "anonymous",
	scopes: new Set(Object.keys(SCOPES)),
};

/** Checks a bearer token; throws InvalidToken. */
export type VerifyToken = (token: string) => Promise<Caller>;

/** A token that proves nothing; the message says why, as a sentence. */
export class InvalidToken extends Error {
	override readonly name = "InvalidToken";
}

/** Longest token that is looked at, in characters. */
const TOKEN_LENGTH_MAX = 8192;

const CHALLENGE = 'Bearer realm="invoices"';

/** The caller of a request; throws the problem 401. */
export async function identifyCaller(
	authorization: string | null,
	verifyToken: VerifyToken | undefined,
): Promise<Caller> {
	if (verifyToken === undefined) {
		return ANONYMOUS;
	}
	if (authorization === null) {
		throw new Problem(
			"unauthenticated",
			"The request has no Authorization header field.",
			{ headers: { "WWW-Authenticate": CHALLENGE } },
		);
	}
	try {
		const [, token] =
			/^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization) ?? [];
		if (token === undefined || token.length > TOKEN_LENGTH_MAX) {
			throw new InvalidToken(
				`The Authorization header field must be "Bearer" and a token of at most ${TOKEN_LENGTH_MAX} characters.`,
			);
		}
		return await verifyToken(token);
	} catch (error) {
		if (!(error instanceof InvalidToken)) {
			throw error;
		}
		throw new Problem("unauthenticated", error.message, {
			headers: {
				"WWW-Authenticate": `${CHALLENGE}, error="invalid_token", error_description="${error.message.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")}"`,
			},
		});
	}
}

/** Throws the problem 403 unless the caller has the scope. */
export function requireScope(caller: Caller, scope: Scope): void {
	if (!caller.scopes.has(scope)) {
		throw new Problem(
			"forbidden",
			`The token lacks the scope "${scope}" (${SCOPES[scope]}).`,
			{
				headers: {
					"WWW-Authenticate": `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`,
				},
			},
		);
	}
}

/**
 * Whose invoices the caller may see: undefined for everyone's. Throws the
 * problem 403 where he may see none.
 */
export function readableLoginName(caller: Caller): string | undefined {
	if (caller.loginName !== undefined) {
		return caller.loginName;
	}
	requireScope(caller, "invoices:read");
	return undefined;
}
