import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson } from "../../src/http/json.ts";
import { acceptable } from "../../src/http/negotiation.ts";

describe("Reading JSON", () => {
	const hasLoneSurrogate = (text: string) =>
		/\\u[dD][89a-fA-F]/.test(text) || /\p{Surrogate}/u.test(text);

	it("gives what JSON.parse gives, for every JSON text without doubles", () => {
		fc.assert(
			fc.property(
				fc.jsonValue({ maxDepth: 6 }),
				fc.constantFrom(undefined, "\t", 1),
				(value, indent) => {
					const text = JSON.stringify(value, null, indent);
					fc.pre(!hasLoneSurrogate(text));
					const result = parseJson(text);
					assert.ok(result.ok, JSON.stringify(result));
					assert.deepEqual(result.value, JSON.parse(text));
				},
			),
			{ numRuns: 500 },
		);
	});

	it("refuses what JSON.parse refuses, and nothing else but what it documents", () => {
		const characters = '{}[]",:\\u0123dD8eE+-. \ntruefalsn'.split("");
		fc.assert(
			fc.property(
				fc.string({
					unit: fc.constantFrom(...characters),
					maxLength: 14,
				}),
				(text) => {
					const result = parseJson(text);
					let valid = true;
					try {
						JSON.parse(text);
					} catch {
						valid = false;
					}
					if (result.ok) {
						assert.ok(valid);
					} else if (valid) {
						assert.match(
							result.fault.message,
							/twice|surrogate|double precision/,
						);
					} else {
						assert.notEqual(result.fault.message, "It is not JSON.");
					}
				},
			),
			{ numRuns: 20_000 },
		);
	});

	it("finds every doubled member, wherever it is", () => {
		fc.assert(
			fc.property(
				fc.array(fc.constantFrom("list", "object"), { maxLength: 8 }),
				fc.string({ unit: "grapheme", maxLength: 5 }),
				(wraps, name) => {
					fc.pre(!hasLoneSurrogate(name));
					const key = JSON.stringify(name);
					let text = `{"other": ":\\"{", ${key}: [1], "third": {}, ${key}: 2}`;
					fc.pre(name !== "other" && name !== "third");
					for (const wrap of wraps) {
						text = wrap === "list" ? `[0, ${text}]` : `{"a:b": ${text}}`;
					}
					const result = parseJson(text);
					assert.ok(!result.ok);
					assert.match(result.fault.message, /is there twice/);
				},
			),
		);
	});

	it("reads long texts in a reasonable time", () => {
		const started = performance.now();
		for (const text of [
			`"${"\\\\".repeat(1_000_000)}"`,
			`"${'\\"'.repeat(1_000_000)}`,
			"[".repeat(1_000_000),
			`[${"1,".repeat(500_000)}1]`,
			`{${Array.from({ length: 50_000 }, (_, index) => `"k${index}":0`).join(",")},"k7":0}`,
			" ".repeat(2_000_000),
			"\n".repeat(1_000_000),
		]) {
			parseJson(text);
		}
		assert.ok(performance.now() - started < 5000);
	});
});

describe("Content negotiation", () => {
	const types = ["application/json", "application/pdf"] as const;

	for (const [accept, expected] of [
		[null, ["application/json", "application/pdf"]],
		["", ["application/json", "application/pdf"]],
		["APPLICATION/PDF", ["application/pdf"]],
		[
			"application/pdf ; q=0.5 , */* ; q=0.1",
			["application/pdf", "application/json"],
		],
		["*/*;q=0", []],
		["application/*;q=0.3, application/pdf;q=0", ["application/json"]],
		["application/json;version=1;q=0.2", ["application/json"]],
		["nonsense", []],
		[",,;q=1,", []],
	] as const) {
		it(`Accept: ${accept ?? "nothing"} admits ${expected.join(", ") || "nothing"}`, () => {
			assert.deepEqual(acceptable(accept, types), expected);
		});
	}

	it("never fails, whatever the field says", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary" }), (accept) => {
				const found = acceptable(accept, types);
				assert.ok(found.every((type) => types.includes(type)));
			}),
		);
	});
});
