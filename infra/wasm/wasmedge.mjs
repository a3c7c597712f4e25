/** Finds WasmEdge and knows how its versions want to be called. */
import { access, constants, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../local/install.mjs";
import { findProgram } from "../local/system-packages.mjs";
import { cacheFolder, keyOf, replaceFile } from "./cache.mjs";
import { debianRoot } from "./packages.mjs";

/** Versions whose command lines are known: 0.13.0 to 0.17.x. */
const OLDEST_MINOR = 13;
const NEWEST_MINOR = 17;

/**
 * @typedef {object} WasmEdge
 * @property {string[]} command the beginning of its command line
 * @property {string} version "0.14.1"
 * @property {string} source where it was found: "WASMEDGE_BINARY", "PATH" or "Debian packages"
 * @property {boolean} hasRunMode whether it interprets compiled modules too unless told not to
 * @property {boolean} hasReadOnlyFolders whether it can preopen a folder without the right to write
 *
 * @typedef {object} Sandbox what a program inside may have
 * @property {Record<string, string>} [environment] its variables
 * @property {{ inside: string, outside: string }[]} [folders] preopened, read-only where WasmEdge can do it (0.14 and later)
 * @property {number} [memoryPagesMax] pages of 64 KiB
 */

/**
 * `WASMEDGE_BINARY`, or `wasmedge` on PATH, or the one of the private Debian packages.
 *
 * @param {import("./packages.mjs").Options} [options]
 * @returns {Promise<WasmEdge>}
 * @throws {Error} where WASMEDGE_BINARY does not work or no WasmEdge can be had
 */
export async function findWasmEdge(options = {}) {
	const environment = options.environment ?? process.env;
	const configured = environment.WASMEDGE_BINARY;
	if (configured) {
		await access(configured, constants.X_OK).catch(() => {
			throw new Error(
				`WASMEDGE_BINARY is ${configured}, which is no program. Set it to a wasmedge of version 0.${OLDEST_MINOR} to 0.${NEWEST_MINOR}, or unset it.`,
			);
		});
		return describe([configured], "WASMEDGE_BINARY", environment);
	}
	const onPath = await findProgram("wasmedge");
	if (onPath) {
		try {
			return await describe([onPath], "PATH", environment);
		} catch (error) {
			options.onProgress?.(`${error.message} It is passed over.`);
		}
	}
	const { program } = await debianRoot(options);
	return describe(program("usr/bin/wasmedge"), "Debian packages", environment);
}

/**
 * What a WasmEdge is able to is asked once and kept, as long as the program stays the same file.
 *
 * @param {string[]} command
 * @param {string} source
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<WasmEdge>}
 */
async function describe(command, source, environment) {
	const program = command.at(-1);
	const { mtimeMs, size, ino } = await stat(program);
	const kept = join(
		cacheFolder(environment),
		`wasmedge-${keyOf([command, mtimeMs, size, ino])}.json`,
	);
	try {
		return { command, source, ...JSON.parse(await readFile(kept, "utf8")) };
	} catch {
		// Not asked yet, or cut off: it is asked now.
	}
	const ask = (question) =>
		run(command[0], [...command.slice(1), question]).catch((error) => {
			throw new Error(
				`${program} (${source}) does not work. Set WASMEDGE_BINARY to one that does.\n${error.message}`,
			);
		});
	const found = /version (\d+)\.(\d+)\.(\d+)/.exec(await ask("--version"));
	const minor = Number(found?.[2]);
	if (found?.[1] !== "0" || minor < OLDEST_MINOR || minor > NEWEST_MINOR) {
		throw new Error(
			`${program} (${source}) is ${found ? `WasmEdge ${found.slice(1).join(".")}` : "no WasmEdge"}; versions 0.${OLDEST_MINOR} to 0.${NEWEST_MINOR} are known to work.`,
		);
	}
	const help = await ask("--help");
	const known = {
		version: found.slice(1).join("."),
		hasRunMode: help.includes("--run-mode"),
		hasReadOnlyFolders: help.includes(":readonly"),
	};
	await replaceFile(kept, JSON.stringify(known));
	return { command, source, ...known };
}

/**
 * The command line that makes a module native. Where the output ends in `.wasm` it is a module with its native code
 * inside, which other runtimes can interpret; else a shared library.
 *
 * @param {WasmEdge} wasmEdge
 * @param {string} module
 * @param {string} output
 * @param {{ level?: "0" | "1" | "2" | "3" | "s" | "z", anyProcessor?: boolean }} [options] `anyProcessor`: use only what
 * all processors of the architecture have
 * @returns {string[]}
 */
export function compileCommand(
	wasmEdge,
	module,
	output,
	{ level = "2", anyProcessor = false } = {},
) {
	return [
		...wasmEdge.command,
		"compile",
		...["--optimize", level],
		...(anyProcessor ? ["--generic-binary"] : []),
		module,
		output,
	];
}

/**
 * The command line that runs a compiled module natively.
 *
 * @param {WasmEdge} wasmEdge
 * @param {string} module
 * @param {string[]} [args] the program's own
 * @param {Sandbox} [sandbox]
 * @returns {string[]}
 */
export function runCommand(
	wasmEdge,
	module,
	args = [],
	{ environment = {}, folders = [], memoryPagesMax } = {},
) {
	return [
		...wasmEdge.command,
		...(wasmEdge.hasRunMode ? ["--run-mode=aot"] : []),
		...folders.flatMap(({ inside, outside }) => [
			"--dir",
			`${inside}:${outside}${wasmEdge.hasReadOnlyFolders ? ":readonly" : ""}`,
		]),
		...Object.entries(environment).flatMap(([name, value]) => [
			"--env",
			`${name}=${value}`,
		]),
		...(memoryPagesMax ? ["--memory-page-limit", `${memoryPagesMax}`] : []),
		"--",
		module,
		...args,
	];
}
