/** The arithmetic of an invoice: line nets, VAT breakdown and totals, exact to the minor unit. */
import { CURRENCY_MINOR_UNITS, VAT_CATEGORIES } from "./codes.ts";
import {
	Decimal,
	type DecimalText,
	decimal,
	formatAmount,
	formatDecimal,
	formatPrice,
	INTEGER_DIGITS_MAX,
	roundHalfUp,
	ZERO,
} from "./decimal.ts";
import type { Draft, DraftLine, Vat } from "./draft.ts";
import type {
	SnapshotAllowance,
	SnapshotVat,
	Totals,
	VatBreakdown,
} from "./snapshot.ts";
import type { Violation } from "./violation.ts";

type DraftAllowance = NonNullable<DraftLine["allowances"]>[number];

/** The amounts of one line, in the form of a snapshot. */
export interface LineAmounts {
	price: DecimalText;
	netAmount: DecimalText;
	allowances: SnapshotAllowance[];
	charges: SnapshotAllowance[];
	priceIncludingVat?: DecimalText;
	amountIncludingVat?: DecimalText;
}

export type DocumentAllowance = SnapshotAllowance & { vat: SnapshotVat };

/** Everything that is computed from a draft; the exemption of a VAT group is added by `freeze`. */
export interface Amounts {
	lines: LineAmounts[];
	allowances: DocumentAllowance[];
	charges: DocumentAllowance[];
	vatBreakdown: VatBreakdown[];
	totals: Totals;
}

/** A line whose numbers are all there; the rule table has seen to it. */
export interface AmountsLine {
	quantity: DecimalText;
	price: DecimalText;
	vat: Vat;
	allowances?: DraftAllowance[];
	charges?: DraftAllowance[];
	netAmount?: DecimalText;
}

/** What the arithmetic needs of a draft. */
export interface AmountsDraft {
	currency: string;
	pricesIncludeVat?: boolean;
	lines: AmountsLine[];
	allowances?: (DraftAllowance & { vat?: Vat })[];
	charges?: (DraftAllowance & { vat?: Vat })[];
	totals?: Draft["totals"];
}

const HUNDRED = new Decimal(100n, 0);

/** A total must be less: its digits before the point are bounded. */
const TOTAL_MAX = new Decimal(10n ** BigInt(INTEGER_DIGITS_MAX), 0);

/** Places that a net price may need so that quantity × price gives a line's exact net amount. */
const NET_PRICE_FRACTION_DIGITS_MAX = 18;

/** Minor units of a currency; throws where the code is not of ISO 4217. */
export function minorUnits(currency: string): number {
	const digits = CURRENCY_MINOR_UNITS.get(currency);
	if (digits === undefined) {
		throw new RangeError(`${currency} is not a currency of ISO 4217.`);
	}
	return digits;
}

/** A rate in its shortest form, so that "19", "19.0" and "19.00" are one VAT group. */
export function normalizeVat(vat: Vat): SnapshotVat {
	return vat.rate === undefined
		? { category: vat.category }
		: { category: vat.category, rate: formatDecimal(decimal(vat.rate)) };
}

/** Names a VAT group: category and rate (BG-23). */
export function vatGroupKey(vat: SnapshotVat): string {
	return `${vat.category} ${vat.rate ?? ""}`;
}

/** An allowance or charge on its way from what was sent to what is stored; in what the caller's prices are in. */
interface Settled {
	amount: Decimal;
	base?: Decimal;
	percent?: Decimal;
	reason?: string;
}

/** A part of a VAT group: a line (+), a document allowance (−) or a document charge (+). */
interface Part {
	sign: 1 | -1;
	/** In the caller's prices. */
	amount: Decimal;
	/** Without VAT. */
	net: Decimal;
	/** May the net be moved by one minor unit to make the group's sum come out? */
	movable: (net: Decimal) => boolean;
}

interface Group {
	vat: SnapshotVat;
	parts: Part[];
	taxable: Decimal;
	tax: Decimal;
	/** Gross sum that was asked for, where prices include VAT. */
	gross?: Decimal;
}

/**
 * Computes all amounts of a draft after EN 16931 (BR-CO-10 … BR-CO-17):
 * line nets rounded half up to the currency's minor unit, VAT rounded once per
 * category and rate. Faults (an allowance that contradicts its percentage,
 * totals that do not agree) are returned as violations with the expected
 * figures; the amounts are returned all the same.
 *
 * Where prices include VAT, the gross sum of each VAT group is taken as given;
 * its net is the one whose VAT leads back to that sum, spread over the lines
 * by largest remainder. Some gross sums have no such net (with 19 %, 0.03 has
 * none): the cent that is left stands in `totals.rounding` (BT-114), so that
 * the customer pays exactly the sum of the prices that he was told.
 */
