/** The programs that compile the engine: from the private Debian packages, or those that the environment names. */
import { access, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run } from "../local/install.mjs";
import { findProgram } from "../local/system-packages.mjs";
import { exists, keyOf, sha256OfFile } from "./cache.mjs";
import { debianRoot } from "./packages.mjs";

/**
 * @typedef {object} Tools command lines that arguments are added to, and folders
 * @property {string[]} clang compiles only; it cannot start itself or a linker anew
 * @property {string[]} wasmLd
 * @property {string[]} elfLd undefined where the tools are not the private packages
 * @property {string} sysroot headers and libraries of WASI
 * @property {string} resourceFolder clang's own headers
 * @property {string} builtins the library of what clang calls for arithmetic
 * @property {string[]} patch
 * @property {string[]} bzip2
 * @property {string[]} xz
 * @property {string[]} cargo
 * @property {string} key tells these tools from others
 */

/**
 * `CLANG`, `WASM_LD` and `WASI_SYSROOT`, set together, or else the private Debian packages.
 *
 * @param {import("./packages.mjs").Options} [options]
 * @returns {Promise<Tools>}
 */
export async function buildTools(options = {}) {
	const environment = options.environment ?? process.env;
	const { CLANG, WASM_LD, WASI_SYSROOT } = environment;
	if (!CLANG && !WASM_LD && !WASI_SYSROOT) {
		return toolsOf(await debianRoot(options));
	}
	if (!CLANG || !WASM_LD || !WASI_SYSROOT) {
		throw new Error(
			"CLANG, WASM_LD and WASI_SYSROOT belong together: set all of them, or none for the private Debian packages.",
		);
	}
	for (const path of [CLANG, WASM_LD, WASI_SYSROOT]) {
		await access(path).catch(() => {
			throw new Error(
				`${path} does not exist. Set CLANG, WASM_LD and WASI_SYSROOT to the compiler, the linker and the folder of WASI's headers and libraries, or unset them.`,
			);
		});
	}
	const said = async (question) =>
		(await run(CLANG, ["--target=wasm32-wasi", question])).trim();
	const resourceFolder = await said("--print-resource-dir");
	// clang tells the place where its authors put it; Debian has the other one.
	const places = [
		await said("--print-libgcc-file-name"),
		join(resourceFolder, "lib/wasi/libclang_rt.builtins-wasm32.a"),
	];
	const present = await Promise.all(places.map(exists));
	const builtins = places[present.indexOf(true)];
	if (builtins === undefined) {
		throw new Error(
			`${CLANG} has neither ${places.join(" nor ")}. Install its runtime library for wasm32 (Debian: libclang-rt-19-dev-wasm32), or unset CLANG, WASM_LD and WASI_SYSROOT.`,
		);
	}
	return {
		clang: [CLANG],
		wasmLd: [WASM_LD],
		elfLd: undefined,
		sysroot: WASI_SYSROOT,
		resourceFolder,
		builtins,
		patch: await onPath("patch"),
		bzip2: await onPath("bzip2"),
		xz: await onPath("xz"),
		cargo: [environment.CARGO || "cargo"],
		key: keyOf([
			await run(CLANG, ["--version"]),
			await run(WASM_LD, ["--version"]),
			await sha256OfFile(join(WASI_SYSROOT, "lib/wasm32-wasi/libc.a")),
			await sha256OfFile(builtins),
		]),
	};
}

/** @param {import("./packages.mjs").DebianRoot} root */
function toolsOf({ folder, key, program }) {
	const llvm = join(folder, "usr/lib/llvm-19");
	return {
		clang: program("usr/lib/llvm-19/bin/clang"),
		wasmLd: program("usr/lib/llvm-19/bin/wasm-ld"),
		elfLd: program("usr/lib/llvm-19/bin/ld.lld"),
		sysroot: join(folder, "usr"),
		resourceFolder: join(llvm, "lib/clang/19"),
		builtins: join(llvm, "lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a"),
		patch: program("usr/bin/patch"),
		bzip2: program("usr/bin/bzip2"),
		xz: program("usr/bin/xz"),
		cargo: program("usr/bin/cargo"),
		key,
	};
}

async function onPath(name) {
	const path = await findProgram(name);
	if (path) return [path];
	throw new Error(
		`${name} is not on PATH, and with CLANG set it is not taken from the private packages. Install it, or unset CLANG.`,
	);
}

/**
 * Compiles a small native program of C files, static and against musl, so that it runs on any Linux.
 *
 * @param {string[]} sources
 * @param {string} output
 * @param {import("./packages.mjs").Options} [options]
 */
export async function compileNativeProgram(sources, output, options = {}) {
	const { folder, program } = await debianRoot(options);
	const tools = toolsOf({ folder, key: "", program });
	const target = "x86_64-linux-musl";
	const libraries = join(folder, "usr/lib", target);
	const objects = [];
	for (const source of sources) {
		const object = `${output}-${basename(source, ".c")}.o`;
		await run(tools.clang[0], [
			...tools.clang.slice(1),
			`--target=${target}`,
			"-fintegrated-cc1",
			"-nostdinc",
			"-isystem",
			join(folder, "usr/include", target),
			"-isystem",
			join(tools.resourceFolder, "include"),
			...["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"],
			"-fstack-protector-strong",
			`-ffile-prefix-map=${dirname(source)}=.`,
			...["-c", source, "-o", object],
		]);
		objects.push(object);
	}
	await run(tools.elfLd[0], [
		...tools.elfLd.slice(1),
		...["-static", "--build-id=none", "--gc-sections", "--strip-all"],
		...["-z", "noexecstack", "-z", "relro", "-z", "now"],
		join(libraries, "crt1.o"),
		join(libraries, "crti.o"),
		...objects,
		join(libraries, "libc.a"),
		join(libraries, "crtn.o"),
		...["-o", output],
	]);
	for (const object of objects) await rm(object);
}
