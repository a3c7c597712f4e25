/** `util`: what the driver and its libraries use of it. */
export { inspect } from "./inspect.ts";

type Callback = (error: unknown, result?: unknown) => void;

/** A function that calls back, as one that returns a promise. */
export function promisify(
	original: (...values: unknown[]) => void,
): (...values: unknown[]) => Promise<unknown> {
	if (typeof original !== "function") {
		throw new TypeError("Only a function can be made to return a promise.");
	}
	return function (this: unknown, ...values) {
		return new Promise((resolve, reject) => {
			const callback: Callback = (error, result) =>
				error ? reject(error) : resolve(result);
			original.call(this, ...values, callback);
		});
	};
}

/** Runs as it did: nobody needs to be told of what is old here. */
export function deprecate<T>(original: T): T {
	return original;
}

export function inherits(
	derived: { prototype: object; super_?: unknown },
	base: { prototype: object },
): void {
	derived.super_ = base;
	Object.setPrototypeOf(derived.prototype, base.prototype);
}

export const types = {
	isUint8Array: (value: unknown) => value instanceof Uint8Array,
	isDate: (value: unknown) => value instanceof Date,
	isRegExp: (value: unknown) => value instanceof RegExp,
	isMap: (value: unknown) => value instanceof Map,
	isSet: (value: unknown) => value instanceof Set,
	isPromise: (value: unknown) => value instanceof Promise,
	isNativeError: (value: unknown) => value instanceof Error,
	isAnyArrayBuffer: (value: unknown) => value instanceof ArrayBuffer,
};
