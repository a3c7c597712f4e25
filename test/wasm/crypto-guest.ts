/** Calls the host's cryptography as /calls/calls.json says, and prints the answers as JSON. */

/** A call of `host` by its name; bytes are written as `{ hex }`. */
export interface HostCall {
	name: string;
	args: unknown[];
}

/** What the call returned, bytes in hexadecimal, or the error that it threw. */
export type HostAnswer = { result: unknown } | { error: string };

const isBytes = (value: unknown): value is { hex: string } =>
	typeof value === "object" && value !== null && "hex" in value;

function decode(value: unknown): unknown {
	if (!isBytes(value)) {
		return value;
	}
	const pairs = value.hex.match(/../g) ?? [];
	return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

function answer({ name, args }: HostCall): HostAnswer {
	const call = host[name as keyof Host] as (...args: unknown[]) => unknown;
	try {
		const result = call(...args.map(decode));
		return {
			result: result instanceof Uint8Array ? host.encodeHex(result) : result,
		};
	} catch (error) {
		return { error: String(error) };
	}
}

const calls: HostCall[] = JSON.parse(
	host.decodeUtf8(host.readFile("/calls/calls.json"), true),
);
host.writeText(1, JSON.stringify(calls.map(answer)));
host.exit(0);
