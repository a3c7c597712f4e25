/** The clock without Intl tells the same as Node's, in every time zone. */
import assert from "node:assert/strict";
import timeZones from "moment-timezone/data/packed/latest.json";
import { cutTimeZones } from "../../infra/wasm/time-zones.mjs";
import { calendarOf, createClock, offsetOf } from "../../src/wasmedge/clock.ts";

/** Both ends of what is compared. */
const FIRST = Date.UTC(2000, 0, 1);
const LAST = Date.UTC(2038, 0, 1);

/** No offset holds for a shorter time, so each is seen. */
const STEP_MS = 5 * 24 * 3_600_000;

const ZONES = timeZones.zones.map((line) => line.split("|")[0] as string);

/** Zones whose rules have changed after release 2025c, which ICU 78.2 of Node 20 has; and from when on. */
const CHANGED_SINCE: Readonly<Record<string, number>> = {
	"Africa/Casablanca": Date.UTC(2026, 8),
	"Africa/El_Aaiun": Date.UTC(2026, 8),
	"America/Edmonton": Date.UTC(2026, 10),
	"America/Havana": Date.UTC(2026, 10),
	"America/Inuvik": Date.UTC(2026, 10),
	"America/Vancouver": Date.UTC(2026, 10),
	"America/Winnipeg": Date.UTC(2026, 10),
	// The hour of its changes since 2022 was mended.
	"Europe/Chisinau": Date.UTC(2022, 2, 20),
};

/** A winter's day of which all releases tell the same. */
const EARLIER = Date.UTC(2021, 11, 24);

/** Milliseconds ahead of UTC, by Node. */
function nodeOffsetOf(timeZone: string): (instant: number) => number {
	const format = new Intl.DateTimeFormat("en", {
		timeZone,
		timeZoneName: "longOffset",
	});
	return (instant) => {
		const [, sign = "+", hours = "0", minutes = "0"] =
			/GMT(?:([+-])(\d+):(\d+))?$/.exec(format.format(instant)) ?? [];
		const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
		return sign === "-" ? -offset : offset;
	};
}

/** The last instant of one offset and the first of the next, where it changes in the stretch. */
function changeBetween(
	low: number,
	high: number,
	offsetAt: (instant: number) => number,
): number[] {
	const before = offsetAt(low);
	if (offsetAt(high) === before) {
		return [];
	}
	let last = low;
	let first = high;
	while (first - last > 1) {
		const middle = Math.floor((last + first) / 2);
		if (offsetAt(middle) === before) {
			last = middle;
		} else {
			first = middle;
		}
	}
	return [last, first];
}

describe("the clock without Intl", () => {
	it("has Node's offset at every change and between, in every zone from 2000 to 2037", () => {
		const differing: string[] = [];
		for (const zone of ZONES) {
			const ours = offsetOf(zone);
			const nodes = nodeOffsetOf(zone);
			const until = CHANGED_SINCE[zone] ?? LAST;
			for (let instant = FIRST; instant < until; instant += STEP_MS) {
				const instants = [
					instant,
					...changeBetween(instant, instant + STEP_MS, ours),
				];
				const wrong = instants.find((each) => ours(each) !== nodes(each));
				if (wrong !== undefined) {
					differing.push(`${zone} at ${new Date(wrong).toISOString()}`);
					break;
				}
			}
		}
		assert.deepEqual(differing, []);
	}).timeout(60_000);

	it("knows every name that Node knows, in any case", () => {
		const links = timeZones.links.map((line) => line.split("|")[1] as string);
		const names = [...Intl.supportedValuesOf("timeZone"), ...links, "UTC"];
		for (const name of names) {
			const expected = nodeOffsetOf(name)(EARLIER);
			assert.equal(offsetOf(name)(EARLIER), expected, name);
			assert.equal(offsetOf(name.toUpperCase())(EARLIER), expected, name);
		}
	});

	for (const [zone, instant, day] of [
		["Europe/Berlin", "2026-11-24T22:59:59.999Z", "2026-11-24"],
		["Europe/Berlin", "2026-11-24T23:00:00.000Z", "2026-11-25"],
		["Europe/Berlin", "2026-07-01T21:59:59.999Z", "2026-07-01"],
		["Europe/Berlin", "2026-07-01T22:00:00.000Z", "2026-07-02"],
		["Pacific/Kiritimati", "2026-12-31T10:00:00.000Z", "2027-01-01"],
		["Pacific/Apia", "2011-12-30T09:59:59.999Z", "2011-12-29"],
		["Pacific/Apia", "2011-12-30T10:00:00.000Z", "2011-12-31"],
		["Asia/Kathmandu", "2026-01-01T18:15:00.000Z", "2026-01-02"],
		["Etc/GMT+12", "2026-01-01T11:59:59.999Z", "2025-12-31"],
	] as const) {
		it(`has ${day} in ${zone} at ${instant}`, () => {
			assert.equal(calendarOf(zone)(Date.parse(instant)), day);
		});
	}

	it("tells the present day", () => {
		const { now, today } = createClock("UTC");
		const before = now().toISOString().slice(0, 10);
		const day = today();
		const after = now().toISOString().slice(0, 10);
		assert.ok(day === before || day === after);
	});

	for (const name of ["", "Berlin", "Europe/Berlin|", "Europe", "../etc"]) {
		it(`refuses ${JSON.stringify(name)} as Node does`, () => {
			assert.throws(() => createClock(name), RangeError);
			assert.throws(
				() => new Intl.DateTimeFormat("en", { timeZone: name }),
				RangeError,
			);
		});
	}

	it("loses nothing in the bundle, which has the data of few years", () => {
		const cut = cutTimeZones(timeZones);
		assert.ok(
			JSON.stringify(cut).length < JSON.stringify(timeZones).length / 5,
		);
		const names = (data: { zones: string[]; links: string[] }) =>
			[
				...data.zones.map((line) => line.split("|")[0]),
				...data.links.map((line) => line.split("|")[1]),
			].sort();
		assert.deepEqual(names(cut), names(timeZones));
		for (const name of names(cut)) {
			const [whole, part] = [timeZones, cut].map((data) =>
				offsetOf(name as string, data),
			);
			for (let instant = FIRST; instant < LAST; instant += 3 * STEP_MS) {
				assert.equal(part?.(instant), whole?.(instant), name);
			}
		}
	}).timeout(60_000);
});
