/** Correction documents: a cancellation (Storno) or a credit note, made from the snapshot that it corrects. */
import { type Amounts, computeAmounts, vatGroupKey } from "./amounts.ts";
import {
	asChecked,
	type CheckContext,
	type CheckResult,
	type CompletedDraft,
	documentViolations,
	isComputable,
	lawViolations,
} from "./check.ts";
import type { DocumentType } from "./codes.ts";
import { type DecimalText, decimal, formatDecimal, ZERO } from "./decimal.ts";
import {
	CancellationSchema,
	CorrectionSchema,
	type DraftLine,
	type Vat,
} from "./draft.ts";
import { seriesOf } from "./number.ts";
import { parseShape } from "./shape.ts";
import type {
	Snapshot,
	SnapshotAllowance,
	SnapshotLine,
	SnapshotVat,
} from "./snapshot.ts";
import { pointer, type Violation } from "./violation.ts";

const SOURCE = "§ 31 (5) UStDV";

/** Only what states a claim can be corrected; a correction itself cannot. */
const CORRECTABLE: ReadonlySet<DocumentType> = new Set([
	"380",
	"389",
	"326",
	"386",
]);

/**
 * Cancels an invoice as a whole (Stornorechnung, type 384): the mirror of the
 * original with every quantity and amount negated, which refers to its number
 * and date (§ 31 (5) UStDV). Nothing is computed anew, so that original and
 * cancellation add up to nothing, to the cent.
 */
export function cancelInvoice(
	original: Snapshot,
	input: unknown,
	context: CheckContext,
): CheckResult {
	const { value = {}, violations } = parseShape(CancellationSchema, input);
	violations.push(...referenceViolations(original, value.issueDate, context));
	const draft: CompletedDraft = {
		...inherited(original, context, value),
		type: "384",
		lines: original.lines.map((line) => ({
			...lineOf(line, original),
			quantity: negated(line.quantity),
		})),
	};
	violations.push(...documentViolations(draft, context));
	if (violations.length > 0) {
		return { ok: false, violations };
	}
	return {
		ok: true,
		checked: asChecked(draft, mirrored(original), true),
	};
}

/**
 * Credits a part of an invoice (Rechnungskorrektur, type 381, amounts
 * positive). `earlier` are the credit notes that the invoice already has:
 * all together never exceed a line, a VAT group or the sum of the original.
 */
export function correctInvoice(
	original: Snapshot,
	earlier: readonly Snapshot[],
	input: unknown,
	context: CheckContext,
): CheckResult {
	const { value, violations } = parseShape(CorrectionSchema, input);
	violations.push(...referenceViolations(original, value?.issueDate, context));
	if (value === undefined) {
		return { ok: false, violations };
	}
	const lines = value.lines.map((line, index) => {
		const source = original.lines.find(({ id }) => id === line.id);
		if (source === undefined) {
			violations.push({
				pointer: pointer("lines", index, "id"),
				rule: "correction-line",
				source: SOURCE,
				term: "BT-126",
				message: `${original.number} has no line "${line.id}"; it has ${original.lines.map(({ id }) => `"${id}"`).join(", ")}.`,
			});
			return undefined;
		}
		const whole = line.quantity === undefined && line.price === undefined;
		return {
			...lineOf(source, original),
			...(whole ? allowancesOf(source) : {}),
			...(line.quantity === undefined ? {} : { quantity: line.quantity }),
			...(line.price === undefined ? {} : { price: line.price }),
		};
	});
	const draft = {
		...inherited(original, context, value),
		type: "381" as const,
		lines: lines.filter((line) => line !== undefined),
		...(value.allowances === undefined ? {} : { allowances: value.allowances }),
		...(value.charges === undefined ? {} : { charges: value.charges }),
	};
	// What comes from the original was lawful when it was issued; what the caller adds is asked now.
	violations.push(
		...lawViolations(draft).filter(
			({ pointer: at, rule }) =>
				/^\/(allowances|charges)\//.test(at) || rule === "line-id-unique",
		),
		...documentViolations(draft, context),
	);
	if (violations.length > 0 || !isComputable(draft)) {
		return { ok: false, violations };
	}
	const { amounts, violations: amountViolations } = computeAmounts(draft);
	violations.push(
		...amountViolations,
		...limitViolations(original, earlier, amounts, draft.lines),
	);
	return violations.length > 0
		? { ok: false, violations }
		: { ok: true, checked: asChecked(draft, amounts) };
}

