/** `process`: environment, clocks, memory and output of this program. */
import { queueTick } from "../loop.ts";

const NANOSECONDS_PER_MS = 1e6;
const NANOSECONDS_PER_S = 1e9;

/** The Node whose behaviour is imitated: the driver tells it to the server, and nothing else depends on it. */
export const version = "v20.0.0";
export const versions: Readonly<Record<string, string>> = {
	...host.versions,
	node: version.slice(1),
};
export const platform = "wasi";
export const arch = "wasm32";
export const pid = 1;
export const argv: readonly string[] = [];

/** Read once. */
export const env: Readonly<Record<string, string | undefined>> =
	host.environment();

/** Calls back before any promise goes on. */
export function nextTick(
	callback: (...values: unknown[]) => void,
	...values: unknown[]
): void {
	queueTick(values.length === 0 ? callback : () => callback(...values));
}

/** Seconds and nanoseconds since an arbitrary start, or since an earlier one. */
export function hrtime(earlier?: readonly [number, number]): [number, number] {
	const now_ms = host.monotonicNow();
	let seconds = Math.trunc(now_ms / 1000);
	let nanoseconds = Math.trunc((now_ms % 1000) * NANOSECONDS_PER_MS);
	if (earlier !== undefined) {
		seconds -= earlier[0];
		nanoseconds -= earlier[1];
		if (nanoseconds < 0) {
			seconds -= 1;
			nanoseconds += NANOSECONDS_PER_S;
		}
	}
	return [seconds, nanoseconds];
}

hrtime.bigint = (): bigint =>
	BigInt(Math.trunc(host.monotonicNow() * NANOSECONDS_PER_MS));

export function memoryUsage(): {
	rss: number;
	heapTotal: number;
	heapUsed: number;
	external: number;
	arrayBuffers: number;
} {
	const { linear, used } = host.memoryUsage();
	return {
		rss: linear,
		heapTotal: linear,
		heapUsed: used,
		external: 0,
		arrayBuffers: 0,
	};
}

/** Seconds since this module was loaded. */
const started_ms = host.monotonicNow();

export function uptime(): number {
	return (host.monotonicNow() - started_ms) / 1000;
}

/** Writes the warning to standard error. */
export function emitWarning(
	warning: string | Error,
	options?: string | { type?: string; code?: string },
): void {
	const { type = "Warning", code = "" } =
		typeof options === "string" ? { type: options } : (options ?? {});
	const text = warning instanceof Error ? warning.message : warning;
	host.writeText(2, `${code === "" ? "" : `[${code}] `}${type}: ${text}\n`);
}

function output(stream: 1 | 2) {
	return {
		isTTY: false,
		write(text: string, whenWritten?: unknown): boolean {
			host.writeText(stream, text);
			if (typeof whenWritten === "function") {
				queueTick(whenWritten as () => void);
			}
			return true;
		},
	};
}

export const stdout = output(1);
export const stderr = output(2);

export function cwd(): string {
	return "/";
}

export function exit(status = 0): never {
	return host.exit(status);
}

/** Nothing is emitted here: there are no signals in the sandbox, and errors nobody catches go to the loop's hook. */
export function on(): void {}
export const once = on;
export const off = on;
export const removeListener = on;

const everything = {
	version,
	versions,
	platform,
	arch,
	pid,
	argv,
	env,
	nextTick,
	hrtime,
	memoryUsage,
	uptime,
	emitWarning,
	stdout,
	stderr,
	cwd,
	exit,
	on,
	once,
	off,
	removeListener,
};

export default everything;
