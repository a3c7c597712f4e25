/** The rule table: what the law and EN 16931 demand of an invoice, one entry a rule. */
import { isValidIBAN } from "ibantools";
import { CURRENCY_MINOR_UNITS, EU_COUNTRIES } from "./codes.ts";
import { decimal, formatDecimal, ZERO } from "./decimal.ts";
import type { Address, Draft, DraftLine, Vat } from "./draft.ts";
import { pointer } from "./violation.ts";

/** Reports a fault at a JSON pointer; without a message the rule's own sentence is used. */
export type Report = (pointer: string, message?: string) => void;

/** One rule of the table. */
export interface Rule {
	/** Stable name; callers may build on it. */
	id: string;
	/** Paragraph, article or rule that demands it. */
	source: string;
	/** Business term of EN 16931. */
	term?: string;
	/** What to do, in a sentence. */
	message: string;
	/**
	 * Reports every place of the draft where the rule is broken. The draft is
	 * complete as far as defaults go, but nothing else is certain to be there.
	 */
	check(draft: Draft, report: Report): void;
}

/** § 33 UStDV: the gross amount in euros up to which an invoice may be brief. */
export const SMALL_AMOUNT_LIMIT_EUR = "250.00";

/**
 * VAT rates of § 12 UStG in percent by the day from which they hold. The last
 * six months of 2020 had their own (§ 28 UStG).
 */
export const GERMAN_VAT_RATES: readonly {
	from: string;
	rates: readonly string[];
}[] = [
	{ from: "2021-01-01", rates: ["19", "7"] },
	{ from: "2020-07-01", rates: ["16", "5"] },
	{ from: "2007-01-01", rates: ["19", "7"] },
	{ from: "1998-04-01", rates: ["16", "7"] },
	{ from: "1990-01-01", rates: ["15", "14", "7"] },
];

/** Flat rates of farmers and foresters since 2007, in percent (§ 24 (1) UStG in its versions). */
const AGRICULTURAL_VAT_RATES = ["10.7", "9.5", "9", "8.4", "7.8", "5.5"];

/** The highest standard rate in the European Union (Hungary's), in percent. */
const EU_VAT_RATE_MAX = "27";

/**
 * The words that § 14a (5) UStG and Art. 226 (11a) of Directive 2006/112/EC
 * demand for reverse charge, in the languages that we can compare.
 */
const REVERSE_CHARGE_WORDS = [
	"steuerschuldnerschaft des leistungsempfängers",
	"reverse charge",
	"autoliquidation",
	"inversione contabile",
	"inversión del sujeto pasivo",
	"btw verlegd",
	"odwrotne obciążenie",
];

const CATEGORIES_WITHOUT_TAX = new Set(["Z", "E", "AE", "K", "G", "O"]);

/** A VAT entry of the draft and where it stands. */
interface VatPlace {
	vat: Vat | undefined;
	at: string;
	line?: DraftLine | undefined;
}

/** Remembers what is found in a draft: several rules ask for it, and a draft does not change while it is checked. */
function once<Found>(find: (draft: Draft) => Found): (draft: Draft) => Found {
	const known = new WeakMap<Draft, { found: Found }>();
	return (draft) => {
		let entry = known.get(draft);
		if (entry === undefined) {
			entry = { found: find(draft) };
			known.set(draft, entry);
		}
		return entry.found;
	};
}

const vatPlaces = once((draft): readonly VatPlace[] => {
	const places: VatPlace[] = [];
	const { lines = NONE, allowances = NONE, charges = NONE } = draft;
	for (let index = 0; index < lines.length; index++) {
		const line = lines[index];
		places.push({ vat: line?.vat, line, at: `/lines/${index}/vat` });
	}
	for (let index = 0; index < allowances.length; index++) {
		places.push({
			vat: allowances[index]?.vat,
			at: `/allowances/${index}/vat`,
		});
	}
	for (let index = 0; index < charges.length; index++) {
		places.push({ vat: charges[index]?.vat, at: `/charges/${index}/vat` });
	}
	return places;
});

const NONE: readonly never[] = [];

function hasCategory(draft: Draft, category: string): boolean {
	return vatPlaces(draft).some(({ vat }) => vat?.category === category);
}

/** Whether the relief of § 33 UStDV was asked for. */
function full(draft: Draft): boolean {
	return draft.smallAmount !== true;
}

function country(address: Address | undefined): string {
	return address?.country ?? "";
}

