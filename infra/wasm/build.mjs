/** Builds the engine: QuickJS, its libraries and our host in one WebAssembly module, the bundle's bytecode in it, made native by WasmEdge. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	mkdir,
	open,
	readdir,
	readFile,
	rm,
	stat,
	utimes,
} from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run, withLock } from "../local/install.mjs";
import {
	cacheFolder,
	digestsBelow,
	keyOf,
	makeFolder,
	replaceFile,
	sha256,
	sha256OfFile,
} from "./cache.mjs";
import { buildTools } from "./compiler.mjs";
import { engineSources } from "./sources.mjs";
import { compileCommand, findWasmEdge, runCommand } from "./wasmedge.mjs";

const HOST_FOLDER = fileURLToPath(new URL("host", import.meta.url));
const LIBRARIES = fileURLToPath(new URL("libraries.json", import.meta.url));

/**
 * What is compiled of a source. Paths are within the source.
 *
 * @typedef {object} Library
 * @property {string[]} files
 * @property {string[]} include folders of headers, for the host too
 * @property {string[]} privateInclude folders of headers for the library itself
 * @property {string[]} defines for the host too
 */

/** What is compiled of the sources that libraries.json does not speak of. */
const CORE_LIBRARIES = {
	quickjs: {
		files: ["dtoa.c", "libregexp.c", "libunicode.c", "quickjs.c"],
		include: ["."],
		privateInclude: [],
		defines: [],
	},
	zlib: {
		files: [
			"adler32.c",
			"crc32.c",
			"deflate.c",
			"inffast.c",
			"inflate.c",
			"inftrees.c",
			"trees.c",
			"zutil.c",
		],
		include: ["."],
		privateInclude: [],
		defines: [],
	},
};

const COMMON_FLAGS = [
	"--target=wasm32-wasi",
	"-fintegrated-cc1", // clang would start itself anew, without the loader that it runs by
	"-O3", // 0 to 10 % faster than -O2; LTO, SIMD and bulk memory gained nothing
	"-D_GNU_SOURCE",
	"-D_WASI_EMULATED_SIGNAL",
	"-D_WASI_EMULATED_PROCESS_CLOCKS",
	"-Werror=date-time", // __DATE__ would make other bytes each day
];
const HOST_FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"];
const LIBRARY_FLAGS = ["-std=gnu11", "-w"];
const BUNDLE_FLAGS = ["-std=gnu23"];

/** Of the linear memory; JavaScript's own limit, which the host sets, is below it. */
const STACK_BYTES = 8 * 1024 * 1024;
const LINK_FLAGS = [
	...["-m", "wasm32"],
	"--stack-first", // running over the end of the stack then traps, instead of writing over data
	...["-z", `stack-size=${STACK_BYTES}`],
	"--gc-sections",
	"--strip-all",
];
const SYSTEM_LIBRARIES = [
	"-lwasi-emulated-signal",
	"-lwasi-emulated-process-clocks",
	"-lm",
	"-lc",
];

/**
 * WasmEdge's optimisation of the engine that only makes bytecode: native within 2 s instead of 20, and a bundle of
 * 1.4 MB takes it 0.3 s instead of 0.1.
 */
const BYTECODE_LEVEL = "0";

/** Engines that are kept however old they are; more are removed once nobody has asked for them for a while. */
const KEPT_ENGINES = 16;
/** A service that runs starts its workers from the file again, and asks for it only when it starts itself. */
const UNUSED_MS_MAX = 14 * 24 * 60 * 60 * 1000;

/**
 * @typedef {object} Engine
 * @property {string} engine path of the native library, to be run by the WasmEdge that compiled it
 * @property {string} wasm path of the module that it was made from
 * @property {string} key names the two; the same inputs have the same
 * @property {import("./wasmedge.mjs").WasmEdge} wasmEdge
 *
 * @typedef {object} BuildOptions
 * @property {string} [bundle] path of the service's JavaScript, a classic script; without it the engine runs the file named on its command line
 * @property {(line: string) => void} [onProgress]
 * @property {NodeJS.ProcessEnv} [environment]
 * @property {"0" | "1" | "2" | "3" | "s" | "z"} [level] of WasmEdge's optimisation
 * @property {boolean} [anyProcessor] uses only what all processors of the architecture have: for an image that runs elsewhere
 * @property {string} [hostFolder] another host than ours, for trials
 * @property {Record<string, Library>} [libraries] instead of those of libraries.json
 */

