import assert from "node:assert/strict";
import fc from "fast-check";
import * as z from "zod";
import {
	CancellationSchema,
	CorrectionSchema,
	DraftSchema,
} from "../../src/invoice/draft.ts";
import { createShapeReader, UNSURE } from "../../src/invoice/shape-reader.ts";
import { goldenDrafts } from "../golden.ts";

const read = createShapeReader(DraftSchema);

/** What a field may be changed to: wrong types, wrong texts, and right ones of other fields. */
const values = fc.oneof(
	fc.constantFrom<unknown[]>(
		null,
		true,
		1,
		0,
		-1,
		1.5,
		9999,
		10_000,
		"",
		" ",
		"a",
		"a\nb",
		"DE",
		"XX",
		"EUR",
		"19",
		"-1.00",
		"1.0000000",
		"01",
		"C62",
		"2026-02-29",
		"2028-02-29",
		"2026-11-24",
		"1989-12-31",
		"x".repeat(200),
		"x".repeat(201),
		{},
		[],
		[{}],
		{ start: "2026-11-01" },
		{ name: "invoice", version: 1 },
		{ name: "invoice", version: 1.5 },
		{ name: "invoice" },
		{ __proto__: null, constructor: "x" },
	),
	fc.jsonValue(),
);

/** Every place of a JSON value, as the way to it. */
function placesOf(value: unknown, path: string[] = []): string[][] {
	return typeof value === "object" && value !== null
		? [
				path,
				...Object.entries(value).flatMap(([key, item]) =>
					placesOf(item, [...path, key]),
				),
			]
		: [path];
}

function changed(draft: object, path: readonly string[], value: unknown) {
	const copy: unknown = structuredClone(draft);
	let holder = copy as Record<string, unknown>;
	for (const key of path.slice(0, -1)) {
		holder = holder[key] as Record<string, unknown>;
	}
	const last = path.at(-1);
	if (last === undefined) {
		return value;
	}
	Object.defineProperty(holder, last, {
		value,
		enumerable: true,
		configurable: true,
		writable: true,
	});
	return copy;
}

describe("the quick reader of a shape", () => {
	it("takes every golden draft, and the bodies of corrections", () => {
		for (const { name, draft } of goldenDrafts()) {
			assert.notEqual(read(draft), UNSURE, name);
		}
		const cancellation = createShapeReader(CancellationSchema);
		assert.notEqual(cancellation({ reason: "Irrtum" }), UNSURE);
		const correction = createShapeReader(CorrectionSchema);
		const lines = [{ id: "1", quantity: "1" }];
		assert.notEqual(correction({ reason: "Rückgabe", lines }), UNSURE);
		assert.equal(correction({ reason: "Rückgabe" }), UNSURE);
	});

	it("reads what the schema reads, in the same order, and nothing else", () => {
		const drafts = goldenDrafts().map(({ draft }) => draft);
		const changes = fc.constantFrom(...drafts).chain((draft) =>
			fc.record({
				draft: fc.constant(draft),
				path: fc.oneof(
					fc.constantFrom(...placesOf(draft)),
					fc
						.tuple(
							fc.constantFrom(
								...placesOf(draft).filter((path) => path.length < 3),
							),
							fc.constantFrom("unknown", "__proto__", "toString", "id", "rate"),
						)
						.map(([path, key]) => [...path, key]),
				),
				value: values,
			}),
		);
		fc.assert(
			fc.property(changes, ({ draft, path, value }) => {
				let input: unknown;
				try {
					input = changed(draft, path, value);
				} catch {
					fc.pre(false);
				}
				const result = DraftSchema.safeParse(input);
				const ours = read(input);
				assert.equal(ours !== UNSURE, result.success);
				if (result.success) {
					assert.equal(JSON.stringify(ours), JSON.stringify(result.data));
				}
			}),
			{ numRuns: 5000 },
		);
	});

	it("leaves to the schema what it does not know", () => {
		for (const [schema, value] of [
			[z.object({}), {}],
			[z.strictObject({}).refine(() => true), {}],
			[z.string().transform((text) => text.trim()), " a"],
			[z.string().trim(), " a"],
			[z.union([z.string()]), "a"],
			[z.string().regex(/a/g), "a"],
			[z.number().multipleOf(2), 2],
			[z.int32(), 1],
			[z.number().gt(0), 1],
			[z.string().default("a"), "a"],
		] as [z.ZodType, unknown][]) {
			assert.equal(createShapeReader(schema)(value), UNSURE);
		}
	});
});
