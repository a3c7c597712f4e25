/** console: everything goes to standard error, for standard output is the log's. */
import { inspect } from "../node/inspect.ts";

type Write = (...values: readonly unknown[]) => void;

export interface Console {
	log: Write;
	info: Write;
	debug: Write;
	warn: Write;
	error: Write;
	trace: Write;
	dir(value: unknown): void;
	assert(condition: unknown, ...values: readonly unknown[]): void;
}

const write: Write = (...values) => host.writeText(2, `${formatted(values)}\n`);

export const console: Console = {
	log: write,
	info: write,
	debug: write,
	warn: write,
	error: write,
	trace: (...values) =>
		write(`Trace: ${formatted(values)}\n${new Error().stack ?? ""}`.trimEnd()),
	dir: (value) => write(inspect(value)),
	assert(condition, ...values) {
		if (!condition) {
			write("Assertion failed:", ...values);
		}
	},
};

/** The values side by side; the first may name places for those that follow: %s, %d, %i, %f, %j, %o, %O, %c. */
export function formatted(values: readonly unknown[]): string {
	const [first, ...others] = values;
	if (typeof first !== "string") {
		return values.map(shown).join(" ");
	}
	const text =
		others.length === 0
			? first
			: first.replace(/%[sdifjoOc%]/g, (place) => {
					if (place === "%%") {
						return "%";
					}
					return others.length === 0 ? place : placed(place, others.shift());
				});
	return [text, ...others.map(shown)].join(" ");
}

function placed(place: string, value: unknown): string {
	switch (place) {
		case "%s":
			return typeof value === "object" ? inspect(value) : String(value);
		case "%d":
			return typeof value === "symbol" ? "NaN" : String(Number(value));
		case "%i":
			return String(Number.parseInt(String(value), 10));
		case "%f":
			return String(Number.parseFloat(String(value)));
		case "%j":
			return JSON.stringify(value) ?? "undefined";
		case "%c":
			return "";
		default:
			return inspect(value);
	}
}

function shown(value: unknown): string {
	return typeof value === "string" ? value : inspect(value);
}
