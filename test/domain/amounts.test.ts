import assert from "node:assert/strict";
import fc from "fast-check";
import {
	type AmountsDraft,
	computeAmounts,
} from "../../src/invoice/amounts.ts";
import type { DecimalText } from "../../src/invoice/decimal.ts";

const text = (value: string) => value as DecimalText;

/** An integer scaled by a power of ten, as decimal text. */
function scaled(units: bigint, places: number): DecimalText {
	const digits = (units < 0n ? -units : units)
		.toString()
		.padStart(places + 1, "0");
	const whole = digits.slice(0, digits.length - places);
	const fraction = places === 0 ? "" : `.${digits.slice(-places)}`;
	return text(`${units < 0n ? "-" : ""}${whole}${fraction}`);
}

/** Decimal text as an integer of minor units with `places` decimal places. */
function units(amount: string, places: number): bigint {
	const [whole = "0", fraction = ""] = amount.replace("-", "").split(".");
	const value = BigInt(whole + fraction.padEnd(places, "0").slice(0, places));
	return amount.startsWith("-") ? -value : value;
}

/** Half up, away from zero, in integers: the rule written a second time, in another arithmetic. */
function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
	const negative = numerator < 0n;
	const absolute = negative ? -numerator : numerator;
	const rounded = (2n * absolute + denominator) / (2n * denominator);
	return negative ? -rounded : rounded;
}

const PLACES: Record<string, number> = { EUR: 2, JPY: 0, BHD: 3 };

/** Lines with quantities of up to 3 places and prices of up to 4. */
function drafts(inclusive: boolean) {
	return fc.constantFrom("EUR", "JPY", "BHD").chain((currency) =>
		fc.record({
			currency: fc.constant(currency),
			pricesIncludeVat: fc.constant(inclusive),
			lines: fc.array(
				fc.record({
					quantity: fc
						.bigInt({ min: inclusive ? 1n : -50_000n, max: 50_000n })
						.map((value) => scaled(value, 3)),
					price: fc
						.bigInt({ min: 0n, max: 20_000_000n })
						.map((value) => scaled(value, 4)),
					vat: fc.constantFrom("19", "7", "19.00").map((rate) => ({
						category: "S" as const,
						rate: text(rate),
					})),
					allowances: fc.array(
						fc.record({
							amount: fc
								.bigInt({ min: 0n, max: 500n })
								.map((value) => scaled(value, PLACES[currency] ?? 2)),
							reason: fc.constant("Rabatt"),
						}),
						{ maxLength: 2 },
					),
				}),
				{ minLength: 1, maxLength: 12 },
			),
			charges: fc.array(
				fc.record({
					amount: fc
						.bigInt({ min: 0n, max: 9_999n })
						.map((value) => scaled(value, PLACES[currency] ?? 2)),
					reason: fc.constant("Fracht"),
					vat: fc.constant({ category: "S" as const, rate: text("19") }),
				}),
				{ maxLength: 2 },
			),
		}),
	);
}

