/** AbortController and AbortSignal of the DOM Standard. */
import { Event, EventTarget } from "./event-target.ts";

/** Makes a signal; its constructor is nobody else's. */
const OWN = Symbol("own");

let abortSignal: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
	#isAborted = false;
	#reason: unknown;
	/** Signals made of this one by `any`. */
	#dependents: AbortSignal[] = [];
	/** The handler that is set as a property. */
	onabort: ((event: Event) => void) | null = null;

	constructor(own?: typeof OWN) {
		super();
		if (own !== OWN) {
			throw new TypeError(
				"An AbortSignal is made by an AbortController, AbortSignal.timeout or AbortSignal.any.",
			);
		}
	}

	/** A signal that is aborted already. */
	static abort(
		reason: unknown = new DOMException(
			"The operation was aborted.",
			"AbortError",
		),
	): AbortSignal {
		const signal = new AbortSignal(OWN);
		abortSignal(signal, reason);
		return signal;
	}

	/** Aborts with a TimeoutError after `delay_ms`; the process does not stay alive for it. */
	static timeout(delay_ms: number): AbortSignal {
		if (!(delay_ms >= 0 && delay_ms <= Number.MAX_SAFE_INTEGER)) {
			throw new RangeError("The time of a timeout is not negative.");
		}
		const signal = new AbortSignal(OWN);
		const timer: { unref?(): void } = setTimeout(
			() =>
				abortSignal(
					signal,
					new DOMException(
						"The operation was aborted due to timeout.",
						"TimeoutError",
					),
				),
			delay_ms,
		);
		timer.unref?.();
		return signal;
	}

	/** Aborts as soon as one of `signals` does. */
	static any(signals: Iterable<AbortSignal>): AbortSignal {
		const result = new AbortSignal(OWN);
		const sources = [...signals];
		const aborted = sources.find((each) => each.aborted);
		if (aborted !== undefined) {
			abortSignal(result, aborted.reason);
			return result;
		}
		for (const source of sources) {
			source.#dependents.push(result);
		}
		return result;
	}

	get aborted(): boolean {
		return this.#isAborted;
	}

	get reason(): unknown {
		return this.#reason;
	}

	throwIfAborted(): void {
		if (this.#isAborted) {
			throw this.#reason;
		}
	}

	override get [Symbol.toStringTag](): string {
		return "AbortSignal";
	}

	static {
		abortSignal = (signal, reason) => {
			if (signal.#isAborted) {
				return;
			}
			// All of them are aborted before the first listener is told.
			const aborted = [signal];
			for (let at = 0; at < aborted.length; at += 1) {
				const each = aborted[at];
				if (each === undefined || each.#isAborted) {
					continue;
				}
				each.#isAborted = true;
				each.#reason = reason;
				aborted.push(...each.#dependents);
				each.#dependents = [];
			}
			for (const each of new Set(aborted)) {
				const event = new Event("abort");
				each.onabort?.(event);
				each.dispatchEvent(event);
			}
		};
	}
}

export class AbortController {
	readonly signal = new AbortSignal(OWN);

	abort(
		reason: unknown = new DOMException(
			"This operation was aborted",
			"AbortError",
		),
	): void {
		abortSignal(this.signal, reason);
	}

	get [Symbol.toStringTag](): string {
		return "AbortController";
	}
}
