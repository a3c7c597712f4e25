/** How playwright-test runs the tests, in Node and in the browser. */

/** Tests make PDFs, start databases and browsers on machines that are busy. */
const TEST_MS_MAX = 120_000;

/** @param {Record<string, unknown>} options the command line's */
export default async function configure(options) {
	// What is not said on the command line goes to mocha with the rest of it.
	options.timeout ??= TEST_MS_MAX;
	options.bail ??= false;
	return options.mode === "node" ? {} : browserConfiguration();
}

async function browserConfiguration() {
	const { prepareChromium } = await import("./test/browser/prepare.mjs");
	const executablePath = await prepareChromium();
	return {
		browserContextOptions: {
			executablePath,
			// Chromium refuses its sandbox to root, as whom containers and CI run.
			chromiumSandbox: process.getuid?.() !== 0,
		},
		buildConfig: {
			// The same assertions as in Node, from the npm package.
			alias: { "node:assert": "assert" },
		},
	};
}
