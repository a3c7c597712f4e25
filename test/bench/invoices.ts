/** The invoices that are measured: realistic, all different, with as many lines as asked for. */
import { checkDraft } from "../../src/invoice/check.ts";
import { freeze } from "../../src/invoice/freeze.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { CONTEXT, goldenDrafts } from "../golden.ts";

const VEHICLES = [
	"VW ID.3",
	"Renault Zoe",
	"Fiat 500e",
	"Opel Corsa",
	"Ford Transit",
	"Cupra Born",
	"Mini Cooper SE",
];
const NAMES = [
	"Anna Schmidt",
	"Jörg Nowak",
	"Mehmet Yılmaz",
	"Zoë Brückner",
	"François Le Goff",
	"Łukasz Wójcik",
	"Sören Ångström",
];
const STREETS = [
	"Am Markt",
	"Große Straße",
	"Lindenallee",
	"Zum Alten Forsthaus",
	"Prinz-Georg-Straße",
];

/** A draft with `lines` lines; every `seed` gives another one. */
export function benchDraft(
	lines: number,
	seed: number,
): Record<string, unknown> {
	const golden = goldenDrafts().find(({ name }) => name === "car-sharing-380");
	const pick = <Item>(items: readonly Item[], index: number) =>
		items[index % items.length];
	return {
		...golden?.draft,
		notes: [],
		loginName: `customer-${seed % 500}`,
		buyer: {
			name: pick(NAMES, seed),
			id: `K-${10_000 + seed}`,
			address: {
				line1: `${pick(STREETS, seed)} ${1 + (seed % 190)}`,
				postalCode: String(10_000 + ((seed * 37) % 89_999)),
				city: pick(["Bochum", "Köln", "München", "Görlitz"], seed),
				country: "DE",
			},
		},
		lines: Array.from({ length: lines }, (_, index) => ({
			name: `Kleinwagen, Buchung ${4711 + seed * 31 + index}`,
			...(index % 4 === 0
				? {
						description: `${pick(VEHICLES, seed + index)}, E-RV ${100 + ((seed * 7 + index) % 900)}E, Station ${pick(STREETS, seed * 3 + index)}`,
					}
				: {}),
			quantity: String(1 + ((seed + index) % 9)),
			unit: "HUR",
			price: `${4 + ((seed + index) % 20)}.${String((seed * 13 + index * 7) % 100).padStart(2, "0")}`,
			vat: { category: "S", rate: index % 5 === 4 ? "7" : "19" },
		})),
	};
}

/** The frozen form of `benchDraft`. */
export function benchSnapshot(lines: number, seed: number): Snapshot {
	const result = checkDraft(benchDraft(lines, seed), CONTEXT);
	if (!result.ok) {
		throw new Error(JSON.stringify(result.violations));
	}
	return freeze(result.checked, {
		sequence: seed + 1,
		issuedAt: "2026-11-24T09:00:00.000Z",
	});
}