/**
 * The engine, out of the cache or built.
 *
 * @param {BuildOptions} [options]
 * @returns {Promise<Engine>}
 * @throws {Error} a sentence with the words of the program that failed
 */
export async function buildEngine(options = {}) {
	const {
		bundle,
		onProgress = () => {},
		environment = process.env,
		level = "2",
		hostFolder = HOST_FOLDER,
		libraries = JSON.parse(await readFile(LIBRARIES, "utf8")),
		anyProcessor = false,
	} = options;
	const common = { onProgress, environment, hostFolder, libraries };
	const wasmEdge = await findWasmEdge(common);
	const plan = await planEngine(common);
	const key = keyOf([
		plan.key,
		bundle && (await sha256OfFile(bundle)),
		wasmEdge.version,
		level,
		anyProcessor ? "any processor" : await processorFeatures(),
	]);
	const folder = join(cacheFolder(environment), "engines", key);
	const result = {
		engine: join(folder, "engine.so"),
		wasm: join(folder, "engine.wasm"),
		key,
		wasmEdge,
	};
	if (await isWhole(folder, onProgress)) return result;
	const bare =
		bundle &&
		(await buildEngine({
			...options,
			bundle: undefined,
			level: BYTECODE_LEVEL,
		}));
	await withLock(join(cacheFolder(environment), `${key}.lock`), async () => {
		if (await isWhole(folder, () => {})) return;
		await mkdir(dirname(folder), { recursive: true });
		await makeFolder(folder, async (unfinished) => {
			const wasm = join(unfinished, "engine.wasm");
			const objects = await compileAll(plan, common);
			onProgress("Linking the engine.");
			await link(plan, objects, bare, bundle, wasm, unfinished);
			onProgress("Making it native by WasmEdge.");
			const native = join(unfinished, "engine.so");
			await runProgram(
				compileCommand(wasmEdge, wasm, native, { level, anyProcessor }),
				"WasmEdge could not compile the engine",
			);
			await replaceFile(
				join(unfinished, DIGESTS),
				JSON.stringify(await digestsBelow(unfinished)),
			);
		});
		await removeOldest(dirname(folder));
	});
	return result;
}

/** WasmEdge compiles for the processor that it runs on; another machine may share this cache. */
async function processorFeatures() {
	const told = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
	return sha256(
		/^(?:flags|Features)\s*:.*$/m.exec(told)?.[0] ?? cpus()[0].model,
	);
}

const DIGESTS = "digests.json";

/** Whether the folder has what was once put into it; a file that was damaged since then is built anew. */
async function isWhole(folder, onProgress) {
	const written = await readFile(join(folder, DIGESTS), "utf8").catch(
		() => undefined,
	);
	if (written === undefined) return false;
	let expected;
	try {
		expected = Object.entries(JSON.parse(written));
	} catch {
		expected = []; // no file at all is whole then
	}
	const found = await Promise.all(
		expected.map(([name]) =>
			sha256OfFile(join(folder, name)).catch(() => undefined),
		),
	);
	const whole =
		expected.length > 0 &&
		expected.every(([, digest], at) => digest === found[at]);
	if (whole) {
		const now = new Date();
		await utimes(folder, now, now);
	} else {
		onProgress("The engine in the cache is damaged; it is built anew.");
	}
	return whole;
}

/** @param {string} folder */
async function removeOldest(folder) {
	const engines = await Promise.all(
		(await readdir(folder))
			.filter((name) => !name.endsWith(".unfinished"))
			.map(async (name) => {
				const path = join(folder, name);
				const usedAt = await stat(path).then(
					({ mtimeMs }) => mtimeMs,
					() => 0,
				);
				return { path, usedAt };
			}),
	);
	engines.sort((a, b) => b.usedAt - a.usedAt);
	const oldest = Date.now() - UNUSED_MS_MAX;
	for (const { path, usedAt } of engines.slice(KEPT_ENGINES)) {
		if (usedAt < oldest) await rm(path, { recursive: true, force: true });
	}
}