/** The country whose tax office issued a VAT number; Greece writes EL (BR-CO-09). */
function vatCountry(vatIdentifier: string | undefined): string {
	const prefix = vatIdentifier?.slice(0, 2) ?? "";
	return prefix === "EL" ? "GR" : prefix;
}

/** The day whose law applies: the supply's, else the issue date. */
function supplyDate(draft: Draft, line?: DraftLine): string {
	return (
		line?.period?.end ??
		line?.period?.start ??
		draft.delivery?.date ??
		draft.delivery?.period?.end ??
		draft.delivery?.period?.start ??
		draft.issueDate ??
		""
	);
}

function isCorrection(draft: Draft): boolean {
	return draft.type === "381" || draft.type === "384";
}

/** Whether German rates apply: the seller's VAT number says so, or his address, and it is no distance sale. */
function isTaxedInGermany(draft: Draft): boolean {
	const seller =
		vatCountry(draft.seller?.vatIdentifier) || country(draft.seller?.address);
	return seller === "DE" && !isTaxedAbroad(draft);
}

/** A distance sale that is taxed where the goods or the service arrive (§ 3c, § 3a (5) UStG). */
function isTaxedAbroad(draft: Draft): boolean {
	const seller = country(draft.seller?.address);
	const destination =
		country(draft.delivery?.address) || country(draft.buyer?.address);
	return (
		seller !== destination &&
		EU_COUNTRIES.has(seller) &&
		EU_COUNTRIES.has(destination) &&
		draft.buyer?.vatIdentifier === undefined
	);
}

/** A rule that a field be there. `applies` says when; the field is named by its path. */
function required(
	id: string,
	source: string,
	term: string,
	path: readonly string[],
	message: string,
	applies: (draft: Draft) => boolean = () => true,
): Rule {
	return {
		id,
		source,
		term,
		message,
		check(draft, report) {
			let value: unknown = draft;
			for (const key of path) {
				value = (value as Record<string, unknown> | undefined)?.[key];
			}
			if (value === undefined && applies(draft)) {
				report(pointer(...path));
			}
		},
	};
}

/** A rule for each line. */
function eachLine(
	rule: Omit<Rule, "check">,
	check: (line: DraftLine, at: string, report: Report, draft: Draft) => void,
): Rule {
	return {
		...rule,
		check(draft, report) {
			const { lines = NONE } = draft;
			for (let index = 0; index < lines.length; index++) {
				const line = lines[index];
				if (line !== undefined) {
					check(line, `/lines/${index}`, report, draft);
				}
			}
		},
	};
}

function lineField(
	id: string,
	source: string,
	term: string,
	field: keyof DraftLine,
	message: string,
): Rule {
	return eachLine({ id, source, term, message }, (line, at, report) => {
		if (line[field] === undefined) {
			report(`${at}/${field}`);
		}
	});
}

/** A rule for each VAT entry: of lines, document allowances and document charges. */
function eachVat(
	rule: Omit<Rule, "check">,
	check: (place: VatPlace & { vat: Vat }, report: Report, draft: Draft) => void,
): Rule {
	return {
		...rule,
		check(draft, report) {
			for (const place of vatPlaces(draft)) {
				if (hasVat(place)) {
					check(place, report, draft);
				}
			}
		},
	};
}

function hasVat(place: VatPlace): place is VatPlace & { vat: Vat } {
	return place.vat !== undefined;
}

type AllowanceHolder = Pick<DraftLine, "allowances" | "charges">;
type Period = NonNullable<DraftLine["period"]>;

interface AllowancePlace {
	item: NonNullable<DraftLine["allowances"]>[number];
	at: string;
}

/** Allowances and charges of lines and document with what they are called. */
const allowancePlaces = once((draft) => {
	const places: AllowancePlace[] = [];
	const add = (holder: AllowanceHolder, at: string) => {
		for (const kind of ["allowances", "charges"] as const) {
			holder[kind]?.forEach((item, position) => {
				places.push({ item, at: `${at}/${kind}/${position}` });
			});
		}
	};
	draft.lines?.forEach((line, index) => {
		add(line, `/lines/${index}`);
	});
	add(draft, "");
	return places;
});

/** Every period of the draft and where it stands. */
const periodPlaces = once((draft) => {
	const places: { period: Period; at: string }[] = [];
	if (draft.delivery?.period !== undefined) {
		places.push({ period: draft.delivery.period, at: "/delivery/period" });
	}
	draft.lines?.forEach(({ period }, index) => {
		if (period !== undefined) {
			places.push({ period, at: `/lines/${index}/period` });
		}
	});
	return places;
});

