/**
 * The event loop: timers, ready sockets and immediates take turns, in Node's
 * order, and the program ends when none of them is left.
 *
 * The host calls the turn whenever no promise has a job left. Each turn runs one
 * callback, so that its promises are settled before the next one begins.
 */
import { openTimerQueue, type QueuedTimer } from "./timer-queue.ts";

/** Sockets whose readiness is taken from one `poll`; those beyond it are reported by the next. */
const EVENTS_MAX = 1024;

/** Called with the flags that are ready: of the interest, and `host.BROKEN`. */
export type OnReady = (flags: number) => void;

/** A timer of the loop; see timers.ts for what programs see of it. */
export interface LoopTimer extends QueuedTimer {
	/** Keeps the program alive while it is queued. */
	isReferenced: boolean;
	onDue: () => void;
}

/** A callback that runs once, after the sockets of this round. */
export interface LoopImmediate {
	/** Keeps the program alive until it has run. */
	isReferenced: boolean;
	isCancelled: boolean;
	onTurn: () => void;
}

interface Watch {
	interest: Interest;
	onReady: OnReady;
	isReferenced: boolean;
	/** The round in which it began: what was polled before concerns a former socket of that number. */
	round: number;
}

type Phase = "timers" | "sockets" | "immediates";

const watches = new Map<Descriptor, Watch>();
const timers = openTimerQueue<LoopTimer>();
const events = new Int32Array(2 * EVENTS_MAX);

/** Callbacks of `nextTick`: they come before the jobs of promises. */
let ticks: (() => void)[] = [];
/** Immediates of this round; and those that they queue, for the next. */
let immediates: LoopImmediate[] = [];
let laterImmediates: LoopImmediate[] = [];
let immediatesRun = 0;

let phase: Phase = "timers";
let round = 0;
/** The time of this round: timers that are set in it are due in a later one. */
let roundNow_ms = 0;
let eventCount = 0;
let eventsRun = 0;

/** Watches, timers and immediates that keep the program alive. */
let referenced = 0;

let onUncaught = reportUncaught;

/**
 * Lets the host run the loop once the main program is through.
 *
 * @param onUncaughtError is told of what callbacks and promises throw and nobody
 *   catches; by default it is written to standard error. The loop goes on.
 */
export function startLoop(
	onUncaughtError: (error: unknown) => void = reportUncaught,
): void {
	onUncaught = onUncaughtError;
	host.onUncaughtError(onUncaughtError);
	host.onUnhandledRejection(onUncaughtError);
	host.setTurn(turn);
}

/**
 * Watches a descriptor until `unwatch`; called again, it changes interest and
 * callback. End the watch before the socket is closed.
 *
 * @param interest `host.READABLE`, `host.WRITABLE`, their sum, or 0: none for now
 */
export function watch(
	descriptor: Descriptor,
	interest: Interest,
	onReady: OnReady,
): void {
	const before = watches.get(descriptor);
	if (before === undefined) {
		watches.set(descriptor, { interest, onReady, isReferenced: true, round });
		referenced += 1;
		host.watch(descriptor, interest);
		return;
	}
	before.onReady = onReady;
	if (before.interest !== interest) {
		before.interest = interest;
		host.watch(descriptor, interest);
	}
}

/** Ends the watch, if there is one. */
export function unwatch(descriptor: Descriptor): void {
	const before = watches.get(descriptor);
	if (before !== undefined) {
		watches.delete(descriptor);
		referenced -= before.isReferenced ? 1 : 0;
		host.watch(descriptor, 0);
	}
}

/** Says whether a watched descriptor keeps the program alive; at first it does. */
export function setWatchReferenced(
	descriptor: Descriptor,
	isReferenced: boolean,
): void {
	const found = watches.get(descriptor);
	if (found !== undefined && found.isReferenced !== isReferenced) {
		found.isReferenced = isReferenced;
		referenced += isReferenced ? 1 : -1;
	}
}

/** Makes a timer that is not queued yet. */
export function loopTimer(onDue: () => void): LoopTimer {
	return {
		due_ms: 0,
		place: -1,
		sorted_ms: 0,
		order: 0,
		isReferenced: true,
		onDue,
	};
}

/** Queues the timer for `delay_ms` from now, anew if it is queued already. */
export function queueTimer(timer: LoopTimer, delay_ms: number): void {
	if (timer.place < 0 && timer.isReferenced) {
		referenced += 1;
	}
	timer.due_ms = host.monotonicNow() + delay_ms;
	timers.add(timer);
}

/** Takes it out of the queue, if it is in it. */
export function cancelTimer(timer: LoopTimer): void {
	if (timer.place >= 0) {
		referenced -= timer.isReferenced ? 1 : 0;
		timers.remove(timer);
	}
}

