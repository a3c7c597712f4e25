/** Digests: the canonical bytes of a snapshot, their SHA-256, and the chain over a series. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import canonicalize from "canonicalize";
import type { Snapshot } from "./snapshot.ts";

/** SHA-256 of bytes, as 64 lower-case hexadecimal digits (FIPS 180-4). */
export function sha256Hex(bytes: Uint8Array): string {
	return bytesToHex(sha256(bytes));
}

/** The canonical form of a JSON value (RFC 8785) in UTF-8: what is hashed, stored and served. */
export function canonicalBytes(value: unknown): Uint8Array {
	const text = canonicalize(value);
	if (text === undefined) {
		throw new TypeError("Only a JSON value has a canonical form.");
	}
	return utf8ToBytes(text);
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
