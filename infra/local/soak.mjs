/** `npm run soak`: installs and builds what is missing, then loads the service inside WasmEdge for minutes, and watches its memory. */
import { spawn } from "node:child_process";
import { installPackages, ROOT } from "./install.mjs";
import { withProgress } from "./progress.mjs";
import { installMongodLibraries } from "./system-packages.mjs";

process.chdir(ROOT);
await installPackages();
if (!process.argv.includes("--help")) {
	await installMongodLibraries();
	const { buildWasmService } = await import("../wasm/service.mjs");
	await withProgress("Preparing WasmEdge", (say) =>
		buildWasmService({ onProgress: say }),
	);
}
const child = spawn(
	process.execPath,
	["--import", "tsx", "test/bench/soak.ts", ...process.argv.slice(2)],
	{ stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"]) {
	process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => {
	process.exitCode = signal === null ? (code ?? 1) : 1;
});
