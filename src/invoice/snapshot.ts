/** The snapshot: the frozen, complete, numbered invoice from which every document is made. */
import type { DocumentType, VatCategory } from "./codes.ts";
import type { DecimalText } from "./decimal.ts";
import type {
	Address,
	Buyer,
	Draft,
	Language,
	Seller,
	SpecialScheme,
} from "./draft.ts";

declare const frozen: unique symbol;

/** An allowance or charge with its amount settled (BG-20, BG-21, BG-27, BG-28). */
export interface SnapshotAllowance {
	/** Without VAT (BT-92, BT-99, BT-136, BT-141). */
	amount: DecimalText;
	base?: DecimalText;
	percent?: DecimalText;
	reason?: string;
	/** What the caller sent where `pricesIncludeVat` is true. */
	amountIncludingVat?: DecimalText;
}

/** VAT category of a line, allowance or charge. The exemption stands in the breakdown. */
export interface SnapshotVat {
	category: VatCategory;
	/** In percent; absent for category O. */
	rate?: DecimalText;
}

export interface SnapshotLine {
	/** BT-126. */
	id: string;
	name: string;
	description?: string;
	sellerId?: string;
	quantity: DecimalText;
	unit: string;
	/** Price of one unit without VAT (BT-146). */
	price: DecimalText;
	/** BT-131: rounded to the currency's minor unit. */
	netAmount: DecimalText;
	vat: SnapshotVat;
	allowances?: SnapshotAllowance[];
	charges?: SnapshotAllowance[];
	period?: { start?: string; end?: string };
	/** What the caller sent where `pricesIncludeVat` is true. */
	priceIncludingVat?: DecimalText;
	/** The line's amount with VAT where `pricesIncludeVat` is true. */
	amountIncludingVat?: DecimalText;
}

/** One group of BG-23: a VAT category and rate. */
export interface VatBreakdown {
	category: VatCategory;
	rate?: DecimalText;
	/** BT-116. */
	taxableAmount: DecimalText;
	/** BT-117. */
	taxAmount: DecimalText;
	/** BT-120, in the document's language. */
	exemptionReason?: string;
	/** BT-121. */
	exemptionCode?: string;
}

/** BG-22. Amounts in the invoice's currency, all of them always there. */
export interface Totals {
	lineTotal: DecimalText;
	allowanceTotal: DecimalText;
	chargeTotal: DecimalText;
	taxExclusive: DecimalText;
	taxAmount: DecimalText;
	taxInclusive: DecimalText;
	prepaid: DecimalText;
	rounding: DecimalText;
	payable: DecimalText;
}

/** BG-1; `rule` names the law where we added the note ourselves. */
export interface SnapshotNote {
	/** UNTDID 4451 (BT-21). */
	subject?: string;
	text: string;
	rule?: string;
}

export interface SnapshotFields {
	number: string;
	series: string;
	/** Position in the series, from 1, without gaps. */
	sequence: number;
	loginName: string;
	type: DocumentType;
	/** "2026-11-24". */
	issueDate: string;
	/** When the number was given, ISO 8601 in UTC with milliseconds. */
	issuedAt: string;
	currency: string;
	language: Language;
	template: { name: string; version: number };
	seller: Seller & { name: string; address: Address };
	/** Absent only for small amounts (§ 33 UStDV). */
	buyer?: Buyer;
	delivery?: NonNullable<Draft["delivery"]>;
	buyerReference?: string;
	orderReference?: string;
	contractReference?: string;
	projectReference?: string;
	precedingInvoices?: { number: string; date: string }[];
	/** Set on a document that cancels the preceding invoice as a whole. */
	cancellation?: true;
	pricesIncludeVat?: true;
	specialScheme?: SpecialScheme;
	smallAmount?: true;
	worksOnPrivateProperty?: true;
	cashAccounting?: true;
	lines: SnapshotLine[];
	allowances?: (SnapshotAllowance & { vat: SnapshotVat })[];
	charges?: (SnapshotAllowance & { vat: SnapshotVat })[];
	vatBreakdown: VatBreakdown[];
	totals: Totals;
	payment?: NonNullable<Draft["payment"]>;
	notes?: SnapshotNote[];
}

/** A frozen invoice. Only `freeze` makes one; the renderers take nothing else. */
export type Snapshot = Readonly<SnapshotFields> & { readonly [frozen]: true };
