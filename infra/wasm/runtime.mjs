/** A WasmEdge that only runs what was compiled before: without its compiler, LLVM, which is nine tenths of its memory and size. */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, withLock } from "../local/install.mjs";
import {
	cacheFolder,
	exists,
	keyOf,
	makeFolder,
	sha256OfFile,
} from "./cache.mjs";
import { undefinedSymbols } from "./elf.mjs";
import { debianRoot } from "./packages.mjs";
import { compileCommand, runCommand } from "./wasmedge.mjs";

const MAKER = fileURLToPath(import.meta.url);

const COMPILER_LIBRARY = /^libLLVM\.so/;

/** What WasmEdge calls of LLVM although nothing is compiled: it frees empty tables of options when it ends. */
const HARMLESS = ["_ZN4llvm17deallocate_bufferEPvmm"];

/** Status where something was to be compiled after all: EX_SOFTWARE of sysexits.h. */
const NO_COMPILER = 70;

/** (module (func (export "_start"))) */
const LEAST_MODULE = Uint8Array.from([
	...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
	...[1, 4, 1, 0x60, 0, 0],
	...[3, 2, 1, 0],
	...[7, 10, 1, 6, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0],
	...[10, 4, 1, 2, 0, 0x0b],
]);

/**
 * @typedef {import("./wasmedge.mjs").WasmEdge & { folder: string }} Runtime
 * `folder` holds `wasmedge`, its loader and all of its libraries, and nothing else
 */

/**
 * WasmEdge without its compiler, made from that of the private Debian packages.
 *
 * @param {import("./wasmedge.mjs").WasmEdge} wasmEdge the whole one
 * @param {import("./packages.mjs").Options} [options]
 * @returns {Promise<Runtime>}
 * @throws {Error} where the result does not run
 */
export async function runtimeOnly(wasmEdge, options = {}) {
	const { onProgress = () => {}, environment = process.env } = options;
	const root = await debianRoot(options);
	const cache = cacheFolder(environment);
	const key = keyOf([root.key, await sha256OfFile(MAKER)]);
	const folder = join(cache, "runtimes", key);
	const [loader] = wasmEdge.command;
	const runtime = {
		...wasmEdge,
		folder,
		command: startedIn(folder, basename(loader)),
	};
	if (await exists(folder)) return runtime;
	await mkdir(join(cache, "runtimes"), { recursive: true });
	await withLock(join(cache, "runtime.lock"), async () => {
		if (await exists(folder)) return;
		onProgress("Taking the compiler out of WasmEdge.");
		await makeFolder(folder, async (unfinished) => {
			await fill(unfinished, wasmEdge, root);
			await expectToRun(
				wasmEdge,
				{
					...wasmEdge,
					command: startedIn(unfinished, basename(loader)),
				},
				unfinished,
			);
		});
	});
	return runtime;
}

function startedIn(folder, loader) {
	return [
		join(folder, loader),
		...["--library-path", folder],
		join(folder, "wasmedge"),
	];
}

/** Copies the program and the libraries that it needs once LLVM is replaced. */
async function fill(folder, wasmEdge, root) {
	const [loader, , libraryPath, program] = wasmEdge.command;
	const list = async (path) =>
		[
			...(
				await run(loader, ["--library-path", path, "--list", program])
			).matchAll(/^\s*(\S+)(?: => (\S+))? \(0x/gm),
		]
			.map(([, name, found]) => ({ name: basename(name), path: found ?? name }))
			.filter(({ path }) => path.startsWith("/") && path !== loader);
	const whole = await list(libraryPath);
	const compiler = whole.find(({ name }) => COMPILER_LIBRARY.test(name));
	const library = whole.find(({ name }) => name.startsWith("libwasmedge.so"));
	if (compiler === undefined || library === undefined) {
		throw new Error(
			`${program} needs no ${compiler ? "libwasmedge" : "libLLVM"}: it is built in another way than is known.`,
		);
	}
	await makeStub(
		compiler.name,
		undefinedSymbols(await readFile(library.path)).filter(
			({ library }) => library === compiler.name,
		),
		folder,
		root,
		whole.find(({ name }) => name === "libc.so.6").path,
	);
	for (const { name, path } of await list(`${folder}:${libraryPath}`)) {
		if (name !== compiler.name) await copyFile(path, join(folder, name));
	}
	await copyFile(loader, join(folder, basename(loader)));
	await copyFile(program, join(folder, "wasmedge"));
}

/** A library of the same name with every symbol that WasmEdge looks for; whoever calls one is told. */
async function makeStub(name, symbols, folder, root, libc) {
	const source = join(folder, "stub.c");
	const versions = join(folder, "stub.map");
	const object = join(folder, "stub.o");
	await writeFile(source, stubSource(symbols));
	await writeFile(
		versions,
		[...new Set(symbols.map(({ version }) => version))]
			.map(
				(version) =>
					`${version} { global: ${symbols
						.filter((symbol) => symbol.version === version)
						.map((symbol) => `${symbol.name};`)
						.join(" ")} };`,
			)
			.join("\n"),
	);
	const [clang, ...clangArgs] = root.program("usr/lib/llvm-19/bin/clang");
	const [lld, ...lldArgs] = root.program("usr/lib/llvm-19/bin/ld.lld");
	await run(clang, [
		...clangArgs,
		...["--target=x86_64-linux-gnu", "-fintegrated-cc1", "-nostdinc"],
		...["-std=gnu11", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror"],
		...[`-ffile-prefix-map=${folder}=.`, "-c", source, "-o", object],
	]);
	await run(lld, [
		...lldArgs,
		...["-shared", "--build-id=none", "-soname", name],
		...["--version-script", versions, object, libc],
		...["-o", join(folder, name)],
	]);
	for (const file of [source, versions, object]) await rm(file);
}

/** @param {import("./elf.mjs").UndefinedSymbol[]} symbols */
function stubSource(symbols) {
	const lines = symbols.map(({ name, isThreadLocal }) => {
		if (isThreadLocal) return `_Thread_local char ${name}[64];`;
		const target = HARMLESS.includes(name) ? "do_nothing" : "refuse";
		return `void ${name}(void) __attribute__((alias("${target}")));`;
	});
	return `long write(int, const void *, unsigned long);
_Noreturn void _exit(int);
static const char SENTENCE[] = "This WasmEdge has no compiler: it runs what was compiled before. Compile with the whole one.\\n";
__attribute__((used)) static void do_nothing(void) {}
__attribute__((used)) static void refuse(void)
{
	if (write(2, SENTENCE, sizeof SENTENCE - 1) < 0)
		_exit(${NO_COMPILER + 1});
	_exit(${NO_COMPILER});
}
${lines.join("\n")}
`;
}

/** Runs the least of modules, compiled by the whole WasmEdge. */
async function expectToRun(whole, runtime, folder) {
	const module = join(folder, "least.wasm");
	const native = join(folder, "least.so");
	await writeFile(module, LEAST_MODULE);
	for (const [command, ...args] of [
		compileCommand(whole, module, native),
		runCommand(runtime, native),
	]) {
		await run(command, args);
	}
	await rm(module);
	await rm(native);
}