export function computeAmounts(draft: AmountsDraft): {
	amounts: Amounts;
	violations: Violation[];
} {
	const digits = minorUnits(draft.currency);
	const violations: Violation[] = [];
	const inclusive = draft.pricesIncludeVat === true;
	const groups = new Map<string, Group>();

	const netOf = (amount: Decimal, vat: SnapshotVat) =>
		inclusive ? withoutVat(amount, vat, digits) : amount;
	const addPart = (vat: SnapshotVat, part: Part): Part => {
		const key = vatGroupKey(vat);
		const group = groups.get(key);
		if (group === undefined) {
			groups.set(key, { vat, parts: [part], taxable: ZERO, tax: ZERO });
		} else {
			group.parts.push(part);
		}
		return part;
	};

	const lines = draft.lines.map((line, index) => {
		const quantity = decimal(line.quantity);
		const extended = roundHalfUp(quantity.times(decimal(line.price)), digits);
		const settle = (kind: "allowances" | "charges") =>
			(line[kind] ?? []).map((item, position) =>
				settleAllowance(
					item,
					extended.abs(),
					digits,
					`/lines/${index}/${kind}/${position}`,
					violations,
				),
			);
		const allowances = settle("allowances");
		const charges = settle("charges");
		const amount = extended
			.minus(sum(allowances.map((item) => item.amount)))
			.plus(sum(charges.map((item) => item.amount)));
		const vat = normalizeVat(line.vat);
		const settledNet = (item: Settled) => netOf(item.amount, vat);
		const reduction = sum(allowances.map(settledNet)).minus(
			sum(charges.map(settledNet)),
		);
		const part = addPart(vat, {
			sign: 1,
			amount,
			net: netOf(extended, vat).minus(reduction),
			// A net price is never negative (BR-27): what it is made of keeps the quantity's sign.
			movable: (net) => {
				const extendedNet = net.plus(reduction);
				return quantity.isZero()
					? extendedNet.isZero()
					: !extendedNet.times(quantity).isNegative();
			},
		});
		return { line, quantity, vat, allowances, charges, reduction, part };
	});

	const netsPerGroup = new Map<string, Decimal>();
	for (const { vat, part } of lines) {
		const key = vatGroupKey(vat);
		netsPerGroup.set(key, (netsPerGroup.get(key) ?? ZERO).plus(part.amount));
	}
	const documentParts = (kind: "allowances" | "charges", sign: 1 | -1) =>
		(draft[kind] ?? []).map((item, index) => {
			const vat = normalizeVat(item.vat ?? { category: "S" });
			const settled = settleAllowance(
				item,
				(netsPerGroup.get(vatGroupKey(vat)) ?? ZERO).abs(),
				digits,
				`/${kind}/${index}`,
				violations,
			);
			const part = addPart(vat, {
				sign,
				amount: settled.amount,
				net: netOf(settled.amount, vat),
				movable: (net) => !net.isNegative(),
			});
			return { settled, vat, part };
		});
	const allowances = documentParts("allowances", -1);
	const charges = documentParts("charges", 1);

	for (const group of groups.values()) {
		settleGroup(group, inclusive, digits);
	}

	const money = (value: Decimal) => formatAmount(value, digits);
	const stored = (item: Settled, net: Decimal): SnapshotAllowance =>
		inclusive
			? {
					amount: money(net),
					amountIncludingVat: money(item.amount),
					...(item.reason === undefined ? {} : { reason: item.reason }),
				}
			: {
					amount: money(net),
					...(item.base === undefined ? {} : { base: money(item.base) }),
					...(item.percent === undefined
						? {}
						: { percent: formatDecimal(item.percent) }),
					...(item.reason === undefined ? {} : { reason: item.reason }),
				};

	const lineAmounts = lines.map((entry, index): LineAmounts => {
		const { line, part, quantity, vat, reduction } = entry;
		const price = decimal(line.price);
		const netPrice = inclusive
			? netPriceOf(
					part.net.plus(reduction),
					quantity,
					withoutVatExact(price, vat),
					digits,
				)
			: price;
		compare(
			line.netAmount,
			part.net,
			money,
			`/lines/${index}/netAmount`,
			"BT-131",
			violations,
		);
		return {
			price: formatPrice(netPrice, digits),
			netAmount: money(part.net),
			allowances: entry.allowances.map((item) =>
				stored(item, netOf(item.amount, vat)),
			),
			charges: entry.charges.map((item) =>
				stored(item, netOf(item.amount, vat)),
			),
			...(inclusive
				? {
						priceIncludingVat: formatPrice(price, digits),
						amountIncludingVat: money(part.amount),
					}
				: {}),
		};
	});
	const documentAmounts = (parts: typeof allowances): DocumentAllowance[] =>
		parts.map(({ settled, vat, part }) => ({
			...stored(settled, part.net),
			vat,
		}));

	const lineTotal = sum(lines.map(({ part }) => part.net));
	const allowanceTotal = sum(allowances.map(({ part }) => part.net));
	const chargeTotal = sum(charges.map(({ part }) => part.net));
	const taxExclusive = lineTotal.minus(allowanceTotal).plus(chargeTotal);
	const taxAmount = sum([...groups.values()].map((group) => group.tax));
	const taxInclusive = taxExclusive.plus(taxAmount);
	const prepaid = decimal(draft.totals?.prepaid ?? "0");
	const rounding = inclusive
		? sum([...groups.values()].map((group) => group.gross ?? ZERO)).minus(
				taxInclusive,
			)
		: decimal(draft.totals?.rounding ?? "0");
	const payable = taxInclusive.minus(prepaid).plus(rounding);
	const computed = {
		lineTotal,
		allowanceTotal,
		chargeTotal,
		taxExclusive,
		taxAmount,
		taxInclusive,
		prepaid,
		rounding,
		payable,
	};

	for (const [name, value] of Object.entries(computed)) {
		compare(
			draft.totals?.[name as keyof Totals],
			value,
			money,
			`/totals/${name}`,
			TOTALS_TERMS[name as keyof Totals],
			violations,
		);
	}
	if (!taxInclusive.abs().lt(TOTAL_MAX)) {
		violations.push({
			pointer: "/lines",
			rule: "amount-bound",
			message: `The total has more than ${INTEGER_DIGITS_MAX} digits before the point; check quantities and prices.`,
		});
	}
	return {
		amounts: {
			lines: lineAmounts,
			allowances: documentAmounts(allowances),
			charges: documentAmounts(charges),
			vatBreakdown: [...groups.values()]
				.sort(byCategoryAndRate)
				.map((group) => ({
					...group.vat,
					taxableAmount: money(group.taxable),
					taxAmount: money(group.tax),
				})),
			totals: Object.fromEntries(
				Object.entries(computed).map(([name, value]) => [name, money(value)]),
			) as unknown as Totals,
		},
		violations,
	};
}

