/** Cuts the time zone data to the years that the service may live through: all of them would be half the bundle. */
import moment from "moment-timezone/moment-timezone-utils.js";

/** Tests go back to the first year; a clock tells the present only. */
const FIRST_YEAR = 2000;

const LAST_YEAR = 2050;

const DATA = /[\\/]moment-timezone[\\/]data[\\/]packed[\\/]latest\.json$/;

/**
 * The data of the years, with zones that are alike in all of them as one.
 *
 * @param {{ version: string, zones: string[], links: string[] }} data as moment-timezone packs them
 * @returns {{ zones: string[], links: string[] }}
 */
export function cutTimeZones({ version, zones, links }) {
	const cut = moment.tz.filterLinkPack(
		{ version, zones: zones.map(moment.tz.unpack), links: [...links] },
		FIRST_YEAR,
		LAST_YEAR,
	);
	const targets = new Map(
		cut.links.map(
			(link) => /** @type {[string, string]} */ (link.split("|").reverse()),
		),
	);
	/** A zone that has become another's name still has names of its own. */
	const zoneOf = (/** @type {string} */ name) => {
		const target = targets.get(name);
		return target === undefined ? name : zoneOf(target);
	};
	return {
		zones: cut.zones,
		links: [...targets.keys()].map((name) => `${zoneOf(name)}|${name}`),
	};
}

/** For Rollup, before the plugin that reads JSON. */
export const cutTimeZoneData = {
	name: "cut-time-zone-data",
	transform(code, id) {
		return DATA.test(id)
			? { code: JSON.stringify(cutTimeZones(JSON.parse(code))), map: null }
			: null;
	},
};
