/** Writing lines to standard output: those of one turn of the event loop go together. */

let lines: string[] = [];

/** Writes a line, at the latest after this turn of the loop. */
export function writeLine(line: string): void {
	if (lines.length === 0) {
		setImmediate(flushLines);
	}
	lines.push(line);
}

/** Writes what is still to be written; to be called before the process ends. */
export function flushLines(): void {
	if (lines.length > 0) {
		host.writeText(1, `${lines.join("\n")}\n`);
		lines = [];
	}
}
