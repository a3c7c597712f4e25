import assert from "node:assert/strict";
import { checkDraft } from "../../src/invoice/check.ts";
import { RULES } from "../../src/invoice/law.ts";
import type { Violation } from "../../src/invoice/violation.ts";
import { CONTEXT, goldenDrafts } from "../golden.ts";

type Json = Record<string, unknown>;

const golden = new Map(
	goldenDrafts().map(({ name, draft }) => [name, draft as Json]),
);

/** A copy of a golden draft with places set, or taken out where the value is undefined. */
function broken(name: string, changes: Record<string, unknown>): Json {
	const draft = structuredClone(golden.get(name)) as Json;
	for (const [at, value] of Object.entries(changes)) {
		const keys = at.slice(1).split("/");
		const last = keys.pop() ?? "";
		let parent = draft;
		for (const key of keys) {
			parent = parent[key] as Json;
		}
		if (value === undefined) {
			delete parent[last];
		} else {
			parent[last] = value;
		}
	}
	return draft;
}

function violationsOf(draft: unknown, context = CONTEXT): Violation[] {
	const result = checkDraft(draft, context);
	return result.ok ? [] : result.violations;
}

const CAR = "car-sharing-380";
const PAINTER = "craftsman-private-property-380";
const AE = "craftsman-reverse-charge-380";
const ABROAD = "software-reverse-charge-en-380";
const K = "wholesale-intra-community-380";
const G = "wholesale-export-jpy-380";
const O = "software-outside-scope-380";
const SMALL = "car-sharing-small-amount-380";
const S16 = { category: "S", rate: "16" };

