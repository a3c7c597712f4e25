/** Digests: the canonical bytes of a snapshot, their SHA-256, and the chain over a series. */
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { sha256Hex } from "#sha256";
import type { Snapshot } from "./snapshot.ts";

export { sha256Hex };

/**
 * The canonical form of a JSON value (RFC 8785) in UTF-8: what is hashed,
 * stored and served. JSON.stringify already writes strings and numbers as the
 * RFC wants them; what is left is the order of fields. Throws a TypeError on
 * what JSON cannot say. No field may be named like an array index, which
 * JavaScript would move to the front; no business term is.
 */
export function canonicalBytes(value: unknown): Uint8Array {
	return utf8ToBytes(JSON.stringify(sorted(value)));
}

/** A copy whose fields are in the order of their UTF-16 code units (RFC 8785, 3.2.3); what is undefined is no field. */
function sorted(value: unknown): unknown {
	switch (typeof value) {
		case "string":
		case "boolean":
			return value;
		case "number":
			if (!Number.isFinite(value)) {
				throw new TypeError(`JSON has no number ${value}.`);
			}
			return value;
		case "object":
			break;
		default:
			throw new TypeError(`JSON has no ${typeof value}.`);
	}
	if (value === null) {
		return null;
	}
	if (Array.isArray(value)) {
		return value.map(sorted);
	}
	// Without a prototype, so that "__proto__" is a field like any other.
	const copy: Record<string, unknown> = Object.create(null);
	for (const key of Object.keys(value).sort()) {
		const field = (value as Record<string, unknown>)[key];
		if (field !== undefined) {
			copy[key] = sorted(field);
		}
	}
	return copy;
}

/** The snapshot's canonical bytes and their SHA-256 in hexadecimal. */
export function digestSnapshot(snapshot: Snapshot): {
	canonical: Uint8Array;
	digest: string;
} {
	const canonical = canonicalBytes(snapshot);
	return { canonical, digest: sha256Hex(canonical) };
}

/** What the first entry of a series is chained to: 32 zero bytes. */
export const CHAIN_START = "0".repeat(64);

/** One entry of a series' chain. */
export interface ChainEntry {
	/** Chain value of the entry before, or CHAIN_START. */
	previous: string;
	/** The snapshot's digest. */
	digest: string;
	number: string;
	/** ISO 8601 in UTC with milliseconds. */
	issuedAt: string;
}

/**
 * SHA-256(previous ‖ digest ‖ number ‖ issuedAt): the hexadecimal values as
 * text, all four parted by a line feed so that no two entries read alike.
 */
export function chainLink(entry: ChainEntry): string {
	const parts = [entry.previous, entry.digest, entry.number, entry.issuedAt];
	return sha256Hex(utf8ToBytes(parts.join("\n")));
}
