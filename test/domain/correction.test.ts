import assert from "node:assert/strict";
import fc from "fast-check";
import type { CheckResult } from "../../src/invoice/check.ts";
import { checkDraft } from "../../src/invoice/check.ts";
import { cancelInvoice, correctInvoice } from "../../src/invoice/correction.ts";
import { decimal, ZERO } from "../../src/invoice/decimal.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import {
	CONTEXT,
	frozen,
	goldenDrafts,
	goldenSnapshot,
	goldenSnapshots,
} from "../golden.ts";

const CORRECTABLE = goldenSnapshots().filter(({ snapshot }) =>
	["380", "389", "326", "386"].includes(snapshot.type),
);

function rules(result: CheckResult): string[] {
	return result.ok
		? []
		: result.violations.map(({ rule, pointer }) => `${rule} ${pointer}`);
}

const LATER = { issueDate: "2026-11-30" };

describe("a cancellation", () => {
	it("adds up with its original to nothing, in every figure", () => {
		for (const { name, snapshot } of CORRECTABLE) {
			const cancellation = frozen(cancelInvoice(snapshot, LATER, CONTEXT));
			const figures = (document: Snapshot) => [
				...Object.values(document.totals),
				...document.lines.map((line) => line.netAmount),
				...document.vatBreakdown.flatMap((group) => [
					group.taxableAmount,
					group.taxAmount,
				]),
			];
			const mirror = figures(cancellation);
			for (const [index, amount] of figures(snapshot).entries()) {
				assert.ok(
					decimal(amount)
						.plus(decimal(mirror[index] ?? "NaN"))
						.isZero(),
					`${name}: ${amount}`,
				);
			}
		}
	});

	it("is a document of its own that names number and date of the original", () => {
		const original = goldenSnapshot("car-sharing-380");
		const cancellation = frozen(
			cancelInvoice(
				original,
				{ ...LATER, series: "ST-2026", reason: "Doppelt." },
				CONTEXT,
			),
		);
		assert.equal(cancellation.number, "ST-2026-000001");
		assert.equal(cancellation.type, "384");
		assert.equal(cancellation.cancellation, true);
		assert.deepEqual(cancellation.precedingInvoices, [
			{ number: original.number, date: original.issueDate },
		]);
		assert.deepEqual(cancellation.buyer, original.buyer);
		assert.deepEqual(cancellation.seller, original.seller);
		assert.equal(cancellation.currency, original.currency);
		assert.deepEqual(cancellation.notes, [{ text: "Doppelt." }]);
	});

	it("keeps the reason why no VAT was due", () => {
		for (const { name, snapshot } of CORRECTABLE) {
			const cancellation = frozen(cancelInvoice(snapshot, LATER, CONTEXT));
			assert.deepEqual(
				cancellation.vatBreakdown.map(({ exemptionReason, exemptionCode }) => [
					exemptionReason,
					exemptionCode,
				]),
				snapshot.vatBreakdown.map(({ exemptionReason, exemptionCode }) => [
					exemptionReason,
					exemptionCode,
				]),
				name,
			);
		}
	});

	it("is refused for a correction, and before the original's date", () => {
		const original = goldenSnapshot("car-sharing-380");
		const cancellation = frozen(cancelInvoice(original, LATER, CONTEXT));
		assert.deepEqual(rules(cancelInvoice(cancellation, LATER, CONTEXT)), [
			"correction-of-correction ",
		]);
		assert.deepEqual(
			rules(
				cancelInvoice(original, { issueDate: "2026-11-23", extra: 1 }, CONTEXT),
			),
			["schema /extra", "correction-date /issueDate"],
		);
	});
});

