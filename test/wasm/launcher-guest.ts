/** Compiles the guest of the launcher's tests, and brings what runs it. */
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const SOURCE = "test/wasm/launcher-guest.c";

interface WasmEdge {
	command: string[];
}

interface Tools {
	clang: string[];
	wasmLd: string[];
	sysroot: string;
	resourceFolder: string;
	builtins: string;
}

/** What the launcher's tests need. */
export interface LauncherGuest {
	/** The native library. */
	engine: string;
	launcher: string;
	/** Folder with WasmEdge and its libraries. */
	runtime: string;
	/** The command line of the launcher with this guest, which sees `application` as /app. */
	commandLine(application: string): string[];
}

/** Loads plain JavaScript that finds its own files by its address, and so must not be bundled into a test. */
export async function load<Module>(path: string): Promise<Module> {
	return (await import(pathToFileURL(resolve(path)).href)) as Module;
}

/** Builds the guest, or another program in C, into a folder; takes a second where the tools are there. */
export async function buildLauncherGuest(
	folder: string,
	source = SOURCE,
): Promise<LauncherGuest> {
	const { buildTools } = await load<{ buildTools(): Promise<Tools> }>(
		"infra/wasm/compiler.mjs",
	);
	const { compileCommand, findWasmEdge } = await load<{
		findWasmEdge(): Promise<WasmEdge>;
		compileCommand(
			wasmEdge: WasmEdge,
			module: string,
			output: string,
		): string[];
	}>("infra/wasm/wasmedge.mjs");
	const { runtimeOnly } = await load<{
		runtimeOnly(wasmEdge: WasmEdge): Promise<WasmEdge & { folder: string }>;
	}>("infra/wasm/runtime.mjs");
	const { buildLauncher, launcherCommand } = await load<{
		buildLauncher(): Promise<string>;
		launcherCommand(
			launcher: string,
			wasmEdge: WasmEdge,
			engine: string,
			application: string,
			options: { followParent: boolean },
		): string[];
	}>("infra/wasm/launcher.mjs");
	const tools = await buildTools();
	const wasmEdge = await findWasmEdge();
	const file = (name: string) => join(folder, name);
	const libraries = join(tools.sysroot, "lib/wasm32-wasi");
	await start([
		...tools.clang,
		...["--target=wasm32-wasi", "-fintegrated-cc1", "-O2", "-std=gnu11"],
		...[`--sysroot=${tools.sysroot}`, "-resource-dir", tools.resourceFolder],
		...["-c", source, "-o", file("guest.o")],
	]);
	await start([
		...tools.wasmLd,
		...["-m", "wasm32", `-L${libraries}`],
		...[join(libraries, "crt1-command.o"), file("guest.o"), "-lc"],
		...[tools.builtins, "-o", file("guest.wasm")],
	]);
	const engine = file("guest.so");
	await start(compileCommand(wasmEdge, file("guest.wasm"), engine));
	const runtime = await runtimeOnly(wasmEdge);
	const launcher = await buildLauncher();
	return {
		engine,
		launcher,
		runtime: runtime.folder,
		commandLine: (application) =>
			// What a test that crashes has started ends with it.
			launcherCommand(launcher, runtime, engine, application, {
				followParent: true,
			}),
	};
}

async function start([command = "", ...args]: string[]): Promise<void> {
	await run(command, args);
}
