import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import fc from "fast-check";
import {
	CHAIN_START,
	canonicalBytes,
	chainLink,
	digestSnapshot,
} from "../../src/invoice/digest.ts";
import { goldenSnapshots } from "../golden.ts";

describe("digests", () => {
	it("are the SHA-256 of canonical bytes that read back as the snapshot", () => {
		for (const { name, snapshot } of goldenSnapshots()) {
			const { canonical, digest } = digestSnapshot(snapshot);
			assert.equal(
				digest,
				createHash("sha256").update(canonical).digest("hex"),
				name,
			);
			assert.deepEqual(
				JSON.parse(new TextDecoder().decode(canonical)),
				snapshot,
				name,
			);
		}
	});

	it("are made of the same bytes as another implementation of RFC 8785 makes", () => {
		const key = fc.string().filter((text) => !/^(0|[1-9][0-9]*)$/.test(text));
		const { value } = fc.letrec((tie) => ({
			value: fc.oneof(
				{ maxDepth: 4 },
				fc.string({ unit: "grapheme" }),
				fc.integer(),
				fc.double({ noNaN: true, noDefaultInfinity: true }),
				fc.boolean(),
				fc.constant(null),
				fc.array(tie("value"), { maxLength: 4 }),
				fc.dictionary(key, tie("value"), { maxKeys: 6 }),
			),
		}));
		fc.assert(
			fc.property(value, (any) => {
				assert.equal(
					new TextDecoder().decode(canonicalBytes(any)),
					canonicalize(any),
				);
			}),
			{ numRuns: 500 },
		);
		for (const unsayable of [
			Number.NaN,
			Number.POSITIVE_INFINITY,
			() => 1,
			1n,
			undefined,
		]) {
			assert.throws(
				() => canonicalBytes({ unsayable: [unsayable] }),
				TypeError,
			);
		}
	});

	it("do not depend on the order of fields", () => {
		const [golden] = goldenSnapshots();
		assert.ok(golden);
		const reversed = Object.fromEntries(
			Object.entries(golden.snapshot).reverse(),
		);
		assert.equal(
			digestSnapshot(reversed as typeof golden.snapshot).digest,
			digestSnapshot(golden.snapshot).digest,
		);
	});

	it("chain each entry to the one before", () => {
		const entry = {
			previous: CHAIN_START,
			digest: "a".repeat(64),
			number: "RE-2026-000001",
			issuedAt: "2026-11-24T09:00:00.000Z",
		};
		const link = chainLink(entry);
		// Written out, so that the format cannot change unnoticed: auditors compute it without our code.
		const text = [
			entry.previous,
			entry.digest,
			entry.number,
			entry.issuedAt,
		].join("\n");
		assert.equal(link, createHash("sha256").update(text).digest("hex"));
		for (const change of [
			{ previous: link },
			{ digest: "b".repeat(64) },
			{ number: "RE-2026-000002" },
			{ issuedAt: "2026-11-24T09:00:00.001Z" },
		]) {
			assert.notEqual(chainLink({ ...entry, ...change }), link);
		}
	});
});
