/** structuredClone of the HTML Standard, for plain data, Date, Map, Set, errors and bytes. */

type Copies = Map<object, object>;

const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
	Error,
	EvalError,
	RangeError,
	ReferenceError,
	SyntaxError,
	TypeError,
	URIError,
};

/**
 * A deep copy; what is reached twice is copied once. Objects of a class come out
 * as plain ones. Throws a DataCloneError on functions, symbols and what cannot be
 * copied, and on `transfer`.
 */
export function structuredClone<Value>(
	value: Value,
	options?: { transfer?: readonly unknown[] },
): Value {
	if (options?.transfer !== undefined && options.transfer.length > 0) {
		throw refusal("Transferring");
	}
	return copyOf(value, new Map()) as Value;
}

function copyOf(value: unknown, copies: Copies): unknown {
	if (typeof value === "function" || typeof value === "symbol") {
		throw refusal(`A ${typeof value}`);
	}
	if (typeof value !== "object" || value === null) {
		return value;
	}
	const known = copies.get(value);
	if (known !== undefined) {
		return known;
	}
	if (Array.isArray(value)) {
		const copy: unknown[] = [];
		copy.length = value.length;
		copies.set(value, copy);
		copyProperties(value, copy, copies);
		return copy;
	}
	const prototype = Object.getPrototypeOf(value);
	if (prototype === Object.prototype || prototype === null) {
		const copy = {};
		copies.set(value, copy);
		copyProperties(value, copy, copies);
		return copy;
	}
	return copyOfSpecial(value, copies);
}

function copyProperties(from: object, to: object, copies: Copies): void {
	for (const key of Object.keys(from)) {
		const value = (from as Record<string, unknown>)[key];
		const isText = typeof value === "string";
		const copy = isText ? value : copyOf(value, copies);
		if (key === "__proto__") {
			// An assignment would set the prototype.
			Object.defineProperty(to, key, {
				value: copy,
				writable: true,
				enumerable: true,
				configurable: true,
			});
		} else {
			(to as Record<string, unknown>)[key] = copy;
		}
	}
}

function copyOfSpecial(value: object, copies: Copies): object {
	const own = <Copy extends object>(copy: Copy): Copy => {
		copies.set(value, copy);
		return copy;
	};
	if (value instanceof Date) {
		return own(new Date(value.getTime()));
	}
	if (value instanceof RegExp) {
		return own(new RegExp(value.source, value.flags));
	}
	if (value instanceof Map) {
		const copy = own(new Map());
		for (const [key, each] of [...value]) {
			copy.set(copyOf(key, copies), copyOf(each, copies));
		}
		return copy;
	}
	if (value instanceof Set) {
		const copy = own(new Set());
		for (const each of [...value]) {
			copy.add(copyOf(each, copies));
		}
		return copy;
	}
	if (value instanceof ArrayBuffer) {
		return own(value.slice(0));
	}
	if (ArrayBuffer.isView(value)) {
		return own(copyOfView(value, copies));
	}
	if (value instanceof Error) {
		return copyOfError(value, copies);
	}
	if (isBoxed(value)) {
		return own(Object(value.valueOf()));
	}
	if (hasInternals(value)) {
		throw refusal(`A ${value.constructor.name}`);
	}
	const copy = own({});
	copyProperties(value, copy, copies);
	return copy;
}

function copyOfView(view: ArrayBufferView, copies: Copies): ArrayBufferView {
	const buffer = copyOf(view.buffer, copies) as ArrayBuffer;
	const Constructor = view.constructor as new (
		buffer: ArrayBuffer,
		offset: number,
		length: number,
	) => ArrayBufferView;
	return new Constructor(
		buffer,
		view.byteOffset,
		view instanceof DataView ? view.byteLength : (view as Uint8Array).length,
	);
}

function copyOfError(error: Error, copies: Copies): Error {
	const copy = new (ERRORS[error.name] ?? Error)(error.message);
	copies.set(error, copy);
	Object.defineProperty(copy, "stack", {
		value: error.stack,
		writable: true,
		configurable: true,
	});
	if (Object.hasOwn(error, "cause")) {
		Object.defineProperty(copy, "cause", {
			value: copyOf(error.cause, copies),
			writable: true,
			configurable: true,
		});
	}
	return copy;
}

function isBoxed(value: object): boolean {
	return (
		value instanceof Number ||
		value instanceof String ||
		value instanceof Boolean ||
		value instanceof BigInt
	);
}

/** Objects that are more than their properties: a copy of those would be another thing. */
function hasInternals(value: object): boolean {
	return (
		value instanceof Promise ||
		value instanceof WeakMap ||
		value instanceof WeakSet ||
		value instanceof WeakRef ||
		value instanceof Symbol ||
		Object.prototype.toString.call(value) !== "[object Object]"
	);
}

function refusal(what: string): DOMException {
	return new DOMException(
		`${what} cannot be copied by structuredClone.`,
		"DataCloneError",
	);
}
