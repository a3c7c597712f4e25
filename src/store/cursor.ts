/** Cursors: where a page ended, as a text that callers hand back without reading it. */
import { SERIES_PATTERN } from "../invoice/draft.ts";
import { parseNumber } from "../invoice/number.ts";
import { InvalidCursor } from "./store.ts";

/** Place in a customer's list. */
export interface CustomerPlace {
	issuedAt: string;
	number: string;
}

/** Place in the list by date. */
export interface DatePlace {
	issueDate: string;
	series: string;
	sequence: number;
}

/** Longer than any cursor of ours; what is longer is not looked at. */
const CURSOR_LENGTH_MAX = 200;
const INSTANT =
	/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

export function customerCursor({ issuedAt, number }: CustomerPlace): string {
	return encode(["customer", issuedAt, number]);
}

export function dateCursor({ issueDate, series, sequence }: DatePlace): string {
	return encode(["date", issueDate, series, sequence]);
}

/** Throws InvalidCursor. */
export function readCustomerCursor(cursor: string): CustomerPlace {
	const [kind, issuedAt, number, ...rest] = decode(cursor);
	if (
		kind !== "customer" ||
		typeof issuedAt !== "string" ||
		!INSTANT.test(issuedAt) ||
		typeof number !== "string" ||
		parseNumber(number) === undefined ||
		rest.length > 0
	) {
		throw invalid();
	}
	return { issuedAt, number };
}

/** Throws InvalidCursor. */
export function readDateCursor(cursor: string): DatePlace {
	const [kind, issueDate, series, sequence, ...rest] = decode(cursor);
	if (
		kind !== "date" ||
		typeof issueDate !== "string" ||
		!DAY.test(issueDate) ||
		typeof series !== "string" ||
		!SERIES_PATTERN.test(series) ||
		typeof sequence !== "number" ||
		!Number.isSafeInteger(sequence) ||
		sequence < 1 ||
		rest.length > 0
	) {
		throw invalid();
	}
	return { issueDate, series, sequence };
}

// All that a cursor holds is ASCII, so btoa and atob, which work on Latin-1, will do.
function encode(place: readonly (string | number)[]): string {
	return btoa(JSON.stringify(place))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replace(/=+$/, "");
}

function decode(cursor: string): unknown[] {
	if (cursor.length > CURSOR_LENGTH_MAX || !/^[A-Za-z0-9_-]+$/.test(cursor)) {
		throw invalid();
	}
	try {
		const place: unknown = JSON.parse(
			atob(cursor.replaceAll("-", "+").replaceAll("_", "/")),
		);
		if (Array.isArray(place)) {
			return place;
		}
	} catch (error) {
		throw invalid(error);
	}
	throw invalid();
}

function invalid(cause?: unknown): InvalidCursor {
	return new InvalidCursor(
		"This is no cursor of this list; take the one of the page before, unchanged, or start without one.",
		{ cause },
	);
}
