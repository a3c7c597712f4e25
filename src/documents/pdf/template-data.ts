/** What a template reads besides the snapshot: texts of its language, and what follows from the snapshot. */
import type { Buyer, Language, Seller } from "../../invoice/draft.ts";
import type { Snapshot } from "../../invoice/snapshot.ts";
import { isZero, sumOf } from "./format.ts";
import { giroCode } from "./giro-code.ts";

/** The texts of a template in one language. */
export interface TemplateTexts {
	/** January first. */
	readonly months: readonly string[];
	/** By ISO 3166-1 code. */
	readonly countries: Readonly<Record<string, string>>;
	/** Units in words for one and for several, by code; those left out are named by the code list. */
	readonly units: Readonly<Record<string, readonly string[]>>;
	/** "ab {date}". */
	readonly from: string;
	/** "bis {date}". */
	readonly until: string;
	/** "{percent} Skonto bei Zahlung innerhalb von {days} Tagen". */
	readonly discount: string;
	/** The same for a part of the amount: with "{amount}". */
	readonly discountOnPart: string;
	readonly [name: string]: unknown;
}

export type TextsByLanguage = Readonly<Record<Language, TemplateTexts>>;

/** Names with an at sign in front: {{@text.…}}, {{@issuer.name}}. */
export interface TemplateData {
	readonly text: TemplateTexts;
	/**
	 * What the document is: its type code, or "cancellation", or
	 * "self-billing-cancellation". The texts have titles and labels by it.
	 */
	readonly document: string;
	/** Who writes the document: the seller, or the buyer of a self-billed invoice. */
	readonly issuer: Seller | Buyer | undefined;
	/** Whom it is sent to. */
	readonly recipient: Seller | Buyer | undefined;
	/** The buyer writes it (389). */
	readonly selfBilled: boolean;
	/** The recipient owes money. */
	readonly due: boolean;
	/** Whether VAT is shown at all: special schemes and supplies outside the scope show none. */
	readonly vat: boolean;
	/** Whether lines differ in their rate or have one at all: whether a column for it says anything. */
	readonly rates: boolean;
	/** What the GiroCode says. */
	readonly giroCode: string | undefined;
	/** Where prices include VAT, the sum of the lines with VAT. */
	readonly lineTotalIncludingVat: string | undefined;
}

/** Works out what follows from a snapshot. */
export function templateData(
	invoice: Snapshot,
	text: TemplateTexts,
): TemplateData {
	const { type, seller, buyer, lines } = invoice;
	const { payable } = invoice.totals;
	const selfBilled = type === "389";
	return {
		text,
		document: documentKind(invoice),
		issuer: selfBilled ? buyer : seller,
		recipient: selfBilled ? seller : buyer,
		selfBilled,
		due:
			type !== "381" &&
			!selfBilled &&
			!payable.startsWith("-") &&
			!isZero(payable),
		vat:
			invoice.specialScheme === undefined &&
			!lines.every(({ vat }) => vat.category === "O"),
		rates: lines.some(
			({ vat: { category } }) => category === "S" || category === "Z",
		),
		giroCode: giroCode(invoice),
		lineTotalIncludingVat:
			invoice.pricesIncludeVat === true
				? sumOf(
						lines.map(
							({ amountIncludingVat, netAmount }) =>
								amountIncludingVat ?? netAmount,
						),
					)
				: undefined,
	};
}

function documentKind({ type, cancellation }: Snapshot): string {
	if (cancellation !== true) {
		return type;
	}
	return type === "389" ? "self-billing-cancellation" : "cancellation";
}
