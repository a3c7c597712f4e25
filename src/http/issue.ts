/** Issuing: a checked draft is stored under its number, and its caller is answered. */
import type { CheckContext, CheckedDraft } from "../invoice/check.ts";
import type { Violation } from "../invoice/violation.ts";
import {
	type AppendRequest,
	type AppendResult,
	type InvoiceStore,
	InvoiceTooLarge,
	type StoredInvoice,
} from "../store/store.ts";
import { type Idempotency, keyReused } from "./idempotency.ts";
import type { Metrics } from "./metrics.ts";
import { Problem } from "./problem.ts";
import { invoicePath, jsonHeaders } from "./representation.ts";
import type { Answer } from "./route.ts";
import type { Services } from "./services.ts";

/** What an issued document is answered with, for the documentation. */
export const ISSUED = {
	content: { "application/json": "Invoice" },
	headers: ["Location", "ETag", "Repr-Digest"],
} as const;

/** What drafts are checked against today. */
export function checkContext({
	defaults,
	clock,
	renderer,
}: Services): CheckContext {
	return {
		...defaults,
		today: clock.today(),
		canPrint: renderer.canPrint,
		hasTemplate: renderer.hasTemplate,
	};
}

/** The problem 422 of a draft, with all its faults. */
export function invalidDraft(violations: readonly Violation[]): Problem {
	const faults =
		violations.length === 1 ? "1 fault" : `${violations.length} faults`;
	return new Problem("invalid-draft", `${faults}; see violations.`, {
		violations,
	});
}

/**
 * Stores the draft and returns the answer: 201 for a new document, 200 for the
 * one that an earlier request with the same key made. Where a reservation is
 * taken nothing is stored, and the answer is left to the caller.
 */
export async function issueInvoice(
	services: Services,
	metrics: Metrics,
	checked: CheckedDraft,
	idempotency: Idempotency | undefined,
	reservations: readonly string[] = [],
): Promise<Answer | "reserved"> {
	const result = await append(services.store, {
		checked,
		reservations,
		...(idempotency === undefined ? {} : { idempotency }),
	});
	switch (result.outcome) {
		case "created":
			metrics.invoiceCreated(checked.draft.type);
			return issuedAnswer(201, result.invoice);
		case "replayed":
			return issuedAnswer(200, result.invoice);
		case "keyReused":
			throw keyReused(result.number);
		case "reserved":
			return "reserved";
	}
}

async function append(
	store: InvoiceStore,
	request: AppendRequest,
): Promise<AppendResult> {
	try {
		return await store.append(request);
	} catch (error) {
		if (error instanceof InvoiceTooLarge) {
			throw invalidDraft([
				{ pointer: "", rule: "size", message: error.message },
			]);
		}
		throw error;
	}
}

/** The record: 201 where it was stored now, 200 where it was there. */
export function issuedAnswer(
	status: 200 | 201,
	invoice: StoredInvoice,
): Answer {
	return {
		status,
		headers: {
			...jsonHeaders(invoice),
			Location: invoicePath(invoice.number),
		},
		body: invoice.canonical,
	};
}
