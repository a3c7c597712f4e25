/** Freezing: a checked draft gets its number and becomes the immutable snapshot. */
import { normalizeVat, vatGroupKey } from "./amounts.ts";
import type { CheckedDraft, CompletedDraft } from "./check.ts";
import { decimal, formatDecimal, ZERO } from "./decimal.ts";
import type { DraftLine, Vat } from "./draft.ts";
import { formatNumber } from "./number.ts";
import type {
	Snapshot,
	SnapshotFields,
	SnapshotLine,
	SnapshotNote,
	VatBreakdown,
} from "./snapshot.ts";
import {
	CATEGORY_EXEMPTIONS,
	DEFAULT_PAYMENT_TERMS,
	LEGAL_NOTES,
	SCHEME_EXEMPTIONS,
} from "./words.ts";

/** The place of an invoice in its series, and when it was given. */
export interface Issue {
	/** From 1. */
	sequence: number;
	/** ISO 8601 in UTC with milliseconds, "2026-11-24T09:00:00.000Z". */
	issuedAt: string;
}

/**
 * Makes the snapshot: what the caller sent, completed, with computed amounts,
 * the words that the law demands, and the number. A pure function; the same
 * arguments give the same canonical bytes.
 */
export function freeze(checked: CheckedDraft, issue: Issue): Snapshot {
	const { draft, amounts } = checked;
	const number = formatNumber(draft.series, issue.sequence);
	const notes = notesOf(draft);
	const fields = {
		number,
		series: draft.series,
		sequence: issue.sequence,
		loginName: draft.loginName,
		type: draft.type,
		issueDate: draft.issueDate,
		issuedAt: issue.issuedAt,
		currency: draft.currency,
		language: draft.language,
		template: draft.template,
		seller: draft.seller,
		buyer: draft.buyer,
		delivery: draft.delivery,
		buyerReference: draft.buyerReference,
		orderReference: draft.orderReference,
		contractReference: draft.contractReference,
		projectReference: draft.projectReference,
		precedingInvoices: filled(draft.precedingInvoices),
		cancellation: checked.cancellation,
		pricesIncludeVat: flag(draft.pricesIncludeVat),
		specialScheme: draft.specialScheme,
		smallAmount: flag(draft.smallAmount),
		worksOnPrivateProperty: flag(draft.worksOnPrivateProperty),
		cashAccounting: flag(draft.cashAccounting),
		lines: (draft.lines ?? []).map((line, index) =>
			lineOf(line, index, checked),
		),
		allowances: filled(amounts.allowances),
		charges: filled(amounts.charges),
		vatBreakdown: amounts.vatBreakdown.map((group) => ({
			...group,
			...exemptionOf(group, draft),
		})),
		totals: amounts.totals,
		payment: paymentOf(checked, number),
		notes: filled(notes),
	};
	return present(fields) as unknown as SnapshotFields as Snapshot;
}

/** Leaves out what is undefined: canonical JSON knows no such value. */
function present<Value extends object>(value: Value): Value {
	const fields: Partial<Value> = {};
	for (const key in value) {
		if (value[key] !== undefined) {
			fields[key] = value[key];
		}
	}
	return fields as Value;
}

function flag(value: boolean | undefined): true | undefined {
	return value === true ? true : undefined;
}

function filled<Item>(items: Item[] | undefined): Item[] | undefined {
	return items !== undefined && items.length > 0 ? items : undefined;
}

function lineOf(
	line: DraftLine,
	index: number,
	{ amounts }: CheckedDraft,
): SnapshotLine {
	const computed = amounts.lines[index];
	const { name, quantity, unit, vat } = line;
	if (
		computed === undefined ||
		name === undefined ||
		quantity === undefined ||
		unit === undefined ||
		vat === undefined
	) {
		throw new TypeError(`Line ${index + 1} was frozen before it was checked.`);
	}
	return present({
		id: line.id ?? String(index + 1),
		name,
		description: line.description,
		sellerId: line.sellerId,
		quantity: formatDecimal(decimal(quantity)),
		unit,
		price: computed.price,
		netAmount: computed.netAmount,
		vat: normalizeVat(vat),
		allowances: filled(computed.allowances),
		charges: filled(computed.charges),
		period: line.period,
		priceIncludingVat: computed.priceIncludingVat,
		amountIncludingVat: computed.amountIncludingVat,
	} as SnapshotLine);
}

/** BT-120 and BT-121 of a VAT group: the caller's, joined where they differ (BR-E-01 allows one group only), else ours. */
function exemptionOf(
	group: VatBreakdown,
	draft: CompletedDraft,
): Pick<VatBreakdown, "exemptionReason" | "exemptionCode"> {
	const vats = [
		...(draft.lines ?? []),
		...(draft.allowances ?? []),
		...(draft.charges ?? []),
	]
		.map(({ vat }) => vat)
		.filter(
			(vat): vat is Vat =>
				vat !== undefined &&
				vatGroupKey(normalizeVat(vat)) === vatGroupKey(group),
		);
	const preset =
		draft.specialScheme === undefined
			? CATEGORY_EXEMPTIONS[group.category]
			: SCHEME_EXEMPTIONS[draft.specialScheme];
	const reasons = distinct(vats.map((vat) => vat.exemptionReason));
	const codes = distinct(vats.map((vat) => vat.exemptionCode));
	return present({
		exemptionReason:
			reasons.length > 0 ? reasons.join("; ") : preset?.reason[draft.language],
		exemptionCode: codes.length === 1 ? codes[0] : preset?.code,
	});
}

function distinct(values: readonly (string | undefined)[]): string[] {
	return [...new Set(values.filter((value) => value !== undefined))];
}

function notesOf(draft: CompletedDraft): SnapshotNote[] {
	const legal = [
		draft.type === "389" ? LEGAL_NOTES.selfBilling : undefined,
		draft.worksOnPrivateProperty === true
			? LEGAL_NOTES.worksOnPrivateProperty
			: undefined,
		draft.cashAccounting === true ? LEGAL_NOTES.cashAccounting : undefined,
	].filter((note) => note !== undefined);
	return [
		...(draft.notes ?? []).map((note) => present(note) as SnapshotNote),
		...legal.map(({ rule, subject, text }) => ({
			rule,
			subject,
			text: text[draft.language],
		})),
	];
}

function paymentOf(
	{ draft, amounts }: CheckedDraft,
	number: string,
): SnapshotFields["payment"] {
	const { payment } = draft;
	const due = decimal(amounts.totals.payable).gt(ZERO) && draft.type !== "381";
	const terms =
		payment?.terms ??
		(due && payment?.dueDate === undefined
			? DEFAULT_PAYMENT_TERMS[draft.language]
			: undefined);
	const transfer = payment?.creditTransfer;
	if (payment === undefined && terms === undefined) {
		return undefined;
	}
	return present({
		...payment,
		means: payment?.means ?? (transfer === undefined ? undefined : "58"),
		reference: payment?.reference ?? (due ? number : undefined),
		terms,
	}) as SnapshotFields["payment"];
}
