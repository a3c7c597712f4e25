/** Runs JavaScript in the engine without a bundle, for trials and tests: `node infra/wasm/run.mjs file.js [argument …]`. */
import { spawn } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { withProgress } from "../local/progress.mjs";
import { buildEngine } from "./build.mjs";
import { runCommand } from "./wasmedge.mjs";

/**
 * @typedef {object} RunOptions
 * @property {string[]} [args] the script's own
 * @property {Record<string, string>} [env] the environment's variables inside; none of ours are passed on
 * @property {{ inside: string, outside: string }[]} [folders] preopened, besides the script's own folder as /script
 * @property {number} [memoryPagesMax] pages of 64 KiB
 * @property {import("node:child_process").StdioOptions} [stdio] pipes, where it is left out
 *
 * @typedef {object} TestEngine
 * @property {(file: string, options?: RunOptions) => import("node:child_process").ChildProcess} run
 * starts a classic script; the caller reads its streams and waits for its end
 * @property {import("./build.mjs").Engine} engine
 */

/**
 * The engine without a bundle, built where it is missing.
 *
 * @param {import("./build.mjs").BuildOptions} [options]
 * @returns {Promise<TestEngine>}
 */
export async function engineForTests(options = {}) {
	const engine = await withProgress("Preparing the engine", (say) =>
		buildEngine({ onProgress: say, ...options }),
	);
	return {
		engine,
		run: (
			file,
			{ args = [], env = {}, folders = [], memoryPagesMax, stdio } = {},
		) => {
			const path = resolve(file);
			const [command, ...line] = runCommand(
				engine.wasmEdge,
				engine.engine,
				[`/script/${basename(path)}`, ...args],
				{
					environment: env,
					folders: [{ inside: "/script", outside: dirname(path) }, ...folders],
					memoryPagesMax,
				},
			);
			return spawn(command, line, { stdio: stdio ?? "pipe" });
		},
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const [file, ...args] = process.argv.slice(2);
	if (!file || file === "--help") {
		console.log("node infra/wasm/run.mjs file.js [argument …]");
		process.exit(file ? 0 : 2);
	}
	const { run } = await engineForTests();
	const child = run(file, { args, stdio: "inherit" });
	child.once("close", (status, signal) => {
		process.exitCode = signal ? 1 : status;
	});
}
