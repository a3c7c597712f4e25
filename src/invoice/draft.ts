/** The draft: what a caller sends, in EN 16931's business terms. */
import * as z from "zod";
import {
	COUNTRIES,
	CURRENCY_MINOR_UNITS,
	DOCUMENT_TYPES,
	PAYMENT_MEANS,
	UNITS,
	VAT_CATEGORIES,
	VAT_EXEMPTION_CODES,
} from "./codes.ts";
import { type DecimalText, decimalPattern } from "./decimal.ts";

/** Where descriptions are kept. To register a schema costs nothing; `meta` would make another one, and most of a start is schemas. */
const REGISTRY = z.globalRegistry;

/** Lines of one invoice: enough for a wholesaler's month. With very long texts the database's 16 MiB come first. */
export const LINES_MAX = 2000;
/** Allowances or charges of one line or one document. */
export const ALLOWANCES_MAX = 50;
export const NOTES_MAX = 20;
/** Decimal places of a unit price (BT-146); EN 16931 sets no bound. */
export const PRICE_FRACTION_DIGITS_MAX = 6;
export const QUANTITY_FRACTION_DIGITS_MAX = 6;
/** Decimal places of amounts: the most that any currency of ISO 4217 has. */
export const AMOUNT_FRACTION_DIGITS_MAX = 3;

/** Characters of a logo's data URI: about 36 kB of picture, stored with every invoice. */
export const LOGO_LENGTH_MAX = 49_152;

const SHORT_TEXT_LENGTH_MAX = 200;
const LONG_TEXT_LENGTH_MAX = 5000;

function decimalSchema(
	fractionDigits: number,
	sign: "signed" | "unsigned",
	description: string,
	example: string,
) {
	const most =
		fractionDigits === 0
			? "no decimal places"
			: `at most ${fractionDigits} decimal places`;
	const least = sign === "unsigned" ? " that is not negative" : "";
	const schema = z
		.string(
			'must be a decimal number in a string, such as "49.90": a JSON number may lose cents',
		)
		.check(
			z.regex(
				decimalPattern(fractionDigits, sign),
				`must be a decimal number${least} with ${most}, such as "${example}"`,
			),
		)
		.register(REGISTRY, { description, examples: [example] });
	// The pattern is that of decimal text.
	return schema as unknown as z.ZodType<DecimalText, string>;
}

function written(lengthMax: number) {
	return [
		z.minLength(1, "must not be empty; leave the field out instead"),
		z.maxLength(lengthMax, `must have at most ${lengthMax} characters`),
		z.regex(/^(?!\s*$)/, "must not be blank; leave the field out instead"),
	] as const;
}

/** Text on one line. */
function text(lengthMax: number, description: string) {
	return z
		.string("must be text")
		.check(...written(lengthMax), z.regex(/^[^\n]*$/, "must stand on one line"))
		.register(REGISTRY, { description });
}

function shortText(description: string) {
	return text(SHORT_TEXT_LENGTH_MAX, description);
}

/** Text that may run over several lines, parted by "\n". */
function longText(description: string) {
	return z
		.string("must be text")
		.check(...written(LONG_TEXT_LENGTH_MAX))
		.register(REGISTRY, { description });
}

function code(
	list: { has(code: string): boolean },
	expected: string,
	description: string,
	pattern: RegExp,
) {
	return z
		.string(`must be ${expected}`)
		.check(
			z.regex(pattern, `must be ${expected}`),
			z.refine((value: string) => list.has(value), `must be ${expected}`),
		)
		.register(REGISTRY, { description });
}

/** A calendar day, "2026-11-24" (ISO 8601, the Gregorian calendar). */
function date(description: string) {
	return z.iso
		.date('must be a calendar day as year-month-day, such as "2026-11-24"')
		.check(
			z.refine(
				(day: string) => day >= "1990-01-01" && day <= "2199-12-31",
				"must lie between 1990-01-01 and 2199-12-31",
			),
		)
		.register(REGISTRY, { description });
}

