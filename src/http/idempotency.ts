/** Idempotency: a request that is repeated with its key gets its first answer again. */
import { canonicalBytes, sha256Hex } from "../invoice/digest.ts";
import type { InvoiceStore, StoredInvoice } from "../store/store.ts";
import type { Caller } from "./caller.ts";
import { Problem } from "./problem.ts";
import { invoicePath } from "./representation.ts";
import type { HeaderParameter } from "./route.ts";

/** The header field, for the documentation. */
export const IDEMPOTENCY_KEY: HeaderParameter = {
	name: "Idempotency-Key",
	description:
		"A text of the caller's own for this one request, such as a UUID. Repeated with the same body it gives the first answer again (200); with another body it is refused (422). Keys of different callers never meet.",
	schema: {
		type: "string",
		pattern: "^[\\x21-\\x7e]{1,255}$",
		examples: ["8e03978e-40d5-43dd-bc93-6894a57f9324"],
	},
};

const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** What the store is told: the key bound to its caller, and what the caller asked for. */
export interface Idempotency {
	key: string;
	requestDigest: string;
}

/**
 * Reads the Idempotency-Key; undefined where there is none. Only digests are
 * kept, so that neither the key nor the caller's name is stored. Throws the
 * problem 400.
 */
export function readIdempotency(
	request: Request,
	caller: Caller,
	path: string,
	body: unknown,
): Idempotency | undefined {
	const key = request.headers.get("idempotency-key");
	if (key === null) {
		return undefined;
	}
	if (!KEY_PATTERN.test(key)) {
		throw new Problem(
			"invalid-header",
			"Idempotency-Key must have 1 to 255 visible ASCII characters and no space.",
		);
	}
	return {
		key: sha256Hex(canonicalBytes([caller.subject, key])),
		requestDigest: sha256Hex(canonicalBytes([path, body])),
	};
}

/**
 * The invoice that an earlier request with this key made; undefined where
 * there is none. Throws the problem 422 where that asked for something else.
 */
export async function findReplay(
	store: InvoiceStore,
	idempotency: Idempotency | undefined,
): Promise<StoredInvoice | undefined> {
	if (idempotency === undefined) {
		return undefined;
	}
	const earlier = await store.findByIdempotencyKey(idempotency.key);
	if (earlier === undefined) {
		return undefined;
	}
	if (earlier.requestDigest !== idempotency.requestDigest) {
		throw keyReused(earlier.number);
	}
	const entry = await store.findEntry(earlier.number);
	if (entry === undefined) {
		throw new Error(
			`The register has no ${earlier.number}, which an idempotency key names.`,
		);
	}
	return await store.findInvoice(entry);
}

export function keyReused(number: string): Problem {
	return new Problem(
		"idempotency-key-reused",
		`This Idempotency-Key was sent before with another request, which made ${number}. Take a new key for a new request.`,
		{ document: invoicePath(number) },
	);
}