const TOTALS_TERMS: Record<keyof Totals, string> = {
	lineTotal: "BT-106",
	allowanceTotal: "BT-107",
	chargeTotal: "BT-108",
	taxExclusive: "BT-109",
	taxAmount: "BT-110",
	taxInclusive: "BT-112",
	prepaid: "BT-113",
	rounding: "BT-114",
	payable: "BT-115",
};

function signedBy(sign: 1 | -1, value: Decimal): Decimal {
	return sign === 1 ? value : value.negated();
}

function sum(values: readonly Decimal[]): Decimal {
	return values.reduce((total, value) => total.plus(value), ZERO);
}

/** In percent; categories without one have none to pay. */
function rateOf(vat: SnapshotVat): Decimal {
	return vat.rate === undefined ? ZERO : decimal(vat.rate);
}

/** BT-117: VAT on a taxable amount, rounded half up to the minor unit. */
function vatOn(taxable: Decimal, vat: SnapshotVat, digits: number): Decimal {
	return roundHalfUp(taxable.times(rateOf(vat)).hundredth(), digits);
}

function withoutVatExact(gross: Decimal, vat: SnapshotVat): Decimal {
	return gross.times(HUNDRED).div(HUNDRED.plus(rateOf(vat)));
}

function withoutVat(gross: Decimal, vat: SnapshotVat, digits: number): Decimal {
	return roundHalfUp(withoutVatExact(gross, vat), digits);
}

/** Settles a group's taxable amount and VAT (BR-CO-17, BR-S-08 …); moves part nets by minor units where prices include VAT. */
function settleGroup(group: Group, inclusive: boolean, digits: number): void {
	const signed = (value: (part: Part) => Decimal) =>
		sum(group.parts.map((part) => signedBy(part.sign, value(part))));
	if (inclusive) {
		group.gross = signed((part) => part.amount);
		const taxable = taxableOf(group.gross, group.vat, digits);
		spread(group, taxable.minus(signed((part) => part.net)), digits);
	}
	group.taxable = signed((part) => part.net);
	group.tax = vatOn(group.taxable, group.vat, digits);
}