function choice<const Values extends readonly [string, ...string[]]>(
	values: Values,
	description: string,
) {
	return z
		.enum(values, `must be one of ${values.join(", ")}`)
		.register(REGISTRY, { description });
}

const amount = (description: string, example = "10.00") =>
	decimalSchema(
		AMOUNT_FRACTION_DIGITS_MAX,
		"signed",
		`${description} In the invoice's currency.`,
		example,
	);
const positiveAmount = (description: string, example = "10.00") =>
	decimalSchema(
		AMOUNT_FRACTION_DIGITS_MAX,
		"unsigned",
		`${description} In the invoice's currency, not negative.`,
		example,
	);
const percent = (description: string, example = "19") =>
	decimalSchema(4, "unsigned", `${description} In percent.`, example);

export const AddressSchema = z
	.strictObject({
		line1: shortText("Street and house number, or post box (BT-35, BT-50)."),
		line2: shortText("Further address line (BT-36, BT-51)."),
		line3: shortText("Further address line (BT-162, BT-163)."),
		postalCode: text(20, "Post code (BT-38, BT-53)."),
		city: shortText("City (BT-37, BT-52)."),
		region: shortText("Country subdivision (BT-39, BT-54)."),
		country: code(
			COUNTRIES,
			'a country code of ISO 3166-1, such as "DE"',
			"Country, ISO 3166-1 alpha-2 (BT-40, BT-55).",
			/^[A-Z]{2}$/,
		),
	})
	.partial()
	.register(REGISTRY, { id: "Address" });

const ContactSchema = z
	.strictObject({
		name: shortText("Contact point (BT-41, BT-56)."),
		phone: text(50, "Telephone number (BT-42, BT-57)."),
		email: text(254, "E-mail address (BT-43, BT-58)."),
	})
	.partial()
	.register(REGISTRY, { id: "Contact" });

const vatIdentifier = (description: string) =>
	z
		.string("must be text")
		.regex(
			/^[A-Z]{2}[A-Z0-9+*]{2,13}$/,
			'must be a VAT identification number with its country prefix and no spaces, such as "DE136695976"',
		)
		.register(REGISTRY, { description, examples: ["DE136695976"] });

export const SellerSchema = z
	.strictObject({
		name: shortText("Full name of the supplier (BT-27)."),
		tradingName: shortText("Name by which the supplier is known (BT-28)."),
		id: text(100, "Identifier of the supplier (BT-29)."),
		legalIdentifier: text(100, "Legal registration identifier (BT-30)."),
		registration: shortText(
			"Register court and number as they stand on business letters (BT-33).",
		),
		management: shortText(
			"Managing directors as they stand on business letters (§ 35a GmbHG).",
		),
		vatIdentifier: vatIdentifier("VAT identification number (BT-31)."),
		taxNumber: text(50, "Tax number of the tax office, or EX number (BT-32)."),
		address: AddressSchema,
		contact: ContactSchema,
		website: shortText("Web address printed in the footer."),
		logo: z
			.string("must be a data URI")
			.max(
				LOGO_LENGTH_MAX,
				`must have at most ${LOGO_LENGTH_MAX} characters; use a smaller picture`,
			)
			.regex(
				/^data:image\/(png|jpeg);base64,[A-Za-z0-9+/]+={0,2}$/,
				'must be a PNG or JPEG as a data URI: "data:image/png;base64,…"',
			)
			.register(REGISTRY, {
				description:
					"Logo printed at the top: a small PNG or JPEG as a data URI. It becomes part of the invoice, so that the document looks the same for ever.",
			}),
	})
	.partial()
	.register(REGISTRY, { id: "Seller" });

export const BuyerSchema = z
	.strictObject({
		name: shortText("Full name of the customer (BT-44)."),
		tradingName: shortText("Name by which the customer is known (BT-45)."),
		id: text(100, "Customer number (BT-46)."),
		legalIdentifier: text(100, "Legal registration identifier (BT-47)."),
		vatIdentifier: vatIdentifier("VAT identification number (BT-48)."),
		address: AddressSchema,
		contact: ContactSchema,
	})
	.partial()
	.register(REGISTRY, { id: "Buyer" });

