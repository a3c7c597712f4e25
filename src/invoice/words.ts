/** The words that the law wants to read on an invoice, in the languages of our documents. */
import type { VatCategory } from "./codes.ts";
import type { Language, SpecialScheme } from "./draft.ts";

type Words = Readonly<Record<Language, string>>;

/** Why a category has no tax, where the caller gave no reason (BT-120), with its VATEX code (BT-121). */
export const CATEGORY_EXEMPTIONS: Readonly<
	Partial<Record<VatCategory, { reason: Words; code: string }>>
> = {
	// § 14a (5) UStG; Art. 226 (11a) of Directive 2006/112/EC
	AE: {
		reason: {
			de: "Steuerschuldnerschaft des Leistungsempfängers",
			en: "Reverse charge",
		},
		code: "VATEX-EU-AE",
	},
	// § 4 no. 1 (b), § 6a UStG
	K: {
		reason: {
			de: "Steuerfreie innergemeinschaftliche Lieferung",
			en: "Exempt intra-Community supply",
		},
		code: "VATEX-EU-IC",
	},
	// § 4 no. 1 (a), § 6 UStG
	G: {
		reason: { de: "Steuerfreie Ausfuhrlieferung", en: "Exempt export" },
		code: "VATEX-EU-G",
	},
	O: {
		reason: { de: "Nicht steuerbar", en: "Not subject to VAT" },
		code: "VATEX-EU-O",
	},
};

/** The words of the special schemes: § 34a UStDV, § 14a (6) UStG; Art. 226 (13), (14) of Directive 2006/112/EC. */
export const SCHEME_EXEMPTIONS: Readonly<
	Record<SpecialScheme, { reason: Words; code?: string }>
> = {
	smallBusiness: {
		reason: {
			de: "Steuerbefreiung für Kleinunternehmer (§ 19 UStG)",
			en: "VAT exemption for small enterprises (§ 19 UStG)",
		},
	},
	usedGoods: {
		reason: {
			de: "Gebrauchtgegenstände/Sonderregelung",
			en: "Margin scheme – Second-hand goods",
		},
		code: "VATEX-EU-F",
	},
	worksOfArt: {
		reason: {
			de: "Kunstgegenstände/Sonderregelung",
			en: "Margin scheme – Works of art",
		},
		code: "VATEX-EU-I",
	},
	antiques: {
		reason: {
			de: "Sammlungsstücke und Antiquitäten/Sonderregelung",
			en: "Margin scheme – Collector’s items and antiques",
		},
		code: "VATEX-EU-J",
	},
	travelAgent: {
		reason: {
			de: "Sonderregelung für Reisebüros",
			en: "Margin scheme – Travel agents",
		},
		code: "VATEX-EU-D",
	},
};

/** Notes that we add ourselves, with the rule that demands them and their UNTDID 4451 subject code. */
export const LEGAL_NOTES = {
	// § 14 (4) no. 9, § 14b (1) sentence 5 UStG
	worksOnPrivateProperty: {
		rule: "§ 14b (1) UStG",
		subject: "REG",
		text: {
			de: "Sie sind gesetzlich verpflichtet, diese Rechnung zwei Jahre lang aufzubewahren. Die Frist beginnt mit dem Schluss des Kalenderjahres, in dem die Rechnung ausgestellt wurde.",
			en: "You are obliged by law to keep this invoice for two years, counted from the end of the calendar year in which it was issued.",
		},
	},
	// § 14 (4) no. 6a UStG, from 2028
	cashAccounting: {
		rule: "§ 14 (4) no. 6a UStG",
		subject: "TXD",
		text: {
			de: "Versteuerung nach vereinnahmten Entgelten",
			en: "Cash accounting",
		},
	},
	// § 14 (4) no. 10 UStG; Art. 226 (10a) of Directive 2006/112/EC
	selfBilling: {
		rule: "§ 14 (4) no. 10 UStG",
		subject: "REG",
		text: {
			de: "Gutschrift (Abrechnung durch den Leistungsempfänger)",
			en: "Self-billing",
		},
	},
} as const satisfies Record<
	string,
	{ rule: string; subject: string; text: Words }
>;

/** Payment terms where something is to be paid and the caller gave neither terms nor a due date (§ 271 (1) BGB; BR-CO-25). */
export const DEFAULT_PAYMENT_TERMS: Words = {
	de: "Zahlbar sofort ohne Abzug.",
	en: "Payable immediately without deduction.",
};