/**
 * What is compiled, and by what: enough for the key, without a compiler at hand.
 *
 * @typedef {object} Unit
 * @property {string} source path of the C file
 * @property {string[]} flags
 * @property {string} key names its object file
 *
 * @param {{ onProgress: (line: string) => void, environment: NodeJS.ProcessEnv, hostFolder: string, libraries: Record<string, Library> }} options
 */
export async function planEngine(options) {
	const { hostFolder } = options;
	const libraries = { ...CORE_LIBRARIES, ...options.libraries };
	const tools = await buildTools(options);
	const sources = await engineSources(async () => tools, options);
	const hostFiles = await digestsBelow(hostFolder);
	const headers = Object.entries(hostFiles).filter(([path]) =>
		path.endsWith(".h"),
	);
	const places = {
		host: hostFolder,
		...Object.fromEntries(
			Object.keys(libraries).map((name) => [name, sources[name].folder]),
		),
	};
	const everywhere = [
		...COMMON_FLAGS,
		`--sysroot=${tools.sysroot}`,
		...["-resource-dir", tools.resourceFolder],
		`-ffile-prefix-map=${tools.sysroot}=wasi`,
		`-ffile-prefix-map=${tools.resourceFolder}=clang`,
		...Object.entries(places).map(
			([name, folder]) => `-ffile-prefix-map=${folder}=${name}`,
		),
	];
	const includes = (name, folders) =>
		folders.map((folder) => ["-I", name, folder]);
	/** @type {Unit[]} */
	const units = [];
	// The key knows no path outside: the same files make the same object wherever they lie.
	const add = (name, file, flags, includes, seen) =>
		units.push({
			source: join(places[name], file),
			flags: [
				...everywhere,
				...flags,
				...includes.map(([option, place, folder]) =>
					[option, join(places[place], folder)].join(""),
				),
			],
			key: keyOf([tools.key, COMMON_FLAGS, flags, includes, name, file, seen]),
		});
	for (const [name, library] of Object.entries(libraries)) {
		const flags = [...LIBRARY_FLAGS, ...defined(library)];
		const folders = [
			...includes(name, [...library.privateInclude, ...library.include]),
			...includes("host", ["."]),
		];
		// Of the host, a library sees its own configuration only.
		const seen = [
			sources[name].key,
			headers.filter(([path]) => path.endsWith("-config.h")),
		];
		for (const file of library.files) add(name, file, flags, folders, seen);
	}
	const flags = [...HOST_FLAGS, ...Object.values(libraries).flatMap(defined)];
	const folders = [
		...includes("host", ["."]),
		...Object.entries(libraries).flatMap(([name, { include }]) =>
			// The warnings of others' headers are not ours to mend.
			include.map((folder) => ["-isystem", name, folder]),
		),
	];
	const sourceKeys = Object.keys(libraries).map((name) => sources[name].key);
	for (const [file, digest] of Object.entries(hostFiles)) {
		if (!file.endsWith(".c")) continue;
		add("host", file, flags, folders, [digest, headers, sourceKeys]);
	}
	const builder = sha256(await readFile(fileURLToPath(import.meta.url)));
	return {
		tools,
		units,
		everywhere,
		isUnchanged: async () =>
			keyOf(await digestsBelow(hostFolder)) === keyOf(hostFiles),
		key: keyOf([builder, tools.key, units.map(({ key }) => key)]),
	};
}

/** @param {Library} library */
function defined({ defines }) {
	return defines.map((define) => `-D${define}`);
}

/**
 * Compiles what the cache lacks, one builder at a time: another one most likely lacks the same.
 *
 * @returns {Promise<string[]>} paths of the object files
 */
async function compileAll(plan, { onProgress, environment }) {
	const folder = join(cacheFolder(environment), "objects");
	await withLock(join(cacheFolder(environment), "objects.lock"), async () => {
		await mkdir(folder, { recursive: true });
		const waiting = [];
		for (const unit of plan.units) {
			if (await isObjectWhole(objectOf(folder, unit))) continue;
			waiting.push({ unit, bytes: (await stat(unit.source)).size });
		}
		if (waiting.length === 0) return;
		onProgress(`Compiling ${waiting.length} C files.`);
		// QuickJS itself takes as long as all others together, and so begins first.
		const queue = waiting
			.sort((a, b) => b.bytes - a.bytes)
			.map(({ unit }) => unit);
		const work = async () => {
			for (let unit = queue.shift(); unit; unit = queue.shift()) {
				await compile(plan, unit, objectOf(folder, unit)).catch((error) => {
					queue.length = 0; // the other workers need not go on
					throw error;
				});
			}
		};
		await Promise.all(Array.from({ length: availableParallelism() }, work));
	});
	return plan.units.map((unit) => objectOf(folder, unit));
}

