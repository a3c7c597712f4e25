import assert from "node:assert/strict";
import fc from "fast-check";
import { addressLines } from "../../src/documents/pdf/address.ts";
import {
	negated,
	sumOf,
	writeAmount,
	writeDate,
	writePrice,
	writeQuantity,
	writeRate,
	writeSpan,
} from "../../src/documents/pdf/format.ts";
import { decimal, formatDecimal } from "../../src/invoice/decimal.ts";

const MONTHS =
	"January February March April May June July August September October November December".split(
		" ",
	);

/** Spaces that hold are written as _ here. */
function plain(text: string): string {
	return text.replaceAll("\u00a0", "_");
}

describe("amounts on a document", () => {
	const amounts: [amount: string, currency: string, de: string, en: string][] =
		[
			["0.00", "EUR", "0,00_€", "€0.00"],
			["7.50", "EUR", "7,50_€", "€7.50"],
			["-1234.56", "EUR", "-1.234,56_€", "-€1,234.56"],
			["999", "EUR", "999,00_€", "€999.00"],
			[
				"1234567890123.45",
				"EUR",
				"1.234.567.890.123,45_€",
				"€1,234,567,890,123.45",
			],
			["1488000", "JPY", "1.488.000_¥", "¥1,488,000"],
			["342.000", "BHD", "342,000_BHD", "BHD_342.000"],
			["-10.00", "USD", "-10,00_USD", "-USD_10.00"],
			["12.30", "GBP", "12,30_£", "£12.30"],
		];
	for (const [amount, currency, de, en] of amounts) {
		it(`${amount} ${currency} is ${de} and ${en}`, () => {
			assert.equal(plain(writeAmount(amount, currency, "de")), de);
			assert.equal(plain(writeAmount(amount, currency, "en")), en);
		});
	}

	it("have no more places than they need, and prices all of theirs", () => {
		assert.equal(plain(writePrice("0.082500", "EUR", "de")), "0,0825_€");
		assert.equal(plain(writePrice("49.9", "EUR", "de")), "49,90_€");
		assert.equal(plain(writePrice("2480.000000", "JPY", "en")), "¥2,480");
		assert.equal(writeQuantity("1.500", "de"), "1,5");
		assert.equal(writeQuantity("1850", "de"), "1.850");
		assert.equal(writeQuantity("-3.00", "en"), "-3");
		assert.equal(plain(writeRate("19.00", "de")), "19_%");
		assert.equal(writeRate("5.5", "en"), "5.5%");
	});

	it("are added exactly", () => {
		const digits = fc
			.tuple(
				fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
				fc.integer({ min: 0, max: 3 }),
			)
			.map(([value, places]) => {
				const sign = value < 0n ? "-" : "";
				const text = String(value < 0n ? -value : value).padStart(
					places + 1,
					"0",
				);
				const whole = text.slice(0, text.length - places);
				return places === 0
					? sign + whole
					: `${sign}${whole}.${text.slice(-places)}`;
			});
		fc.assert(
			fc.property(fc.array(digits), (amounts) => {
				const expected = amounts.reduce(
					(sum, amount) => sum.plus(decimal(amount)),
					decimal("0"),
				);
				assert.equal(
					formatDecimal(decimal(sumOf(amounts))),
					formatDecimal(expected),
				);
			}),
		);
	});

	it("turn their sign, but for zero", () => {
		assert.deepEqual(["1.50", "-1.50", "0.00"].map(negated), [
			"-1.50",
			"1.50",
			"0.00",
		]);
	});
});

describe("days on a document", () => {
	const spans: [start: string, end: string, de: string, en: string][] = [
		["2026-11-01", "2026-11-20", "01.11._– 20.11.2026", "1_– 20_November_2026"],
		[
			"2026-01-15",
			"2026-03-14",
			"15.01._– 14.03.2026",
			"15_January_– 14_March_2026",
		],
		[
			"2026-12-30",
			"2027-01-02",
			"30.12.2026_– 02.01.2027",
			"30_December_2026_– 2_January_2027",
		],
	];
	for (const [start, end, de, en] of spans) {
		it(`${start} to ${end} is ${de} and ${en}`, () => {
			assert.equal(plain(writeSpan(start, end, "de", MONTHS)), de);
			assert.equal(plain(writeSpan(start, end, "en", MONTHS)), en);
		});
	}

	it("are written out in English", () => {
		assert.equal(
			plain(writeDate("2026-02-09", "en", MONTHS)),
			"9_February_2026",
		);
		assert.equal(writeDate("2026-02-09", "de", MONTHS), "09.02.2026");
	});
});

describe("addresses on a document", () => {
	const countries = {
		AT: "Österreich",
		GB: "United Kingdom",
		US: "United States",
	};
	const cases: [
		what: string,
		address: Parameters<typeof addressLines>[0],
		lines: string[],
	][] = [
		[
			"at home have no country",
			{
				line1: "Am Markt 3",
				postalCode: "44787",
				city: "Bochum",
				country: "DE",
			},
			["Am Markt 3", "44787 Bochum"],
		],
		[
			"abroad end in the country, in capitals",
			{
				line1: "Ring 1",
				line2: "Stiege 2",
				postalCode: "1010",
				city: "Wien",
				country: "AT",
			},
			["Ring 1", "Stiege 2", "1010 Wien", "ÖSTERREICH"],
		],
		[
			"have the post code last where the country wants it so",
			{
				line1: "5 Main St",
				postalCode: "78701",
				city: "Austin",
				region: "TX",
				country: "US",
			},
			["5 Main St", "Austin, TX 78701", "UNITED STATES"],
		],
		["may have little", { city: "Essen" }, ["Essen"]],
	];
	for (const [what, address, lines] of cases) {
		it(what, () => {
			assert.deepEqual(addressLines(address, "DE", countries), lines);
		});
	}
});
