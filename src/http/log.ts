/** The log: one JSON line an event, without anything about customers. */

const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

export type LogLevel = (typeof LEVELS)[number];

export type LogFields = Readonly<
	Record<string, string | number | boolean | undefined>
>;

/**
 * Writes an event. Fields never hold login names, names, addresses, bodies,
 * tokens or paths with a value in them: the log may be kept and read by others
 * than the invoices.
 */
export type Log = (
	level: Exclude<LogLevel, "silent">,
	message: string,
	fields?: LogFields,
) => void;

/** Makes a log that hands each line, without its line end, to `write`. */
export function createLog(
	least: LogLevel,
	write: (line: string) => void,
	now: () => Date,
): Log {
	const threshold = LEVELS.indexOf(least);
	return (level, message, fields) => {
		if (LEVELS.indexOf(level) >= threshold) {
			write(
				JSON.stringify({
					time: now().toISOString(),
					level,
					message,
					...fields,
				}),
			);
		}
	};
}

/** An unexpected error as fields; its stack tells what and where. */
export function errorFields(error: unknown): LogFields {
	return error instanceof Error
		? { error: error.name, stack: stackOf(error) }
		: { error: typeof error };
}

/** V8 begins a stack with the error's name and message, QuickJS with the first place. */
function stackOf({ name, message, stack = "" }: Error): string {
	return stack.includes(message)
		? stack
		: `${name}: ${message}\n${stack}`.trimEnd();
}
