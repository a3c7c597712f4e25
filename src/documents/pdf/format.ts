/** How amounts, quantities, rates, dates and account numbers are written on a document: our own tables, no Intl. */
import { CURRENCY_MINOR_UNITS } from "../../invoice/codes.ts";
import type { Language } from "../../invoice/draft.ts";

/** Between a number and what belongs to it: no line break comes between them. */
const NO_BREAK_SPACE = "\u00a0";

const EN_DASH = "–";

const SEPARATORS: Readonly<
	Record<Language, { decimal: string; group: string }>
> = {
	de: { decimal: ",", group: "." },
	en: { decimal: ".", group: "," },
};

/** Currencies whose sign is theirs alone; every other one is written as its ISO 4217 code. */
const SIGNS: Readonly<Record<string, string>> = {
	EUR: "€",
	GBP: "£",
	JPY: "¥",
};

/** What stands between whole and decimal places in the language. */
export function decimalSeparator(language: Language): string {
	return SEPARATORS[language].decimal;
}

/**
 * Writes decimal text with the language's separators: "-1234.5" becomes
 * "-1.234,50" with two places at least. The minus is the hyphen of the keyboard:
 * it can be copied into a spreadsheet.
 */
function writeNumber(
	text: string,
	fractionDigitsMin: number,
	language: Language,
): string {
	const isNegative = text.startsWith("-");
	const point = text.indexOf(".");
	const whole = text.slice(
		isNegative ? 1 : 0,
		point === -1 ? text.length : point,
	);
	const places = point === -1 ? "" : text.slice(point + 1);
	const separators = SEPARATORS[language];
	let written = whole.slice(0, whole.length % 3 || 3);
	for (let index = written.length; index < whole.length; index += 3) {
		written += separators.group + whole.slice(index, index + 3);
	}
	const fraction = places.padEnd(fractionDigitsMin, "0");
	if (fraction !== "") {
		written += separators.decimal + fraction;
	}
	return isNegative ? `-${written}` : written;
}

/** Without the zeros that close the decimal places. */
function shortest(text: string): string {
	if (!text.includes(".")) {
		return text;
	}
	let end = text.length;
	while (text[end - 1] === "0") {
		end--;
	}
	return text.slice(0, text[end - 1] === "." ? end - 1 : end);
}

function minorUnits(currency: string): number {
	return CURRENCY_MINOR_UNITS.get(currency) ?? 2;
}

function withCurrency(
	number: string,
	currency: string,
	language: Language,
): string {
	const sign = SIGNS[currency];
	if (language === "de") {
		return `${number}${NO_BREAK_SPACE}${sign ?? currency}`;
	}
	const minus = number.startsWith("-") ? "-" : "";
	const digits = minus === "" ? number : number.slice(1);
	return sign === undefined
		? `${minus}${currency}${NO_BREAK_SPACE}${digits}`
		: `${minus}${sign}${digits}`;
}

/** An amount in the currency: "1.234,56 €", "€1,234.56", "1.235 ¥". */
export function writeAmount(
	amount: string,
	currency: string,
	language: Language,
): string {
	return withCurrency(
		writeNumber(amount, minorUnits(currency), language),
		currency,
		language,
	);
}

/** A price in the currency, with all of its decimal places: "0,0825 €". */
export function writePrice(
	price: string,
	currency: string,
	language: Language,
): string {
	return withCurrency(
		writeNumber(shortest(price), minorUnits(currency), language),
		currency,
		language,
	);
}

/** A quantity in its shortest form: "3", "1,5". */
export function writeQuantity(quantity: string, language: Language): string {
	return writeNumber(shortest(quantity), 0, language);
}

/** A rate or percentage: "19 %", "19%". */
export function writeRate(rate: string, language: Language): string {
	const number = writeNumber(shortest(rate), 0, language);
	return language === "de" ? `${number}${NO_BREAK_SPACE}%` : `${number}%`;
}

/** A calendar day: "24.11.2026", "24 November 2026" with no break before the year. */
export function writeDate(
	day: string,
	language: Language,
	months: readonly string[],
): string {
	const year = day.slice(0, 4);
	const month = day.slice(5, 7);
	const date = day.slice(8, 10);
	if (language === "de") {
		return `${date}.${month}.${year}`;
	}
	const name = months[Number(month) - 1] ?? month;
	return `${Number(date)}${NO_BREAK_SPACE}${name}${NO_BREAK_SPACE}${year}`;
}

/**
 * From one day to another, saying what both have in common once:
 * "01.11. – 20.11.2026", "1 – 20 November 2026".
 */
export function writeSpan(
	start: string,
	end: string,
	language: Language,
	months: readonly string[],
): string {
	const last = writeDate(end, language, months);
	let first = writeDate(start, language, months);
	if (start.slice(0, 4) === end.slice(0, 4)) {
		const isSameMonth = start.slice(5, 7) === end.slice(5, 7);
		const parts = first.split(language === "de" ? "." : NO_BREAK_SPACE);
		first =
			language === "de"
				? `${parts[0]}.${parts[1]}.`
				: isSameMonth
					? `${parts[0]}`
					: `${parts[0]}${NO_BREAK_SPACE}${parts[1]}`;
	}
	return `${first}${NO_BREAK_SPACE}${EN_DASH} ${last}`;
}

/** An IBAN in groups of four, as ISO 13616 has it on paper. */
export function writeIban(iban: string): string {
	let written = iban.slice(0, 4);
	for (let index = 4; index < iban.length; index += 4) {
		written += NO_BREAK_SPACE + iban.slice(index, index + 4);
	}
	return written;
}

/** The amount with its sign turned: what an allowance takes away. */
export function negated(amount: string): string {
	if (amount.startsWith("-")) {
		return amount.slice(1);
	}
	return isZero(amount) ? amount : `-${amount}`;
}

/** Whether decimal text is zero. */
export function isZero(amount: string): boolean {
	for (let index = 0; index < amount.length; index++) {
		const code = amount.charCodeAt(index);
		if (code >= 0x31 && code <= 0x39) {
			return false;
		}
	}
	return true;
}

/** The exact sum of decimal texts, as decimal text. */
export function sumOf(amounts: readonly string[]): string {
	let places = 0;
	for (const amount of amounts) {
		places = Math.max(places, placesOf(amount));
	}
	let sum = 0n;
	for (const amount of amounts) {
		const digits = amount.replace(".", "");
		sum += BigInt(
			digits.padEnd(digits.length + places - placesOf(amount), "0"),
		);
	}
	const isNegative = sum < 0n;
	const digits = String(isNegative ? -sum : sum).padStart(places + 1, "0");
	const whole = digits.slice(0, digits.length - places);
	const written =
		places === 0 ? whole : `${whole}.${digits.slice(digits.length - places)}`;
	return isNegative ? `-${written}` : written;
}

function placesOf(amount: string): number {
	const point = amount.indexOf(".");
	return point === -1 ? 0 : amount.length - point - 1;
}