const PeriodSchema = z
	.strictObject({
		start: date("First day (BT-73, BT-134)."),
		end: date("Last day (BT-74, BT-135)."),
	})
	.partial()
	.register(REGISTRY, { id: "Period" });

export const VatSchema = z
	.strictObject({
		category: choice(
			VAT_CATEGORIES,
			"VAT category (BT-151): S standard and reduced, Z zero, E exempt, AE reverse charge, K intra-community supply, G export, O outside the scope.",
		),
		rate: percent("VAT rate (BT-152); left out for category O."),
		exemptionReason: text(
			500,
			"Why no VAT is due, in the invoice's language (BT-120). Has a default for AE, K, G, O and the special schemes.",
		),
		exemptionCode: code(
			VAT_EXEMPTION_CODES,
			'a VATEX code of EN 16931, such as "VATEX-EU-132-1B"',
			"VATEX code (BT-121).",
			/^VATEX-[A-Z0-9-]+$/,
		),
	})
	.partial({ rate: true, exemptionReason: true, exemptionCode: true })
	.register(REGISTRY, { id: "Vat" });

function allowanceFields(kind: "allowance" | "charge") {
	return {
		amount: positiveAmount(`The ${kind} (BT-136, BT-141, BT-92, BT-99).`),
		base: positiveAmount(
			`What the percentage refers to (BT-137, BT-142, BT-93, BT-100).`,
			"100.00",
		),
		percent: percent(
			`The ${kind} as a percentage of base (BT-138, BT-143, BT-94, BT-101).`,
			"5",
		),
		reason: shortText(`Reason (BT-139, BT-144, BT-97, BT-104).`),
	};
}

const LineAllowanceSchema = z
	.strictObject(allowanceFields("allowance"))
	.partial()
	.register(REGISTRY, { id: "LineAllowance" });
const LineChargeSchema = z
	.strictObject(allowanceFields("charge"))
	.partial()
	.register(REGISTRY, { id: "LineCharge" });
const DocumentAllowanceSchema = z
	.strictObject({
		...allowanceFields("allowance"),
		vat: VatSchema,
	})
	.partial()
	.register(REGISTRY, { id: "DocumentAllowance" });
const DocumentChargeSchema = z
	.strictObject({
		...allowanceFields("charge"),
		vat: VatSchema,
	})
	.partial()
	.register(REGISTRY, { id: "DocumentCharge" });

function list<Item extends z.ZodType>(item: Item, most: number, what: string) {
	return z
		.array(item, "must be a list")
		.max(most, `must have at most ${most} ${what}`);
}

export const LineSchema = z
	.strictObject({
		id: text(
			50,
			"Line identifier (BT-126). Counted from 1 where it is left out.",
		),
		name: shortText(
			"Customary name of the goods, or kind of the service (BT-153).",
		),
		description: longText("Description (BT-154)."),
		sellerId: text(100, "The seller's article number (BT-155)."),
		quantity: decimalSchema(
			QUANTITY_FRACTION_DIGITS_MAX,
			"signed",
			"Invoiced quantity (BT-129), in `unit`. Negative for what is taken back.",
			"3",
		),
		unit: code(
			UNITS,
			`a unit code of UN/ECE Recommendation 20 that we can name: ${[...UNITS.keys()].join(", ")}`,
			"Unit of measure, UN/ECE Recommendation 20 or 21 (BT-130).",
			/^[A-Z0-9]{2,3}$/,
		),
		price: decimalSchema(
			PRICE_FRACTION_DIGITS_MAX,
			"unsigned",
			"Price of one `unit` in the invoice's currency (BT-146): without VAT, or with VAT where `pricesIncludeVat` is true. Never negative (BR-27).",
			"49.90",
		),
		vat: VatSchema,
		allowances: list(
			LineAllowanceSchema,
			ALLOWANCES_MAX,
			"allowances",
		).register(REGISTRY, {
			description: "Reductions of this line (BG-27).",
		}),
		charges: list(LineChargeSchema, ALLOWANCES_MAX, "charges").register(
			REGISTRY,
			{
				description: "Charges on this line (BG-28).",
			},
		),
		period: PeriodSchema.meta({
			description: "When this line was supplied (BG-26).",
		}),
		netAmount: amount(
			"Line net amount (BT-131). Computed by us; where sent, it must agree.",
			"142.20",
		),
	})
	.partial()
	.register(REGISTRY, { id: "Line" });

