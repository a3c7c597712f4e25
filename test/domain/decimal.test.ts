import assert from "node:assert/strict";
import Big from "big.js";
import fc from "fast-check";
import {
	type Decimal,
	decimal,
	formatAmount,
	formatDecimal,
	formatPrice,
	roundHalfUp,
} from "../../src/invoice/decimal.ts";

Big.DP = 40;

/** Decimal text as callers send it, negative zero and closing zeros included. */
const decimals = fc
	.tuple(
		fc.boolean(),
		fc.bigInt({ min: 0n, max: 10n ** 19n }),
		fc.integer({ min: 0, max: 18 }),
	)
	.map(([isNegative, units, places]) => {
		const digits = String(units).padStart(places + 1, "0");
		const whole = digits.slice(0, digits.length - places);
		const fraction = digits.slice(digits.length - places);
		return `${isNegative ? "-" : ""}${whole}${places === 0 ? "" : `.${fraction}`}`;
	});

/** As another library writes it, which knows a negative zero. */
function written(value: Big, places?: number): string {
	const text = value.toFixed(places);
	return /^-0(?:\.0+)?$/.test(text) ? text.slice(1) : text;
}

describe("decimal numbers", () => {
	it("reckon as another library does, exactly", () => {
		fc.assert(
			fc.property(
				decimals,
				decimals,
				fc.integer({ min: 0, max: 20 }),
				(a, b, places) => {
					const [x, y] = [decimal(a), decimal(b)];
					const [u, v] = [new Big(a), new Big(b)];
					const pairs: [Decimal, Big][] = [
						[x, u],
						[x.plus(y), u.plus(v)],
						[x.minus(y), u.minus(v)],
						[x.times(y), u.times(v)],
						[x.abs(), u.abs()],
						[x.negated(), u.times(-1)],
						[x.hundredth(), u.div(100)],
						[x.round(places), u.round(places, Big.roundHalfUp)],
					];
					if (!v.eq(0)) {
						pairs.push([x.div(y), u.div(v)]);
					}
					for (const [ours, theirs] of pairs) {
						assert.equal(formatDecimal(ours), written(theirs));
					}
					assert.equal(x.cmp(y), u.cmp(v));
					assert.equal(x.eq(y), u.eq(v));
					assert.equal(x.lt(y), u.lt(v));
					assert.equal(x.gt(y), u.gt(v));
					assert.equal(x.isZero(), u.eq(0));
					assert.equal(x.isNegative(), u.lt(0));
					assert.equal(formatAmount(x, places), written(u, places));
				},
			),
			{ numRuns: 1000 },
		);
	});

	it("are rounded half up, away from zero", () => {
		for (const [text, places, rounded] of [
			["0.005", 2, "0.01"],
			["-0.005", 2, "-0.01"],
			["0.0049999", 2, "0.00"],
			["-0.004", 2, "0.00"],
			["2.5", 0, "3"],
			["-2.5", 0, "-3"],
			["7", 2, "7.00"],
		] as const) {
			const value = roundHalfUp(decimal(text), places);
			assert.equal(formatAmount(value, places), rounded);
		}
	});

	it("are written as prices with the places of the currency at least", () => {
		for (const [text, price] of [
			["7.5", "7.50"],
			["7.500", "7.50"],
			["0.0825", "0.0825"],
			["100", "100.00"],
			["-0.10", "-0.10"],
		] as const) {
			assert.equal(formatPrice(decimal(text), 2), price);
		}
	});

	it("are read from decimal text and nothing else", () => {
		for (const text of [
			"",
			" 1",
			"1.",
			".5",
			"+1",
			"1e3",
			"0x10",
			"1_0",
			"١",
		]) {
			assert.throws(() => decimal(text), RangeError, text);
		}
	});
});
