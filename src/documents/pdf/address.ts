/** Addresses as the post wants them written. */
import type { Address } from "../../invoice/draft.ts";

/** Countries that write the post code after the city. */
const POST_CODE_LAST = new Set(
	"AU BR CA GB GG IE IM IN JE NZ SG US ZA".split(" "),
);

/**
 * The lines of an address, without the name. The country, in capitals, closes
 * it where it is not `homeCountry` (Universal Postal Union, S42).
 */
export function addressLines(
	address: Address,
	homeCountry: string | undefined,
	countries: Readonly<Record<string, string>>,
): string[] {
	const { country, city, region, postalCode } = address;
	const place =
		country !== undefined && POST_CODE_LAST.has(country)
			? [[city, region].filter(isGiven).join(", "), postalCode]
			: [postalCode, city];
	const lines = [
		address.line1,
		address.line2,
		address.line3,
		place.filter(isGiven).join(" "),
	];
	if (country !== undefined && !POST_CODE_LAST.has(country)) {
		lines.push(region);
	}
	if (country !== undefined && country !== homeCountry) {
		lines.push((countries[country] ?? country).toUpperCase());
	}
	return lines.filter(isGiven);
}

function isGiven(text: string | undefined): text is string {
	return text !== undefined && text !== "";
}
