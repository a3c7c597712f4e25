/** Installs the npm packages when they are missing or differ from package-lock.json; needs only Node and npm. */
import { spawn } from "node:child_process";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { withProgress } from "./progress.mjs";

/** The folder of package.json. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const OLDEST_NODE_MAJOR = 20;
const LOCK_POLL_MS = 200;
const LOCK_MS_MAX = 15 * 60_000;
const KEPT_OUTPUT_LINES = 40;

/**
 * Makes node_modules match package-lock.json. Does nothing when it does already; waits when another
 * process is at it.
 *
 * @param {string} [root]
 * @throws {Error} a sentence with npm's last words
 */
export async function installPackages(root = ROOT) {
	const nodeMajor = Number.parseInt(process.versions.node, 10);
	if (nodeMajor < OLDEST_NODE_MAJOR) {
		throw new Error(
			`This needs Node ${OLDEST_NODE_MAJOR} or later, and this is ${process.version}. Install a newer Node.`,
		);
	}
	if (await isInstalled(root)) return;
	await withLock(join(root, ".cache", "install.lock"), async () => {
		if (await isInstalled(root)) return; // another process did it meanwhile
		await withProgress("Installing the npm packages", () =>
			run(...npm("ci", "--include=dev", "--no-audit", "--no-fund"), root),
		);
	});
}

/**
 * Whether what npm noted down in node_modules is what package-lock.json asks for. Optional packages are left
 * out: most of them are for other platforms.
 *
 * @param {string} root
 */
async function isInstalled(root) {
	const wanted = await readPackages(join(root, "package-lock.json"));
	if (!wanted) {
		throw new Error(
			`${join(root, "package-lock.json")} is missing or not JSON. Bring it back from git.`,
		);
	}
	const installed = await readPackages(
		join(root, "node_modules", ".package-lock.json"),
	);
	if (!installed) return false;
	return Object.entries(wanted).every(
		([path, { version, integrity, optional, devOptional }]) =>
			path === "" ||
			optional ||
			devOptional ||
			(installed[path]?.version === version &&
				installed[path]?.integrity === integrity),
	);
}

/**
 * @param {string} path
 * @returns {Promise<Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }> | undefined>}
 */
async function readPackages(path) {
	try {
		return JSON.parse(await readFile(path, "utf8")).packages;
	} catch {
		return undefined; // absent or cut off: the caller installs anew
	}
}

/**
 * The npm that runs this script, or else the one on PATH.
 *
 * @param {...string} args
 * @returns {[string, string[]]}
 */
function npm(...args) {
	const path = process.env.npm_execpath;
	return path?.endsWith(".js") || path?.endsWith(".cjs")
		? [process.execPath, [path, ...args]]
		: ["npm", args];
}

/**
 * Runs a program silently; its output is shown only if it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} [directory]
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<string>} what it printed
 */
export async function run(command, args, directory, environment = process.env) {
	const child = spawn(command, args, {
		cwd: directory,
		env: environment,
		stdio: ["ignore", "pipe", "pipe"],
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk) => {
			output += chunk;
		});
	}
	const endWithUs = () => child.kill();
	process.once("exit", endWithUs);
	const status = await new Promise((settle, fail) => {
		child.once("error", fail);
		child.once("close", (code, signal) => settle(signal ?? code));
	}).finally(() => process.removeListener("exit", endWithUs));
	if (status !== 0) {
		const words = output.trimEnd().split("\n").slice(-KEPT_OUTPUT_LINES);
		throw new Error(
			`${[command, ...args].join(" ")} ended with ${status}:\n${words.join("\n")}`,
		);
	}
	return output;
}

/**
 * Does the work while no other process does it. The lock is a file with the holder's process id; one that its
 * holder left behind is taken over.
 *
 * @template Result
 * @param {string} path
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(path, work) {
	await mkdir(dirname(path), { recursive: true });
	const deadline = Date.now() + LOCK_MS_MAX;
	let announced = false;
	for (;;) {
		try {
			await writeFile(path, `${process.pid}\n`, { flag: "wx" });
			break;
		} catch (error) {
			if (error.code !== "EEXIST") throw error;
		}
		const holder = await readFile(path, "utf8").catch(() => undefined);
		if (holder === undefined) continue; // just released
		if (Number(holder) > 0 && !isAlive(Number(holder))) {
			await takeAway(path, holder);
			continue;
		}
		if (!announced) {
			console.error(`Waiting for process ${holder.trim()}, which installs.`);
			announced = true;
		}
		if (Date.now() > deadline) {
			throw new Error(
				`Process ${holder.trim()} has been installing for too long. If it does not, remove ${path} and start again.`,
			);
		}
		await sleep(LOCK_POLL_MS);
	}
	try {
		return await work();
	} finally {
		await rm(path, { force: true });
	}
}

/**
 * Removes a lock that its holder left behind; if another process was quicker and holds a new one, that one stays.
 *
 * @param {string} path
 * @param {string} holder
 */
async function takeAway(path, holder) {
	const aside = `${path}.${process.pid}`;
	try {
		await rename(path, aside);
	} catch (error) {
		if (error.code === "ENOENT") return;
		throw error;
	}
	if ((await readFile(aside, "utf8")) !== holder) {
		await link(aside, path).catch((error) => {
			if (error.code !== "EEXIST") throw error; // a third one holds it by now
		});
	}
	await rm(aside, { force: true });
}

/** @param {number} pid */
function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === "EPERM";
	}
}
