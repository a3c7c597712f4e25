/** Appending: the only writer. Drafts that arrive together are numbered and stored together. */
import type { ClientSession, MongoClient } from "mongodb";
import {
	type Collections,
	KEY_LENGTH_MAX,
	REQUEST_KEY_PREFIX,
} from "./collections.ts";
import { endOrphans, ORPHAN_IDLE_MS } from "./orphans.ts";
import { readByNumber, readEntryIds, readHead, readKeys } from "./read.ts";
import { checkSetUp } from "./ready.ts";
import {
	headAt,
	type InvoiceRecord,
	newAttempt,
	recordAfter,
	requestKey,
	type SeriesHead,
} from "./records.ts";
import {
	type AppendRequest,
	type AppendResult,
	type InvoiceStore,
	StoreDamaged,
	StoreUnavailable,
} from "./store.ts";
import { storeBatch } from "./transaction.ts";
import { asUnavailable, RETRY_AFTER_S } from "./unavailable.ts";

/** Bounds of the writer; what is beyond them is refused or waits. */
export interface AppendLimits {
	/** Drafts accepted and not yet answered. */
	queueCountMax: number;
	/** Their size together, in bytes as they will be stored, estimated. */
	queueBytesMax: number;
	/** Drafts of one transaction. */
	batchCountMax: number;
	/** Their size together: a transaction must be over long before MongoDB's limit of a minute. */
	batchBytesMax: number;
	/** Series that are written to at the same time, each in a transaction of its own. */
	seriesInFlightMax: number;
	/** A draft that has waited for longer is given back as unavailable. */
	appendMsMax: number;
}

export const APPEND_LIMITS: AppendLimits = {
	queueCountMax: 4096,
	queueBytesMax: 128 * 1024 * 1024,
	batchCountMax: 256,
	batchBytesMax: 12 * 1024 * 1024,
	seriesInFlightMax: 8,
	appendMsMax: 20_000,
};

export interface AppendOptions {
	/** Milliseconds since 1970; the clock of `issuedAt`. */
	now?: () => number;
	limits?: Partial<AppendLimits>;
}

/** Seconds after which a full queue has room again. */
const QUEUE_RETRY_AFTER_S = 1;

/** Series whose head is remembered; the least recently used are forgotten. */
const SERIES_REMEMBERED_MAX = 1024;

/** First guess of a commit's duration; then it is measured. */
const COMMIT_MS_GUESS = 5;

/** What the last one counts for in the measured duration. */
const COMMIT_MS_WEIGHT = 1 / 8;

/** Turns that another writer's transaction is waited for, before it is tried whether it is still there. */
const TURNS_WAITED_MAX = 8;

/** Another writer that was met is reckoned with for so long. */
const CONTENTION_MS = 2000;

/** Pause between tries while the database is not there: doubled from the least to the most. */
const OUTAGE_PAUSE_MS_MIN = 20;
const OUTAGE_PAUSE_MS_MAX = 1000;

/** Pauses for another writer are a few of its commits; no measurement makes them longer than this. */
const TURN_PAUSE_MS_MAX = 250;

/** A draft on its way. */
interface Pending {
	request: AppendRequest;
	/** `_id`s in idempotencyKeys that it wants. */
	claims: readonly string[];
	bytes: number;
	/** On the clock of `performance.now`, which does not jump. */
	deadline_ms: number;
	/** Its caller has not been answered, nor is about to be. */
	open: boolean;
	settle: (result: AppendResult) => void;
	fail: (error: unknown) => void;
	/** Frozen on arrival, as the next of the series if all before it are stored. */
	record?: InvoiceRecord;
}

interface Series {
	name: string;
	waiting: Pending[];
	/** It has its turn, or waits for one. */
	scheduled: boolean;
	/** The last entry, as far as we know; absent where it must be read. */
	head?: SeriesHead;
	/** The head once all that is on its way is stored; absent where that cannot be foreseen. */
	tail?: SeriesHead;
	/** How long a transaction takes, measured. */
	commit_ms: number;
	/** Until then another writer of this series is reckoned with. */
	contendedUntil_ms: number;
}

