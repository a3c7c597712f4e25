/** The quick start: two example invoices for an empty store, and commands to try. */
import { CAR_SHARING_DRAFT, CRAFTSMAN_DRAFT } from "./http/examples.ts";
import { checkContext } from "./http/issue.ts";
import type { Services } from "./http/services.ts";
import { checkDraft } from "./invoice/check.ts";

/** The examples have a number range of their own, so that the first real invoice is number 1. */
const EXAMPLE_SERIES = "BEISPIEL";

/** Said at every start without a key. */
export const WITHOUT_KEY =
	"No key is configured: everyone on this machine may do everything, and nobody else is answered.";

/** A day before and one after every issue date. */
const EVER = { from: "1990-01-01", to: "2199-12-31" } as const;

/** Stores the examples where the store is empty. Returns the number of an invoice that is there. */
export async function loadExamples(services: Services): Promise<string> {
	const { store } = services;
	const {
		invoices: [first],
	} = await store.listByDate({ ...EVER, limit: 1 });
	if (first !== undefined) {
		return first.number;
	}
	const numbers: string[] = [];
	for (const draft of [CAR_SHARING_DRAFT, CRAFTSMAN_DRAFT]) {
		const result = checkDraft(
			{ ...draft, series: EXAMPLE_SERIES },
			checkContext(services),
		);
		if (!result.ok) {
			throw new Error(
				`An example is not accepted: ${JSON.stringify(result.violations)}`,
			);
		}
		const { outcome, ...rest } = await store.append({
			checked: result.checked,
		});
		if (!("invoice" in rest)) {
			throw new Error(`An example was not stored: ${outcome}.`);
		}
		numbers.push(rest.invoice.number);
	}
	return numbers[0] ?? "";
}

/** The shortest lawful draft: a small amount (§ 33 UStDV). No apostrophe, so that a shell takes it in quotes. */
const SMALL_DRAFT = {
	loginName: "anna.schmidt",
	smallAmount: true,
	seller: {
		name: "Stadtflitzer Carsharing GmbH",
		taxNumber: "111/5721/1234",
		address: {
			line1: "Lindenallee 12",
			postalCode: "45127",
			city: "Essen",
			country: "DE",
		},
	},
	pricesIncludeVat: true,
	lines: [
		{
			name: "Kleinwagen, 4 Stunden",
			quantity: "4",
			unit: "HUR",
			price: "7.90",
			vat: { category: "S", rate: "19" },
		},
	],
};

/** What the quick start prints: the address, and commands that work as they stand. */
export function quickStartText(
	url: string,
	number: string,
	needsToken: boolean,
): string {
	const token = needsToken ? ' -H "Authorization: Bearer $TOKEN"' : "";
	return [
		`Rechnungsverwaltung listens on ${url}`,
		...(needsToken ? [] : [WITHOUT_KEY]),
		"",
		"Create an invoice:",
		`curl${token} -H "Content-Type: application/json" -d '${JSON.stringify(SMALL_DRAFT)}' ${url}/invoices`,
		"Fetch one as JSON:",
		`curl${token} ${url}/invoices/${number}`,
		"Fetch it as PDF:",
		`curl${token} -o ${number}.pdf ${url}/invoices/${number}.pdf`,
		"",
	].join("\n");
}