const CreditTransferSchema = z
	.strictObject({
		iban: z
			.string("must be text")
			.regex(
				/^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$/,
				'must be an IBAN without spaces, such as "DE89370400440532013000"',
			)
			.register(REGISTRY, { description: "Account (BT-84)." }),
		bic: z
			.string("must be text")
			.regex(
				/^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$/,
				'must be a BIC, such as "COBADEFFXXX"',
			)
			.register(REGISTRY, { description: "The account's bank (BT-86)." }),
		accountName: text(70, "Account holder (BT-85)."),
	})
	.partial()
	.register(REGISTRY, { id: "CreditTransfer" });

const PaymentSchema = z
	.strictObject({
		means: choice(
			PAYMENT_MEANS,
			"Payment means (BT-81), UNTDID 4461. 58 (SEPA credit transfer) where an IBAN is given.",
		),
		reference: text(
			140,
			"What the payer shall quote (BT-83). The invoice number where it is left out.",
		),
		dueDate: date("Due date (BT-9)."),
		terms: longText("Payment terms, discounts agreed in advance (BT-20)."),
		creditTransfer: CreditTransferSchema,
	})
	.partial()
	.register(REGISTRY, { id: "Payment" });

const NoteSchema = z
	.strictObject({
		subject: z
			.string("must be text")
			.regex(/^[A-Z]{3}$/, 'must be a code of UNTDID 4451, such as "AAI"')
			.optional()
			.register(REGISTRY, {
				description: "Subject code, UNTDID 4451 (BT-21).",
			}),
		text: longText("The note (BT-22)."),
	})
	.register(REGISTRY, { id: "Note" });

export const PrecedingInvoiceSchema = z
	.strictObject({
		number: text(100, "Number of the preceding invoice (BT-25)."),
		date: date("Its issue date (BT-26)."),
	})
	.register(REGISTRY, { id: "PrecedingInvoice" });

export const TotalsSchema = z
	.strictObject({
		lineTotal: amount("Sum of line net amounts (BT-106).", "147.20"),
		allowanceTotal: positiveAmount("Sum of document allowances (BT-107)."),
		chargeTotal: positiveAmount("Sum of document charges (BT-108)."),
		taxExclusive: amount("Total without VAT (BT-109).", "147.20"),
		taxAmount: amount("Total VAT (BT-110).", "27.97"),
		taxInclusive: amount("Total with VAT (BT-112).", "175.17"),
		prepaid: amount("Already paid (BT-113). Taken from the draft.", "0.00"),
		rounding: amount(
			"Added to round the amount to pay (BT-114). Taken from the draft.",
			"0.00",
		),
		payable: amount("Amount due for payment (BT-115).", "175.17"),
	})
	.partial()
	.register(REGISTRY, { id: "DraftTotals" });

/** Special schemes that exempt all of an invoice and demand words of their own. */
export const SPECIAL_SCHEMES = [
	"smallBusiness",
	"usedGoods",
	"worksOfArt",
	"antiques",
	"travelAgent",
] as const;

/** The letters, digits and separators of a series: what DATEV and every file system take too. */
export const SERIES_PATTERN = /^[A-Z0-9](?:[A-Z0-9-]{0,22}[A-Z0-9])?$/;