async function compile({ tools, isUnchanged }, { source, flags }, object) {
	const unfinished = `${object}.${process.pid}.unfinished`;
	try {
		await runProgram(
			[...tools.clang, ...flags, ...["-c", source, "-o", unfinished]],
			`${source} could not be compiled`,
		);
		const bytes = await readFile(unfinished);
		if (!(await isUnchanged())) {
			throw new Error(
				"The host's files were changed while they were compiled. Build again.",
			);
		}
		await replaceFile(`${object}.sha256`, sha256(bytes));
		await replaceFile(object, bytes);
	} finally {
		await rm(unfinished, { force: true });
	}
}

function objectOf(folder, { source, key }) {
	return join(folder, `${basename(source, ".c")}-${key}.o`);
}

async function isObjectWhole(object) {
	const [expected, found] = await Promise.all([
		readFile(`${object}.sha256`, "utf8").catch(() => ""),
		sha256OfFile(object).catch(() => undefined),
	]);
	return expected === found;
}

/** Links the engine; the bundle's bytecode, if there is one, is made by the engine without it. */
async function link(plan, objects, bare, bundle, wasm, folder) {
	const { tools, everywhere } = plan;
	const work = join(folder, ".work");
	await mkdir(work);
	let text = "0";
	if (bundle) {
		const bytecode = join(work, "bundle.bytecode");
		await makeBytecode(bare, bundle, bytecode);
		text = `\n#embed "${basename(bytecode)}"\n`;
	}
	await replaceFile(
		join(work, "bundle.c"),
		`#include <stddef.h>
#include <stdint.h>
extern const uint8_t bundle_bytecode[];
extern const size_t bundle_bytecode_length;
const uint8_t bundle_bytecode[] = {${text}};
const size_t bundle_bytecode_length = ${bundle ? "sizeof(bundle_bytecode)" : "0"};
`,
	);
	const object = join(work, "bundle.o");
	await runProgram(
		[
			...tools.clang,
			...everywhere,
			...BUNDLE_FLAGS,
			`-ffile-prefix-map=${work}=.`,
			...["-c", join(work, "bundle.c"), "-o", object],
		],
		"The bundle's bytecode could not be compiled into the engine",
	);
	const libraries = join(tools.sysroot, "lib/wasm32-wasi");
	await runProgram(
		[
			...tools.wasmLd,
			...LINK_FLAGS,
			`-L${libraries}`,
			join(libraries, "crt1-command.o"),
			...objects,
			object,
			...SYSTEM_LIBRARIES,
			tools.builtins,
			...["-o", wasm],
		],
		"The engine could not be linked",
	);
	await rm(work, { recursive: true });
}

/**
 * Bytecode of a classic script: the engine itself compiles it (`--compile`), as bytecode and engine must match.
 *
 * @param {Engine} bare
 * @param {string} script
 * @param {string} output
 */
async function makeBytecode(bare, script, output) {
	const [command, ...args] = runCommand(
		bare.wasmEdge,
		bare.engine,
		["--compile", `/script/${basename(script)}`],
		{ folders: [{ inside: "/script", outside: dirname(resolve(script)) }] },
	);
	const file = await open(output, "w");
	try {
		const child = spawn(command, args, {
			stdio: ["ignore", file.fd, "pipe"],
		});
		let words = "";
		child.stderr.setEncoding("utf8").on("data", (chunk) => {
			words += chunk;
		});
		const [status] = await once(child, "close");
		if (status !== 0) {
			throw new Error(`${script} could not be made bytecode:\n${words}`);
		}
	} finally {
		await file.close();
	}
}

/**
 * @param {string[]} line the command line
 * @param {string} failed what did not work if it fails
 */
function runProgram([command, ...args], failed) {
	return run(command, args).catch((error) => {
		// The command line is long and says little; the program's own words tell.
		throw new Error(
			`${failed}:\n${error.message.split("\n").slice(1).join("\n")}`,
		);
	});
}
