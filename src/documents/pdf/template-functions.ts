/** The functions that a template may call. templates/README.md describes them to template authors. */
import type { Address, Language } from "../../invoice/draft.ts";
import type { Snapshot } from "../../invoice/snapshot.ts";
import { addressLines } from "./address.ts";
import {
	isZero,
	negated,
	writeAmount,
	writeDate,
	writeIban,
	writePrice,
	writeQuantity,
	writeRate,
	writeSpan,
} from "./format.ts";
import { LINE_BREAK } from "./markup.ts";
import type { TemplateData, TemplateTexts } from "./template-data.ts";
import { unitName } from "./units.ts";

/** What Handlebars hands every function as its last argument. */
export interface Call {
	readonly name: string;
	readonly data: TemplateData & { readonly root: Snapshot };
}

type TemplateFunction = (...parameters: never[]) => unknown;

/** A value that a template hands over: a field that is missing is a mistake of the template. */
function required(value: unknown, call: Call): string {
	if (typeof value !== "string") {
		throw new Error(
			`{{${call.name} …}} was given ${value === undefined ? "a field that is not there" : `a ${typeof value}`} instead of text: check the field's name, or ask for it with {{#if}} first.`,
		);
	}
	return value;
}

function languageOf(call: Call): Language {
	return call.data.root.language;
}

function date(day: unknown, call: Call): string {
	return writeDate(
		required(day, call),
		languageOf(call),
		call.data.text.months,
	);
}

/** Fills "{name}" in a text. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
	return text.replace(
		/\{([a-z]+)\}/g,
		(whole, name: string) => values[name] ?? whole,
	);
}

/** EN 16931 has cash discounts in the terms as lines that machines read (XRechnung, BR-DE-18). */
const CASH_DISCOUNT =
	/^#SKONTO#TAGE=([0-9]+)#PROZENT=([0-9]+(?:\.[0-9]+)?)#(?:BASISBETRAG=(-?[0-9]+(?:\.[0-9]+)?)#)?$/;

function withoutCodes(terms: string, call: Call): string {
	const { root, text } = call.data;
	return terms
		.split("\n")
		.map((line) => {
			const match = CASH_DISCOUNT.exec(line.trim());
			if (match === null) {
				return line;
			}
			const [, days = "", percent = "", base] = match;
			return fill(base === undefined ? text.discount : text.discountOnPart, {
				days,
				percent: writeRate(percent, root.language),
				amount:
					base === undefined
						? ""
						: writeAmount(base, root.currency, root.language),
			});
		})
		.join("\n");
}

/** By name. Each takes what the template gives it, then the call. */
export const TEMPLATE_FUNCTIONS = {
	/** An amount in the invoice's currency. */
	amount: (value: unknown, call: Call) =>
		writeAmount(
			required(value, call),
			call.data.root.currency,
			languageOf(call),
		),
	/** An amount that is taken away: with its sign turned. */
	reduction: (value: unknown, call: Call) =>
		writeAmount(
			negated(required(value, call)),
			call.data.root.currency,
			languageOf(call),
		),
	/** A unit price, with all of its decimal places. */
	price: (value: unknown, call: Call) =>
		writePrice(
			required(value, call),
			call.data.root.currency,
			languageOf(call),
		),
	quantity: (value: unknown, call: Call) =>
		writeQuantity(required(value, call), languageOf(call)),
	/** The unit's word for this quantity: "Tag", "Tage". */
	unit: (code: unknown, quantity: unknown, call: Call) =>
		unitName(
			required(code, call),
			required(quantity, call),
			languageOf(call),
			call.data.text.units,
		),
	/** A percentage. */
	rate: (value: unknown, call: Call) =>
		writeRate(required(value, call), languageOf(call)),
	date,
	/** Two days, or one with "ab" or "bis". */
	period: (value: { start?: string; end?: string } | undefined, call: Call) => {
		const { text } = call.data;
		if (value?.start === undefined) {
			return fill(text.until, { date: date(value?.end, call) });
		}
		const start = date(value.start, call);
		if (value.end === undefined) {
			return fill(text.from, { date: start });
		}
		return value.start === value.end
			? start
			: writeSpan(value.start, value.end, languageOf(call), text.months);
	},
	/** An IBAN in groups of four. */
	iban: (value: unknown, call: Call) => writeIban(required(value, call)),
	/** The lines of an address, the country where it is not `home`'s. */
	address: (
		value: Address | undefined,
		home: Address | undefined,
		call: Call,
	): string[] =>
		value === undefined
			? []
			: addressLines(value, home?.country, call.data.text.countries),
	/** Text whose line breaks are kept. */
	lines: (value: unknown, call: Call) =>
		required(value, call).replaceAll("\n", LINE_BREAK),
	/** Payment terms with cash discounts in words; line breaks are kept. */
	terms: (value: unknown, call: Call) => {
		const terms = required(value, call);
		return (
			terms.includes("#SKONTO#") ? withoutCodes(terms, call) : terms
		).replaceAll("\n", LINE_BREAK);
	},
	/** The first of two values that is there. */
	either: (one: unknown, other: unknown) => one ?? other,
	/** Whether two values are the same. */
	same: (one: unknown, other: unknown) => one === other,
	/** Whether an amount is there and not zero. */
	some: (amount: unknown) => typeof amount === "string" && !isZero(amount),
	/** The text of that name, or nothing: {{named @text.means payment.means}}. */
	named: (texts: Readonly<Record<string, unknown>>, name: unknown) =>
		typeof name === "string" && Object.hasOwn(texts, name) ? texts[name] : "",
} satisfies Record<string, TemplateFunction>;

export type TemplateFunctionName = keyof typeof TEMPLATE_FUNCTIONS;

/** Texts that the functions above need; a template may have any others beside them. */
export const REQUIRED_TEXTS = [
	"months",
	"countries",
	"units",
	"from",
	"until",
	"discount",
	"discountOnPart",
] as const satisfies readonly (keyof TemplateTexts)[];