/** The net whose VAT leads back to `gross`, or the rounded quotient where there is none. */
function taxableOf(gross: Decimal, vat: SnapshotVat, digits: number): Decimal {
	const unit = new Decimal(1n, digits);
	const nearest = withoutVat(gross, vat, digits);
	const candidates = [nearest, nearest.minus(unit), nearest.plus(unit)];
	const deviation = (net: Decimal) =>
		net
			.plus(vatOn(net, vat, digits))
			.minus(gross)
			.abs();
	return candidates.reduce((best, candidate) =>
		deviation(candidate).lt(deviation(best)) ? candidate : best,
	);
}

/**
 * Spreads a difference of some minor units over the parts, largest remainder
 * first, as often as it takes. What no part can take stays open.
 */
function spread(group: Group, difference: Decimal, digits: number): void {
	const unit = new Decimal(difference.isNegative() ? -1n : 1n, digits);
	const byRemainder = group.parts
		.map((part) => ({
			part,
			remainder: signedBy(
				part.sign,
				withoutVatExact(part.amount, group.vat).minus(part.net),
			).times(unit),
		}))
		.sort((a, b) => b.remainder.cmp(a.remainder));
	let left = difference;
	let moved = true;
	while (moved && !left.isZero()) {
		moved = false;
		for (const { part } of byRemainder) {
			const net = part.net.plus(signedBy(part.sign, unit));
			if (!left.isZero() && part.movable(net)) {
				part.net = net;
				left = left.minus(unit);
				moved = true;
			}
		}
	}
}

/** The shortest price of at least two places for which round(quantity × price) is the line's exact net. */
function netPriceOf(
	extended: Decimal,
	quantity: Decimal,
	exact: Decimal,
	digits: number,
): Decimal {
	if (quantity.isZero()) {
		return roundHalfUp(exact, NET_PRICE_FRACTION_DIGITS_MAX);
	}
	const quotient = extended.div(quantity);
	for (
		let places = digits;
		places < NET_PRICE_FRACTION_DIGITS_MAX;
		places += 1
	) {
		const price = roundHalfUp(quotient, places);
		if (roundHalfUp(price.times(quantity), digits).eq(extended)) {
			return price;
		}
	}
	return roundHalfUp(quotient, NET_PRICE_FRACTION_DIGITS_MAX);
}

/** Works out amount, base and percentage of an allowance or charge (PEPPOL-EN16931-R040 … R042). */
function settleAllowance(
	item: DraftAllowance,
	defaultBase: Decimal,
	digits: number,
	at: string,
	violations: Violation[],
): Settled {
	const reason = item.reason === undefined ? {} : { reason: item.reason };
	if (item.percent === undefined) {
		return { amount: decimal(item.amount ?? "0"), ...reason };
	}
	const base = item.base === undefined ? defaultBase : decimal(item.base);
	const percent = decimal(item.percent);
	const amount = roundHalfUp(base.times(percent).hundredth(), digits);
	if (item.amount !== undefined && !decimal(item.amount).eq(amount)) {
		violations.push({
			pointer: `${at}/amount`,
			rule: "PEPPOL-EN16931-R040",
			source: "EN 16931-1, 6.5",
			message: `${formatDecimal(percent)} % of ${formatAmount(base, digits)} is ${formatAmount(amount, digits)}, not ${item.amount}; leave the amount out or correct it.`,
		});
	}
	return { amount, base, percent, ...reason };
}

const TOTALS_RULE = {
	rule: "totals-agree",
	source: "EN 16931-1, 6.5 (BR-CO-10 … BR-CO-17)",
};

function compare(
	sent: DecimalText | undefined,
	computed: Decimal,
	money: (value: Decimal) => DecimalText,
	at: string,
	term: string,
	violations: Violation[],
): void {
	if (sent !== undefined && !decimal(sent).eq(computed)) {
		violations.push({
			pointer: at,
			...TOTALS_RULE,
			term,
			message: `The expected figure is ${money(computed)}, not ${sent}; correct it or leave it out.`,
		});
	}
}

function byCategoryAndRate(a: Group, b: Group): number {
	const order = (group: Group) => VAT_CATEGORIES.indexOf(group.vat.category);
	return (
		order(a) - order(b) ||
		decimal(b.vat.rate ?? "0").cmp(decimal(a.vat.rate ?? "0"))
	);
}