/** Says whether the timer keeps the program alive while it is queued. */
export function setTimerReferenced(
	timer: LoopTimer,
	isReferenced: boolean,
): void {
	if (timer.isReferenced !== isReferenced) {
		timer.isReferenced = isReferenced;
		if (timer.place >= 0) {
			referenced += isReferenced ? 1 : -1;
		}
	}
}

/** Queues a callback behind the sockets that are ready: of this round, or of the next where an immediate queues it. */
export function queueImmediate(onTurn: () => void): LoopImmediate {
	const immediate = { isReferenced: true, isCancelled: false, onTurn };
	laterImmediates.push(immediate);
	referenced += 1;
	return immediate;
}

/** Takes it out of the queue, if it has not run. */
export function cancelImmediate(immediate: LoopImmediate): void {
	if (!immediate.isCancelled) {
		immediate.isCancelled = true;
		referenced -= immediate.isReferenced ? 1 : 0;
	}
}

/** Says whether the immediate keeps the program alive until it has run. */
export function setImmediateReferenced(
	immediate: LoopImmediate,
	isReferenced: boolean,
): void {
	if (!immediate.isCancelled && immediate.isReferenced !== isReferenced) {
		referenced += isReferenced ? 1 : -1;
	}
	immediate.isReferenced = isReferenced;
}

/** Queues a callback before the jobs of promises: it runs when the present callback, or job, and those behind it are done. */
export function queueTick(callback: () => void): void {
	ticks.push(callback);
}

function reportUncaught(error: unknown): void {
	const text =
		error instanceof Error
			? `${error.name}: ${error.message}\n${error.stack ?? ""}`
			: String(error);
	host.writeText(2, `Uncaught ${text.trimEnd()}\n`);
}

/** One callback, or one wait for the next; false ends the program. */
function turn(): boolean {
	if (ticks.length > 0) {
		runTicks();
		return true;
	}
	for (;;) {
		switch (phase) {
			case "timers": {
				const timer = timers.takeDue(roundNow_ms);
				if (timer !== undefined) {
					referenced -= timer.isReferenced ? 1 : 0;
					run(timer.onDue);
					return true;
				}
				if (referenced === 0) {
					return false;
				}
				pollSockets();
				phase = "sockets";
				break;
			}
			case "sockets": {
				if (eventsRun < eventCount) {
					if (runEvent()) {
						return true;
					}
					break;
				}
				immediates = laterImmediates;
				laterImmediates = [];
				immediatesRun = 0;
				phase = "immediates";
				break;
			}
			case "immediates": {
				const immediate = immediates[immediatesRun];
				if (immediate === undefined) {
					roundNow_ms = host.monotonicNow();
					phase = "timers";
					break;
				}
				immediatesRun += 1;
				if (!immediate.isCancelled) {
					cancelImmediate(immediate);
					run(immediate.onTurn);
					return true;
				}
				break;
			}
		}
	}
}

/** Asks which sockets are ready; waits for them where nothing else is to be done. */
function pollSockets(): void {
	round += 1;
	eventsRun = 0;
	let wait_ms = 0;
	if (laterImmediates.length === 0) {
		const due_ms = timers.nextDue();
		wait_ms =
			due_ms === Number.POSITIVE_INFINITY
				? due_ms
				: Math.max(0, due_ms - host.monotonicNow());
	}
	eventCount = host.poll(wait_ms, events);
}

/** Runs the callback of the next ready socket; false where it no longer concerns anybody. */
function runEvent(): boolean {
	const descriptor = events[2 * eventsRun] as number;
	const flags = events[2 * eventsRun + 1] as number;
	eventsRun += 1;
	const watched = watches.get(descriptor);
	if (watched === undefined || watched.round === round) {
		return false;
	}
	const wanted = flags & (watched.interest | host.BROKEN);
	if (wanted === 0) {
		return false;
	}
	const { onReady } = watched;
	try {
		onReady(wanted);
	} catch (error) {
		onUncaught(error);
	}
	if (ticks.length > 0) {
		runTicks();
	}
	return true;
}

function run(callback: () => void): void {
	try {
		callback();
	} catch (error) {
		onUncaught(error);
	}
	if (ticks.length > 0) {
		runTicks();
	}
}

/** All ticks, those that they queue included, before any job of a promise: as Node does. */
function runTicks(): void {
	for (let done = 0; done < ticks.length; done += 1) {
		try {
			(ticks[done] as () => void)();
		} catch (error) {
			onUncaught(error);
		}
	}
	ticks = [];
}
