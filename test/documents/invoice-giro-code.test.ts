import assert from "node:assert/strict";
import fc from "fast-check";
import { giroCode } from "../../src/documents/pdf/giro-code.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { goldenSnapshot } from "../golden.ts";
import { readCode } from "./code-reader.ts";
import { type DrawnRectangle, layOutPlainly } from "./recording.ts";

const invoice = goldenSnapshot("car-sharing-380");

/** The invoice with some fields altered. */
function altered(
	change: {
		[Field in keyof Snapshot]?: Snapshot[Field] extends object | undefined
			? object
			: unknown;
	},
): Snapshot {
	return { ...invoice, ...change } as Snapshot;
}

const PIXELS_PER_POINT = 4;
/** A code is read by the white around it: four modules (ISO/IEC 18004, 9.1). */
const QUIET_ZONE = 40;

/** Reads the code that rectangles draw, as a camera would see it. */
function read(rectangles: readonly DrawnRectangle[]): string | undefined {
	const left = Math.min(...rectangles.map(({ x }) => x));
	const top = Math.min(...rectangles.map(({ y }) => y));
	const right = Math.max(...rectangles.map(({ x, width }) => x + width));
	const size = Math.round((right - left) * PIXELS_PER_POINT) + 2 * QUIET_ZONE;
	const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
	for (const { x, y, width, height } of rectangles) {
		const at = (value: number) =>
			Math.round(value * PIXELS_PER_POINT) + QUIET_ZONE;
		for (let row = at(y - top); row < at(y - top + height); row++) {
			for (let column = at(x - left); column < at(x - left + width); column++) {
				pixels.fill(
					0,
					(row * size + column) * 4,
					(row * size + column) * 4 + 3,
				);
			}
		}
	}
	return readCode(pixels, size, size);
}

function drawn(content: string): DrawnRectangle[] {
	const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
	return layOutPlainly(
		`<document left="20pt" right="20pt"><style name="body" size="9pt"/><qr size="70pt"><content>${escaped}</content></qr></document>`,
	).rectangles;
}

describe("the GiroCode", () => {
	it("says what a bank needs, line by line", () => {
		assert.deepEqual(giroCode(invoice)?.split("\n"), [
			"BCD",
			"002",
			"1",
			"SCT",
			"COBADEFFXXX",
			"Stadtflitzer Carsharing GmbH",
			"DE89370400440532013000",
			"EUR175.17",
			"",
			"",
			"RE-2026-000001",
		]);
	});

	it("gives a creditor reference its own line", () => {
		const payload = giroCode(
			altered({
				payment: { ...invoice.payment, reference: "RF18539007547034" },
			}),
		);
		assert.deepEqual(payload?.split("\n").slice(8), ["", "RF18539007547034"]);
	});

	it("keeps names and texts to their lengths", () => {
		const payload = giroCode(
			altered({
				payment: {
					reference: "R".repeat(200),
					creditTransfer: {
						iban: "DE89370400440532013000",
						accountName: "N".repeat(100),
					},
				},
			}),
		)?.split("\n");
		assert.equal(payload?.[5]?.length, 70);
		assert.equal(payload?.[10]?.length, 140);
	});

	const none: [why: string, change: Parameters<typeof altered>[0]][] = [
		["in another currency", { currency: "CHF" }],
		["without an account", { payment: { terms: "bar" } }],
		[
			"when nothing is to be paid",
			{ totals: { ...invoice.totals, payable: "0.00" } },
		],
		[
			"when money comes back",
			{ totals: { ...invoice.totals, payable: "-1.00" } },
		],
		[
			"for more than the code can say",
			{ totals: { ...invoice.totals, payable: "1000000000.00" } },
		],
		["on a credit note", { type: "381" }],
		["on a self-billed invoice", { type: "389" }],
		["for a direct debit", { payment: { ...invoice.payment, means: "59" } }],
		[
			"that would be too long",
			{
				payment: {
					...invoice.payment,
					reference: "Ж".repeat(140),
					creditTransfer: {
						iban: "DE89370400440532013000",
						accountName: "Ж".repeat(70),
					},
				},
			},
		],
	];
	for (const [why, change] of none) {
		it(`is not there ${why}`, () => {
			assert.equal(giroCode(altered(change)), undefined);
		});
	}

	it("is read as it was written, whatever it says", () => {
		fc.assert(
			fc.property(
				fc.record({
					name: fc.string({
						unit: fc.constantFrom(..."ABCÄÖÜßéж &<0123456789abcdefghij"),
						minLength: 1,
						maxLength: 70,
					}),
					reference: fc.string({
						unit: fc.constantFrom(..."RE-/.0123456789 ABCDEF"),
						minLength: 1,
						maxLength: 100,
					}),
					cents: fc.integer({ min: 1, max: 99_999_999_999 }),
				}),
				({ name, reference, cents }) => {
					const digits = String(cents).padStart(3, "0");
					const payload = giroCode(
						altered({
							totals: {
								...invoice.totals,
								payable: `${digits.slice(0, -2)}.${digits.slice(-2)}`,
							},
							payment: {
								reference: `R${reference.replace(/ +/g, " ").trim()}`,
								creditTransfer: {
									iban: "DE89370400440532013000",
									accountName: `N${name.replace(/ +/g, " ").trim()}`,
								},
							},
						}),
					);
					fc.pre(payload !== undefined);
					assert.equal(read(drawn(payload ?? "")), payload);
				},
			),
			{ numRuns: 60 },
		);
	});
});
