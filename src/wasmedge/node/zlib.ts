/** `zlib` for the wire compression of MongoDB, by the host's zlib. */
import { queueTick } from "../loop.ts";

type Callback = (error: Error | null, result?: Uint8Array) => void;

const DEFAULT_LEVEL = 6;
const WINDOW_BITS = 15;
const MEMORY_LEVEL = 8;

/** A message of MongoDB's is never longer; what claims to be is damaged, or an attack. */
const INFLATED_LENGTH_MAX = 48_000_000;

export const constants = {
	Z_NO_COMPRESSION: 0,
	Z_BEST_SPEED: 1,
	Z_BEST_COMPRESSION: 9,
	Z_DEFAULT_COMPRESSION: -1,
};

export function deflate(
	bytes: Uint8Array,
	options: { level?: number } | Callback,
	callback?: Callback,
): void {
	const { level } =
		typeof options === "function" ? { level: undefined } : options;
	answer(typeof options === "function" ? options : callback, () =>
		host.deflate(
			bytes,
			"zlib",
			level === undefined || level < 0 ? DEFAULT_LEVEL : level,
			WINDOW_BITS,
			MEMORY_LEVEL,
		),
	);
}

export function inflate(
	bytes: Uint8Array,
	options: object | Callback,
	callback?: Callback,
): void {
	answer(typeof options === "function" ? (options as Callback) : callback, () =>
		host.inflate(bytes, "zlib", INFLATED_LENGTH_MAX),
	);
}

function answer(
	callback: Callback | undefined,
	work: () => Uint8Array<ArrayBuffer>,
): void {
	if (callback === undefined) {
		throw new TypeError(
			"Compression calls back; it was given no function to call.",
		);
	}
	let result: Uint8Array;
	try {
		result = work();
	} catch (error) {
		queueTick(() => callback(error as Error));
		return;
	}
	queueTick(() => callback(null, result));
}
