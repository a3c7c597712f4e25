/** The clock inside WasmEdge, which has no Intl: the day is that of a time zone of the IANA database, as moment-timezone packs it. */
import { links, zones } from "moment-timezone/data/packed/latest.json";
import type { Clock } from "../http/services.ts";

const MS_PER_MINUTE = 60_000;

/** Zones and further names of them, as moment-timezone packs them. */
interface TimeZones {
	zones: readonly string[];
	links: readonly string[];
}

/** A stretch of time with one offset. */
interface Period {
	/** Milliseconds since 1970; the period ends before it. */
	until: number;
	/** Milliseconds that the local time is ahead of UTC. */
	offset: number;
}

/** Makes a clock whose `today` is the calendar day in `timeZone`. Throws a RangeError on a zone that is not known. */
export function createClock(timeZone: string): Clock {
	const dayAt = calendarOf(timeZone);
	return {
		now: () => new Date(),
		today: () => dayAt(Date.now()),
	};
}

/** Tells by how many milliseconds the zone is ahead of UTC at an instant in milliseconds since 1970, of 2000 and later. Throws as `createClock`. */
export function offsetOf(
	timeZone: string,
	data: TimeZones = { zones, links },
): (instant: number) => number {
	const periods = unpack(packedZone(timeZone, data));
	return (instant) => periodAt(periods, instant).offset;
}

/** Tells the calendar day, "2026-11-24", at such an instant. Throws as `createClock`. */
export function calendarOf(timeZone: string): (instant: number) => string {
	const offsetAt = offsetOf(timeZone);
	return (instant) =>
		new Date(instant + offsetAt(instant)).toISOString().slice(0, 10);
}

function periodAt(periods: readonly Period[], instant: number): Period {
	let low = 0;
	let high = periods.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (instant < (periods[middle] as Period).until) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return periods[low] as Period;
}

/** The line of the zone, or of the one that its name stands for; names know no case. */
function packedZone(name: string, { zones, links }: TimeZones): string {
	const wanted = name.toLowerCase();
	const link = links.find((each) => lastName(each) === wanted);
	const target = link === undefined ? wanted : firstName(link);
	const zone = zones.find((each) => firstName(each) === target);
	if (zone === undefined) {
		throw new RangeError(
			`There is no time zone "${name}" in the IANA database; write one as "Europe/Berlin".`,
		);
	}
	return zone;
}

/** Of a zone "Europe/Berlin|LMT CET …", or of a link "Europe/Berlin|Europe/Oslo": the zone. */
function firstName(line: string): string {
	return line.slice(0, line.indexOf("|")).toLowerCase();
}

function lastName(link: string): string {
	return link.slice(link.indexOf("|") + 1).toLowerCase();
}

/**
 * Unpacks "name|abbreviations|offsets|indices|ends|population": offsets in minutes
 * west of Greenwich, a digit for each period that chooses one, and the ends in
 * minutes since 1970, then since the end before. Numbers are in base 60.
 */
function unpack(zone: string): Period[] {
	const [, , offsets = "", indices = "", ends = ""] = zone.split("|");
	const minutesWest = offsets.split(" ").map(base60);
	const differences = ends === "" ? [] : ends.split(" ");
	let until = 0;
	return Array.from(indices, (index, at) => {
		const difference = differences[at];
		until = difference === undefined ? Infinity : until + base60(difference);
		return {
			until: Math.round(until * MS_PER_MINUTE),
			offset:
				0 - Math.round((minutesWest[base60(index)] as number) * MS_PER_MINUTE),
		};
	});
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX";

/** "-10" → -60; digits behind a point are sixtieths. */
function base60(text: string): number {
	const isNegative = text.startsWith("-");
	const [whole = "", fraction = ""] = text.slice(isNegative ? 1 : 0).split(".");
	let value = 0;
	for (const digit of whole) {
		value = value * 60 + DIGITS.indexOf(digit);
	}
	let weight = 1;
	for (const digit of fraction) {
		weight /= 60;
		value += DIGITS.indexOf(digit) * weight;
	}
	return isNegative ? -value : value;
}
