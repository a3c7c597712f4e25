/** The check: from what a caller sent to a draft that may become an invoice, or to every fault at once. */
import { type Amounts, type AmountsDraft, computeAmounts } from "./amounts.ts";
import { type DecimalText, decimal } from "./decimal.ts";
import {
	type Draft,
	DraftSchema,
	type Language,
	type Seller,
	type Vat,
} from "./draft.ts";
import { RULES, SMALL_AMOUNT_LIMIT_EUR } from "./law.ts";
import { seriesOf } from "./number.ts";
import { parseShape } from "./shape.ts";
import { codePointName } from "./text.ts";
import { pointer, type Violation } from "./violation.ts";

/** What is filled in where a draft is silent, and what the documents can print. */
export interface CheckContext {
	/** The issue date where none is given: today in the service's time zone, "2026-11-24". */
	today: string;
	/** Pattern of the number range, such as "RE-{year}". */
	series: string;
	language: Language;
	currency: string;
	template: { name: string; version: number };
	/** The configured seller. */
	seller?: Seller;
	/** Whether every font of the documents has this character. */
	canPrint?: (codePoint: number) => boolean;
	/** Whether a template of this name and version is there. */
	hasTemplate?: (template: { name: string; version: number }) => boolean;
}

declare const checked: unique symbol;

type Defaulted =
	| "series"
	| "type"
	| "issueDate"
	| "currency"
	| "language"
	| "template";

/** A draft with its defaults filled in; the law has not been asked yet. */
export type CompletedDraft = Draft & Required<Pick<Draft, Defaulted>>;

/**
 * A draft that satisfies every rule, completed and computed. Only
 * `checkDraft` and the corrections of a snapshot make one.
 */
export type CheckedDraft = Readonly<{
	draft: CompletedDraft & { loginName: string };
	amounts: Amounts;
	/** It cancels the preceding invoice as a whole. */
	cancellation?: true;
}> & { readonly [checked]: true };

/** Marks a draft as checked; for those who have seen to every rule. */
export function asChecked(
	draft: CompletedDraft,
	amounts: Amounts,
	cancellation?: true,
): CheckedDraft {
	return {
		draft,
		amounts,
		...(cancellation === undefined ? {} : { cancellation }),
	} as CheckedDraft;
}

export type CheckResult =
	| { ok: true; checked: CheckedDraft }
	| { ok: false; violations: Violation[] };

/** Faults that one answer names; more would be of no use to anyone. */
export const VIOLATIONS_MAX = 200;

/**
 * Checks a draft as it came over the wire: its shape, its characters, the
 * law, and the totals. All faults are returned together. A faulty field is
 * taken out before the law is asked, so that one wrong type does not hide a
 * missing address.
 */
export function checkDraft(input: unknown, context: CheckContext): CheckResult {
	const { value, violations } = parseShape(DraftSchema, input);
	if (value !== undefined) {
		const draft = completeDraft(value, context);
		const faulty = violations.map((violation) => violation.pointer);
		violations.push(
			...[
				...lawViolations(draft),
				...documentViolations(draft, context),
			].filter(
				(violation) => !faulty.some((at) => covers(at, violation.pointer)),
			),
		);
		if (isComputable(draft)) {
			const { amounts, violations: amountViolations } = computeAmounts(draft);
			violations.push(...amountViolations, ...totalsViolations(draft, amounts));
			if (violations.length === 0) {
				return { ok: true, checked: asChecked(draft, amounts) };
			}
		}
	}
	return { ok: false, violations: violations.slice(0, VIOLATIONS_MAX) };
}

/** Whether a fault at `at` explains one at `other`: it is the same place, or one above it. */
function covers(at: string, other: string): boolean {
	return at === other || other.startsWith(`${at}/`);
}

/** Fills in what a draft leaves open. */
export function completeDraft(
	draft: Draft,
	context: CheckContext,
): CompletedDraft {
	const issueDate = draft.issueDate ?? context.today;
	const lines = draft.lines?.map(withVatRate);
	const seller =
		draft.seller ??
		configuredSeller(
			context,
			lines?.some((line) => line.vat?.category === "O") === true,
		);
	return {
		...draft,
		series: draft.series ?? seriesOf(context.series, issueDate),
		type: draft.type ?? "380",
		issueDate,
		currency: draft.currency ?? context.currency,
		language: draft.language ?? context.language,
		template: draft.template ?? context.template,
		...(seller === undefined ? {} : { seller }),
		...(lines === undefined ? {} : { lines }),
		...(draft.allowances === undefined
			? {}
			: { allowances: draft.allowances.map(withVatRate) }),
		...(draft.charges === undefined
			? {}
			: { charges: draft.charges.map(withVatRate) }),
	};
}

/** An invoice outside the scope of VAT must not carry a VAT number (BR-O-02); the profile has one. */
function configuredSeller(
	context: CheckContext,
	outsideScope: boolean,
): Seller | undefined {
	if (!outsideScope || context.seller === undefined) {
		return context.seller;
	}
	const { vatIdentifier: _, ...seller } = context.seller;
	return seller;
}

