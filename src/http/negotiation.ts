/** Content negotiation and conditional requests, after RFC 9110. */

/** The media types that a request accepts of those there are, the best first; ties go by the given order. */
export function acceptable<MediaType extends string>(
	accept: string | null,
	available: readonly MediaType[],
): MediaType[] {
	if (accept === null || accept.trim() === "") {
		return [...available];
	}
	const ranges = accept.split(",").map(parseRange);
	return available
		.map((type) => ({ type, quality: qualityOf(type, ranges) }))
		.filter(({ quality }) => quality > 0)
		.sort((a, b) => b.quality - a.quality)
		.map(({ type }) => type);
}

interface MediaRange {
	type: string;
	quality: number;
}

function parseRange(text: string): MediaRange {
	const [type = "", ...parameters] = text.split(";");
	const weight = parameters
		.map((parameter) => /^\s*q=([01](?:\.[0-9]{0,3})?)\s*$/i.exec(parameter))
		.find((match) => match !== null);
	return {
		type: type.trim().toLowerCase(),
		quality: Math.min(1, Number(weight?.[1] ?? 1)),
	};
}

/** The most specific range that covers the type decides (RFC 9110, 12.5.1). */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
	const covering = [type, `${type.split("/")[0]}/*`, "*/*"];
	for (const range of covering) {
		const found = ranges.find((each) => each.type === range);
		if (found !== undefined) {
			return found.quality;
		}
	}
	return 0;
}

const ENTITY_TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether a list of If-None-Match names the entity tag (weak comparison) or is "*". */
export function matchesWeakly(list: string, entityTag: string): boolean {
	return (
		list.trim() === "*" ||
		[...list.matchAll(ENTITY_TAG)].some(([, opaque]) => opaque === entityTag)
	);
}

/** Whether a list of If-Match names the entity tag (strong comparison) or is "*". */
export function matchesStrongly(list: string, entityTag: string): boolean {
	return (
		list.trim() === "*" ||
		[...list.matchAll(ENTITY_TAG)].some(([whole]) => whole === entityTag)
	);
}
