import assert from "node:assert/strict";
import fc from "fast-check";
import { SERIES_PATTERN } from "../../src/invoice/draft.ts";
import {
	formatNumber,
	parseNumber,
	seriesOf,
} from "../../src/invoice/number.ts";

describe("numbers", () => {
	it("are read back as what they were made of", () => {
		fc.assert(
			fc.property(
				fc.stringMatching(SERIES_PATTERN),
				fc.integer({ min: 1, max: 99_999_999 }),
				(series, sequence) => {
					assert.deepEqual(parseNumber(formatNumber(series, sequence)), {
						series,
						sequence,
					});
				},
			),
		);
	});

	it("have one spelling only", () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				const parsed = parseNumber(text);
				assert.ok(
					parsed === undefined ||
						formatNumber(parsed.series, parsed.sequence) === text,
				);
			}),
		);
		for (const text of [
			"RE-2026-000000",
			"RE-2026-123",
			"RE-2026-0000123",
			"re-2026-000123",
			"-000123",
			"RE--000123 ",
			"RE-2026-000123\n",
		]) {
			assert.equal(parseNumber(text), undefined, text);
		}
	});

	it("grow past six digits", () => {
		assert.equal(formatNumber("RE-2026", 1_234_567), "RE-2026-1234567");
	});

	it("take the year of the issue date into the series", () => {
		assert.equal(seriesOf("RE-{year}", "2026-12-31"), "RE-2026");
		assert.equal(seriesOf("RE", "2026-12-31"), "RE");
	});
});