/** A batch as it was, or may have been, stored. */
interface Attempt {
	items: Pending[];
	records: InvoiceRecord[];
}

/** What a batch has been through. */
interface Course {
	/** Attempts whose commit was not answered; one of them may have been stored. */
	unknown: Attempt[];
	/** Tries so far; none has stored the batch. */
	tries: number;
	/** Why the database was not there, the last time that it was not. */
	cause?: unknown;
	/** When to look for transactions of processes that died. */
	orphansAt_ms: number;
}

/**
 * Opens the writer. There is one queue per series. While a transaction of a
 * series is in flight, its drafts wait; they go together in the next one.
 */
export function openAppender(
	client: MongoClient,
	collections: Collections,
	options: AppendOptions = {},
): Pick<InvoiceStore, "append" | "queue" | "close"> {
	const limits = { ...APPEND_LIMITS, ...options.limits };
	const now = options.now ?? Date.now;
	const seriesByName = new Map<string, Series>();
	const ready: Series[] = [];
	/** Claims of the drafts that are on their way, so that no two of them meet in one transaction. */
	const holders = new Map<
		string,
		{ request: AppendRequest; result: Promise<AppendResult | undefined> }
	>();
	let accepted = 0;
	let acceptedBytes = 0;
	/** Batches that have their turn. */
	const running = new Set<readonly Pending[]>();
	let closing = false;
	let whenIdle: (() => void) | undefined;
	let setUp: Promise<void> | undefined;

	return { append, queue, close };

	function queue() {
		const inFlight = [...running].flat().filter(isOpen).length;
		return { waiting: accepted - inFlight, inFlight };
	}

	function close(): Promise<void> {
		closing = true;
		return new Promise((resolve) => {
			const before = whenIdle;
			whenIdle = () => {
				before?.();
				resolve();
			};
			announceIdle();
		});
	}

	function announceIdle(): void {
		if (closing && accepted === 0 && running.size === 0) {
			whenIdle?.();
			whenIdle = undefined;
		}
	}

	async function append(request: AppendRequest): Promise<AppendResult> {
		if (closing) {
			throw new StoreUnavailable(
				"The service is stopping; try again in a moment, another instance may answer.",
				RETRY_AFTER_S,
			);
		}
		const claims = claimsOf(request);
		const bytes = storedBytes(request);
		if (
			accepted >= limits.queueCountMax ||
			(accepted > 0 && acceptedBytes + bytes > limits.queueBytesMax)
		) {
			throw new StoreUnavailable(
				`${accepted} invoices are waiting to be stored, more than are taken at a time; try again in ${QUEUE_RETRY_AFTER_S} second.`,
				QUEUE_RETRY_AFTER_S,
			);
		}
		accepted += 1;
		acceptedBytes += bytes;
		try {
			return await inTurn(request, claims, bytes);
		} finally {
			accepted -= 1;
			acceptedBytes -= bytes;
			announceIdle();
		}
	}

	/** A draft waits for one that wants the same key; often that one's result is the answer. */
	async function inTurn(
		request: AppendRequest,
		claims: readonly string[],
		bytes: number,
	): Promise<AppendResult> {
		for (;;) {
			const holder = claims
				.map((claim) => holders.get(claim))
				.find((found) => found !== undefined);
			if (holder === undefined) {
				break;
			}
			const earlier = await holder.result;
			const answer = answerFrom(holder.request, earlier, request);
			if (answer !== undefined) {
				return answer;
			}
		}
		const result = enqueue(request, claims, bytes);
		const holder = { request, result: result.catch(() => undefined) };
		for (const claim of claims) {
			holders.set(claim, holder);
		}
		try {
			return await result;
		} finally {
			for (const claim of claims) {
				holders.delete(claim);
			}
		}
	}

	function enqueue(
		request: AppendRequest,
		claims: readonly string[],
		bytes: number,
	): Promise<AppendResult> {
		const series = seriesOf(request.checked.draft.series);
		return new Promise<AppendResult>((resolve, reject) => {
			const item: Pending = {
				request,
				claims,
				bytes,
				deadline_ms: performance.now() + limits.appendMsMax,
				open: true,
				settle(result) {
					item.open = false;
					resolve(result);
				},
				fail(error) {
					item.open = false;
					reject(error);
				},
			};
			if (series.tail !== undefined && !isContended(series)) {
				// While the database works on those before it, and is waited for anyway.
				item.record = recordAfter(series.tail, request, timestamp());
				series.tail = headAt(item.record);
			}
			series.waiting.push(item);
			schedule(series);
		});
	}

	function timestamp(): string {
		return new Date(now()).toISOString();
	}

	function seriesOf(name: string): Series {
		const series = seriesByName.get(name) ?? {
			name,
			waiting: [],
			scheduled: false,
			commit_ms: COMMIT_MS_GUESS,
			contendedUntil_ms: 0,
		};
		// Last in the order of insertion: the most recently used.
		seriesByName.delete(name);
		seriesByName.set(name, series);
		if (seriesByName.size > SERIES_REMEMBERED_MAX) {
			for (const [other, { scheduled }] of seriesByName) {
				if (!scheduled && other !== name) {
					seriesByName.delete(other);
					break;
				}
			}
		}
		return series;
	}

	function schedule(series: Series): void {
		if (!series.scheduled && series.waiting.length > 0) {
			series.scheduled = true;
			ready.push(series);
		}
		while (running.size < limits.seriesInFlightMax) {
			const next = ready.shift();
			if (next === undefined) {
				return;
			}
			void runTurn(next);
		}
	}

	/**
	 * One batch of a series. What comes after the last `await` looks at the
	 * queue again in one go, so that no draft can slip in unseen between the
	 * look and the mark.
	 */
	async function runTurn(series: Series): Promise<void> {
		const batch: Pending[] = [];
		running.add(batch);
		try {
			await yieldTurn(series);
			batch.push(...takeBatch(series));
			await storeBatchOf(series, batch);
		} catch (error) {
			series.head = undefined;
			for (const item of batch) {
				item.fail(asUnavailable(error));
			}
		}
		running.delete(batch);
		series.scheduled = false;
		schedule(series);
		announceIdle();
	}

	/** Lets another writer of the series have its turn. */
	async function yieldTurn(series: Series): Promise<void> {
		if (isContended(series)) {
			series.head = undefined;
			series.tail = undefined;
			await pause(Math.random() * turnPause(series));
		}
	}

	function takeBatch(series: Series): Pending[] {
		let count = 0;
		let bytes = 0;
		for (const item of series.waiting) {
			bytes += item.bytes;
			if (
				count === limits.batchCountMax ||
				(count > 0 && bytes > limits.batchBytesMax)
			) {
				break;
			}
			count += 1;
		}
		return series.waiting.splice(0, count);
	}

	/** Tries until every draft of the batch is settled, failed, or out of time. */
	async function storeBatchOf(
		series: Series,
		batch: readonly Pending[],
	): Promise<void> {
		const course: Course = {
			unknown: [],
			tries: 0,
			orphansAt_ms: performance.now() + ORPHAN_IDLE_MS,
		};
		const session = client.startSession({ causalConsistency: false });
		try {
			for (;;) {
				giveUpLate(batch, course);
				const open = batch.filter(isOpen);
				if (open.length === 0) {
					return;
				}
				try {
					await tryOnce(session, series, open, course);
				} catch (error) {
					const unavailable = asUnavailable(error);
					if (!(unavailable instanceof StoreUnavailable)) {
						throw error;
					}
					await waitOut(series, course, unavailable);
				}
			}
		} finally {
			await session.endSession();
		}
	}

	/** One attempt, and what follows from how it ended. */
	async function tryOnce(
		session: ClientSession,
		series: Series,
		open: readonly Pending[],
		course: Course,
	): Promise<void> {
		course.tries += 1;
		await seeToSetUp();
		const before = await settleUnknown(series, course);
		if (before !== undefined) {
			settleStored(series, before);
			return;
		}
		series.head ??= await readHead(collections, series.name);
		const head = series.head;
		const attempt: Attempt = { items: [], records: [] };
		const started_ms = performance.now();
		const outcome = await storeBatch(
			collections,
			session,
			freezeInParts(series, head, open, attempt),
		);
		switch (outcome.kind) {
			case "committed":
				series.commit_ms +=
					(performance.now() - started_ms - series.commit_ms) *
					COMMIT_MS_WEIGHT;
				settleStored(series, attempt);
				break;
			case "unknown":
				course.unknown.push(attempt);
				await waitOut(series, course, outcome.cause);
				break;
			case "unavailable":
				await waitOut(series, course, outcome.cause);
				break;
			case "numberTaken":
				contend(series);
				series.head = undefined;
				// The new head may not have reached the majority yet, which is what we read.
				await pause(Math.random() * growingPause(series, course) * 0.25);
				break;
			case "numberContended":
				contend(series);
				series.head = await headAfter(series, head);
				await endOrphansInTime(course);
				break;
			case "keyTaken":
				await settleTaken(open);
				if (open.every(isOpen)) {
					// Another transaction is about to take it.
					await pause(Math.random() * growingPause(series, course));
					await endOrphansInTime(course);
				}
				break;
			case "invoiceExists":
				throw new StoreDamaged(
					`The register says that ${attempt.records[outcome.index ?? 0]?.entry.number} is free, but there is an invoice of that number: an entry of the register has been removed. Nothing is stored in the series ${series.name} until that is mended. Run the audit.`,
					{ cause: outcome.cause },
				);
			case "refused": {
				const item = attempt.items[outcome.index ?? -1];
				if (item === undefined) {
					throw outcome.cause;
				}
				item.fail(outcome.cause);
				break;
			}
			case "failed":
				throw outcome.cause;
		}
	}

	/** Nothing is stored before the collections and their indexes have been seen to be there. */
	async function seeToSetUp(): Promise<void> {
		setUp ??= checkSetUp(collections);
		try {
			await setUp;
		} catch (error) {
			setUp = undefined;
			throw error;
		}
	}

	/** Waits while the database is not there. */
	async function waitOut(
		series: Series,
		course: Course,
		cause: unknown,
	): Promise<void> {
		course.cause = cause;
		series.head = undefined;
		await pause(
			(0.5 + Math.random()) *
				Math.min(OUTAGE_PAUSE_MS_MIN * 2 ** course.tries, OUTAGE_PAUSE_MS_MAX),
		);
	}

	function giveUpLate(
		items: readonly Pending[],
		{ unknown, cause }: Course,
	): void {
		const time_ms = performance.now();
		for (const item of items) {
			if (!item.open || time_ms < item.deadline_ms) {
				continue;
			}
			const mayBeStored = unknown.some((attempt) =>
				attempt.items.includes(item),
			);
			item.fail(
				new StoreUnavailable(
					mayBeStored
						? `The database was lost while it stored this invoice; whether it did is not known yet. Try again with the same Idempotency-Key in ${RETRY_AFTER_S} seconds.`
						: `The invoice could not be stored within ${limits.appendMsMax / 1000} seconds; nothing was. Try again in ${RETRY_AFTER_S} seconds.`,
					RETRY_AFTER_S,
					cause,
				),
			);
		}
	}

	/**
	 * The records of a batch, which it also adds to the attempt: those that were
	 * frozen on arrival, where what was foreseen then has come true, else anew.
	 * A draft that cannot be frozen fails alone. While there are other writers,
	 * one record goes ahead: whether the number can be had is known before the
	 * work on the others is done, and whoever holds it need not hurry.
	 */
	function* freezeInParts(
		series: Series,
		head: SeriesHead,
		items: readonly Pending[],
		attempt: Attempt,
	): Generator<InvoiceRecord[]> {
		const time = timestamp();
		let oneAhead = isContended(series);
		let part: InvoiceRecord[] = [];
		let last = head;
		for (const item of items) {
			try {
				if (item.record?.entry.previous !== last.chain) {
					item.record = recordAfter(last, item.request, time);
				}
			} catch (error) {
				item.fail(error);
				continue;
			}
			last = headAt(item.record);
			const record = newAttempt(item.record);
			attempt.items.push(item);
			attempt.records.push(record);
			part.push(record);
			if (oneAhead) {
				oneAhead = false;
				yield part;
				part = [];
			}
		}
		const [next] = series.waiting;
		if (next === undefined) {
			series.tail = last;
		} else if (next.record?.entry.previous !== last.chain) {
			series.tail = undefined;
		}
		if (part.length > 0) {
			yield part;
		}
	}

	function settleStored(series: Series, { items, records }: Attempt): void {
		const last = records.at(-1);
		if (last !== undefined) {
			series.head = headAt(last);
		}
		for (const [index, { stored }] of records.entries()) {
			items[index]?.settle({ outcome: "created", invoice: stored });
		}
	}

	/**
	 * Asks the register what became of attempts whose commit was not answered,
	 * and returns the one that was stored. An entry that another attempt wrote
	 * means that an attempt was not. Where there is no entry it may still come;
	 * but then the next attempt, which wants the same number, fails, and the
	 * register is asked again.
	 */
	async function settleUnknown(
		series: Series,
		course: Course,
	): Promise<Attempt | undefined> {
		if (course.unknown.length === 0) {
			return undefined;
		}
		const firstOf = ({ records }: Attempt) => records[0]?.entry;
		const ids = await readEntryIds(
			collections,
			series.name,
			course.unknown.flatMap((attempt) => firstOf(attempt)?.sequence ?? []),
		);
		const found = (attempt: Attempt) =>
			ids.get(firstOf(attempt)?.sequence ?? 0);
		const stored = course.unknown.find((attempt) => {
			const first = firstOf(attempt);
			return first !== undefined && found(attempt)?.equals(first._id);
		});
		course.unknown =
			stored === undefined
				? course.unknown.filter((attempt) => found(attempt) === undefined)
				: [];
		return stored;
	}

	/** Waits while another writer's transaction is in flight, and returns the head that it leaves. */
	async function headAfter(
		series: Series,
		before: SeriesHead,
	): Promise<SeriesHead> {
		for (let waits = 0; ; waits += 1) {
			await pause((0.25 + 0.25 * Math.random()) * turnPause(series));
			const head = await readHead(collections, series.name);
			if (head.sequence !== before.sequence || waits >= TURNS_WAITED_MAX) {
				return head;
			}
		}
	}

	/** Whoever waits for too long may be waiting for the dead. */
	async function endOrphansInTime(course: Course): Promise<void> {
		if (performance.now() >= course.orphansAt_ms) {
			await endOrphans(client);
			course.orphansAt_ms = performance.now() + ORPHAN_IDLE_MS;
		}
	}

	/** Answers the drafts whose keys are taken. */
	async function settleTaken(items: readonly Pending[]): Promise<void> {
		const taken = await readKeys(
			collections,
			items.flatMap(({ claims }) => claims),
		);
		for (const item of items) {
			const claim = item.claims.find((claim) => taken.has(claim));
			const holder = claim === undefined ? undefined : taken.get(claim);
			if (claim !== undefined && holder !== undefined) {
				item.open = false;
				// Not awaited: the neighbours need not wait for this read.
				answerTaken(item.request, claim, holder).then(item.settle, (error) =>
					item.fail(asUnavailable(error)),
				);
			}
		}
	}

	async function answerTaken(
		{ idempotency }: AppendRequest,
		claim: string,
		{ requestDigest, number }: { requestDigest?: string; number: string },
	): Promise<AppendResult> {
		if (!claim.startsWith(REQUEST_KEY_PREFIX)) {
			return { outcome: "reserved", key: claim, number };
		}
		return requestDigest === idempotency?.requestDigest
			? {
					outcome: "replayed",
					invoice: await readByNumber(collections, number),
				}
			: { outcome: "keyReused", number };
	}
}

