/** Clients that create invoices, each under a key of its own, and ask again until they have an answer. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import type { Collections } from "../../src/store/collections.ts";
import { assertSound } from "../store/sound.ts";
import { eventually } from "./processes.ts";

const CLIENTS = 32;
const RETRY_MS = 20;

const TO_BE_RETRIED = 503;

/** An invoice as it was answered. */
export interface Answered {
	key: string;
	number: string;
	digest: string;
}

export interface CreatingLoad {
	/** Resolves when so many more invoices have been answered. */
	more(count: number): Promise<void>;
	/** How many invoices have been answered. */
	count(): number;
	/** How many requests found no service, or one that could not store. */
	failures(): number;
	/** Lets every client get its last answer, and resolves to all answers. */
	end(): Promise<Answered[]>;
}

/** Sets 32 clients to work on a service; the name tells their keys from other loads'. */
export function startCreating(
	url: string,
	draft: object,
	name: string,
): CreatingLoad {
	const answered: Answered[] = [];
	let failures = 0;
	let ending = false;
	let fault: unknown;

	const create = async (key: string): Promise<Answered> => {
		for (;;) {
			const answer = await fetch(`${url}/invoices`, {
				method: "POST",
				headers: {
					"Content-Type": "application/json",
					"Idempotency-Key": key,
				},
				body: JSON.stringify(draft),
			})
				.then(async (response) => ({ response, text: await response.text() }))
				.catch(() => undefined); // refused, cut off, or cut off in the body
			if (answer !== undefined && answer.response.status !== TO_BE_RETRIED) {
				const { response, text } = answer;
				assert.ok(response.ok, `${response.status}: ${text}`);
				return { key, ...invoiceOf(response.headers, text) };
			}
			failures += 1;
			await sleep(RETRY_MS);
		}
	};
	const clients = Array.from({ length: CLIENTS }, async (_, client) => {
		for (let turn = 1; !ending; turn += 1) {
			answered.push(await create(`${name}-${client}-${turn}`));
		}
	}).map((client) =>
		client.catch((error) => {
			fault ??= error;
		}),
	);
	const refuseFault = () => {
		if (fault !== undefined) throw fault;
	};
	return {
		count: () => answered.length,
		failures: () => failures,
		async more(count) {
			const goal = answered.length + count;
			await eventually(`${count} more invoices`, () => {
				refuseFault();
				return answered.length >= goal ? true : undefined;
			});
		},
		async end() {
			ending = true;
			await Promise.all(clients);
			refuseFault();
			return answered;
		},
	};
}

function invoiceOf(headers: Headers, text: string) {
	const { number } = JSON.parse(text) as Snapshot;
	const [, base64 = ""] =
		/^sha-256=:(.*):$/.exec(headers.get("repr-digest") ?? "") ?? [];
	return { number, digest: Buffer.from(base64, "base64").toString("hex") };
}

/**
 * Asserts that each answer's invoice is stored as it was answered, that each
 * key has one, that nothing else is stored, and that the numbers have no gap.
 */
export async function assertEachStoredOnce(
	collections: Collections,
	answered: readonly Answered[],
): Promise<void> {
	const counts = await assertSound(collections, answered);
	assert.equal(
		new Set(answered.map(({ number }) => number)).size,
		answered.length,
	);
	const stored = [...counts.values()].reduce((sum, count) => sum + count, 0);
	assert.equal(stored, answered.length, "as many invoices as keys");
}
