/** Event and EventTarget of the DOM Standard, without a tree: there is one target, no capture and no bubbling. */

export interface EventOptions {
	bubbles?: boolean;
	cancelable?: boolean;
	composed?: boolean;
}

let dispatch: (
	event: Event,
	target: EventTarget,
	listeners: readonly Listener[],
) => boolean;

export class Event {
	readonly type: string;
	readonly bubbles: boolean;
	readonly cancelable: boolean;
	readonly composed: boolean;
	readonly isTrusted = false;
	readonly timeStamp = performance.now();
	#target: EventTarget | null = null;
	#isDispatched = false;
	#isCancelled = false;
	#isStopped = false;
	#isPassive = false;

	constructor(type: string, options: EventOptions = {}) {
		this.type = String(type);
		this.bubbles = Boolean(options.bubbles);
		this.cancelable = Boolean(options.cancelable);
		this.composed = Boolean(options.composed);
	}

	get target(): EventTarget | null {
		return this.#target;
	}

	get currentTarget(): EventTarget | null {
		return this.#isDispatched ? this.#target : null;
	}

	get defaultPrevented(): boolean {
		return this.#isCancelled;
	}

	preventDefault(): void {
		if (this.cancelable && !this.#isPassive) {
			this.#isCancelled = true;
		}
	}

	stopImmediatePropagation(): void {
		this.#isStopped = true;
	}

	/** Without a tree there is nowhere to go on to. */
	stopPropagation(): void {}

	get [Symbol.toStringTag](): string {
		return "Event";
	}

	static {
		dispatch = (event, target, listeners) => {
			if (event.#isDispatched) {
				throw new DOMException(
					"The event is being dispatched already.",
					"InvalidStateError",
				);
			}
			event.#target = target;
			event.#isDispatched = true;
			event.#isStopped = false;
			for (const listener of listeners) {
				if (event.#isStopped) {
					break;
				}
				if (listener.isRemoved) {
					continue;
				}
				if (listener.once) {
					listener.remove();
				}
				event.#isPassive = listener.passive;
				call(listener.callback, target, event);
				event.#isPassive = false;
			}
			event.#isDispatched = false;
			return !event.#isCancelled;
		};
	}
}

export type EventCallback =
	| ((event: Event) => void)
	| { handleEvent(event: Event): void };

export interface ListenerOptions {
	capture?: boolean;
	once?: boolean;
	passive?: boolean;
	signal?: {
		readonly aborted: boolean;
		addEventListener(type: "abort", callback: () => void): void;
	};
}

interface Listener {
	type: string;
	callback: EventCallback;
	capture: boolean;
	once: boolean;
	passive: boolean;
	isRemoved: boolean;
	remove(): void;
}

export class EventTarget {
	#listeners: Listener[] = [];

	addEventListener(
		type: string,
		callback: EventCallback | null,
		options: boolean | ListenerOptions = {},
	): void {
		const {
			capture = false,
			once = false,
			passive = false,
			signal,
		} = typeof options === "boolean" ? { capture: options } : options;
		if (
			callback === null ||
			callback === undefined ||
			signal?.aborted === true ||
			this.#find(type, callback, capture) !== undefined
		) {
			return;
		}
		const listener: Listener = {
			type,
			callback,
			capture,
			once,
			passive,
			isRemoved: false,
			remove: () => {
				listener.isRemoved = true;
				this.#listeners = this.#listeners.filter((each) => each !== listener);
			},
		};
		this.#listeners.push(listener);
		signal?.addEventListener("abort", listener.remove);
	}

	removeEventListener(
		type: string,
		callback: EventCallback | null,
		options: boolean | ListenerOptions = {},
	): void {
		const capture =
			typeof options === "boolean" ? options : (options.capture ?? false);
		this.#find(type, callback, capture)?.remove();
	}

	/** Calls the listeners; false where one has prevented the default. Throws an InvalidStateError on an event under way. */
	dispatchEvent(event: Event): boolean {
		if (!(event instanceof Event)) {
			throw new TypeError("dispatchEvent takes an Event.");
		}
		return dispatch(
			event,
			this,
			this.#listeners.filter(({ type }) => type === event.type),
		);
	}

	#find(
		type: string,
		callback: EventCallback | null,
		capture: boolean,
	): Listener | undefined {
		return this.#listeners.find(
			(each) =>
				each.type === type &&
				each.callback === callback &&
				each.capture === capture,
		);
	}

	get [Symbol.toStringTag](): string {
		return "EventTarget";
	}
}

/** What a listener throws does not reach who dispatched the event; it is told as an uncaught rejection. */
function call(
	callback: EventCallback,
	target: EventTarget,
	event: Event,
): void {
	try {
		if (typeof callback === "function") {
			callback.call(target, event);
		} else {
			callback.handleEvent(event);
		}
	} catch (error) {
		Promise.reject(error);
	}
}
