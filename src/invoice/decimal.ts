/** Decimal text: the only form in which amounts, prices, quantities and rates enter, are stored and leave. */
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

/** Places of a quotient: far beyond any minor unit. */
const QUOTIENT_PLACES = 40;

/**
 * An exact decimal number: whole units of 10 to the power of minus `places`.
 * Immutable; only `div` rounds. On big integers of the engine, because
 * libraries that keep an array of digits take twenty times as long in an
 * interpreter, a third of what checking a draft took.
 */
export class Decimal {
	readonly units: bigint;
	readonly places: number;

	constructor(units: bigint, places: number) {
		this.units = units;
		this.places = places;
	}

	plus(other: Decimal): Decimal {
		const places = Math.max(this.places, other.places);
		return new Decimal(unitsAt(this, places) + unitsAt(other, places), places);
	}

	minus(other: Decimal): Decimal {
		const places = Math.max(this.places, other.places);
		return new Decimal(unitsAt(this, places) - unitsAt(other, places), places);
	}

	times(other: Decimal): Decimal {
		return new Decimal(this.units * other.units, this.places + other.places);
	}

	/** Rounded half up to 40 places. Throws a RangeError on a divisor of zero. */
	div(divisor: Decimal): Decimal {
		const places = QUOTIENT_PLACES + divisor.places;
		// More places than that have no part in any amount.
		const dividend = this.round(places);
		return new Decimal(
			divideHalfUp(unitsAt(dividend, places), divisor.units),
			QUOTIENT_PLACES,
		);
	}

	/** The hundredth part, exactly: what is left of a percentage. */
	hundredth(): Decimal {
		return new Decimal(this.units, this.places + 2);
	}

	abs(): Decimal {
		return this.units < 0n ? this.negated() : this;
	}

	negated(): Decimal {
		return new Decimal(-this.units, this.places);
	}

	/** Rounded half up, away from zero for negative values; unchanged where it has no more places than that. */
	round(places: number): Decimal {
		return places >= this.places
			? this
			: new Decimal(
					divideHalfUp(this.units, powerOfTen(this.places - places)),
					places,
				);
	}

	/** Negative, zero or positive as this is less than, equal to or more than the other. */
	cmp(other: Decimal): number {
		const places = Math.max(this.places, other.places);
		const left = unitsAt(this, places);
		const right = unitsAt(other, places);
		return left < right ? -1 : left > right ? 1 : 0;
	}

	eq(other: Decimal): boolean {
		return this.cmp(other) === 0;
	}

	lt(other: Decimal): boolean {
		return this.cmp(other) < 0;
	}

	gt(other: Decimal): boolean {
		return this.cmp(other) > 0;
	}

	isZero(): boolean {
		return this.units === 0n;
	}

	isNegative(): boolean {
		return this.units < 0n;
	}
}

export const ZERO = new Decimal(0n, 0);

const powersOfTen: bigint[] = [1n];

function powerOfTen(exponent: number): bigint {
	for (let known = powersOfTen.length; known <= exponent; known++) {
		powersOfTen.push(10n * (powersOfTen[known - 1] ?? 1n));
	}
	return powersOfTen[exponent] ?? 1n;
}

/** The same number in units of more places. */
function unitsAt({ units, places }: Decimal, wanted: number): bigint {
	return wanted === places ? units : units * powerOfTen(wanted - places);
}

/** The quotient of integers, rounded half up, away from zero for negative values. */
function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
	const isNegative = dividend < 0n !== divisor < 0n;
	const numerator = dividend < 0n ? -dividend : dividend;
	const denominator = divisor < 0n ? -divisor : divisor;
	const quotient = (2n * numerator + denominator) / (2n * denominator);
	return isNegative ? -quotient : quotient;
}

const DECIMAL = /^-?[0-9]+(?:\.[0-9]+)?$/;

/** Reads decimal text; throws a RangeError on anything else. Units are the caller's. */
export function decimal(text: string): Decimal {
	if (!DECIMAL.test(text)) {
		throw new RangeError(`"${text}" is not a decimal number.`);
	}
	const point = text.indexOf(".");
	return point === -1
		? new Decimal(BigInt(text), 0)
		: new Decimal(
				BigInt(text.slice(0, point) + text.slice(point + 1)),
				text.length - point - 1,
			);
}

/**
 * Rounds half up, away from zero for negative values, as EN 16931 (section
 * 6.5, BR-DEC-*) and commercial practice do.
 */
export function roundHalfUp(value: Decimal, fractionDigits: number): Decimal {
	return value.round(fractionDigits);
}

/** Writes an amount with exactly `fractionDigits` places; the value must already be rounded to them. */
export function formatAmount(
	value: Decimal,
	fractionDigits: number,
): DecimalText {
	const rounded = value.round(fractionDigits);
	return write(unitsAt(rounded, fractionDigits), fractionDigits);
}

/** Writes a decimal in its shortest form ("7.50" becomes "7.5"). */
export function formatDecimal(value: Decimal): DecimalText {
	let { units, places } = value;
	while (places > 0 && units % 10n === 0n) {
		units /= 10n;
		places--;
	}
	return write(units, places);
}

/** Writes a price with at least `fractionDigits` places and as many more as it has ("7.5" becomes "7.50"). */
export function formatPrice(
	value: Decimal,
	fractionDigits: number,
): DecimalText {
	let { units, places } = value;
	while (places > fractionDigits && units % 10n === 0n) {
		units /= 10n;
		places--;
	}
	return places < fractionDigits
		? formatAmount(value, fractionDigits)
		: write(units, places);
}

function write(units: bigint, places: number): DecimalText {
	if (places === 0) {
		return String(units) as DecimalText;
	}
	const sign = units < 0n ? "-" : "";
	const digits = String(units < 0n ? -units : units).padStart(places + 1, "0");
	const point = digits.length - places;
	return `${sign}${digits.slice(0, point)}.${digits.slice(point)}` as DecimalText;
}
