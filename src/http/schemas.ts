/** The shapes of what is answered, for the documentation. Tests hold them against real answers. */
import * as z from "zod";
import { DOCUMENT_TYPES, VAT_CATEGORIES } from "../invoice/codes.ts";
import {
	BuyerSchema,
	DraftSchema,
	LANGUAGES,
	LineSchema,
	SellerSchema,
	SPECIAL_SCHEMES,
	VatSchema,
} from "../invoice/draft.ts";
import type { Snapshot } from "../invoice/snapshot.ts";

const amount = (description: string, example = "147.20") =>
	z.string().register(z.globalRegistry, { description, examples: [example] });

const SettledAllowance = z
	.strictObject({
		amount: amount("Without VAT (BT-92, BT-99, BT-136, BT-141).", "10.00"),
		base: amount("What the percentage refers to.", "100.00").optional(),
		percent: amount("In percent.", "5").optional(),
		reason: z.string().optional(),
		amountIncludingVat: amount(
			"What was sent where prices include VAT.",
			"11.90",
		).optional(),
	})
	.register(z.globalRegistry, { id: "SettledAllowance" });

const InvoiceVat = z
	.strictObject({
		category: z.enum(VAT_CATEGORIES),
		rate: amount("In percent; absent for category O.", "19").optional(),
	})
	.register(z.globalRegistry, { id: "InvoiceVat" });

const SettledDocumentAllowance = SettledAllowance.extend({
	vat: InvoiceVat,
}).register(z.globalRegistry, { id: "SettledDocumentAllowance" });

const draftLine = LineSchema.shape;

const InvoiceLine = z
	.strictObject({
		id: z.string().register(z.globalRegistry, { description: "BT-126." }),
		name: z.string().register(z.globalRegistry, { description: "BT-153." }),
		description: draftLine.description,
		sellerId: draftLine.sellerId,
		quantity: amount("BT-129.", "3"),
		unit: z.string().register(z.globalRegistry, { description: "BT-130." }),
		price: amount("Price of one unit without VAT (BT-146).", "49.90"),
		netAmount: amount("BT-131.", "139.70"),
		vat: InvoiceVat,
		allowances: z.array(SettledAllowance).optional(),
		charges: z.array(SettledAllowance).optional(),
		period: draftLine.period,
		priceIncludingVat: amount(
			"What was sent where prices include VAT.",
			"59.38",
		).optional(),
		amountIncludingVat: amount(
			"The line with VAT where prices include it.",
			"166.24",
		).optional(),
	})
	.register(z.globalRegistry, { id: "InvoiceLine" });

const VatGroup = z
	.strictObject({
		category: z.enum(VAT_CATEGORIES),
		rate: amount("In percent; absent for category O.", "19").optional(),
		taxableAmount: amount("BT-116."),
		taxAmount: amount("BT-117.", "27.97"),
		exemptionReason: z
			.string()
			.optional()
			.register(z.globalRegistry, { description: "BT-120." }),
		exemptionCode: VatSchema.shape.exemptionCode,
	})
	.register(z.globalRegistry, { id: "VatGroup" });

const InvoiceTotals = z
	.strictObject({
		lineTotal: amount("BT-106."),
		allowanceTotal: amount("BT-107.", "0.00"),
		chargeTotal: amount("BT-108.", "0.00"),
		taxExclusive: amount("BT-109."),
		taxAmount: amount("BT-110.", "27.97"),
		taxInclusive: amount("BT-112.", "175.17"),
		prepaid: amount("BT-113.", "0.00"),
		rounding: amount("BT-114.", "0.00"),
		payable: amount("BT-115.", "175.17"),
	})
	.register(z.globalRegistry, { id: "InvoiceTotals" });

const draft = DraftSchema.shape;

const settledFields = {
	series: z
		.string()
		.register(z.globalRegistry, { description: "Number range." }),
	type: z
		.enum(DOCUMENT_TYPES)
		.register(z.globalRegistry, { description: "BT-3." }),
	issueDate: z.iso.date().register(z.globalRegistry, { description: "BT-2." }),
	currency: z.string().register(z.globalRegistry, { description: "BT-5." }),
	language: z.enum(LANGUAGES),
	template: z.strictObject({ name: z.string(), version: z.int() }),
	lines: z.array(InvoiceLine),
	allowances: z.array(SettledDocumentAllowance).optional(),
	charges: z.array(SettledDocumentAllowance).optional(),
	vatBreakdown: z
		.array(VatGroup)
		.register(z.globalRegistry, { description: "BG-23." }),
	totals: InvoiceTotals,
};