/** The answer that an earlier draft's result gives to a later one that wants one of its keys; undefined where the database must say. */
function answerFrom(
	earlier: AppendRequest,
	result: AppendResult | undefined,
	later: AppendRequest,
): AppendResult | undefined {
	if (result?.outcome !== "created" && result?.outcome !== "replayed") {
		return undefined;
	}
	const { idempotency } = later;
	if (
		idempotency !== undefined &&
		idempotency.key === earlier.idempotency?.key
	) {
		return idempotency.requestDigest === earlier.idempotency.requestDigest
			? { outcome: "replayed", invoice: result.invoice }
			: { outcome: "keyReused", number: result.invoice.number };
	}
	const reserved = later.reservations?.find((key) =>
		earlier.reservations?.includes(key),
	);
	return reserved === undefined || result.outcome === "replayed"
		? undefined
		: { outcome: "reserved", key: reserved, number: result.invoice.number };
}

/** The `_id`s that a request takes, its own key first. Throws RangeError. */
function claimsOf({ idempotency, reservations = [] }: AppendRequest): string[] {
	const claims = [
		...(idempotency === undefined ? [] : [requestKey(idempotency.key)]),
		...reservations,
	];
	if (
		claims.some((claim) => claim.length < 1 || claim.length > KEY_LENGTH_MAX)
	) {
		throw new RangeError(
			`An idempotency key has at most ${KEY_LENGTH_MAX - REQUEST_KEY_PREFIX.length} characters, its caller's subject included.`,
		);
	}
	if (
		new Set(claims).size < claims.length ||
		reservations.some((key) => key.startsWith(REQUEST_KEY_PREFIX))
	) {
		throw new RangeError(
			`Reserved keys differ from each other, and do not begin with "${REQUEST_KEY_PREFIX}".`,
		);
	}
	if (
		idempotency !== undefined &&
		!/^[0-9a-f]{64}$/.test(idempotency.requestDigest)
	) {
		throw new RangeError("A request digest is 64 hexadecimal digits.");
	}
	return claims;
}

/** Bytes that a draft will take as object and as canonical text, estimated from its own text: exact sizes are known when it is frozen. */
function storedBytes({ checked }: AppendRequest): number {
	return STORED_PER_DRAFT * JSON.stringify(checked.draft).length;
}

/** A draft is stored twice, with computed amounts. */
const STORED_PER_DRAFT = 3;

function isOpen({ open }: Pending): boolean {
	return open;
}

function contend(series: Series): void {
	series.contendedUntil_ms = performance.now() + CONTENTION_MS;
}

function isContended(series: Series): boolean {
	return performance.now() < series.contendedUntil_ms;
}

function turnPause(series: Series): number {
	return Math.min(series.commit_ms, TURN_PAUSE_MS_MAX);
}

/** A turn, longer after every try. */
function growingPause(series: Series, { tries }: Course): number {
	return Math.min(series.commit_ms * 2 ** (tries - 1), TURN_PAUSE_MS_MAX);
}

function pause(duration_ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, duration_ms));
}
