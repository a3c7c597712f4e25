import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
	buildLauncherGuest,
	type LauncherGuest,
	load,
} from "./launcher-guest.ts";

const run = promisify(execFile);

const RUNTIME_BYTES_MAX = 14_000_000;

interface Elf {
	undefinedSymbols(bytes: Uint8Array): {
		name: string;
		library: string;
		version: string;
		isThreadLocal: boolean;
	}[];
}

describe("WasmEdge without its compiler", function () {
	this.timeout(60_000);

	let folder: string;
	let guest: LauncherGuest;

	before(async function () {
		this.timeout(600_000);
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-runtime-"));
		guest = await buildLauncherGuest(folder);
	});

	after(() => rm(folder, { recursive: true, force: true }));

	/** Runs it with nothing of the system's libraries. */
	function wasmedge(...args: string[]) {
		const { runtime } = guest;
		return run(join(runtime, "ld-linux-x86-64.so.2"), [
			...["--inhibit-cache", "--library-path", runtime],
			...[join(runtime, "wasmedge"), ...args],
		]);
	}

	it("is small, and needs no library from outside of its folder", async () => {
		const { stdout } = await run("du", ["--bytes", "-s", guest.runtime]);
		assert.ok(Number.parseInt(stdout, 10) < RUNTIME_BYTES_MAX, stdout);
		assert.match((await wasmedge("--version")).stdout, /version 0\.\d+\.\d+/);
	});

	it("says that it cannot compile", async () => {
		const module = join(folder, "guest.wasm");
		await assert.rejects(
			wasmedge("compile", module, join(folder, "again.so")),
			{
				code: 70,
				stderr:
					"This WasmEdge has no compiler: it runs what was compiled before. Compile with the whole one.\n",
			},
		);
	});

	it("has every symbol that WasmEdge takes from LLVM", async () => {
		const { undefinedSymbols } = await load<Elf>("infra/wasm/elf.mjs");
		const names = await readdir(guest.runtime);
		const library = names.find((name) => name.startsWith("libwasmedge.so"));
		assert.ok(library !== undefined);
		const symbols = undefinedSymbols(
			await readFile(join(guest.runtime, library)),
		);
		const fromCompiler = symbols.filter(({ library }) =>
			library.startsWith("libLLVM"),
		);
		assert.ok(fromCompiler.length > 100, String(fromCompiler.length));
		assert.ok(
			symbols.some(
				({ name, library, version }) =>
					name === "getaddrinfo" &&
					library === "libc.so.6" &&
					version.startsWith("GLIBC_"),
			),
		);
		assert.ok(symbols.some(({ isThreadLocal }) => isThreadLocal));
	});

	it("is made from an ELF library, and from nothing else", async () => {
		const { undefinedSymbols } = await load<Elf>("infra/wasm/elf.mjs");
		assert.throws(() => undefinedSymbols(new Uint8Array(64)), {
			message: "This is no ELF library of 64 bits, little-endian.",
		});
	});
});