export const LANGUAGES = ["de", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

export const TEMPLATE_NAME_PATTERN = /^[a-z][a-z0-9-]{0,39}$/;

/**
 * The shape of a draft. What the law demands is left to the rule table
 * (law.ts), so that a missing field is reported with its paragraph; a shape
 * fault (a wrong type, an unknown field, a broken code) is reported by this.
 */
export const DraftSchema = z
	.strictObject({
		loginName: z
			.string("must be the customer's login name")
			.regex(
				/^[^\s\p{Cc}](?:[^\p{Cc}]{0,98}[^\s\p{Cc}])?$/u,
				"must have 1 to 100 characters, none of them a control character, and no space at either end",
			)
			.register(REGISTRY, {
				description: "Whose invoice this is, in the calling services.",
				examples: ["anna.schmidt"],
			}),
		series: z
			.string("must be text")
			.regex(
				SERIES_PATTERN,
				'must be 1 to 24 capital letters, digits and hyphens, such as "RE-2026"',
			)
			.register(REGISTRY, {
				description:
					"Number range (BT-1 begins with it). The configured one where it is left out.",
				examples: ["RE-2026"],
			}),
		type: choice(
			DOCUMENT_TYPES,
			"Document type (BT-3): 380 invoice, 381 credit note, 384 corrected invoice, 389 self-billed invoice, 326 partial invoice, 386 prepayment invoice. 380 where it is left out.",
		),
		issueDate: date("Issue date (BT-2). Today where it is left out."),
		currency: code(
			CURRENCY_MINOR_UNITS,
			'a currency code of ISO 4217, such as "EUR"',
			"Currency, ISO 4217 (BT-5). EUR where it is left out.",
			/^[A-Z]{3}$/,
		),
		language: choice(
			LANGUAGES,
			"Language of the document: de or en. de where it is left out.",
		),
		template: z
			.strictObject({
				name: z
					.string("must be text")
					.regex(TEMPLATE_NAME_PATTERN, "must be the name of a template"),
				version: z
					.int("must be a whole number")
					.min(1, "must be at least 1")
					.max(9999, "must be at most 9999"),
			})
			.register(REGISTRY, {
				description:
					"The template that renders this document for ever. The configured one where it is left out.",
			}),
		buyerReference: text(100, "The buyer's reference, or Leitweg-ID (BT-10)."),
		orderReference: text(100, "The buyer's order number (BT-13)."),
		contractReference: text(100, "Contract number (BT-12)."),
		projectReference: text(100, "Project number (BT-11)."),
		precedingInvoices: list(
			PrecedingInvoiceSchema,
			100,
			"preceding invoices",
		).register(REGISTRY, {
			description: "Invoices that this one refers to (BG-3).",
		}),
		seller: SellerSchema.meta({
			description:
				"The supplier (BG-4). The configured seller where it is left out.",
		}),
		buyer: BuyerSchema.meta({ description: "The customer (BG-7)." }),
		delivery: z
			.strictObject({
				date: date("Date of supply (BT-72)."),
				period: PeriodSchema.meta({
					description: "Period of supply (BG-14).",
				}),
				name: shortText("Who received the goods (BT-70)."),
				address: AddressSchema.meta({
					description: "Where to the goods were delivered (BG-15).",
				}),
			})
			.partial()
			.register(REGISTRY, {
				id: "Delivery",
				description: "Time and place of supply (BG-13).",
			}),
		pricesIncludeVat: z.boolean("must be true or false").register(REGISTRY, {
			description:
				"True: prices, allowances and charges are with VAT, as consumers know them. The net amounts are computed so that the gross sum stays exact.",
		}),
		lines: list(LineSchema, LINES_MAX, "lines").register(REGISTRY, {
			description: "What was supplied (BG-25).",
		}),
		allowances: list(
			DocumentAllowanceSchema,
			ALLOWANCES_MAX,
			"allowances",
		).register(REGISTRY, {
			description: "Reductions of the whole document (BG-20).",
		}),
		charges: list(DocumentChargeSchema, ALLOWANCES_MAX, "charges").register(
			REGISTRY,
			{
				description: "Charges on the whole document (BG-21).",
			},
		),
		totals: TotalsSchema.meta({
			description:
				"`prepaid` and `rounding` are taken from here. Whatever else is sent must agree with what we compute, to the cent.",
		}),
		payment: PaymentSchema,
		notes: list(NoteSchema, NOTES_MAX, "notes").register(REGISTRY, {
			description: "Free text (BG-1).",
		}),
		specialScheme: choice(
			SPECIAL_SCHEMES,
			"A special scheme that exempts the whole invoice: smallBusiness (§ 19 UStG), usedGoods, worksOfArt, antiques (§ 25a UStG), travelAgent (§ 25 UStG). Every line is then of category E; the required words are added.",
		),
		smallAmount: z.boolean("must be true or false").register(REGISTRY, {
			description:
				"True: an invoice of at most 250 € gross with the relief of § 33 UStDV (no customer, tax number or date of supply needed).",
		}),
		worksOnPrivateProperty: z
			.boolean("must be true or false")
			.register(REGISTRY, {
				description:
					"True: work on real estate for a private customer; his duty to keep the invoice two years is printed (§ 14b (1) sentence 5 UStG).",
			}),
		cashAccounting: z.boolean("must be true or false").register(REGISTRY, {
			description:
				"True: the supplier accounts for VAT on receipts (§ 20 UStG); the words that § 14 (4) no. 6a UStG demands from 2028 on are printed.",
		}),
	})
	.partial()
	.register(REGISTRY, { id: "Draft" });

/** A draft whose shape has been checked; whether it is lawful is not yet known. */
export type Draft = z.infer<typeof DraftSchema>;
export type Address = z.infer<typeof AddressSchema>;
export type Seller = z.infer<typeof SellerSchema>;
export type Buyer = z.infer<typeof BuyerSchema>;
export type Vat = z.infer<typeof VatSchema>;
export type DraftLine = z.infer<typeof LineSchema>;
export type SpecialScheme = (typeof SPECIAL_SCHEMES)[number];

/** What a caller sends to cancel an invoice as a whole. */
export const CancellationSchema = z
	.strictObject({
		issueDate: DraftSchema.shape.issueDate,
		series: DraftSchema.shape.series,
		reason: longText(
			"Why it is cancelled; printed on the cancellation as a note.",
		),
	})
	.partial()
	.register(REGISTRY, { id: "Cancellation" });

/** One line of an invoice that is credited. */
const CorrectionLineSchema = z
	.strictObject({
		id: text(50, "The line of the original invoice (BT-126)."),
		quantity: decimalSchema(
			QUANTITY_FRACTION_DIGITS_MAX,
			"signed",
			"Quantity that is credited, with the sign of the original's. The original's where it is left out.",
			"1",
		).optional(),
		price: decimalSchema(
			PRICE_FRACTION_DIGITS_MAX,
			"unsigned",
			"Price of one unit that is credited, as the original's prices are meant. The original's where it is left out.",
			"49.90",
		).optional(),
	})
	.register(REGISTRY, { id: "CorrectionLine" });

/** What a caller sends to credit a part of an invoice. */
export const CorrectionSchema = z
	.strictObject({
		issueDate: DraftSchema.shape.issueDate,
		series: DraftSchema.shape.series,
		reason: longText("Why it is corrected; printed as a note."),
		lines: list(CorrectionLineSchema, LINES_MAX, "lines")
			.min(1, "must name at least one line")
			.register(REGISTRY, {
				description:
					"What is credited. A line without quantity and price is credited as a whole, its allowances and charges included.",
			}),
		allowances: DraftSchema.shape.allowances.meta({
			description:
				"Document allowances of the original that reduce what is credited.",
		}),
		charges: DraftSchema.shape.charges.meta({
			description: "Document charges of the original that are credited.",
		}),
	})
	.partial({ issueDate: true, series: true, allowances: true, charges: true })
	.register(REGISTRY, { id: "Correction" });

export type Cancellation = z.infer<typeof CancellationSchema>;
export type Correction = z.infer<typeof CorrectionSchema>;
