/** Creating invoices: `POST /invoices`, and the check that stores nothing. */

import type { CheckedDraft } from "../invoice/check.ts";
import { type CheckContext, checkDraft } from "../invoice/check.ts";
import { freeze } from "../invoice/freeze.ts";
import { parseNumber } from "../invoice/number.ts";
import { pointer, type Violation } from "../invoice/violation.ts";
import type { InvoiceStore } from "../store/store.ts";
import { readJsonBody } from "./body.ts";
import { CAR_SHARING_DRAFT } from "./examples.ts";
import { findReplay, IDEMPOTENCY_KEY, readIdempotency } from "./idempotency.ts";
import {
	checkContext,
	ISSUED,
	invalidDraft,
	issuedAnswer,
	issueInvoice,
} from "./issue.ts";
import type { Metrics } from "./metrics.ts";
import { defineRoute, type Route } from "./route.ts";
import type { Services } from "./services.ts";

export function createRoutes(services: Services, metrics: Metrics): Route[] {
	const { store, bodyBytesMax } = services;
	return [
		defineRoute({
			method: "POST",
			path: "/invoices",
			operation: "createInvoice",
			summary: "Create an invoice",
			description:
				"Checks the draft against the law and EN 16931, computes its amounts, gives it the next number of its series and stores it for ever. A refusal names all faults at once and uses no number.",
			access: "invoices:write",
			headers: [IDEMPOTENCY_KEY],
			body: { schema: "Draft", required: true, example: CAR_SHARING_DRAFT },
			answers: {
				201: {
					description: "The invoice, stored.",
					...ISSUED,
				},
				200: {
					description:
						"The invoice that an earlier request with the same key made.",
					...ISSUED,
				},
			},
			problems: ["invalid-draft", "idempotency-key-reused", "unavailable"],
			async handle({ request, caller }) {
				const body = await readJsonBody(request, bodyBytesMax);
				const idempotency = readIdempotency(request, caller, "/invoices", body);
				const earlier = await findReplay(store, idempotency);
				if (earlier !== undefined) {
					return issuedAnswer(200, earlier);
				}
				const checked = await check(store, body, checkContext(services));
				const answer = await issueInvoice(
					services,
					metrics,
					checked,
					idempotency,
				);
				if (answer === "reserved") {
					throw new Error("A draft without reservations met a reserved key.");
				}
				return answer;
			},
		}),
		defineRoute({
			method: "POST",
			path: "/invoices/check",
			operation: "checkInvoice",
			summary: "Check a draft",
			description:
				"Answers the amounts that the invoice would have, or the problem that creating it would meet. Stores nothing.",
			access: "invoices:write",
			body: { schema: "Draft", required: true, example: CAR_SHARING_DRAFT },
			answers: {
				200: {
					description: "The draft can become an invoice, with these amounts.",
					content: { "application/json": "CheckedDraft" },
				},
			},
			problems: ["invalid-draft", "unavailable"],
			async handle({ request }) {
				const body = await readJsonBody(request, bodyBytesMax);
				const checked = await check(store, body, checkContext(services));
				return {
					status: 200,
					headers: { "Content-Type": "application/json" },
					body: JSON.stringify(preview(checked, services.clock.now())),
				};
			},
		}),
	];
}

async function check(
	store: InvoiceStore,
	body: unknown,
	context: CheckContext,
): Promise<CheckedDraft> {
	const result = checkDraft(body, context);
	const violations = [
		...(result.ok ? [] : result.violations),
		...(await ownPrecedingInvoices(store, body)),
	];
	if (!result.ok || violations.length > 0) {
		throw invalidDraft(violations);
	}
	return result.checked;
}

/** As many preceding invoices as a draft may name; the schema reports more. */
const PRECEDING_INVOICES_MAX = 100;

/**
 * A draft that corrects an invoice of ours must come as a correction of it:
 * only there it is seen to that no more is credited than was charged.
 */
async function ownPrecedingInvoices(
	store: InvoiceStore,
	body: unknown,
): Promise<Violation[]> {
	const { type, precedingInvoices } = (body ?? {}) as {
		type?: unknown;
		precedingInvoices?: unknown;
	};
	if ((type !== "381" && type !== "384") || !Array.isArray(precedingInvoices)) {
		return [];
	}
	const found = await Promise.all(
		precedingInvoices
			.slice(0, PRECEDING_INVOICES_MAX)
			.map(async (each: unknown, index): Promise<Violation | undefined> => {
				const number = (each as { number?: unknown } | null)?.number;
				if (
					typeof number !== "string" ||
					parseNumber(number) === undefined ||
					(await store.findEntry(number)) === undefined
				) {
					return undefined;
				}
				return {
					pointer: pointer("precedingInvoices", index, "number"),
					rule: "correction-address",
					source: "§ 31 (5) UStDV",
					term: "BT-25",
					message: `${number} was issued here; send its correction to /invoices/${number}/correction, or cancel it at /invoices/${number}/cancellation.`,
				};
			}),
	);
	return found.filter((violation) => violation !== undefined);
}

/** The part of the invoice that does not depend on its number. */
function preview(checked: CheckedDraft, now: Date) {
	const {
		series,
		type,
		issueDate,
		currency,
		language,
		template,
		lines,
		allowances,
		charges,
		vatBreakdown,
		totals,
	} = freeze(checked, { sequence: 1, issuedAt: now.toISOString() });
	return {
		series,
		type,
		issueDate,
		currency,
		language,
		template,
		lines,
		allowances,
		charges,
		vatBreakdown,
		totals,
	};
}