/** An invoice as it is answered: the snapshot. */
export const InvoiceSchema = z
	.strictObject({
		number: z.string().register(z.globalRegistry, {
			description: "BT-1.",
			examples: ["RE-2026-000123"],
		}),
		sequence: z.int().min(1).register(z.globalRegistry, {
			description: "Place in the series, without gaps.",
		}),
		loginName: z.string(),
		issuedAt: z.iso.datetime().register(z.globalRegistry, {
			description: "When the number was given, UTC.",
		}),
		...settledFields,
		seller: SellerSchema,
		buyer: BuyerSchema.optional(),
		delivery: draft.delivery,
		buyerReference: draft.buyerReference,
		orderReference: draft.orderReference,
		contractReference: draft.contractReference,
		projectReference: draft.projectReference,
		precedingInvoices: draft.precedingInvoices,
		cancellation: z.literal(true).optional().register(z.globalRegistry, {
			description: "It cancels the preceding invoice as a whole.",
		}),
		pricesIncludeVat: z.literal(true).optional(),
		specialScheme: z.enum(SPECIAL_SCHEMES).optional(),
		smallAmount: z.literal(true).optional(),
		worksOnPrivateProperty: z.literal(true).optional(),
		cashAccounting: z.literal(true).optional(),
		payment: draft.payment,
		notes: z
			.array(
				z.strictObject({
					subject: z.string().optional(),
					text: z.string(),
					rule: z.string().optional().register(z.globalRegistry, {
						description: "The law that demands the note, where we added it.",
					}),
				}),
			)
			.optional(),
	})
	.register(z.globalRegistry, {
		id: "Invoice",
		description:
			"An invoice: what was sent, completed, computed and numbered. It never changes.",
	});

/** Fails to compile where the documentation lacks a field of the snapshot, or has one too many. */
type Undocumented =
	| Exclude<keyof Snapshot, keyof z.infer<typeof InvoiceSchema> | symbol>
	| Exclude<keyof z.infer<typeof InvoiceSchema>, keyof Snapshot>;
const undocumented: [Undocumented] extends [never] ? true : Undocumented = true;
void undocumented;

/** What the check answers: the part of the invoice that does not depend on its number. */
export const CheckedDraftSchema = z
	.strictObject(settledFields)
	.register(z.globalRegistry, { id: "CheckedDraft" });

export const InvoiceListSchema = z
	.strictObject({ invoices: z.array(InvoiceSchema) })
	.register(z.globalRegistry, { id: "InvoiceList" });

const ViolationSchema = z
	.strictObject({
		pointer: z.string().register(z.globalRegistry, {
			description:
				'Where: a JSON pointer (RFC 6901) into the body, or the query parameter\'s name after "/".',
			examples: ["/lines/0/price"],
		}),
		rule: z
			.string()
			.register(z.globalRegistry, { description: "Id of the rule." }),
		source: z.string().optional().register(z.globalRegistry, {
			description: "Where the rule comes from.",
		}),
		term: z
			.string()
			.optional()
			.register(z.globalRegistry, {
				description: "Business term of EN 16931.",
				examples: ["BT-27"],
			}),
		message: z.string().register(z.globalRegistry, {
			description: "What is wrong and what to do.",
		}),
	})
	.register(z.globalRegistry, { id: "Violation" });

/** A problem, RFC 9457. */
export const ProblemSchema = z
	.strictObject({
		type: z.string().register(z.globalRegistry, {
			description: "Kind of the problem; GET it to read what it means.",
			format: "uri-reference",
			examples: ["/problems/invalid-draft"],
		}),
		title: z.string(),
		status: z.int(),
		detail: z.string().register(z.globalRegistry, {
			description: "What is wrong with this request.",
		}),
		instance: z.string().register(z.globalRegistry, {
			description: "The request, as the log names it.",
			format: "uri",
		}),
		document: z.string().optional().register(z.globalRegistry, {
			description: "Address of the document that stands in the way.",
			format: "uri-reference",
		}),
		violations: z
			.array(ViolationSchema)
			.optional()
			.register(z.globalRegistry, { description: "Every fault." }),
	})
	.register(z.globalRegistry, { id: "Problem" });

export const HealthSchema = z
	.strictObject({ status: z.literal("ok") })
	.register(z.globalRegistry, { id: "Health" });

export const ReadinessSchema = z
	.object({
		status: z.literal("ok"),
		runtime: z.enum(["node", "wasmedge"]),
		mode: z
			.enum(["aot", "interpreter"])
			.optional()
			.describe("How WasmEdge runs the module, measured at its start."),
	})
	.register(z.globalRegistry, { id: "Readiness" });

export const ProblemTypeSchema = z
	.strictObject({
		type: z.string(),
		title: z.string(),
		status: z.int(),
		meaning: z.string(),
	})
	.register(z.globalRegistry, { id: "ProblemType" });