/** Every amount of the draft that EN 16931 bounds to the currency's decimal places. */
function amountPlaces(draft: Draft) {
	const places: { amount: string; at: string }[] = [];
	const add = (amount: string | undefined, at: string) => {
		if (amount !== undefined) {
			places.push({ amount, at });
		}
	};
	for (const { item, at } of allowancePlaces(draft)) {
		add(item.amount, `${at}/amount`);
		add(item.base, `${at}/base`);
	}
	for (const [name, amount] of Object.entries(draft.totals ?? {})) {
		add(amount, `/totals/${name}`);
	}
	draft.lines?.forEach(({ netAmount }, index) => {
		add(netAmount, `/lines/${index}/netAmount`);
	});
	return places;
}

const SELLER_ADDRESS =
	"§ 14 (4) no. 1 UStG, § 31 (2) UStDV; Art. 226 (5) Directive 2006/112/EC; BR-08";
const BUYER_ADDRESS =
	"§ 14 (4) no. 1 UStG, § 31 (2) UStDV; Art. 226 (5) Directive 2006/112/EC; BR-10";

/**
 * All rules, in the order of the law. Each is independent of the others, so
 * that a refusal names every fault at once.
 */
export const RULES: readonly Rule[] = [
	{
		id: "login-name",
		source: "this service: an invoice belongs to a customer",
		message: "Say whose invoice this is: give the customer's login name.",
		check(draft, report) {
			if (draft.loginName === undefined) {
				report("/loginName");
			}
		},
	},

	// § 14 (4) no. 1 UStG: full name and address of supplier and customer
	required(
		"seller-name",
		"§ 14 (4) no. 1 UStG; Art. 226 (5) Directive 2006/112/EC; BR-06",
		"BT-27",
		["seller", "name"],
		"Give the full name of the supplier.",
	),
	required(
		"seller-street",
		SELLER_ADDRESS,
		"BT-35",
		["seller", "address", "line1"],
		"Give the street and house number, or the post box, of the supplier.",
	),
	required(
		"seller-postal-code",
		SELLER_ADDRESS,
		"BT-38",
		["seller", "address", "postalCode"],
		"Give the post code of the supplier.",
		(draft) => hasPostalCodes(country(draft.seller?.address)),
	),
	required(
		"seller-city",
		SELLER_ADDRESS,
		"BT-37",
		["seller", "address", "city"],
		"Give the city of the supplier.",
	),
	required(
		"seller-country",
		"BR-09; Art. 226 (5) Directive 2006/112/EC",
		"BT-40",
		["seller", "address", "country"],
		'Give the country of the supplier as a code, such as "DE".',
	),
	required(
		"buyer-name",
		"§ 14 (4) no. 1 UStG; Art. 226 (5) Directive 2006/112/EC; BR-07",
		"BT-44",
		["buyer", "name"],
		"Give the full name of the customer.",
		full,
	),
	required(
		"buyer-street",
		BUYER_ADDRESS,
		"BT-50",
		["buyer", "address", "line1"],
		"Give the street and house number, or the post box, of the customer.",
		full,
	),
	required(
		"buyer-postal-code",
		BUYER_ADDRESS,
		"BT-53",
		["buyer", "address", "postalCode"],
		"Give the post code of the customer.",
		(draft) => full(draft) && hasPostalCodes(country(draft.buyer?.address)),
	),
	required(
		"buyer-city",
		BUYER_ADDRESS,
		"BT-52",
		["buyer", "address", "city"],
		"Give the city of the customer.",
		full,
	),
	required(
		"buyer-country",
		"BR-11; Art. 226 (5) Directive 2006/112/EC",
		"BT-55",
		["buyer", "address", "country"],
		'Give the country of the customer as a code, such as "DE".',
		full,
	),

	// § 14 (4) no. 2 UStG: tax number or VAT identification number of the supplier
	{
		id: "seller-tax-identifier",
		source:
			"§ 14 (4) no. 2 UStG, § 34a no. 2 UStDV; Art. 226 (3) Directive 2006/112/EC; BR-CO-26, BR-S-02",
		term: "BT-31, BT-32",
		message:
			"Give the supplier's VAT identification number (vatIdentifier) or tax number (taxNumber).",
		check(draft, report) {
			const { vatIdentifier, taxNumber } = draft.seller ?? {};
			if (
				full(draft) &&
				vatIdentifier === undefined &&
				taxNumber === undefined
			) {
				report("/seller");
			}
		},
	},
	{
		id: "vat-identifier-prefix",
		source: "BR-CO-09 (ISO 3166-1; EL for Greece, XI for Northern Ireland)",
		term: "BT-31, BT-48",
		message:
			"A VAT identification number begins with the code of a country that issues one.",
		check(draft, report) {
			for (const party of ["seller", "buyer"] as const) {
				const vatIdentifier = draft[party]?.vatIdentifier;
				if (vatIdentifier !== undefined && !isVatIdentifier(vatIdentifier)) {
					report(
						pointer(party, "vatIdentifier"),
						`"${vatIdentifier}" is not written as a VAT identification number of its country; check prefix and digits.`,
					);
				}
			}
		},
	},

	// § 14 (4) no. 5 UStG: quantity and customary name, kind and extent
	{
		id: "lines",
		source: "§ 14 (4) no. 5 UStG; Art. 226 (6) Directive 2006/112/EC; BR-16",
		term: "BG-25",
		message: "Name at least one line: what was supplied.",
		check(draft, report) {
			if ((draft.lines ?? []).length === 0) {
				report("/lines");
			}
		},
	},
	lineField(
		"line-name",
		"§ 14 (4) no. 5 UStG; Art. 226 (6) Directive 2006/112/EC; BR-25",
		"BT-153",
		"name",
		"Give the customary name of the goods, or the kind of the service.",
	),
	lineField(
		"line-quantity",
		"§ 14 (4) no. 5 UStG; Art. 226 (6) Directive 2006/112/EC; BR-22",
		"BT-129",
		"quantity",
		"Give the quantity of the goods, or the extent of the service.",
	),
	lineField(
		"line-unit",
		"BR-23",
		"BT-130",
		"unit",
		'Give the unit of the quantity, such as "C62" (one), "HUR" (hour) or "DAY".',
	),
	lineField(
		"line-price",
		"§ 14 (4) no. 7 UStG; Art. 226 (8) Directive 2006/112/EC; BR-26",
		"BT-146",
		"price",
		"Give the price of one unit.",
	),
	{
		id: "line-id-unique",
		source: "EN 16931-1, BT-126: unique within the invoice",
		term: "BT-126",
		message: "Give each line an id of its own, or leave the ids out.",
		check(draft, report) {
			const seen = new Set<string>();
			for (const [index, { id }] of (draft.lines ?? []).entries()) {
				// Where it is left out, the line's position becomes its id.
				const effective = id ?? String(index + 1);
				if (seen.has(effective)) {
					report(pointer("lines", index, "id"));
				}
				seen.add(effective);
			}
		},
	},

	// § 14 (4) no. 6 UStG: time of supply
	{
		id: "supply-date",
		source:
			"§ 14 (4) no. 6 UStG, § 31 (4) UStDV; Art. 226 (7) Directive 2006/112/EC",
		term: "BT-72, BG-14, BG-26",
		message:
			"Say when it was supplied: delivery.date, delivery.period, or a period on every line.",
		check(draft, report) {
			const { date, period } = draft.delivery ?? {};
			const lines = draft.lines ?? [];
			const onEveryLine =
				lines.length > 0 && lines.every((line) => line.period !== undefined);
			// A prepayment is invoiced before the supply (§ 14 (5) UStG).
			const known = date !== undefined || period !== undefined || onEveryLine;
			if (full(draft) && draft.type !== "386" && !known) {
				report("/delivery");
			}
		},
	},
	{
		id: "period-bounds",
		source: "BR-CO-19, BR-CO-20",
		term: "BG-14, BG-26",
		message: "Give the first day, the last day, or both.",
		check(draft, report) {
			for (const { period, at } of periodPlaces(draft)) {
				if (
					period !== undefined &&
					period.start === undefined &&
					period.end === undefined
				) {
					report(at);
				}
			}
		},
	},
	{
		id: "period-order",
		source: "BR-29, BR-30",
		term: "BT-74, BT-135",
		message: "A period ends on or after the day on which it starts.",
		check(draft, report) {
			for (const { period, at } of periodPlaces(draft)) {
				if (
					period?.start !== undefined &&
					period.end !== undefined &&
					period.end < period.start
				) {
					report(`${at}/end`);
				}
			}
		},
	},

	// § 14 (4) no. 7 UStG: reductions that were agreed in advance
	{
		id: "allowance-amount",
		source:
			"§ 14 (4) no. 7 UStG; Art. 226 (8) Directive 2006/112/EC; BR-31, BR-36, BR-41, BR-43",
		term: "BT-92, BT-99, BT-136, BT-141",
		message: "Give an amount, or a percentage.",
		check(draft, report) {
			for (const { item, at } of allowancePlaces(draft)) {
				if (item.amount === undefined && item.percent === undefined) {
					report(`${at}/amount`);
				}
			}
		},
	},
	{
		id: "allowance-base",
		source: "PEPPOL-EN16931-R041",
		term: "BT-93, BT-100, BT-137, BT-142",
		message: "A base goes with a percentage; give both or leave both out.",
		check(draft, report) {
			for (const { item, at } of allowancePlaces(draft)) {
				if (item.base !== undefined && item.percent === undefined) {
					report(`${at}/percent`);
				}
			}
		},
	},
	{
		id: "allowance-reason",
		source: "BR-33, BR-38, BR-42, BR-44",
		term: "BT-97, BT-104, BT-139, BT-144",
		message: 'Say what it is for, such as "Treuerabatt" or "Versand".',
		check(draft, report) {
			for (const { item, at } of allowancePlaces(draft)) {
				if (item.reason === undefined) {
					report(`${at}/reason`);
				}
			}
		},
	},

	// § 14 (4) no. 8 UStG: rate and tax, or the exemption
	{
		id: "vat-category",
		source:
			"§ 14 (4) no. 8 UStG; Art. 226 (9) Directive 2006/112/EC; BR-CO-04, BR-32, BR-37",
		term: "BT-151, BT-95, BT-102",
		message: 'Say how it is taxed, such as {"category": "S", "rate": "19"}.',
		check(draft, report) {
			for (const { vat, at } of vatPlaces(draft)) {
				if (vat === undefined) {
					report(at);
				}
			}
		},
	},
	eachVat(
		{
			id: "vat-rate-standard",
			source:
				"§ 14 (4) no. 8, § 12 UStG; Art. 226 (9) Directive 2006/112/EC; BR-S-05 … BR-S-07",
			term: "BT-152",
			message: "Category S has a rate above 0.",
		},
		({ vat, at }, report) => {
			if (
				vat.category === "S" &&
				(vat.rate === undefined || !decimal(vat.rate).gt(ZERO))
			) {
				report(`${at}/rate`);
			}
		},
	),
	eachVat(
		{
			id: "vat-rate-valid",
			source: "§ 12, § 24, § 28, § 14c UStG",
			term: "BT-152",
			message: "This rate did not hold on the date of supply.",
		},
		({ vat, at, line }, report, draft) => {
			if (vat.category !== "S" || vat.rate === undefined) {
				return;
			}
			const rate = decimal(vat.rate);
			if (!isTaxedInGermany(draft)) {
				if (rate.gt(decimal(EU_VAT_RATE_MAX))) {
					report(
						`${at}/rate`,
						`No rate in the European Union is above ${EU_VAT_RATE_MAX} %.`,
					);
				}
				return;
			}
			const day = supplyDate(draft, line);
			const valid = GERMAN_VAT_RATES.find(({ from }) => day >= from);
			if (
				rate.gt(ZERO) &&
				valid !== undefined &&
				![...valid.rates, ...AGRICULTURAL_VAT_RATES].includes(
					formatDecimal(rate),
				)
			) {
				report(
					`${at}/rate`,
					`${vat.rate} % is no German rate on ${day}; it is ${valid.rates.map((other) => `${other} %`).join(" or ")}. Tax that is shown without ground is owed.`,
				);
			}
		},
	),
	eachVat(
		{
			id: "vat-rate-zero",
			source: "§ 14c UStG; BR-Z-05, BR-E-05, BR-AE-05, BR-IC-05, BR-G-05",
			term: "BT-152",
			message: "This category has no tax: its rate is 0, or left out.",
		},
		({ vat, at }, report) => {
			if (
				CATEGORIES_WITHOUT_TAX.has(vat.category) &&
				vat.category !== "O" &&
				vat.rate !== undefined &&
				!decimal(vat.rate).isZero()
			) {
				report(`${at}/rate`);
			}
		},
	),
	eachVat(
		{
			id: "vat-rate-outside-scope",
			source: "BR-O-05 … BR-O-07",
			term: "BT-152",
			message: "Category O has no rate; leave it out.",
		},
		({ vat, at }, report) => {
			if (vat.category === "O" && vat.rate !== undefined) {
				report(`${at}/rate`);
			}
		},
	),
	eachVat(
		{
			id: "vat-exemption-absent",
			source: "BR-S-10, BR-Z-10",
			term: "BT-120, BT-121",
			message:
				"Categories S and Z are no exemption; leave reason and code out.",
		},
		({ vat, at }, report) => {
			if (vat.category === "S" || vat.category === "Z") {
				for (const field of ["exemptionReason", "exemptionCode"] as const) {
					if (vat[field] !== undefined) {
						report(`${at}/${field}`);
					}
				}
			}
		},
	),
	eachVat(
		{
			id: "vat-exemption-reason",
			source:
				"§ 14 (4) no. 8 UStG; Art. 226 (11) Directive 2006/112/EC; BR-E-10",
			term: "BT-120",
			message: 'Name the exemption, such as "Steuerfrei nach § 4 Nr. 21 UStG".',
		},
		({ vat, at }, report, draft) => {
			if (
				vat.category === "E" &&
				draft.specialScheme === undefined &&
				vat.exemptionReason === undefined
			) {
				report(`${at}/exemptionReason`);
			}
		},
	),
	{
		id: "vat-outside-scope-alone",
		source: "BR-O-11 … BR-O-14",
		term: "BG-23",
		message:
			"What is outside the scope of VAT (category O) stands on an invoice of its own.",
		check(draft, report) {
			if (hasCategory(draft, "O")) {
				for (const { vat, at } of vatPlaces(draft)) {
					if (vat !== undefined && vat.category !== "O") {
						report(`${at}/category`);
					}
				}
			}
		},
	},
	{
		id: "vat-outside-scope-identifiers",
		source: "BR-O-02 … BR-O-04",
		term: "BT-31, BT-48",
		message:
			"An invoice outside the scope of VAT carries no VAT identification number; give the supplier's taxNumber instead.",
		check(draft, report) {
			for (const party of ["seller", "buyer"] as const) {
				if (
					hasCategory(draft, "O") &&
					draft[party]?.vatIdentifier !== undefined
				) {
					report(pointer(party, "vatIdentifier"));
				}
			}
		},
	},

	// § 14a UStG: reverse charge, intra-community supply, export, special schemes
	eachVat(
		{
			id: "reverse-charge-words",
			source: "§ 14a (5) UStG; Art. 226 (11a) Directive 2006/112/EC; BR-AE-10",
			term: "BT-120",
			message:
				'The reason must contain the words "Steuerschuldnerschaft des Leistungsempfängers" or "Reverse charge"; leave it out and we set them.',
		},
		({ vat, at }, report) => {
			const reason = vat.exemptionReason?.toLowerCase();
			if (
				vat.category === "AE" &&
				reason !== undefined &&
				!REVERSE_CHARGE_WORDS.some((words) => reason.includes(words))
			) {
				report(`${at}/exemptionReason`);
			}
		},
	),
	{
		id: "reverse-charge-buyer",
		source: "§ 14a (1), (5) UStG; BR-AE-02 … BR-AE-04",
		term: "BT-48, BT-47",
		message:
			"Reverse charge needs the customer's VAT identification number (vatIdentifier), or his legalIdentifier within the country.",
		check(draft, report) {
			const { vatIdentifier, legalIdentifier } = draft.buyer ?? {};
			if (
				hasCategory(draft, "AE") &&
				vatIdentifier === undefined &&
				legalIdentifier === undefined
			) {
				report("/buyer/vatIdentifier");
			}
		},
	},
	{
		id: "reverse-charge-abroad",
		source: "§ 14a (1) UStG; Art. 226 (3), (4) Directive 2006/112/EC",
		term: "BT-31, BT-48",
		message:
			"Reverse charge to another member state needs both VAT identification numbers.",
		check(draft, report) {
			const seller = country(draft.seller?.address);
			const buyer = country(draft.buyer?.address);
			if (
				hasCategory(draft, "AE") &&
				seller !== buyer &&
				EU_COUNTRIES.has(buyer)
			) {
				requireVatIdentifiers(draft, report);
			}
		},
	},
	{
		id: "intra-community-identifiers",
		source:
			"§ 14a (3), § 6a UStG; Art. 226 (3), (4) Directive 2006/112/EC; BR-IC-02 … BR-IC-04",
		term: "BT-31, BT-48",
		message:
			"An intra-community supply needs the VAT identification numbers of both supplier and customer.",
		check(draft, report) {
			if (hasCategory(draft, "K")) {
				requireVatIdentifiers(draft, report);
			}
		},
	},
	{
		id: "intra-community-customer",
		source: "§ 6a (1) no. 2, no. 4 UStG",
		term: "BT-48",
		message:
			"The customer of an intra-community supply uses the VAT identification number of another member state.",
		check(draft, report) {
			const seller = draft.seller?.vatIdentifier;
			const buyer = draft.buyer?.vatIdentifier;
			if (
				hasCategory(draft, "K") &&
				seller !== undefined &&
				buyer !== undefined &&
				vatCountry(seller) === vatCountry(buyer)
			) {
				report("/buyer/vatIdentifier");
			}
		},
	},
	{
		id: "intra-community-destination",
		source: "§ 6a (1) no. 1 UStG; BR-IC-12",
		term: "BT-80",
		message:
			"Say to which other member state it was delivered: delivery.address.country.",
		check(draft, report) {
			const destination = country(draft.delivery?.address);
			if (
				hasCategory(draft, "K") &&
				(destination === country(draft.seller?.address) ||
					!(EU_COUNTRIES.has(destination) || destination === "XI"))
			) {
				report("/delivery/address/country");
			}
		},
	},
	{
		id: "intra-community-date",
		source: "§ 14 (4) no. 6 UStG; BR-IC-11",
		term: "BT-72, BG-14",
		message:
			"An intra-community supply needs delivery.date or delivery.period; a period on the lines does not do.",
		check(draft, report) {
			if (
				hasCategory(draft, "K") &&
				draft.delivery?.date === undefined &&
				draft.delivery?.period === undefined
			) {
				report("/delivery");
			}
		},
	},
	{
		id: "export-seller",
		source: "BR-G-02 … BR-G-04",
		term: "BT-31",
		message: "An export needs the supplier's VAT identification number.",
		check(draft, report) {
			if (
				hasCategory(draft, "G") &&
				draft.seller?.vatIdentifier === undefined
			) {
				report("/seller/vatIdentifier");
			}
		},
	},
	{
		id: "export-destination",
		source: "§ 6 (1) UStG",
		term: "BT-80, BT-55",
		message:
			"An export goes to a country outside the European Union; check delivery.address.country, or the customer's where it is left out.",
		check(draft, report) {
			const destination =
				country(draft.delivery?.address) || country(draft.buyer?.address);
			if (hasCategory(draft, "G") && EU_COUNTRIES.has(destination)) {
				report("/delivery/address/country");
			}
		},
	},
	eachVat(
		{
			id: "special-scheme-category",
			source: "§ 14a (6), § 19 (1), § 25, § 25a UStG, § 34a UStDV; § 14c UStG",
			term: "BT-151",
			message:
				"Under a special scheme every line is of category E, and no tax is shown.",
		},
		({ vat, at }, report, draft) => {
			if (draft.specialScheme !== undefined && vat.category !== "E") {
				report(`${at}/category`);
			}
		},
	),

	// § 33 UStDV: small amounts. The sum itself is checked once it is computed.
	{
		id: "small-amount-scope",
		source: "§ 33 sentence 3 UStDV",
		message:
			"The relief for small amounts does not hold for reverse charge, intra-community supply or distance sales.",
		check(draft, report) {
			if (
				draft.smallAmount === true &&
				(hasCategory(draft, "K") || hasCategory(draft, "AE"))
			) {
				report("/smallAmount");
			}
		},
	},
	{
		id: "small-amount-currency",
		source: "§ 33 UStDV",
		term: "BT-5",
		message: "The relief for small amounts is for invoices in euros.",
		check(draft, report) {
			if (draft.smallAmount === true && draft.currency !== "EUR") {
				report("/currency");
			}
		},
	},

	// § 14b UStG: retention
	{
		id: "private-property-customer",
		source: "§ 14 (4) no. 9, § 14b (1) sentence 5 UStG",
		term: "BT-48",
		message:
			"The hint on keeping the invoice two years is for private customers; one with a VAT identification number keeps it eight. Leave one of the two out.",
		check(draft, report) {
			if (
				draft.worksOnPrivateProperty === true &&
				draft.buyer?.vatIdentifier !== undefined
			) {
				report("/worksOnPrivateProperty");
			}
		},
	},

	// § 31 (5) UStDV: corrections refer to what they correct
	{
		id: "preceding-invoice",
		source: "§ 31 (5) UStDV; BR-DE-26, BR-55",
		term: "BG-3",
		message:
			"A credit note or corrected invoice names number and date of the invoice that it corrects.",
		check(draft, report) {
			if (isCorrection(draft) && (draft.precedingInvoices ?? []).length === 0) {
				report("/precedingInvoices");
			}
		},
	},

	// EN 16931: amounts and payment
	{
		id: "amount-decimals",
		source: "BR-DEC-01 … BR-DEC-28; ISO 4217",
		message: "An amount has no more decimal places than its currency.",
		check(draft, report) {
			const digits = CURRENCY_MINOR_UNITS.get(draft.currency ?? "");
			for (const { amount, at } of amountPlaces(draft)) {
				const places = amount?.split(".")[1]?.replace(/0+$/, "").length ?? 0;
				if (digits !== undefined && places > digits) {
					report(
						at,
						`${draft.currency} has ${digits} decimal places; ${amount} has more.`,
					);
				}
			}
		},
	},
	{
		id: "gross-rounding",
		source: "this service: where prices include VAT, BT-114 is computed",
		term: "BT-114",
		message: "Leave the rounding out: where prices include VAT it is computed.",
		check(draft, report) {
			if (
				draft.pricesIncludeVat === true &&
				draft.totals?.rounding !== undefined &&
				!decimal(draft.totals.rounding).isZero()
			) {
				report("/totals/rounding");
			}
		},
	},
	{
		id: "iban",
		source: "ISO 13616; BR-DE-19, BR-DE-20",
		term: "BT-84",
		message: "This IBAN's check digits are wrong; compare it with the bank's.",
		check(draft, report) {
			const iban = draft.payment?.creditTransfer?.iban;
			if (iban !== undefined && !isValidIBAN(iban)) {
				report("/payment/creditTransfer/iban");
			}
		},
	},
	{
		id: "credit-transfer-account",
		source: "BR-50, BR-61",
		term: "BT-84",
		message: "A credit transfer needs the IBAN to pay to.",
		check(draft, report) {
			const { means, creditTransfer } = draft.payment ?? {};
			if (
				(means === "58" || means === "30" || creditTransfer !== undefined) &&
				creditTransfer?.iban === undefined
			) {
				report("/payment/creditTransfer/iban");
			}
		},
	},
];

