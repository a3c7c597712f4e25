/** Correcting invoices: a cancellation or a partial credit becomes a document of its own. */
import type { CheckResult } from "../invoice/check.ts";
import { cancelInvoice, correctInvoice } from "../invoice/correction.ts";
import { parseNumber } from "../invoice/number.ts";
import type { Snapshot } from "../invoice/snapshot.ts";
import type { InvoiceStore } from "../store/store.ts";
import { readJsonBody } from "./body.ts";
import { CANCELLATION, CORRECTION } from "./examples.ts";
import { findReplay, IDEMPOTENCY_KEY, readIdempotency } from "./idempotency.ts";
import {
	checkContext,
	ISSUED,
	invalidDraft,
	issuedAnswer,
	issueInvoice,
} from "./issue.ts";
import type { Metrics } from "./metrics.ts";
import { Problem } from "./problem.ts";
import { noInvoice } from "./read.ts";
import { invoicePath, readSnapshot } from "./representation.ts";
import { type Answer, type Call, defineRoute, type Route } from "./route.ts";
import type { Services } from "./services.ts";

/** Corrections that one invoice may have: each of them reads all earlier ones. */
const CORRECTIONS_MAX = 100;

/** How often a correction is checked anew because another one of the same invoice came first. */
const ROUNDS_MAX = 8;

type Kind = "cancellation" | "correction";

export function correctRoutes(services: Services, metrics: Metrics): Route[] {
	const correcting = {
		method: "POST",
		access: "invoices:write",
		headers: [IDEMPOTENCY_KEY],
		answers: {
			201: {
				description: "The new document, stored.",
				...ISSUED,
			},
			200: {
				description:
					"The document that an earlier request with the same key made.",
				...ISSUED,
			},
		},
		problems: [
			"not-found",
			"cancelled",
			"corrected",
			"contended",
			"invalid-draft",
			"idempotency-key-reused",
			"unavailable",
		],
	} as const;
	return [
		defineRoute({
			...correcting,
			path: "/invoices/{number}/cancellation",
			operation: "cancelInvoice",
			summary: "Cancel an invoice",
			description:
				"Issues a document with a number of its own that takes the whole invoice back (§ 31 (5) UStDV). Once only, and not after a correction. The body may be left out.",
			body: { schema: "Cancellation", required: false, example: CANCELLATION },
			handle: (call) => correct(services, metrics, call, "cancellation"),
		}),
		defineRoute({
			...correcting,
			path: "/invoices/{number}/correction",
			operation: "correctInvoice",
			summary: "Credit a part of an invoice",
			description:
				"Issues a credit note with a number of its own. All corrections together never exceed the invoice.",
			body: { schema: "Correction", required: true, example: CORRECTION },
			handle: (call) => correct(services, metrics, call, "correction"),
		}),
	];
}

async function correct(
	services: Services,
	metrics: Metrics,
	{ request, caller, path }: Call,
	kind: Kind,
): Promise<Answer> {
	const { store } = services;
	const number = path.number ?? "";
	const body = await readJsonBody(
		request,
		services.bodyBytesMax,
		kind === "cancellation" ? {} : undefined,
	);
	const idempotency = readIdempotency(
		request,
		caller,
		`${invoicePath(number)}/${kind}`,
		body,
	);
	const replay = await findReplay(store, idempotency);
	if (replay !== undefined) {
		return issuedAnswer(200, replay);
	}
	const original = await findSnapshot(store, number);
	if (original === undefined) {
		throw noInvoice();
	}
	for (let round = 0; round < ROUNDS_MAX; round += 1) {
		const earlier = await earlierCorrections(store, number);
		refuseConflict(kind, number, earlier);
		const result = await check(services, kind, original, earlier.numbers, body);
		if (!result.ok) {
			throw invalidDraft(result.violations);
		}
		const answer = await issueInvoice(
			services,
			metrics,
			result.checked,
			idempotency,
			[
				correctionKey(number, earlier.numbers.length + 1),
				...(kind === "cancellation" ? [cancellationKey(number)] : []),
			],
		);
		if (answer !== "reserved") {
			return answer;
		}
	}
	throw new Problem(
		"contended",
		`${ROUNDS_MAX} other corrections of ${number} came first. Send it again.`,
	);
}

/** Taken by the k-th correction of an invoice, so that two cannot both be the k-th. */
function correctionKey(number: string, k: number): string {
	return `correction:${number}:${k}`;
}

/** Taken by the one cancellation of an invoice. */
function cancellationKey(number: string): string {
	return `cancellation:${number}`;
}

interface EarlierCorrections {
	/** In the order in which they were made. */
	numbers: string[];
	cancellation?: string;
}

async function earlierCorrections(
	store: InvoiceStore,
	number: string,
): Promise<EarlierCorrections> {
	const keys = Array.from({ length: CORRECTIONS_MAX }, (_, index) =>
		correctionKey(number, index + 1),
	);
	const [cancellation, ...corrections] = await store.findReservations([
		cancellationKey(number),
		...keys,
	]);
	const numbers = corrections.filter((each) => each !== undefined);
	return cancellation === undefined ? { numbers } : { numbers, cancellation };
}

function refuseConflict(
	kind: Kind,
	number: string,
	{ numbers, cancellation }: EarlierCorrections,
): void {
	const [first] = numbers;
	if (cancellation !== undefined) {
		throw new Problem(
			"cancelled",
			`${number} has been cancelled as a whole by ${cancellation}.`,
			{ document: invoicePath(cancellation) },
		);
	}
	if (kind === "cancellation" && first !== undefined) {
		throw new Problem(
			"corrected",
			`${number} has been credited in part by ${numbers.join(", ")}; credit the rest at ${invoicePath(number)}/correction.`,
			{ document: invoicePath(first) },
		);
	}
	if (numbers.length >= CORRECTIONS_MAX) {
		throw new Problem(
			"corrected",
			`${number} has ${CORRECTIONS_MAX} corrections, which is as many as one invoice takes.`,
		);
	}
}

async function check(
	services: Services,
	kind: Kind,
	original: Snapshot,
	earlier: readonly string[],
	body: unknown,
): Promise<CheckResult> {
	const context = checkContext(services);
	if (kind === "cancellation") {
		return cancelInvoice(original, body, context);
	}
	const snapshots = await Promise.all(
		earlier.map(async (number) => {
			const snapshot = await findSnapshot(services.store, number);
			if (snapshot === undefined) {
				throw new Error(`The register lacks ${number}, a correction.`);
			}
			return snapshot;
		}),
	);
	return correctInvoice(original, snapshots, body, context);
}

async function findSnapshot(
	store: InvoiceStore,
	number: string,
): Promise<Snapshot | undefined> {
	const entry =
		parseNumber(number) === undefined
			? undefined
			: await store.findEntry(number);
	return entry === undefined
		? undefined
		: readSnapshot(await store.findInvoice(entry));
}
