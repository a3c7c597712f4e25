/** `npm test`: installs what the tests need, checks types and style, runs every suite, and counts in one line. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { followNpm } from "./follow-npm.mjs";
import { installPackages, ROOT } from "./install.mjs";
import { withProgress } from "./progress.mjs";
import {
	findProgram,
	installMongodLibraries,
	installSystemPackages,
} from "./system-packages.mjs";

const HELP = `npm test [-- <area> ...] [--help]

Installs what is missing (npm packages, MongoDB, poppler-utils, qpdf, Chromium,
WasmEdge and the compiler of its engine), checks types and style, runs the tests
of every area, a folder under test/, and ends in one line: "N passed, N failed".
The area wasm runs the tests of http once more, inside WasmEdge. With areas named,
only those run, without the checks: npm test -- domain store

  MONGOD_BINARY     the mongod to test with
  CHROMIUM_BINARY   the Chromium for the browser tests
  XDG_CACHE_HOME    where fetched programs are kept (~/.cache)
`;

// What builds on nothing comes first, so that a broken foundation shows first.
const ORDER = ["domain", "documents", "store", "http", "local", "wasm"];
const BROWSER = "browser";
/** The API's tests once more, unchanged, against the service inside WasmEdge. */
const AGAIN_IN_WASMEDGE = { after: "wasm", area: "http" };
const WITHOUT_DATABASE = ["domain", "documents", "local", BROWSER];
const END_MS_MAX = 5_000;

// What a developer has set for a service of their own must not steer the tests.
const SETTINGS_OF_A_SERVICE = ["MONGODB_URI", "DATA_DIRECTORY", "PORT", "HOST"];

/** Program to look for, and the Debian package that brings it. */
const TOOLS = [
	["pdftotext", "poppler-utils"],
	["qpdf", "qpdf"],
];

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { help: { type: "boolean", short: "h" } },
});
if (values.help) {
	process.stdout.write(HELP);
	process.exit(0);
}
process.chdir(ROOT);
followNpm();

/** What is running and has to be ended on Ctrl-C: the last started first. */
const running = [];
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
	process.on(signal, async () => {
		if (interrupted) return; // a terminal and npm both send it
		interrupted = true;
		for (const end of running.splice(0).reverse()) await end();
		process.exit(128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal]);
	});
}

try {
	process.exitCode = await main();
} catch (error) {
	if (!interrupted) console.error(error.message);
	process.exitCode = 1;
} finally {
	if (!interrupted) {
		for (const end of running.splice(0).reverse()) await end();
	}
}

async function main() {
	await installPackages();
	(await import("tsx/esm/api")).register();
	const { closingLine, isGreen, NO_TESTS, sumOf } = await import(
		"./outcome.ts"
	);

	const areas = await areasToRun(positionals);
	const environment = { ...process.env };
	for (const name of SETTINGS_OF_A_SERVICE) delete environment[name];
	environment.TMPDIR = await makeTemporaryFolder();
	await installTools(areas, environment);

	const results = [];
	if (positionals.length === 0) {
		const status = await runProgram("npm", ["run", "--silent", "check"]);
		results.push({
			name: "check",
			outcome: { ...NO_TESTS, failed: status.code === 0 ? 0 : 1 },
			milliseconds: status.milliseconds,
		});
	}
	if (areas.some((area) => !WITHOUT_DATABASE.includes(area))) {
		await startSharedMongod(environment);
	}
	if (areas.includes(AGAIN_IN_WASMEDGE.after)) {
		// Here, where it says how long it takes, and not within the first test that needs it.
		const { buildWasmService } = await import("../wasm/service.mjs");
		await withProgress("Building the engine for WasmEdge", (say) =>
			buildWasmService({ onProgress: say }),
		);
	}
	for (const area of areas) {
		console.log(`\n── ${area} ──`);
		results.push(await runArea(area, environment));
		if (area === AGAIN_IN_WASMEDGE.after) {
			const again = AGAIN_IN_WASMEDGE.area;
			const name = `${again} in ${area}`;
			console.log(`\n── ${name} ──`);
			const inWasmEdge = { ...environment, TEST_RUNTIME: "wasmedge" };
			results.push({ ...(await runArea(again, inWasmEdge)), name });
		}
	}

	console.log("");
	for (const { name, outcome, milliseconds } of results) {
		const state = outcome.failed > 0 ? `${outcome.failed} FAILED` : "ok";
		const seconds = (milliseconds / 1000).toFixed(1);
		console.log(`${name.padEnd(12)}${state.padEnd(12)}${seconds} s`);
	}
	const total = sumOf(results.map(({ outcome }) => outcome));
	console.log(`\n${closingLine(total)}`);
	return isGreen(total) ? 0 : 1;
}

