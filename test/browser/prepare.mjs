/** Prepares a run in the browser: finds the Chromium to use, and keeps playwright-test from downloading another. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's. */
const SYSTEM_CHROMIUM = "/usr/bin/chromium";
/** What playwright-test looks for in headless runs. */
const PLAYWRIGHT_BUILD = "chromium-headless-shell";

/**
 * The Chromium that is to run the tests: `CHROMIUM_BINARY`, or Debian's.
 * Where there is neither, playwright-test downloads its own.
 *
 * playwright-test would download its own all the same before it starts the
 * one that we name. It does not where its folder of browsers has the marker of
 * a finished download, so it is given a folder that has nothing but that. To
 * be called before playwright-core is loaded, which reads the folder's path.
 *
 * @returns {Promise<string | undefined>} the program's path
 */
export async function prepareChromium() {
	const configured = process.env.CHROMIUM_BINARY;
	if (configured && !existsSync(configured)) {
		throw new Error(
			`CHROMIUM_BINARY is ${configured}, which does not exist. Set it to a Chromium, or unset it.`,
		);
	}
	const binary =
		configured || (existsSync(SYSTEM_CHROMIUM) ? SYSTEM_CHROMIUM : undefined);
	if (binary === undefined) {
		return undefined;
	}
	process.env.PLAYWRIGHT_BROWSERS_PATH = join(
		tmpdir(),
		`rechnungsverwaltung-browsers-${process.getuid?.() ?? 0}`,
	);
	const { registry } = await import("playwright-core/lib/coreBundle");
	const { directory } = registry.registry.findExecutable(PLAYWRIGHT_BUILD);
	await mkdir(directory, { recursive: true });
	await writeFile(join(directory, "INSTALLATION_COMPLETE"), "");
	return binary;
}
