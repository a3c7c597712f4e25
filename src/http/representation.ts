/** Representations of an invoice: its canonical JSON and its PDF, and the header fields that go with them. */

import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { TemplateReference } from "../documents/pdf/template.ts";
import type { DocumentType } from "../invoice/codes.ts";
import { sha256Hex } from "../invoice/digest.ts";
import type { Language } from "../invoice/draft.ts";
import type { Snapshot } from "../invoice/snapshot.ts";
import type { StoredInvoice } from "../store/store.ts";

/** The representations by suffix, in the order in which they are offered. */
export const REPRESENTATIONS = {
	json: "application/json",
	pdf: "application/pdf",
} as const;

export type Representation = keyof typeof REPRESENTATIONS;

/** An invoice never changes: whoever has it need not ask again. Private, as it is about one customer. */
export const CACHE_FOR_EVER = "private, immutable, max-age=31536000";

/** Address of an invoice, or of one of its representations. */
export function invoicePath(number: string, as?: Representation): string {
	return `/invoices/${number}${as === undefined ? "" : `.${as}`}`;
}

/** Entity tag of the canonical JSON: its digest. */
export function jsonEntityTag(digest: string): string {
	return `"${digest}"`;
}

/**
 * Entity tag of a PDF. The digest stands for the snapshot, which names its
 * template; beside another template its bytes depend on the software only.
 */
export function pdfEntityTag(
	digest: string,
	version: string,
	template: TemplateReference | undefined,
): string {
	const parts = ["pdf", version, digest];
	if (template !== undefined) {
		parts.push(`${template.name}/${template.version}`);
	}
	return `"${sha256Hex(utf8ToBytes(parts.join("\n")))}"`;
}

/** RFC 9530's field for a digest in hexadecimal. */
export function reprDigest(digest: string): string {
	return `sha-256=:${btoa(String.fromCharCode(...hexToBytes(digest)))}:`;
}

/** Header fields of an invoice's JSON; the body is its canonical bytes. */
export function jsonHeaders(
	invoice: Pick<StoredInvoice, "number" | "digest">,
): Record<string, string> {
	return {
		"Content-Type": REPRESENTATIONS.json,
		ETag: jsonEntityTag(invoice.digest),
		"Repr-Digest": reprDigest(invoice.digest),
	};
}

/** What a document is called, for the name of its file. */
const TITLES: Readonly<Record<DocumentType, Record<Language, string>>> = {
	"380": { de: "Rechnung", en: "Invoice" },
	"381": { de: "Rechnungskorrektur", en: "Credit note" },
	"384": { de: "Rechnungskorrektur", en: "Corrected invoice" },
	"389": { de: "Gutschrift", en: "Self-billed invoice" },
	"326": { de: "Abschlagsrechnung", en: "Partial invoice" },
	"386": { de: "Vorauszahlungsrechnung", en: "Prepayment invoice" },
};

const CANCELLATION_TITLES: Record<Language, string> = {
	de: "Stornorechnung",
	en: "Cancellation",
};

/** Shown in the browser; saved under the document's title and number (RFC 6266). */
export function contentDisposition(invoice: Snapshot): string {
	const titles =
		invoice.cancellation === true ? CANCELLATION_TITLES : TITLES[invoice.type];
	return `inline; filename="${titles[invoice.language]} ${invoice.number}.pdf"`;
}

const UTF8 = new TextDecoder();

/** The snapshot behind canonical bytes that the store has compared with their digest. */
export function readSnapshot(invoice: StoredInvoice): Snapshot {
	return JSON.parse(UTF8.decode(invoice.canonical)) as Snapshot;
}