/** Countries of the Union have post codes in every address; elsewhere some have none. */
function hasPostalCodes(countryCode: string): boolean {
	return (
		EU_COUNTRIES.has(countryCode) || ["CH", "GB", "US"].includes(countryCode)
	);
}

function requireVatIdentifiers(draft: Draft, report: Report): void {
	for (const party of ["seller", "buyer"] as const) {
		if (draft[party]?.vatIdentifier === undefined) {
			report(pointer(party, "vatIdentifier"));
		}
	}
}

function isVatIdentifier(vatIdentifier: string): boolean {
	const prefix = vatIdentifier.slice(0, 2);
	const pattern = VAT_IDENTIFIER_PATTERNS[prefix];
	return pattern === undefined
		? prefix !== "GR" && !EU_COUNTRIES.has(prefix)
		: pattern.test(vatIdentifier.slice(2));
}

/** How each member state writes its VAT numbers after the prefix (European Commission, VIES: structure of VAT numbers). */
const VAT_IDENTIFIER_PATTERNS: Readonly<Record<string, RegExp>> = {
	AT: /^U[0-9]{8}$/,
	BE: /^[01][0-9]{9}$/,
	BG: /^[0-9]{9,10}$/,
	CY: /^[0-9]{8}[A-Z]$/,
	CZ: /^[0-9]{8,10}$/,
	DE: /^[0-9]{9}$/,
	DK: /^[0-9]{8}$/,
	EE: /^[0-9]{9}$/,
	EL: /^[0-9]{9}$/,
	ES: /^[A-Z0-9][0-9]{7}[A-Z0-9]$/,
	FI: /^[0-9]{8}$/,
	FR: /^[A-Z0-9]{2}[0-9]{9}$/,
	HR: /^[0-9]{11}$/,
	HU: /^[0-9]{8}$/,
	IE: /^[0-9][A-Z0-9+*][0-9]{5}[A-Z]{1,2}$/,
	IT: /^[0-9]{11}$/,
	LT: /^(?:[0-9]{9}|[0-9]{12})$/,
	LU: /^[0-9]{8}$/,
	LV: /^[0-9]{11}$/,
	MT: /^[0-9]{8}$/,
	NL: /^[A-Z0-9+*]{12}$/,
	PL: /^[0-9]{10}$/,
	PT: /^[0-9]{9}$/,
	RO: /^[0-9]{2,10}$/,
	SE: /^[0-9]{12}$/,
	SI: /^[0-9]{8}$/,
	SK: /^[0-9]{10}$/,
	XI: /^(?:[0-9]{9}|[0-9]{12}|(?:GD|HA)[0-9]{3})$/,
};