/** What a correction takes over from its original: parties, currency, language, supply. */
function inherited(
	original: Snapshot,
	context: CheckContext,
	input: {
		issueDate?: string | undefined;
		series?: string | undefined;
		reason?: string | undefined;
	},
): CompletedDraft & { loginName: string; currency: string } {
	const issueDate = input.issueDate ?? context.today;
	const kept = [
		"loginName",
		"currency",
		"language",
		"seller",
		"buyer",
		"delivery",
		"buyerReference",
		"orderReference",
		"contractReference",
		"projectReference",
		"pricesIncludeVat",
		"specialScheme",
		"smallAmount",
		"worksOnPrivateProperty",
		"cashAccounting",
	] as const;
	const fields = Object.fromEntries(
		kept
			.filter((name) => original[name] !== undefined)
			.map((name) => [name, original[name]]),
	) as Pick<Snapshot, (typeof kept)[number]>;
	return {
		...fields,
		type: "381",
		issueDate,
		series: input.series ?? seriesOf(context.series, issueDate),
		template: context.template,
		precedingInvoices: [{ number: original.number, date: original.issueDate }],
		...(input.reason === undefined ? {} : { notes: [{ text: input.reason }] }),
	};
}

function referenceViolations(
	original: Snapshot,
	issueDate: string | undefined,
	context: CheckContext,
): Violation[] {
	const violations: Violation[] = [];
	if (!CORRECTABLE.has(original.type)) {
		violations.push({
			pointer: "",
			rule: "correction-of-correction",
			source: SOURCE,
			term: "BT-3",
			message: `${original.number} is a correction itself (type ${original.type}); issue a new invoice instead.`,
		});
	}
	if ((issueDate ?? context.today) < original.issueDate) {
		violations.push({
			pointer: "/issueDate",
			rule: "correction-date",
			source: SOURCE,
			term: "BT-2",
			message: `A correction is not issued before its invoice, which is of ${original.issueDate}.`,
		});
	}
	return violations;
}

/** A snapshot's line as a draft has it; prices as the original's caller meant them. */
function lineOf(
	line: SnapshotLine,
	original: Snapshot,
): DraftLine & Required<Pick<DraftLine, "quantity" | "price" | "vat">> {
	const { id, name, description, sellerId, unit, vat, period } = line;
	return {
		id,
		name,
		unit,
		vat: { ...vat, ...exemptionOf(vat, original) },
		quantity: line.quantity,
		price: line.priceIncludingVat ?? line.price,
		...(description === undefined ? {} : { description }),
		...(sellerId === undefined ? {} : { sellerId }),
		...(period === undefined ? {} : { period }),
	};
}

/** Why a line has no tax: a snapshot says it once a VAT group (BT-120, BT-121). */
function exemptionOf(
	vat: SnapshotVat,
	original: Snapshot,
): Pick<Vat, "exemptionReason" | "exemptionCode"> {
	const group = original.vatBreakdown.find(
		(other) => vatGroupKey(other) === vatGroupKey(vat),
	);
	return {
		...(group?.exemptionReason === undefined
			? {}
			: { exemptionReason: group.exemptionReason }),
		...(group?.exemptionCode === undefined
			? {}
			: { exemptionCode: group.exemptionCode }),
	};
}

function allowancesOf(
	line: SnapshotLine,
): Pick<DraftLine, "allowances" | "charges"> {
	// Percentages were worked out when the original was made; their amounts stand.
	const settled = (item: SnapshotAllowance) => ({
		amount: item.amountIncludingVat ?? item.amount,
		...(item.reason === undefined ? {} : { reason: item.reason }),
	});
	return {
		...(line.allowances === undefined
			? {}
			: { allowances: line.allowances.map(settled) }),
		...(line.charges === undefined
			? {}
			: { charges: line.charges.map(settled) }),
	};
}

function negated(amount: DecimalText): DecimalText {
	if (/^0(\.0+)?$/.test(amount)) {
		return amount;
	}
	return (
		amount.startsWith("-") ? amount.slice(1) : `-${amount}`
	) as DecimalText;
}