describe("a credit note", () => {
	const whole = (snapshot: Snapshot) => ({
		...LATER,
		reason: "Reklamation",
		lines: snapshot.lines.map(({ id }) => ({ id })),
		...(snapshot.allowances === undefined
			? {}
			: {
					allowances: snapshot.allowances.map(
						({ amount, amountIncludingVat, reason, vat }) => ({
							amount: amountIncludingVat ?? amount,
							reason,
							vat,
						}),
					),
				}),
		...(snapshot.charges === undefined
			? {}
			: {
					charges: snapshot.charges.map(
						({ amount, amountIncludingVat, reason, vat }) => ({
							amount: amountIncludingVat ?? amount,
							reason,
							vat,
						}),
					),
				}),
	});

	it("over every line credits exactly the original", () => {
		for (const { name, snapshot } of CORRECTABLE) {
			const credit = frozen(
				correctInvoice(snapshot, [], whole(snapshot), CONTEXT),
			);
			assert.equal(credit.type, "381", name);
			assert.equal(
				credit.totals.taxInclusive,
				snapshot.totals.taxInclusive,
				name,
			);
			assert.deepEqual(credit.vatBreakdown, snapshot.vatBreakdown, name);
		}
	});

	it("is refused once the original is used up, whatever was credited before", () => {
		const original = goldenSnapshot("car-sharing-380");
		const half = {
			...LATER,
			reason: "Kulanz",
			lines: [{ id: "1", quantity: "1" }],
		};
		const first = frozen(correctInvoice(original, [], half, CONTEXT));
		const second = frozen(correctInvoice(original, [first], half, CONTEXT));
		const third = rules(
			correctInvoice(original, [first, second], half, CONTEXT),
		);
		assert.ok(third.includes("correction-limit /lines/0"), third.join());
		const all = rules(
			correctInvoice(original, [first], whole(original), CONTEXT),
		);
		assert.ok(
			all.includes("correction-limit /lines/0") &&
				all.includes("correction-limit /lines"),
			all.join(),
		);
	});

	it("never exceeds the original in sum, however it is cut up", () => {
		const draft = goldenDrafts().find(
			({ name }) => name === "wholesale-carried-over-380",
		)?.draft;
		const original = frozen(checkDraft(draft, CONTEXT));
		fc.assert(
			fc.property(
				fc.array(
					fc.record({
						line: fc.nat(original.lines.length - 1),
						quantity: fc.integer({ min: 1, max: 80 }),
					}),
					{ minLength: 1, maxLength: 25 },
				),
				(cuts) => {
					const credits: Snapshot[] = [];
					for (const { line, quantity } of cuts) {
						const result = correctInvoice(
							original,
							credits,
							{
								...LATER,
								reason: "Bruch",
								lines: [{ id: String(line + 1), quantity: String(quantity) }],
							},
							CONTEXT,
						);
						if (result.ok) {
							credits.push(frozen(result));
						}
					}
					for (const { id, netAmount } of original.lines) {
						const credited = credits
							.flatMap((credit) => credit.lines)
							.filter((line) => line.id === id)
							.reduce((sum, line) => sum.plus(decimal(line.netAmount)), ZERO);
						assert.ok(
							!credited.abs().gt(decimal(netAmount).abs()),
							`line ${id}`,
						);
					}
					const total = credits.reduce(
						(sum, credit) => sum.plus(decimal(credit.totals.taxInclusive)),
						ZERO,
					);
					assert.ok(!total.gt(decimal(original.totals.taxInclusive)));
				},
			),
			{ numRuns: 60 },
		);
	});

	const original = goldenSnapshot("car-sharing-380");
	const credit = (input: object) =>
		rules(
			correctInvoice(
				original,
				[],
				{ ...LATER, reason: "Kulanz", ...input },
				CONTEXT,
			),
		);
	const cases: [string, object, string][] = [
		[
			"a line that is not there",
			{ lines: [{ id: "9" }] },
			"correction-line /lines/0/id",
		],
		[
			"a line named twice",
			{
				lines: [
					{ id: "1", quantity: "1" },
					{ id: "1", quantity: "1" },
				],
			},
			"line-id-unique /lines/1/id",
		],
		["no line", { lines: [] }, "schema /lines"],
		[
			"no reason",
			{ reason: undefined, lines: [{ id: "1" }] },
			"schema /reason",
		],
		[
			"more than the quantity",
			{ lines: [{ id: "1", quantity: "4" }] },
			"correction-limit /lines/0",
		],
		[
			"a higher price",
			{ lines: [{ id: "2", price: "7.51" }] },
			"correction-limit /lines/0",
		],
		[
			"a negative quantity",
			{ lines: [{ id: "2", quantity: "-1" }] },
			"correction-limit /lines/0",
		],
		[
			"a charge that was never there",
			{
				lines: [{ id: "1" }, { id: "2" }],
				charges: [
					{ amount: "5.00", reason: "x", vat: { category: "S", rate: "19" } },
				],
			},
			"correction-limit /lines",
		],
		[
			"an allowance without VAT category",
			{ lines: [{ id: "1" }], allowances: [{ amount: "1.00", reason: "x" }] },
			"vat-category /allowances/0/vat",
		],
	];
	for (const [what, input, expected] of cases) {
		it(`with ${what} is refused`, () => {
			const found = credit(input);
			assert.ok(found.includes(expected), found.join());
		});
	}
});
