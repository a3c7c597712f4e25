/** `npm run wasm`: installs and builds what is missing, then runs the service inside WasmEdge. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { followNpm } from "./follow-npm.mjs";
import { installPackages, ROOT } from "./install.mjs";
import { withProgress } from "./progress.mjs";
import { installMongodLibraries } from "./system-packages.mjs";

const HELP = `npm run wasm [-- --build]

The same as npm start, but the service runs inside WasmEdge: gets WasmEdge and a
compiler (Debian packages, unpacked into a folder of their own), builds the engine
and the bundle, gets and sets up a MongoDB server if none is configured, and
serves. What was built is kept, so that the next start is instant. Ctrl-C ends
all of it; the data stays.

  --build           only build, and print where things are

  WORKERS           processes that share the port (1)
  MEMORY_LIMIT_MIB  memory of each, in MiB (512); one that needs more ends, and
                    is started again
  WASMEDGE_BINARY   the wasmedge to run, instead of the one on PATH or Debian's
  PORT, HOST, MONGODB_URI, MONGOD_BINARY, DATA_DIRECTORY, XDG_CACHE_HOME
                    as for npm start

README.md has the table of all variables.
`;

const FAILED = 1;

const { values } = parseArgs({
	options: {
		help: { type: "boolean", short: "h" },
		build: { type: "boolean" },
	},
});
if (values.help) {
	process.stdout.write(HELP);
	process.exit(0);
}
process.chdir(ROOT);
followNpm();

let ending = false;
/** @type {import("node:child_process").ChildProcess | undefined} */
let launcher;
/** @type {Promise<import("../../src/node/database.ts").LocalDatabase | undefined> | undefined} */
let database;

// The launcher lets requests be answered before it ends; a second signal changes nothing.
for (const signal of ["SIGINT", "SIGTERM"]) {
	process.on(signal, () => void end());
}

try {
	await installPackages();
	if (!process.env.MONGODB_URI) await installMongodLibraries();
	(await import("tsx/esm/api")).register();
	const { ConfigurationError, readConfiguration } = await import(
		"../../src/configuration.ts"
	);
	process.exitCode = await main(readConfiguration).catch((error) => {
		if (!(error instanceof ConfigurationError)) throw error;
		console.error(error.message);
		return FAILED;
	});
} catch (error) {
	if (!ending) console.error(error.message);
	process.exitCode = FAILED;
}
await stopDatabase();
process.exit();

/** @returns {Promise<number>} exit status */
async function main(readConfiguration) {
	const configuration = readConfiguration(process.env);
	const isQuickStart = configuration.mongodbUri === undefined;
	const { buildWasmService } = await import("../wasm/service.mjs");
	const { launcherCommand } = await import("../wasm/launcher.mjs");
	const service = await withProgress("Preparing WasmEdge", async (say) => {
		if (isQuickStart && !values.build) {
			database = startDatabase(configuration, say);
			database.catch(() => {}); // it is waited for below
		}
		return buildWasmService({ onProgress: say });
	});
	if (values.build) {
		console.log(JSON.stringify(service, undefined, "\t"));
		return 0;
	}
	const environment = { ...process.env };
	const local = await database;
	if (local !== undefined) environment.MONGODB_URI = local.uri;
	if (ending) return 0;
	const [command, ...args] = launcherCommand(
		service.launcher,
		service.wasmEdge,
		service.engine,
		service.application,
		{ followParent: true, quickStart: isQuickStart },
	);
	launcher = spawn(command, args, { env: environment, stdio: "inherit" });
	const status = await new Promise((settle, fail) => {
		launcher.once("error", fail);
		launcher.once("exit", (code) => settle(code ?? FAILED));
	});
	return status === 0 ? (process.exitCode ?? 0) : FAILED;
}

async function startDatabase(configuration, say) {
	const { startLocalDatabase } = await import("../../src/node/database.ts");
	return startLocalDatabase(configuration, {
		say,
		onServerLost(sentence) {
			console.error(sentence);
			process.exitCode = FAILED;
			void end();
		},
	});
}

/** Ends what runs; while things are still being built, at once. */
async function end() {
	if (ending) return;
	ending = true;
	if (launcher !== undefined) {
		launcher.kill("SIGTERM");
		return;
	}
	await stopDatabase();
	process.exit();
}

async function stopDatabase() {
	const local = await database?.catch(() => undefined);
	await local?.stop();
}
