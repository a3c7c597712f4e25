/** `npm run bench`: installs what is missing and measures the service against its peers in the same run. */
import { spawn } from "node:child_process";
import { installPackages, ROOT } from "./install.mjs";

process.chdir(ROOT);
await installPackages();
const child = spawn(
	process.execPath,
	["--import", "tsx", "test/bench/bench.ts", ...process.argv.slice(2)],
	{ stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"]) {
	process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => {
	process.exitCode = signal === null ? (code ?? 1) : 1;
});
