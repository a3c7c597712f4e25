/** The code lists that an invoice is written in: currencies, countries, units, document types, VAT categories. */

function words(text: string): string[] {
	return text.trim().split(/\s+/);
}

/**
 * ISO 4217 currency → minor units (the decimal places of an amount). Funds,
 * metals and test codes are left out.
 */
export const CURRENCY_MINOR_UNITS: ReadonlyMap<string, number> = new Map([
	...words(`
		BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF
	`).map((code) => [code, 0] as const),
	...words(`
		AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD
		BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN
		ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
		IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
		MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
		PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
		STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST
		XCD XCG YER ZAR ZMW ZWG
	`).map((code) => [code, 2] as const),
	...words(`
		BHD IQD JOD KWD LYD OMR TND
	`).map((code) => [code, 3] as const),
]);

/** ISO 3166-1 alpha-2, with XI (Northern Ireland) and XK (Kosovo) as EN 16931's BR-CL-14 list has them. */
export const COUNTRIES: ReadonlySet<string> = new Set(
	words(`
		AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ
		BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR
		CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
		GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU
		ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ
		LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
		MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
		PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
		SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR
		TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XI XK YE YT ZA ZM
		ZW
	`),
);

/** Member states of the European Union (Greece as GR); XI counts as one for goods only and is left to the tax adviser. */
export const EU_COUNTRIES: ReadonlySet<string> = new Set(
	words(`AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO
		SE SI SK`),
);

/**
 * Units of measure (UN/ECE Recommendation 20, and 21 with prefix X) with the
 * words that stand on a document. BR-CL-23 allows some 2,000 codes; these are
 * the ones we can name to a reader in every document language.
 */
export const UNITS: ReadonlyMap<string, { de: string; en: string }> = new Map([
	["C62", { de: "Stk.", en: "pcs" }],
	["H87", { de: "Stk.", en: "pcs" }],
	["EA", { de: "Stk.", en: "each" }],
	["NAR", { de: "Stk.", en: "articles" }],
	["SET", { de: "Satz", en: "set" }],
	["PR", { de: "Paar", en: "pairs" }],
	["DZN", { de: "Dtzd.", en: "dozen" }],
	["SEC", { de: "s", en: "s" }],
	["MIN", { de: "Min.", en: "min" }],
	["HUR", { de: "Std.", en: "h" }],
	["DAY", { de: "Tage", en: "days" }],
	["WEE", { de: "Wochen", en: "weeks" }],
	["MON", { de: "Monate", en: "months" }],
	["QAN", { de: "Quartale", en: "quarters" }],
	["ANN", { de: "Jahre", en: "years" }],
	["MGM", { de: "mg", en: "mg" }],
	["GRM", { de: "g", en: "g" }],
	["KGM", { de: "kg", en: "kg" }],
	["TNE", { de: "t", en: "t" }],
	["MLT", { de: "ml", en: "ml" }],
	["LTR", { de: "l", en: "l" }],
	["HLT", { de: "hl", en: "hl" }],
	["MMT", { de: "mm", en: "mm" }],
	["CMT", { de: "cm", en: "cm" }],
	["MTR", { de: "m", en: "m" }],
	["KMT", { de: "km", en: "km" }],
	["KTM", { de: "km", en: "km" }],
	["CMK", { de: "cm²", en: "cm²" }],
	["MTK", { de: "m²", en: "m²" }],
	["HAR", { de: "ha", en: "ha" }],
	["MTQ", { de: "m³", en: "m³" }],
	["KWH", { de: "kWh", en: "kWh" }],
	["MWH", { de: "MWh", en: "MWh" }],
	["LS", { de: "pauschal", en: "flat" }],
	["P1", { de: "%", en: "%" }],
	["E48", { de: "Leistung", en: "services" }],
	["E49", { de: "Arb.-Tage", en: "working days" }],
	["XPK", { de: "Pack.", en: "packages" }],
	["XPP", { de: "Stk.", en: "pieces" }],
	["XBX", { de: "Kisten", en: "boxes" }],
	["XCT", { de: "Kart.", en: "cartons" }],
	["XPX", { de: "Pal.", en: "pallets" }],
	["XBO", { de: "Fl.", en: "bottles" }],
	["XRO", { de: "Rollen", en: "rolls" }],
	["XSA", { de: "Säcke", en: "sacks" }],
	["XBG", { de: "Beutel", en: "bags" }],
	["XCR", { de: "Kästen", en: "crates" }],
]);

/** BT-3, UNTDID 1001: the document types that this service issues. */
export const DOCUMENT_TYPES = [
	"380",
	"381",
	"384",
	"389",
	"326",
	"386",
] as const;

/** BT-151, UNCL 5305: standard, zero, exempt, reverse charge, intra-community, export, outside scope. */
export const VAT_CATEGORIES = ["S", "Z", "E", "AE", "K", "G", "O"] as const;

export type VatCategory = (typeof VAT_CATEGORIES)[number];
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

/** BT-121: the VAT exemption reason codes of EN 16931's BR-CL-22 list. */
export const VAT_EXEMPTION_CODES: ReadonlySet<string> = new Set(
	words(`79-C 132 132-1A 132-1B 132-1C 132-1D 132-1E 132-1F 132-1G 132-1H 132-1I
		132-1J 132-1K 132-1L 132-1M 132-1N 132-1O 132-1P 132-1Q 135-1 143 143-1A
		143-1B 143-1C 143-1D 143-1E 143-1F 143-1FA 143-1G 143-1H 143-1I 143-1J
		143-1K 143-1L 144 146-1E 148 148-A 148-B 148-C 148-D 148-E 148-F 148-G
		151 151-1A 151-1AA 151-1B 151-1C 151-1D 151-1E 153 159 309 AE D F G I IC J
		O`).map((code) => `VATEX-EU-${code}`),
);

/** BT-81, UNTDID 4461: the payment means that we can name on a document. */
export const PAYMENT_MEANS = [
	"1",
	"10",
	"30",
	"42",
	"48",
	"54",
	"55",
	"57",
	"58",
	"59",
	"68",
	"97",
	"ZZZ",
] as const;
