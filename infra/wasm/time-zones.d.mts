import type { Plugin } from "rollup";

export function cutTimeZones(data: {
	version: string;
	zones: string[];
	links: string[];
}): { zones: string[]; links: string[] };

export const cutTimeZoneData: Plugin;
