/** The clock of the Node service: the day is the one of a time zone of the IANA database. */
import type { Clock } from "../http/services.ts";

/** Makes a clock whose `today` is the calendar day in `timeZone`. Throws a RangeError on a zone that is not known. */
export function createClock(timeZone: string): Clock {
	const format = new Intl.DateTimeFormat("en", {
		timeZone,
		calendar: "iso8601",
		numberingSystem: "latn",
		year: "numeric",
		month: "2-digit",
		day: "2-digit",
	});
	return {
		now: () => new Date(),
		today() {
			const parts = new Map(
				format
					.formatToParts(new Date())
					.map(({ type, value }) => [type, value]),
			);
			return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
		},
	};
}