/** The folders of test/ that hold tests, or those asked for. */
async function areasToRun(asked) {
	const areas = [];
	for (const entry of await readdir("test", { withFileTypes: true })) {
		if (!entry.isDirectory()) continue;
		const files = await readdir(join("test", entry.name), { recursive: true });
		if (files.some((file) => file.endsWith(".test.ts"))) areas.push(entry.name);
	}
	const rank = (area) =>
		area === BROWSER
			? ORDER.length + 1
			: (ORDER.indexOf(area) + 1 || ORDER.length + 1) - 1;
	areas.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
	const unknown = asked.filter((area) => !areas.includes(area));
	if (unknown.length > 0) {
		throw new Error(
			`There are no tests in test/${unknown.join(", test/")}. Areas with tests: ${areas.join(", ")}.`,
		);
	}
	return asked.length > 0
		? areas.filter((area) => asked.includes(area))
		: areas;
}

async function installTools(areas, environment) {
	const missing = [];
	for (const [program, name] of TOOLS) {
		if (!(await findProgram(program))) missing.push(name);
	}
	let findChromium = async () => undefined;
	if (areas.includes(BROWSER)) {
		const chromium = await import("./chromium.mjs");
		findChromium = chromium.findChromium;
		environment.CHROMIUM_BINARY =
			(await findChromium()) ?? (await chromium.downloadChromium(environment));
		if (!environment.CHROMIUM_BINARY) missing.push("chromium");
	}
	await installSystemPackages(missing);
	await installMongodLibraries();
	if (areas.includes(BROWSER)) {
		environment.CHROMIUM_BINARY ??= await findChromium();
		if (!environment.CHROMIUM_BINARY) {
			throw new Error(
				"Chromium was installed, but is not on PATH. Set CHROMIUM_BINARY to it.",
			);
		}
	}
}

/** All that tests write goes below one folder, so that a run that was cut off leaves nothing behind either. */
async function makeTemporaryFolder() {
	const folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-test-"));
	// What a suite started may still be writing while it ends.
	running.push(() =>
		rm(folder, { recursive: true, force: true, maxRetries: 10 }),
	);
	return folder;
}

/** One server for the whole run; tests keep to databases of their own. */
async function startSharedMongod(environment) {
	const { startTestMongod } = await import("../../test/mongod.ts");
	const dataDirectory = await mkdtemp(join(environment.TMPDIR, "shared-"));
	const mongod = await withProgress("Starting MongoDB", (say) =>
		startTestMongod({ dataDirectory, onProgress: say }),
	);
	running.push(() => mongod.stop());
	environment.TEST_MONGODB_URI = mongod.uri;
	environment.MONGOD_BINARY = mongod.binary.path;
}

/** Runs the tests of one area with playwright-test, in Node or in the browser. */
async function runArea(area, environment) {
	const { outcomeOf } = await import("./outcome.ts");
	const runner = createRequire(import.meta.url).resolve(
		"playwright-test/package.json",
	);
	const mode = area === BROWSER ? "main" : "node";
	const { code, output, milliseconds } = await runProgram(
		process.execPath,
		[
			join(runner, "..", "cli.js"),
			`test/${area}/**/*.test.ts`,
			...["--mode", mode, "--runner", "mocha", "--no-bail"],
		],
		environment,
	);
	return { name: area, outcome: outcomeOf(output, code), milliseconds };
}

/**
 * Runs a program with its output live, as a process group of its own that ends as a whole.
 *
 * @returns {Promise<{ code: number | null, output: string, milliseconds: number }>}
 */
async function runProgram(command, args, environment = process.env) {
	const { withoutColours } = await import("./outcome.ts");
	refuseAfterInterruption();
	const startedAt = Date.now();
	const child = spawn(command, args, {
		env: environment,
		detached: true,
		stdio: ["ignore", "pipe", "pipe"],
	});
	let output = "";
	for (const [from, to] of [
		[child.stdout, process.stdout],
		[child.stderr, process.stderr],
	]) {
		from.setEncoding("utf8");
		from.on("data", (chunk) => {
			if (from === child.stdout) output += chunk; // where runners report
			to.write(to.isTTY ? chunk : withoutColours(chunk));
		});
	}
	const closed = new Promise((settle) => {
		child.once("close", (code) => settle(code));
		child.once("error", (error) => {
			console.error(`${command} could not be started: ${error.message}`);
			settle(null);
		});
	});
	const end = async () => {
		killGroup(child.pid, "SIGTERM");
		const limit = setTimeout(() => killGroup(child.pid, "SIGKILL"), END_MS_MAX);
		await closed;
		clearTimeout(limit);
	};
	running.push(end);
	const code = await closed;
	killGroup(child.pid, "SIGKILL"); // what a crashed suite left behind
	const index = running.indexOf(end);
	if (index >= 0) running.splice(index, 1);
	refuseAfterInterruption();
	return { code, output, milliseconds: Date.now() - startedAt };
}

/** Nothing goes on after Ctrl-C while what runs is being ended. */
function refuseAfterInterruption() {
	if (interrupted) throw new Error("Interrupted.");
}

function killGroup(pid, signal) {
	if (pid === undefined) return;
	try {
		process.kill(-pid, signal);
	} catch (error) {
		if (error.code !== "ESRCH") throw error; // all gone, as wanted
	}
}