function mirrored(original: Snapshot): Amounts {
	const allowance = <Item extends SnapshotAllowance>(item: Item): Item => ({
		...item,
		amount: negated(item.amount),
		...(item.base === undefined ? {} : { base: negated(item.base) }),
		...(item.amountIncludingVat === undefined
			? {}
			: { amountIncludingVat: negated(item.amountIncludingVat) }),
	});
	return {
		lines: original.lines.map((line) => ({
			price: line.price,
			netAmount: negated(line.netAmount),
			allowances: (line.allowances ?? []).map(allowance),
			charges: (line.charges ?? []).map(allowance),
			...(line.priceIncludingVat === undefined
				? {}
				: { priceIncludingVat: line.priceIncludingVat }),
			...(line.amountIncludingVat === undefined
				? {}
				: { amountIncludingVat: negated(line.amountIncludingVat) }),
		})),
		allowances: (original.allowances ?? []).map(allowance),
		charges: (original.charges ?? []).map(allowance),
		vatBreakdown: original.vatBreakdown.map((group) => ({
			...group,
			taxableAmount: negated(group.taxableAmount),
			taxAmount: negated(group.taxAmount),
		})),
		totals: Object.fromEntries(
			Object.entries(original.totals).map(([name, amount]) => [
				name,
				negated(amount),
			]),
		) as unknown as Amounts["totals"],
	};
}

/**
 * All credit notes together never exceed the original: by line, by VAT group,
 * in sum. Where prices include VAT, the gross amounts are compared: they are
 * what was agreed, and the nets of a part may round otherwise than the whole's.
 */
function limitViolations(
	original: Snapshot,
	earlier: readonly Snapshot[],
	amounts: Amounts,
	lines: readonly DraftLine[],
): Violation[] {
	const inclusive = original.pricesIncludeVat === true;
	const limits: Limit[] = [];
	for (const [index, { id }] of lines.entries()) {
		const amountsOf = (document: Pick<Snapshot, "lines">) =>
			document.lines
				.filter((line) => line.id === id)
				.map((line) => line.amountIncludingVat ?? line.netAmount);
		const now = amounts.lines[index];
		limits.push({
			pointer: pointer("lines", index),
			term: "BT-131",
			what: `Line "${id}"`,
			original: amountsOf(original),
			earlier: earlier.flatMap(amountsOf),
			now: now?.amountIncludingVat ?? now?.netAmount ?? "0",
		});
	}
	for (const group of inclusive ? [] : amounts.vatBreakdown) {
		const amountsOf = (document: Pick<Snapshot, "vatBreakdown">) =>
			document.vatBreakdown
				.filter((other) => vatGroupKey(other) === vatGroupKey(group))
				.map((other) => other.taxableAmount);
		limits.push({
			pointer: "/lines",
			term: "BT-116",
			what: `The taxable amount of VAT category ${group.category}${group.rate === undefined ? "" : ` at ${group.rate} %`}`,
			original: amountsOf(original),
			earlier: earlier.flatMap(amountsOf),
			now: group.taxableAmount,
		});
	}
	// The rounding belongs to it: with VAT included it is what leads back to the agreed sum.
	const total = ({ totals }: Pick<Snapshot, "totals">) =>
		formatDecimal(
			decimal(totals.taxInclusive).plus(
				inclusive ? decimal(totals.rounding) : ZERO,
			),
		);
	limits.push({
		pointer: "/lines",
		term: "BT-112",
		what: "The total with VAT",
		original: [total(original)],
		earlier: earlier.map(total),
		now: total(amounts),
	});
	return limits
		.map(limitViolation(original))
		.filter((each) => each !== undefined);
}

/** An amount of the original and what has been credited of it. */
interface Limit {
	pointer: string;
	term: string;
	what: string;
	original: readonly string[];
	earlier: readonly string[];
	now: string;
}

function limitViolation(original: Snapshot) {
	const sum = (amounts: readonly string[]) =>
		amounts.reduce((total, amount) => total.plus(decimal(amount)), ZERO);
	return (limit: Limit): Violation | undefined => {
		const whole = sum(limit.original);
		const left = whole.minus(sum(limit.earlier));
		const now = decimal(limit.now);
		// A part of an invoice may be negative (goods taken back): its credit is then negative too.
		const within = whole.isNegative()
			? !now.gt(ZERO) && !now.lt(left)
			: !now.isNegative() && !now.gt(left);
		return within
			? undefined
			: {
					pointer: limit.pointer,
					rule: "correction-limit",
					source: SOURCE,
					term: limit.term,
					message: `${limit.what} of ${original.number} is ${formatDecimal(whole)}, of which ${formatDecimal(left)} can still be credited; ${limit.now} cannot.`,
				};
	};
}