/** Rule, golden draft, what is broken in it, and where the refusal points. */
const CASES: [string, string, Record<string, unknown>, string][] = [
	["login-name", CAR, { "/loginName": undefined }, "/loginName"],
	["seller-name", CAR, { "/seller/name": undefined }, "/seller/name"],
	[
		"seller-street",
		CAR,
		{ "/seller/address/line1": undefined },
		"/seller/address/line1",
	],
	[
		"seller-postal-code",
		CAR,
		{ "/seller/address/postalCode": undefined },
		"/seller/address/postalCode",
	],
	[
		"seller-city",
		CAR,
		{ "/seller/address/city": undefined },
		"/seller/address/city",
	],
	[
		"seller-country",
		CAR,
		{ "/seller/address/country": undefined },
		"/seller/address/country",
	],
	["buyer-name", CAR, { "/buyer/name": undefined }, "/buyer/name"],
	["buyer-name", CAR, { "/buyer": undefined }, "/buyer/name"],
	[
		"buyer-street",
		CAR,
		{ "/buyer/address/line1": undefined },
		"/buyer/address/line1",
	],
	[
		"buyer-postal-code",
		CAR,
		{ "/buyer/address/postalCode": undefined },
		"/buyer/address/postalCode",
	],
	["buyer-city", CAR, { "/buyer/address": undefined }, "/buyer/address/city"],
	[
		"buyer-country",
		CAR,
		{ "/buyer/address/country": undefined },
		"/buyer/address/country",
	],
	[
		"seller-tax-identifier",
		CAR,
		{ "/seller/vatIdentifier": undefined, "/seller/taxNumber": undefined },
		"/seller",
	],
	[
		"vat-identifier-prefix",
		CAR,
		{ "/seller/vatIdentifier": "DE12345678" },
		"/seller/vatIdentifier",
	],
	[
		"vat-identifier-prefix",
		K,
		{ "/buyer/vatIdentifier": "GR123456789" },
		"/buyer/vatIdentifier",
	],
	["lines", CAR, { "/lines": [] }, "/lines"],
	["lines", CAR, { "/lines": undefined }, "/lines"],
	["line-name", CAR, { "/lines/1/name": undefined }, "/lines/1/name"],
	[
		"line-quantity",
		CAR,
		{ "/lines/0/quantity": undefined },
		"/lines/0/quantity",
	],
	["line-unit", CAR, { "/lines/0/unit": undefined }, "/lines/0/unit"],
	["line-price", CAR, { "/lines/0/price": undefined }, "/lines/0/price"],
	["line-id-unique", CAR, { "/lines/0/id": "2" }, "/lines/1/id"],
	[
		"line-id-unique",
		CAR,
		{ "/lines/0/id": "a", "/lines/1/id": "a" },
		"/lines/1/id",
	],
	["supply-date", CAR, { "/delivery": undefined }, "/delivery"],
	[
		"supply-date",
		CAR,
		{ "/delivery": undefined, "/lines/0/period": { start: "2026-11-01" } },
		"/delivery",
	],
	["period-bounds", CAR, { "/delivery/period": {} }, "/delivery/period"],
	[
		"period-order",
		CAR,
		{ "/delivery/period/end": "2026-10-31" },
		"/delivery/period/end",
	],
	[
		"period-order",
		CAR,
		{ "/lines/0/period": { start: "2026-11-05", end: "2026-11-04" } },
		"/lines/0/period/end",
	],
	[
		"allowance-amount",
		CAR,
		{ "/lines/0/allowances/0/amount": undefined },
		"/lines/0/allowances/0/amount",
	],
	[
		"allowance-base",
		CAR,
		{ "/lines/0/allowances/0/base": "100.00" },
		"/lines/0/allowances/0/percent",
	],
	[
		"allowance-reason",
		CAR,
		{ "/lines/0/allowances/0/reason": undefined },
		"/lines/0/allowances/0/reason",
	],
	[
		"allowance-reason",
		PAINTER,
		{ "/allowances/0/reason": undefined },
		"/allowances/0/reason",
	],
	["vat-category", CAR, { "/lines/0/vat": undefined }, "/lines/0/vat"],
	[
		"vat-category",
		PAINTER,
		{ "/allowances/0/vat": undefined },
		"/allowances/0/vat",
	],
	["vat-rate-standard", CAR, { "/lines/0/vat/rate": "0" }, "/lines/0/vat/rate"],
	[
		"vat-rate-standard",
		CAR,
		{ "/lines/0/vat/rate": undefined },
		"/lines/0/vat/rate",
	],
	["vat-rate-valid", CAR, { "/lines/0/vat": S16 }, "/lines/0/vat/rate"],
	[
		"vat-rate-valid",
		CAR,
		{ "/delivery/period": { start: "2020-12-01", end: "2020-12-31" } },
		"/lines/0/vat/rate",
	],
	[
		"vat-rate-valid",
		CAR,
		{ "/buyer/address/country": "FR", "/lines/0/vat/rate": "27.5" },
		"/lines/0/vat/rate",
	],
	["vat-rate-zero", K, { "/lines/0/vat/rate": "19" }, "/lines/0/vat/rate"],
	[
		"vat-rate-outside-scope",
		O,
		{ "/lines/0/vat/rate": "0" },
		"/lines/0/vat/rate",
	],
	[
		"vat-exemption-absent",
		CAR,
		{ "/lines/0/vat/exemptionReason": "aus Kulanz" },
		"/lines/0/vat/exemptionReason",
	],
	[
		"vat-exemption-reason",
		"software-training-exempt-380",
		{ "/lines/0/vat/exemptionReason": undefined },
		"/lines/0/vat/exemptionReason",
	],
	[
		"vat-outside-scope-alone",
		CAR,
		{ "/lines/1/vat": { category: "O" } },
		"/lines/0/vat/category",
	],
	[
		"vat-outside-scope-identifiers",
		O,
		{ "/seller/vatIdentifier": "DE136695976" },
		"/seller/vatIdentifier",
	],
	[
		"reverse-charge-words",
		AE,
		{ "/lines/0/vat/exemptionReason": "§ 13b" },
		"/lines/0/vat/exemptionReason",
	],
	[
		"reverse-charge-buyer",
		AE,
		{ "/buyer/vatIdentifier": undefined },
		"/buyer/vatIdentifier",
	],
	[
		"reverse-charge-abroad",
		ABROAD,
		{
			"/buyer/vatIdentifier": undefined,
			"/buyer/legalIdentifier": "303265045",
		},
		"/buyer/vatIdentifier",
	],
	[
		"reverse-charge-abroad",
		ABROAD,
		{ "/seller/vatIdentifier": undefined },
		"/seller/vatIdentifier",
	],
	[
		"intra-community-identifiers",
		K,
		{ "/buyer/vatIdentifier": undefined },
		"/buyer/vatIdentifier",
	],
	[
		"intra-community-customer",
		K,
		{ "/buyer/vatIdentifier": "DE129273398" },
		"/buyer/vatIdentifier",
	],
	[
		"intra-community-destination",
		K,
		{ "/delivery/address": undefined },
		"/delivery/address/country",
	],
	[
		"intra-community-destination",
		K,
		{ "/delivery/address/country": "DE" },
		"/delivery/address/country",
	],
	["intra-community-date", K, { "/delivery/date": undefined }, "/delivery"],
	[
		"export-seller",
		G,
		{ "/seller/vatIdentifier": undefined },
		"/seller/vatIdentifier",
	],
	[
		"export-destination",
		G,
		{ "/delivery/address/country": "NL" },
		"/delivery/address/country",
	],
	[
		"special-scheme-category",
		"wholesale-used-goods-380",
		{ "/lines/0/vat": { category: "S", rate: "19" } },
		"/lines/0/vat/category",
	],
	[
		"small-amount-scope",
		SMALL,
		{ "/lines/0/vat": { category: "AE" } },
		"/smallAmount",
	],
	["small-amount-currency", SMALL, { "/currency": "USD" }, "/currency"],
	["small-amount-limit", SMALL, { "/lines/0/price": "125.01" }, "/smallAmount"],
	[
		"private-property-customer",
		PAINTER,
		{ "/buyer/vatIdentifier": "DE129273398" },
		"/worksOnPrivateProperty",
	],
	["preceding-invoice", CAR, { "/type": "381" }, "/precedingInvoices"],
	[
		"credit-note-sign",
		CAR,
		{
			"/type": "381",
			"/precedingInvoices": [{ number: "A-1", date: "2026-01-02" }],
			"/lines/0/quantity": "-3",
		},
		"/lines",
	],
	[
		"amount-decimals",
		CAR,
		{ "/lines/0/allowances/0/amount": "10.005" },
		"/lines/0/allowances/0/amount",
	],
	["amount-decimals", G, { "/totals": { prepaid: "0.5" } }, "/totals/prepaid"],
	["amount-bound", CAR, { "/lines/0/quantity": "1000000000000" }, "/lines"],
	[
		"gross-rounding",
		SMALL,
		{ "/totals": { rounding: "0.01" } },
		"/totals/rounding",
	],
	[
		"iban",
		CAR,
		{ "/payment/creditTransfer/iban": "DE88370400440532013000" },
		"/payment/creditTransfer/iban",
	],
	[
		"credit-transfer-account",
		CAR,
		{ "/payment/creditTransfer/iban": undefined },
		"/payment/creditTransfer/iban",
	],
	[
		"totals-agree",
		CAR,
		{ "/totals": { payable: "175.18" } },
		"/totals/payable",
	],
	[
		"totals-agree",
		CAR,
		{ "/lines/0/netAmount": "139.71" },
		"/lines/0/netAmount",
	],
	[
		"PEPPOL-EN16931-R040",
		CAR,
		{ "/lines/0/allowances/0/percent": "10" },
		"/lines/0/allowances/0/amount",
	],
	["schema", CAR, { "/lines/0/price": 49.9 }, "/lines/0/price"],
	["schema", CAR, { "/lines/0/price": "-1" }, "/lines/0/price"],
	["schema", CAR, { "/lines/0/price": "1e2" }, "/lines/0/price"],
	["schema", CAR, { "/lines/0/prize": "1" }, "/lines/0/prize"],
	["schema", CAR, { "/issueDate": "2026-02-29" }, "/issueDate"],
	["schema", CAR, { "/currency": "EURO" }, "/currency"],
	["schema", CAR, { "/lines/0/unit": "XYZ" }, "/lines/0/unit"],
	["schema", CAR, { "/notes": [{}] }, "/notes/0/text"],
	["schema", CAR, { "/buyer": "Anna" }, "/buyer"],
	["text", CAR, { "/buyer/name": "Anna\u0000Schmidt" }, "/buyer/name"],
	["text", CAR, { "/buyer/name": "Anna \ud83d" }, "/buyer/name"],
	[
		"depth",
		CAR,
		{ "/notes": [[[[[[[[[[[[["deep"]]]]]]]]]]]]] },
		"/notes/0/0/0/0/0/0/0/0/0/0/0",
	],
];

