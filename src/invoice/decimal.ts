/** Decimal text: the only form in which amounts, prices, quantities and rates enter, are stored and leave. */
import Big from "big.js";

declare const decimalText: unique symbol;

/**
 * A decimal number as text, such as "1190.00" or "-0.5": no exponent, no
 * leading zeros, no plus sign, no negative zero. Only `formatDecimal` and
 * `parseDecimal` make one.
 */
export type DecimalText = string & { readonly [decimalText]: true };

/** Digits before the point: a quadrillion of any currency, and still exact in every consumer's decimal type. */
export const INTEGER_DIGITS_MAX = 13;

/** A decimal with at most `fractionDigits` places, as a pattern for schemas. */
export function decimalPattern(
	fractionDigits: number,
	sign: "signed" | "unsigned",
): RegExp {
	const fraction =
		fractionDigits === 0 ? "" : `(?:\\.[0-9]{1,${fractionDigits}})?`;
	const minus = sign === "signed" ? "-?" : "";
	return new RegExp(
		`^${minus}(?:0|[1-9][0-9]{0,${INTEGER_DIGITS_MAX - 1}})${fraction}$`,
	);
}

/** Reads decimal text; throws a RangeError on anything else. Units are the caller's. */
export function decimal(text: string): Big {
	if (!/^-?[0-9]+(\.[0-9]+)?$/.test(text)) {
		throw new RangeError(`"${text}" is not a decimal number.`);
	}
	return new Big(text);
}

/**
 * Rounds half up, away from zero for negative values, as EN 16931 (section
 * 6.5, BR-DEC-*) and commercial practice do.
 */
export function roundHalfUp(value: Big, fractionDigits: number): Big {
	return value.round(fractionDigits, Big.roundHalfUp);
}

/** Writes an amount with exactly `fractionDigits` places; the value must already be rounded to them. */
export function formatAmount(value: Big, fractionDigits: number): DecimalText {
	return withoutNegativeZero(value.toFixed(fractionDigits, Big.roundHalfUp));
}

/** Writes a decimal in its shortest form ("7.50" becomes "7.5"). */
export function formatDecimal(value: Big): DecimalText {
	return withoutNegativeZero(value.toFixed());
}

/** Writes a price with at least `fractionDigits` places and as many more as it has ("7.5" becomes "7.50"). */
export function formatPrice(value: Big, fractionDigits: number): DecimalText {
	const shortest = formatDecimal(value);
	const places = shortest.split(".")[1]?.length ?? 0;
	return places < fractionDigits
		? formatAmount(value, fractionDigits)
		: shortest;
}

function withoutNegativeZero(text: string): DecimalText {
	return (/^-0(\.0+)?$/.test(text) ? text.slice(1) : text) as DecimalText;
}
