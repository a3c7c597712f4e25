/** Writing lines to a stream: those of one turn of the event loop go together, none is lost at the end. */
import { writeSync } from "node:fs";
import type { Writable } from "node:stream";

/** Returns the function that writes a line. */
export function createLineWriter(
	stream: Writable & { fd: number },
): (line: string) => void {
	let lines: string[] = [];
	const flush = () => {
		if (lines.length > 0) {
			stream.write(`${lines.join("\n")}\n`);
			lines = [];
		}
	};
	process.on("exit", () => {
		if (lines.length > 0) {
			writeSync(stream.fd, `${lines.join("\n")}\n`);
		}
	});
	return (line) => {
		if (lines.length === 0) {
			setImmediate(flush);
		}
		lines.push(line);
	};
}