describe("the law", () => {
	it("takes every golden draft", () => {
		for (const [name, draft] of golden) {
			assert.deepEqual(violationsOf(draft), [], name);
		}
	});

	for (const [rule, name, changes, pointer] of CASES) {
		it(`${rule}: ${name} with ${JSON.stringify(changes)} is refused at ${pointer}`, () => {
			const found = violationsOf(broken(name, changes));
			const violation = found.find(
				(each) => each.rule === rule && each.pointer === pointer,
			);
			assert.ok(violation, JSON.stringify(found, null, "\t"));
			assert.match(violation.message, /[.!]$/);
		});
	}

	it("has a case for every rule of its table", () => {
		const tried = new Set(CASES.map(([rule]) => rule));
		assert.deepEqual(
			RULES.map(({ id }) => id).filter((id) => !tried.has(id)),
			[],
		);
	});

	it("gives every rule an id of its own, a source and a sentence", () => {
		assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
		for (const { id, source, message } of RULES) {
			assert.match(id, /^[a-z0-9-]+$/);
			assert.match(source, /UStG|UStDV|EN ?16931|BR-|ISO|this service/, id);
			assert.match(message, /^[A-Z].*\.$/, id);
		}
	});

	it("names every fault at once, those of shape and those of law", () => {
		const found = violationsOf({
			unknown: true,
			lines: [{ price: 3, quantity: "x" }],
			precedingInvoices: [{}],
			buyer: { name: "Anna" },
		});
		const pointers = found.map((violation) => violation.pointer);
		for (const expected of [
			"/unknown",
			"/lines/0/price",
			"/lines/0/quantity",
			"/lines/0/name",
			"/lines/0/vat",
			"/precedingInvoices/0/number",
			"/buyer/address/city",
			"/seller/name",
			"/loginName",
		]) {
			assert.ok(pointers.includes(expected), `${expected} is not named`);
		}
		assert.equal(
			new Set(found.map((each) => `${each.pointer} ${each.rule}`)).size,
			found.length,
		);
	});

	it("refuses what is no object, and says so", () => {
		for (const body of [null, [], "draft", 42, true]) {
			assert.deepEqual(
				violationsOf(body).map(({ pointer, rule }) => [pointer, rule]),
				[["", "schema"]],
			);
		}
	});

	it("refuses characters that the documents cannot print, and names them", () => {
		const [violation] = violationsOf(
			broken(CAR, { "/buyer/name": "株式会社 Anna" }),
			{ ...CONTEXT, canPrint: (codePoint) => codePoint < 0x3000 },
		);
		assert.equal(violation?.pointer, "/buyer/name");
		assert.match(violation?.message ?? "", /株.*U\+682A/);
	});
});

describe("defaults", () => {
	it("come from the configuration where the draft is silent", () => {
		const { seller, ...draft } = golden.get(CAR) as Json;
		for (const name of [
			"series",
			"type",
			"issueDate",
			"currency",
			"language",
		]) {
			delete draft[name];
		}
		const result = checkDraft(draft, { ...CONTEXT, seller: seller as object });
		assert.ok(result.ok);
		const { series, type, issueDate, currency, language } =
			result.checked.draft;
		assert.deepEqual(
			{ series, type, issueDate, currency, language },
			{
				series: "RE-2026",
				type: "380",
				issueDate: "2026-11-24",
				currency: "EUR",
				language: "de",
			},
		);
		assert.deepEqual(result.checked.draft.seller, seller);
	});

	it("leave the configured VAT number off an invoice outside the scope of VAT", () => {
		const { seller, ...draft } = golden.get(O) as { seller: object };
		const result = checkDraft(draft, {
			...CONTEXT,
			seller: { ...seller, vatIdentifier: "DE136695976" },
		});
		assert.ok(result.ok, JSON.stringify(result));
		assert.equal(result.checked.draft.seller?.vatIdentifier, undefined);
	});
});
