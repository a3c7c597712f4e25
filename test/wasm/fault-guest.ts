/**
 * The program as it is served, in a host that fails: what it is asked when
 * /metrics are read throws in the middle of a handler, or leaves something
 * behind that fails when the answer is long under way.
 */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/main.ts";

const faults: (() => void)[] = [
	() => {
		throw new Error("thrown in a handler");
	},
	() => {
		setTimeout(() => {
			throw new Error("thrown in a timer");
		}, 0);
	},
	() => {
		setImmediate(() => {
			throw new Error("thrown in an immediate");
		});
	},
	() => {
		queueMicrotask(() => {
			throw new Error("thrown in a microtask");
		});
	},
	() => {
		void Promise.reject(new Error("a rejection that nobody handles"));
	},
	() => {
		void Promise.reject(undefined);
	},
];

const { memoryUsage } = host;
host.memoryUsage = () => {
	faults.shift()?.();
	return memoryUsage();
};

const { randomUUID } = crypto;
let isIdRefused = true;
/** Names each request, before the app's own catching begins. */
crypto.randomUUID = () => {
	if (isIdRefused) {
		isIdRefused = false;
		throw new Error("thrown before the handler");
	}
	return randomUUID.call(crypto);
};
