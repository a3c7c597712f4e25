/** The global setTimeout, setInterval and setImmediate, as Node has them; installed by importing this module. */
import {
	cancelImmediate,
	cancelTimer,
	type LoopImmediate,
	type LoopTimer,
	loopTimer,
	queueImmediate,
	queueTimer,
	setImmediateReferenced,
	setTimerReferenced,
} from "./loop.ts";

/** Node's: a longer delay does not fit into 32 bits and is taken as 1. */
const DELAY_MS_MAX = 2 ** 31 - 1;

type Callback = (...values: unknown[]) => void;

/** Timers whose number was asked for; only they can be cleared by it. */
const timersByNumber = new Map<number, Timeout>();
let numbers = 0;

/** What setTimeout and setInterval return. */
export class Timeout {
	readonly #timer: LoopTimer;
	readonly #delay_ms: number;
	#number = 0;
	#isCleared = false;

	constructor(
		callback: Callback,
		delay: unknown,
		values: readonly unknown[],
		isRepeated: boolean,
	) {
		this.#delay_ms = delayOf(delay);
		this.#timer = loopTimer(() => {
			try {
				if (values.length === 0) {
					callback.call(this);
				} else {
					callback.call(this, ...values);
				}
			} finally {
				// Unless the callback has cleared it, or set it anew itself.
				if (!this.#isCleared && this.#timer.place < 0) {
					if (isRepeated) {
						queueTimer(this.#timer, this.#delay_ms);
					} else {
						this.#forgetNumber();
					}
				}
			}
		});
		queueTimer(this.#timer, this.#delay_ms);
	}

	/** Lets the program end before it is due. */
	unref(): this {
		setTimerReferenced(this.#timer, false);
		return this;
	}

	ref(): this {
		setTimerReferenced(this.#timer, true);
		return this;
	}

	hasRef(): boolean {
		return this.#timer.isReferenced;
	}

	/** Starts its delay anew, from now; a timer that has run runs again. One that was cleared stays so. */
	refresh(): this {
		if (!this.#isCleared) {
			queueTimer(this.#timer, this.#delay_ms);
		}
		return this;
	}

	close(): this {
		this.#isCleared = true;
		cancelTimer(this.#timer);
		this.#forgetNumber();
		return this;
	}

	#forgetNumber(): void {
		if (this.#number > 0) {
			timersByNumber.delete(this.#number);
			this.#number = 0;
		}
	}

	[Symbol.toPrimitive](): number {
		if (this.#number === 0 && this.#timer.place >= 0) {
			numbers += 1;
			this.#number = numbers;
			timersByNumber.set(this.#number, this);
		}
		return this.#number;
	}

	[Symbol.dispose](): void {
		this.close();
	}
}

/** What setImmediate returns. */
export class Immediate {
	readonly #immediate: LoopImmediate;

	constructor(callback: Callback, values: readonly unknown[]) {
		this.#immediate = queueImmediate(() => callback(...values));
	}

	unref(): this {
		setImmediateReferenced(this.#immediate, false);
		return this;
	}

	ref(): this {
		setImmediateReferenced(this.#immediate, true);
		return this;
	}

	hasRef(): boolean {
		return this.#immediate.isReferenced;
	}

	close(): void {
		cancelImmediate(this.#immediate);
	}

	[Symbol.dispose](): void {
		this.close();
	}
}

/**
 * Calls back once, `delay` milliseconds from now or later; 1 where it is no number from 1 to 2³¹ - 1.
 *
 * @throws TypeError where the callback is no function
 */
export function setTimeout(
	callback: Callback,
	delay?: unknown,
	...values: unknown[]
): Timeout {
	return new Timeout(checked(callback), delay, values, false);
}

/** Calls back again and again; each time `delay` milliseconds after the last one was over. */
export function setInterval(
	callback: Callback,
	delay?: unknown,
	...values: unknown[]
): Timeout {
	return new Timeout(checked(callback), delay, values, true);
}

/** Calls back after the sockets that are ready. */
export function setImmediate(
	callback: Callback,
	...values: unknown[]
): Immediate {
	return new Immediate(checked(callback), values);
}

/** Clears a timer, or the one of that number; anything else is left alone, as everywhere. */
export function clearTimeout(timer: unknown): void {
	if (timer instanceof Timeout) {
		timer.close();
	} else if (typeof timer === "number" || typeof timer === "string") {
		timersByNumber.get(Number(timer))?.close();
	}
}

export function clearImmediate(immediate: unknown): void {
	if (immediate instanceof Immediate) {
		immediate.close();
	}
}

function checked(callback: Callback): Callback {
	if (typeof callback !== "function") {
		throw new TypeError(
			`A timer calls a function; it was given ${callback === null ? "null" : `a value of type ${typeof callback}`}.`,
		);
	}
	return callback;
}

function delayOf(delay: unknown): number {
	const delay_ms = Number(delay);
	return delay_ms >= 1 && delay_ms <= DELAY_MS_MAX ? Math.trunc(delay_ms) : 1;
}

Object.assign(globalThis, {
	setTimeout,
	clearTimeout,
	setInterval,
	clearInterval: clearTimeout,
	setImmediate,
	clearImmediate,
});