describe("amounts", () => {
	it("agree with the same rules in integer arithmetic, for every currency", () => {
		fc.assert(
			fc.property(drafts(false), (draft) => {
				const places = PLACES[draft.currency] ?? 2;
				const { amounts, violations } = computeAmounts(draft);
				assert.deepEqual(violations, []);
				const groups = new Map<string, bigint>();
				let lineTotal = 0n;
				for (const [index, line] of draft.lines.entries()) {
					const product = units(line.quantity, 3) * units(line.price, 4);
					let net = divideHalfUp(product, 10n ** BigInt(7 - places));
					for (const allowance of line.allowances) {
						net -= units(allowance.amount, places);
					}
					assert.equal(amounts.lines[index]?.netAmount, scaled(net, places));
					lineTotal += net;
					const rate = line.vat.rate.startsWith("19") ? "19" : "7";
					groups.set(rate, (groups.get(rate) ?? 0n) + net);
				}
				let charges = 0n;
				for (const charge of draft.charges) {
					const amount = units(charge.amount, places);
					charges += amount;
					groups.set("19", (groups.get("19") ?? 0n) + amount);
				}
				let tax = 0n;
				for (const [rate, taxable] of groups) {
					const taxAmount = divideHalfUp(taxable * BigInt(rate), 100n);
					tax += taxAmount;
					const group = amounts.vatBreakdown.find((each) => each.rate === rate);
					assert.equal(group?.taxableAmount, scaled(taxable, places));
					assert.equal(group?.taxAmount, scaled(taxAmount, places));
				}
				assert.equal(amounts.vatBreakdown.length, groups.size);
				assert.equal(amounts.totals.lineTotal, scaled(lineTotal, places));
				assert.equal(
					amounts.totals.payable,
					scaled(lineTotal + charges + tax, places),
				);
			}),
			{ numRuns: 400 },
		);
	});

	it("with VAT included, ask for exactly the sum of the prices that were told", () => {
		fc.assert(
			fc.property(drafts(true), (draft) => {
				const places = PLACES[draft.currency] ?? 2;
				const { amounts } = computeAmounts(draft);
				const told =
					draft.lines.reduce((sum, line) => {
						const product = units(line.quantity, 3) * units(line.price, 4);
						return line.allowances.reduce(
							(net, allowance) => net - units(allowance.amount, places),
							sum + divideHalfUp(product, 10n ** BigInt(7 - places)),
						);
					}, 0n) +
					draft.charges.reduce(
						(sum, charge) => sum + units(charge.amount, places),
						0n,
					);
				assert.equal(amounts.totals.payable, scaled(told, places));
				const rounding = units(amounts.totals.rounding, places);
				// A minor unit a group; where a line is all allowance, its net can take no more.
				const allowances = draft.lines.flatMap((line) => line.allowances);
				const bound = BigInt(amounts.vatBreakdown.length + allowances.length);
				assert.ok(
					rounding <= bound && rounding >= -bound,
					`rounding ${amounts.totals.rounding} is more than rounding can explain`,
				);
			}),
			{ numRuns: 400 },
		);
	});

	it("with VAT included, still obey EN 16931 among the computed nets", () => {
		fc.assert(
			fc.property(drafts(true), (draft) => {
				const places = PLACES[draft.currency] ?? 2;
				const { amounts } = computeAmounts(draft);
				const sums = new Map<string, bigint>();
				for (const [index, line] of amounts.lines.entries()) {
					const { quantity = "0", vat } = draft.lines[index] ?? {};
					assert.ok(!line.price.startsWith("-"), "BR-27");
					const pricePlaces = line.price.split(".")[1]?.length ?? 0;
					const extended = divideHalfUp(
						units(quantity, 3) * units(line.price, pricePlaces),
						10n ** BigInt(3 + pricePlaces - places),
					);
					const net = line.allowances.reduce(
						(sum, allowance) => sum - units(allowance.amount, places),
						extended,
					);
					assert.equal(line.netAmount, scaled(net, places), "BT-131");
					const rate = vat?.rate === "7" ? "7" : "19";
					sums.set(rate, (sums.get(rate) ?? 0n) + net);
				}
				for (const charge of amounts.charges) {
					sums.set("19", (sums.get("19") ?? 0n) + units(charge.amount, places));
				}
				for (const group of amounts.vatBreakdown) {
					const taxable = sums.get(group.rate ?? "") ?? 0n;
					assert.equal(group.taxableAmount, scaled(taxable, places), "BR-S-08");
					assert.equal(
						group.taxAmount,
						scaled(
							divideHalfUp(taxable * BigInt(group.rate ?? "0"), 100n),
							places,
						),
						"BR-CO-17",
					);
				}
			}),
			{ numRuns: 400 },
		);
	});

	const line = (price: string, rate: string, quantity = "1") => ({
		quantity: text(quantity),
		price: text(price),
		vat: { category: "S" as const, rate: text(rate) },
	});
	const cases: [string, AmountsDraft, Partial<Record<string, string>>][] = [
		[
			"half a cent goes up",
			{ currency: "EUR", lines: [line("0.005", "19")] },
			{ lineTotal: "0.01", taxAmount: "0.00", payable: "0.01" },
		],
		[
			"half a cent back goes away from zero",
			{ currency: "EUR", lines: [line("0.005", "19", "-1")] },
			{ lineTotal: "-0.01", payable: "-0.01" },
		],
		[
			"VAT is rounded once per rate, not per line",
			{
				currency: "EUR",
				lines: [line("0.02", "19"), line("0.02", "19"), line("0.02", "19")],
			},
			{ taxAmount: "0.01", taxInclusive: "0.07" },
		],
		[
			"19.00 and 19 are one rate",
			{
				currency: "EUR",
				lines: [
					line("0.02", "19"),
					line("0.02", "19.00"),
					line("0.02", "19.0"),
				],
			},
			{ taxAmount: "0.01" },
		],
		[
			"what is prepaid is taken off",
			{
				currency: "EUR",
				lines: [line("100", "19")],
				totals: { prepaid: text("19.00") },
			},
			{ payable: "100.00" },
		],
		[
			"rounding is added where asked for",
			{
				currency: "EUR",
				lines: [line("100.02", "19")],
				totals: { rounding: text("-0.02") },
			},
			{ taxInclusive: "119.02", payable: "119.00" },
		],
		[
			"0.03 with 19 % VAT has no net; the cent stands in the rounding",
			{ currency: "EUR", pricesIncludeVat: true, lines: [line("0.03", "19")] },
			{ taxInclusive: "0.04", rounding: "-0.01", payable: "0.03" },
		],
		[
			"yen have no decimal places",
			{ currency: "JPY", lines: [line("333.5", "19")] },
			{ lineTotal: "334", taxAmount: "63" },
		],
		[
			"dinars have three",
			{ currency: "BHD", lines: [line("0.3335", "19")] },
			{ lineTotal: "0.334", taxAmount: "0.063" },
		],
	];
	for (const [statement, draft, expected] of cases) {
		it(statement, () => {
			const { totals } = computeAmounts(draft).amounts;
			for (const [name, amount] of Object.entries(expected)) {
				assert.equal(totals[name as keyof typeof totals], amount, name);
			}
		});
	}
});
