/** Everything that the service inside WasmEdge is run with, built where it is missing. */
import { buildApplication } from "./application.mjs";
import { buildEngine } from "./build.mjs";
import { buildLauncher } from "./launcher.mjs";
import { runtimeOnly } from "./runtime.mjs";

/**
 * @typedef {object} WasmService
 * @property {string} launcher path of the native parent
 * @property {string} engine path of the native library
 * @property {string} wasm path of the module that it was made from
 * @property {string} application folder that it sees as /app
 * @property {import("./wasmedge.mjs").WasmEdge} wasmEdge
 */

/**
 * Builds what is missing; takes some milliseconds where nothing is.
 *
 * @param {{ onProgress?: (line: string) => void, environment?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<WasmService>}
 * @throws {Error} a sentence that says what failed
 */
export async function buildWasmService(options = {}) {
	const application = await buildApplication(options);
	const { engine, wasm, wasmEdge } = await buildEngine({
		...options,
		bundle: application.bundle,
	});
	return {
		launcher: await buildLauncher(options),
		engine,
		wasm,
		application: application.folder,
		wasmEdge:
			wasmEdge.source === "Debian packages"
				? await runtimeOnly(wasmEdge, options)
				: wasmEdge,
	};
}
