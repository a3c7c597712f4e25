/** Finds a Chromium for the browser tests, or gets one. */
import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { withProgress } from "./progress.mjs";
import { findProgram } from "./system-packages.mjs";

const PROGRAMS = [
	"chromium",
	"chromium-browser",
	"google-chrome",
	"google-chrome-stable",
];
// The build that playwright-test itself would run.
const PLAYWRIGHT_BUILD = "chromium-headless-shell";
const DOWNLOAD_CONNECTION_MS_MAX = 5_000;
const DOWNLOAD_MS_MAX = 180_000;

/**
 * The Chromium that is there already: `CHROMIUM_BINARY`, one on PATH, or the one in playwright's own cache.
 *
 * @returns {Promise<string | undefined>} its path
 */
export async function findChromium() {
	const configured = process.env.CHROMIUM_BINARY;
	if (configured) {
		await access(configured).catch(() => {
			throw new Error(
				`CHROMIUM_BINARY is ${configured}, which does not exist. Set it to a Chromium, or unset it.`,
			);
		});
		return configured;
	}
	return (await findProgram(...PROGRAMS)) ?? (await playwrightChromium());
}

/**
 * Has playwright download its own build, where its download server can be reached.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<string | undefined>} its path, or undefined when that did not work
 */
export async function downloadChromium(environment) {
	try {
		await withProgress("Fetching Chromium by playwright", () =>
			install(environment),
		);
	} catch (error) {
		console.error(`Chromium by playwright: ${error.message}`);
		return undefined;
	}
	return playwrightChromium();
}

async function playwrightChromium() {
	// playwright's own table of its builds; playwright-test reads the same.
	const { registry } = await import("playwright-core/lib/coreBundle");
	const path = registry.registry
		.findExecutable(PLAYWRIGHT_BUILD)
		?.executablePath();
	if (!path) return undefined;
	return access(path).then(
		() => path,
		() => undefined,
	);
}

function install(environment) {
	return new Promise((settle, fail) => {
		const command = import.meta.resolve("playwright-core/package.json");
		const child = spawn(
			process.execPath,
			[
				new URL("cli.js", command).pathname,
				...["install", "--only-shell", "chromium"],
			],
			{
				env: {
					...environment,
					PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: String(
						DOWNLOAD_CONNECTION_MS_MAX,
					),
				},
				stdio: ["ignore", "pipe", "pipe"],
			},
		);
		let words = "";
		child.stdout.resume();
		child.stderr.on("data", (chunk) => {
			words += chunk;
			// It would try its mirrors several times over; a name that is not known stays unknown.
			if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH/.test(words)) {
				child.kill("SIGTERM");
			}
		});
		const limit = setTimeout(() => child.kill("SIGTERM"), DOWNLOAD_MS_MAX);
		child.once("error", fail);
		child.once("close", (status) => {
			clearTimeout(limit);
			if (status === 0) return settle();
			const error = words.split("\n").find((line) => /error/i.test(line));
			fail(new Error(error?.trim() || "the download did not finish in time."));
		});
	});
}
