/** The service inside WasmEdge as a process for tests that send it requests. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { bundleGuest, testEngine } from "./engine.ts";

export interface WasmProcess {
	url: string;
	child: ChildProcess;
	/** Standard output so far, line by line. */
	lines: string[];
	end(): Promise<void>;
}

/** Starts the service of service-guest.ts on a port of its own. */
export async function startWasmProcess(
	settings: Record<string, string>,
): Promise<WasmProcess> {
	const { run } = await testEngine();
	const script = await bundleGuest("test/wasm/service-guest.ts");
	const child = run(script, {
		env: { PORT: "0", ...settings },
		folders: [{ inside: "/app/fonts", outside: "fonts" }],
		stdio: ["ignore", "pipe", "inherit"],
	});
	const ended = once(child, "exit");
	const lines: string[] = [];
	const url = await new Promise<string>((resolve, reject) => {
		void ended.then(([status]) =>
			reject(new Error(`The service ended with ${status}.`)),
		);
		createInterface({ input: child.stdout as NodeJS.ReadableStream }).on(
			"line",
			(line) => {
				lines.push(line);
				const entry = JSON.parse(line) as { message: string; url: string };
				if (entry.message === "listening") {
					resolve(entry.url);
				}
			},
		);
	});
	return {
		url,
		child,
		lines,
		async end() {
			child.kill();
			await ended;
		},
	};
}
