/** The service as `npm run wasm` runs it: the real bundle below the real launcher, for tests that load and harm it. */
import { type ChildProcess, spawn } from "node:child_process";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { load } from "./launcher-guest.ts";
import {
	childrenOf,
	eventually,
	listeningPort,
	ofProcess,
} from "./processes.ts";

interface WasmEdge {
	command: string[];
}

export interface WasmService {
	launcher: string;
	/** The module made native, and the module that it was made from. */
	engine: string;
	wasm: string;
	/** Folder that it sees as /app. */
	application: string;
	wasmEdge: WasmEdge;
}

export interface LaunchedService {
	launcher: ChildProcess;
	url: string;
	port: number;
	/** Lines of its log so far: the launcher's and the workers'. */
	log: Record<string, unknown>[];
	/** What launcher and workers have written to standard error so far. */
	said(): string;
	/** The first line of the log of this message, as soon as it is there. */
	logged(message: string): Promise<Record<string, unknown>>;
	/** Process ids of the workers that run now. */
	workers(): Promise<number[]>;
	/** Resolves with the launcher's exit status. */
	ended: Promise<number | null>;
	/** Ends it in good order; its exit status. */
	end(): Promise<number | null>;
}

/** Lines of the log that are kept: a long load writes one a request. */
const LOG_LINES_MAX = 20_000;

/** What the service is run with, built where it is missing: half a minute for a machine that has no engine yet. */
export async function buildWasmService(): Promise<WasmService> {
	const { buildWasmService: build } = await load<{
		buildWasmService(): Promise<WasmService>;
	}>("infra/wasm/service.mjs");
	return build();
}

/** The launcher's command line, for the service or for parts of it that a test exchanges. */
export async function launcherCommand({
	launcher,
	wasmEdge,
	engine,
	application,
}: WasmService): Promise<string[]> {
	const { launcherCommand: command } = await load<{
		launcherCommand(
			launcher: string,
			wasmEdge: WasmEdge,
			engine: string,
			application: string,
			options: { followParent: boolean },
		): string[];
	}>("infra/wasm/launcher.mjs");
	return command(launcher, wasmEdge, engine, application, {
		followParent: true,
	});
}

/** Starts the service on a port that is free, and waits until every worker runs and one has answered. */
export async function launchService(
	environment: Record<string, string>,
): Promise<LaunchedService> {
	const service = await buildWasmService();
	const [command = "", ...words] = await launcherCommand(service);
	const launcher = spawn(command, words, {
		env: { PATH: process.env.PATH, PORT: "0", ...environment },
		stdio: ["ignore", "pipe", "pipe"],
	});
	// Where a test run is cut off, nothing of it stays.
	const endWithUs = () => launcher.kill("SIGKILL");
	process.once("exit", endWithUs);
	let words_ = "";
	launcher.stderr.on("data", (chunk) => {
		words_ += chunk;
	});
	const log: Record<string, unknown>[] = [];
	createInterface({ input: launcher.stdout }).on("line", (line) => {
		// WasmEdge itself writes lines of its own here, such as one on memory that cannot grow.
		if (line.startsWith("{")) {
			log.push(JSON.parse(line) as Record<string, unknown>);
			if (log.length > LOG_LINES_MAX) log.splice(0, LOG_LINES_MAX / 2);
		}
	});
	const ended = new Promise<number | null>((settle) =>
		launcher.once("close", (status) => {
			process.off("exit", endWithUs);
			settle(status);
		}),
	);
	const pid = launcher.pid ?? 0;
	const whileItRuns = <Value>(
		what: string,
		look: () => Promise<Value | undefined>,
	) =>
		eventually(what, () => {
			if (launcher.exitCode !== null) {
				throw new Error(`It ended with ${launcher.exitCode}: ${words_}`);
			}
			return look();
		});
	const workers = async () => {
		const children = await childrenOf(pid);
		const lines = await Promise.all(
			children.map((child) => ofProcess(child, "cmdline")),
		);
		return children.filter((_, at) => lines[at]?.endsWith("engine.so\0"));
	};
	const port = await whileItRuns("a port", () => listeningPort(pid));
	await whileItRuns(
		"an answer",
		async () =>
			(await statusOf(port, "/health/live").catch(() => 0)) === 200 ||
			undefined,
	);
	const count = Number(environment.WORKERS ?? "1");
	await whileItRuns(
		"every worker",
		async () => (await workers()).length === count || undefined,
	);
	return {
		launcher,
		url: `http://127.0.0.1:${port}`,
		port,
		log,
		said: () => words_,
		logged: (message) =>
			eventually(`a line "${message}"`, () =>
				log.find((line) => line.message === message),
			),
		workers,
		ended,
		end() {
			launcher.kill("SIGTERM");
			return ended;
		},
	};
}

/** The status of a GET over a connection of its own. */
export function statusOf(port: number, path: string): Promise<number> {
	return new Promise((settle, fail) => {
		request({ host: "127.0.0.1", port, path, agent: false }, (answer) => {
			answer.resume();
			answer.once("end", () => settle(answer.statusCode ?? 0));
			answer.once("error", fail);
		})
			.once("error", fail)
			.end();
	});
}

/** Figures of /metrics without labels, by name. */
export async function metricsOf(url: string): Promise<Record<string, number>> {
	const text = await (await fetch(`${url}/metrics`)).text();
	return Object.fromEntries(
		[...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name, value]) => [
			name,
			Number(value),
		]),
	);
}
