/** The real program as a process of its own, and what is said to it over real sockets. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { RUNTIME, type TestRuntime } from "../runtime.ts";

const PROGRAM = {
	node: ["--import", "tsx", "src/node/main.ts"],
	wasmedge: ["infra/local/wasm.mjs"],
};

const LINE_MS_MAX = 60_000;

export interface ServiceProcess {
	url: string;
	port: number;
	child: ChildProcess;
	/** Standard output so far, line by line. */
	lines: string[];
	/** The first line that matches, as soon as it is there. */
	line(pattern: RegExp): Promise<string>;
	/** Ends it by a signal and resolves to its exit status. */
	end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts the program and waits until it listens. Settings of the developer's own environment do not reach it. */
export async function startProcess(
	settings: Record<string, string>,
	runtime = RUNTIME,
): Promise<ServiceProcess> {
	const { child, lines, errors, exited } = spawnProgram(settings, runtime);
	const line = (pattern: RegExp) =>
		new Promise<string>((resolve, reject) => {
			const late = setTimeout(
				() => reject(new Error(`No line ${pattern}: ${errors.join("\n")}`)),
				LINE_MS_MAX,
			);
			void exited.then((status) =>
				reject(new Error(`It ended with ${status}: ${errors.join("\n")}`)),
			);
			const check = () => {
				const found = lines.all.find((each) => pattern.test(each));
				if (found !== undefined) {
					clearTimeout(late);
					lines.watchers.delete(check);
					resolve(found);
				}
			};
			lines.watchers.add(check);
			check();
		});
	const listening = JSON.parse(await line(/"message":"listening"/)) as {
		url: string;
	};
	const { url } = listening;
	return {
		url,
		port: Number(new URL(url).port),
		child,
		lines: lines.all,
		line,
		end(signal = "SIGTERM") {
			child.kill(signal);
			return exited;
		},
	};
}

/** Runs the program where it is expected to end by itself. */
export async function runToEnd(
	settings: Record<string, string>,
): Promise<{ status: number | null; errors: string }> {
	const { exited, errors } = spawnProgram(settings, RUNTIME);
	return { status: await exited, errors: errors.join("\n") };
}

function spawnProgram(settings: Record<string, string>, runtime: TestRuntime) {
	const { PATH, HOME, MONGOD_BINARY, XDG_CACHE_HOME } = process.env;
	const child = spawn(process.execPath, PROGRAM[runtime], {
		env: {
			...Object.fromEntries(
				Object.entries({ PATH, HOME, MONGOD_BINARY, XDG_CACHE_HOME }).filter(
					([, value]) => value !== undefined,
				),
			),
			PORT: "0",
			...settings,
		},
		stdio: ["ignore", "pipe", "pipe"],
	});
	const errors: string[] = [];
	const lines = { all: [] as string[], watchers: new Set<() => void>() };
	createInterface({ input: child.stdout }).on("line", (line) => {
		lines.all.push(line);
		for (const check of lines.watchers) {
			check();
		}
	});
	createInterface({ input: child.stderr }).on("line", (line) =>
		errors.push(line),
	);
	const exited = once(child, "close").then(
		([status]) => status as number | null,
	);
	return { child, lines, errors, exited };
}

/** A raw connection; `received` resolves when the pattern is in what came. */
export async function openSocket(port: number): Promise<{
	socket: Socket;
	received(pattern: RegExp): Promise<string>;
}> {
	const socket = connect(port, "127.0.0.1");
	await once(socket, "connect");
	let text = "";
	let ended = false;
	const waiting = new Set<() => void>();
	const changed = () => {
		for (const check of waiting) {
			check();
		}
	};
	socket.setEncoding("latin1");
	socket.on("data", (chunk) => {
		text += chunk;
		changed();
	});
	socket.on("error", () => {});
	socket.on("close", () => {
		ended = true;
		changed();
	});
	return {
		socket,
		received: (pattern) =>
			new Promise((resolve, reject) => {
				const check = () => {
					if (pattern.test(text)) {
						waiting.delete(check);
						resolve(text);
					} else if (ended) {
						waiting.delete(check);
						reject(new Error(`Closed after: ${text.slice(0, 500)}`));
					}
				};
				waiting.add(check);
				check();
			}),
	};
}
