/** Bundles the service for WasmEdge and lays out the only folder of ours that it may read. */
import { cp, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT, run, withLock } from "../local/install.mjs";
import {
	cacheFolder,
	digestsBelow,
	exists,
	keyOf,
	makeFolder,
	sha256OfFile,
} from "./cache.mjs";

/** What the bundle is made from: folders and files of the repository. */
const FOLDERS = ["src", "templates"];
const FILES = [
	"rollup.config.js",
	"package.json",
	"package-lock.json",
	"tsconfig.json",
];

/** What the service reads from /app when it starts. */
const READ_AT_START = [
	"fonts/RechnungSans-Regular.ttf",
	"fonts/RechnungSans-SemiBold.ttf",
];

/**
 * @typedef {object} Application
 * @property {string} bundle path of the service's JavaScript, to be built into the engine
 * @property {string} folder what the service sees as /app: fonts, and nothing else of the repository
 */

/**
 * The bundle and the folder, out of the cache or made.
 *
 * @param {{ onProgress?: (line: string) => void, environment?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<Application>}
 * @throws {Error} a sentence with the bundler's words
 */
export async function buildApplication({
	onProgress = () => {},
	environment = process.env,
} = {}) {
	const cache = cacheFolder(environment);
	const key = keyOf(
		await Promise.all([
			...FOLDERS.map((folder) => digestsBelow(join(ROOT, folder))),
			...[...FILES, ...READ_AT_START].map((file) =>
				sha256OfFile(join(ROOT, file)),
			),
		]),
	);
	const made = join(cache, "applications", key);
	const application = {
		bundle: join(made, "service.js"),
		folder: join(made, "app"),
	};
	if (await exists(made)) return application;
	await mkdir(join(cache, "applications"), { recursive: true });
	await withLock(join(cache, "application.lock"), async () => {
		if (await exists(made)) return;
		await makeFolder(made, async (unfinished) => {
			onProgress("Bundling the service.");
			await run(
				process.execPath,
				[fileURLToPath(import.meta.url), join(unfinished, "service.js")],
				ROOT,
				environment,
			);
			const folder = join(unfinished, basename(application.folder));
			for (const file of READ_AT_START) {
				await cp(join(ROOT, file), join(folder, file));
			}
		});
	});
	return application;
}

/** The bundler takes much memory, and keeps it: it has a process of its own. Tests bundle programs of theirs so, too. */
async function bundle(file, input = "src/wasmedge/main.ts") {
	const { rollup } = await import("rollup");
	const { wasmBundle } = await import("../../rollup.config.js");
	const options = wasmBundle(input, file);
	const built = await rollup(options);
	await built.write(options.output);
	await built.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	await bundle(process.argv[2], process.argv[3]).catch((error) => {
		console.error(error.message); // a sentence that names the importer
		process.exitCode = 1;
	});
}
