/** `timers/promises`: waiting, which a signal may end. */
import {
	clearTimeout,
	setImmediate as queueImmediate,
	setTimeout as startTimeout,
} from "../timers.ts";

interface WaitOptions {
	signal?: AbortSignal;
	/** False where waiting shall not keep the program alive. */
	ref?: boolean;
}

/** Waits `delay` milliseconds. Rejects with an AbortError where the signal ends it. */
export function setTimeout<T>(
	delay?: number,
	value?: T,
	{ signal, ref = true }: WaitOptions = {},
): Promise<T | undefined> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(abortError(signal));
			return;
		}
		const onAbort = () => {
			clearTimeout(timer);
			reject(abortError(signal as AbortSignal));
		};
		const timer = startTimeout(() => {
			signal?.removeEventListener("abort", onAbort);
			resolve(value);
		}, delay);
		if (!ref) {
			timer.unref();
		}
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}

/** Waits until the ready sockets had their turn. */
export function setImmediate<T>(value?: T): Promise<T | undefined> {
	return new Promise((resolve) => queueImmediate(() => resolve(value)));
}

/** As Node's: an error of its own, with the signal's reason as the cause. */
function abortError(signal: AbortSignal): Error {
	return Object.assign(
		new Error("The operation was aborted", { cause: signal.reason }),
		{ name: "AbortError", code: "ABORT_ERR" },
	);
}