/** The categories without tax have a rate of 0 (BR-Z-05 …), which may be left out; O has none. */
function withVatRate<Item extends { vat?: Vat | undefined }>(item: Item): Item {
	const { vat } = item;
	if (
		vat === undefined ||
		vat.rate !== undefined ||
		vat.category === "S" ||
		vat.category === "O"
	) {
		return item;
	}
	return { ...item, vat: { ...vat, rate: "0" as DecimalText } };
}

/** Asks every rule of the law table. */
export function lawViolations(draft: Draft): Violation[] {
	const violations: Violation[] = [];
	for (const rule of RULES) {
		rule.check(draft, (at, message) => {
			violations.push({
				pointer: at,
				rule: rule.id,
				source: rule.source,
				...(rule.term === undefined ? {} : { term: rule.term }),
				message: message ?? rule.message,
			});
		});
	}
	return violations;
}

/** What our own documents cannot show: characters without a glyph, a template that is not there. */
export function documentViolations(
	draft: CompletedDraft,
	context: CheckContext,
): Violation[] {
	const violations: Violation[] = [];
	if (context.hasTemplate?.(draft.template) === false) {
		violations.push({
			pointer: "/template",
			rule: "template",
			message: `There is no template "${draft.template.name}" in version ${draft.template.version}.`,
		});
	}
	const { canPrint } = context;
	if (canPrint !== undefined && !canPrintAll(JSON.stringify(draft), canPrint)) {
		eachText(draft, [], (text, path) => {
			for (const character of text) {
				const codePoint = character.codePointAt(0) ?? 0;
				if (codePoint > 0x7e && !canPrint(codePoint)) {
					violations.push({
						pointer: pointer(...path),
						rule: "printable",
						source: "ISO 19005-3 (PDF/A), 6.2.11.8",
						message: `The documents' font has no character "${character}" (${codePointName(codePoint)}); write it in Latin, Greek or Cyrillic letters.`,
					});
					return;
				}
			}
		});
	}
	return violations;
}

/** All but ASCII, which every font has; in JSON line breaks are ASCII, too. */
const BEYOND_ASCII = /[^ -~]/gu;

/** Whether there is a glyph for every character of a text, asked once for each: looking for the place of a fault can wait until there is one. */
function canPrintAll(
	text: string,
	canPrint: NonNullable<CheckContext["canPrint"]>,
): boolean {
	const characters = new Set(text.match(BEYOND_ASCII));
	for (const character of characters) {
		if (!canPrint(character.codePointAt(0) ?? 0)) {
			return false;
		}
	}
	return true;
}

/** Fields that are on no document. */
const NOT_PRINTED = new Set(["loginName", "logo"]);

/** Visits every text that is printed; `path` is the place of the one that is visited, and changes after it. */
function eachText(
	node: unknown,
	path: PropertyKey[],
	visit: (text: string, path: readonly PropertyKey[]) => void,
): void {
	if (typeof node === "string") {
		visit(node, path);
		return;
	}
	if (typeof node !== "object" || node === null) {
		return;
	}
	const isList = Array.isArray(node);
	for (const key in node) {
		if (isList || !NOT_PRINTED.has(key)) {
			path.push(key);
			eachText((node as Record<string, unknown>)[key], path, visit);
			path.pop();
		}
	}
}

/** Whether every number is there that the arithmetic needs; where one is not, a rule has said so. */
export function isComputable<Some extends CompletedDraft>(
	draft: Some,
): draft is Some & AmountsDraft {
	const lines = draft.lines ?? [];
	const settled = [
		...lines.flatMap((line) => [
			...(line.allowances ?? []),
			...(line.charges ?? []),
		]),
		...(draft.allowances ?? []),
		...(draft.charges ?? []),
	];
	const taxed = [
		...lines,
		...(draft.allowances ?? []),
		...(draft.charges ?? []),
	];
	return (
		lines.length > 0 &&
		lines.every(
			(line) => line.quantity !== undefined && line.price !== undefined,
		) &&
		taxed.every(
			({ vat }) =>
				vat !== undefined && (vat.category !== "S" || vat.rate !== undefined),
		) &&
		settled.every(
			({ amount, percent }) => amount !== undefined || percent !== undefined,
		)
	);
}

/** Rules that need the computed totals. */
function totalsViolations(
	draft: CompletedDraft,
	amounts: Amounts,
): Violation[] {
	const violations: Violation[] = [];
	const gross = decimal(amounts.totals.taxInclusive);
	if (draft.smallAmount === true && gross.gt(decimal(SMALL_AMOUNT_LIMIT_EUR))) {
		violations.push({
			pointer: "/smallAmount",
			rule: "small-amount-limit",
			source: "§ 33 UStDV",
			message: `The relief ends at ${SMALL_AMOUNT_LIMIT_EUR} € gross; this invoice has ${amounts.totals.taxInclusive}. Leave smallAmount out and give the customer and the other details.`,
		});
	}
	if (draft.type === "381" && gross.isNegative()) {
		violations.push({
			pointer: "/lines",
			rule: "credit-note-sign",
			source: "EN 16931-1, UNTDID 1001 code 381",
			term: "BT-129",
			message:
				"A credit note states what is credited as positive amounts; turn the signs of the quantities.",
		});
	}
	return violations;
}
