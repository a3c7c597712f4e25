/** Builds the launcher, the native parent of the processes that run inside WasmEdge, and knows its command line. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, withLock } from "../local/install.mjs";
import {
	cacheFolder,
	digestsBelow,
	exists,
	keyOf,
	makeFolder,
} from "./cache.mjs";
import { compileNativeProgram } from "./compiler.mjs";

const SOURCES = fileURLToPath(new URL("launcher", import.meta.url));
const COMPILER = fileURLToPath(new URL("compiler.mjs", import.meta.url));

const FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];

/**
 * The launcher, out of the cache or built: static, by the private compiler; by the system's `CC` where that is set,
 * or where the engine's compiler is not the private one either.
 *
 * @param {{ onProgress?: (line: string) => void, environment?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>} path of the program
 */
export async function buildLauncher({
	onProgress = () => {},
	environment = process.env,
} = {}) {
	const compiler = environment.CC || (environment.CLANG ? "cc" : undefined);
	const digests = await digestsBelow(SOURCES);
	const cache = cacheFolder(environment);
	const key = keyOf([digests, compiler, await readFile(COMPILER, "utf8")]);
	const folder = join(cache, "launchers", key);
	const program = join(folder, "launcher");
	if (await exists(program)) return program;
	await withLock(join(cache, "launcher.lock"), async () => {
		if (await exists(program)) return;
		onProgress("Compiling the launcher.");
		await mkdir(dirname(folder), { recursive: true });
		await makeFolder(folder, async (unfinished) => {
			const sources = Object.keys(digests)
				.filter((name) => name.endsWith(".c"))
				.map((name) => join(SOURCES, name));
			const output = join(unfinished, "launcher");
			if (compiler) {
				await run(compiler, [...FLAGS, ...sources, "-o", output]);
			} else {
				await compileNativeProgram(sources, output, {
					onProgress,
					environment,
				});
			}
		});
	});
	return program;
}

/**
 * The command line that runs a compiled module below the launcher.
 *
 * @param {string} launcher
 * @param {import("./wasmedge.mjs").WasmEdge} wasmEdge
 * @param {string} engine
 * @param {string} application folder that the module sees as /app
 * @param {{ followParent?: boolean, quickStart?: boolean }} [options] `followParent`: ends in good order
 * when its parent is killed; `quickStart`: gives an empty store example invoices and prints commands to try
 * @returns {string[]}
 * @throws {Error} where this WasmEdge cannot keep folders from being written
 */
export function launcherCommand(
	launcher,
	wasmEdge,
	engine,
	application,
	{ followParent = false, quickStart = false } = {},
) {
	if (!wasmEdge.hasReadOnlyFolders) {
		throw new Error(
			`WasmEdge ${wasmEdge.version} (${wasmEdge.source}) cannot open folders read-only. Set WASMEDGE_BINARY to version 0.14 or later, or take the old one off PATH.`,
		);
	}
	return [
		launcher,
		...["--engine", engine],
		...["--application", application],
		...(quickStart ? ["--quick-start"] : []),
		...(followParent ? ["--follow-parent"] : []),
		"--",
		...wasmEdge.command,
		...(wasmEdge.hasRunMode ? ["--run-mode=aot"] : []),
	];
}
