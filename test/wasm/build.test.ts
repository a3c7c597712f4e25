import assert from "node:assert/strict";
import {
	chmod,
	cp,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	symlink,
	truncate,
	writeFile,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const HOST = resolve("infra/wasm/host");
const BUNDLE_TEXT = 'host.writeText(1, "from bytecode");host.exit(0);\n';
/** The first build of a machine: fetches the compiler, compiles a hundred C files. */
const BUILD_MS_MAX = 900_000;

interface Engine {
	engine: string;
	wasm: string;
	key: string;
	wasmEdge: WasmEdge;
}

interface WasmEdge {
	command: string[];
	version: string;
	source: string;
	hasRunMode: boolean;
	hasReadOnlyFolders: boolean;
}

interface Build {
	buildEngine(options: {
		bundle?: string;
		environment?: NodeJS.ProcessEnv;
		hostFolder?: string;
		level?: string;
		onProgress?: (line: string) => void;
	}): Promise<Engine>;
}

interface WasmEdgeModule {
	findWasmEdge(options: { environment: NodeJS.ProcessEnv }): Promise<WasmEdge>;
	runCommand(
		wasmEdge: WasmEdge,
		module: string,
		args?: string[],
		sandbox?: {
			environment?: Record<string, string>;
			folders?: { inside: string; outside: string }[];
			memoryPagesMax?: number;
		},
	): string[];
	compileCommand(
		wasmEdge: WasmEdge,
		module: string,
		output: string,
		options?: { level?: string; anyProcessor?: boolean },
	): string[];
}

interface Pin {
	path: string;
	sha256: string;
}

interface Packages {
	debianRoot(options: {
		environment: NodeJS.ProcessEnv;
		list?: Record<string, (Pin & { name: string; version: string })[]>;
	}): Promise<{ folder: string }>;
}

interface Sources {
	engineSources(
		tools: () => Promise<unknown>,
		options: {
			environment: NodeJS.ProcessEnv;
			pins?: Record<string, unknown>;
		},
	): Promise<Record<string, { folder: string }>>;
}

/** Plain JavaScript that finds its own files by its address, and so must not be bundled into this test. */
async function load<Module>(name: string): Promise<Module> {
	const address = pathToFileURL(resolve("infra/wasm", name)).href;
	return (await import(address)) as Module;
}

async function readPins<Pins>(name: string): Promise<Pins> {
	return JSON.parse(await readFile(join("infra/wasm", name), "utf8")) as Pins;
}

describe("the engine's build", () => {
	let build: Build;
	let work: string;
	/** The user's own cache, in which other tests build as well. */
	let ownCache: string;
	let bundle: string;
	let first: Engine;
	/** Where the tests build anew, change and damage things. */
	let otherCache: NodeJS.ProcessEnv;

	/** Another cache folder, which has the packages already: what is compiled in it is compiled anew. */
	async function emptyCache(name: string): Promise<NodeJS.ProcessEnv> {
		const cache = join(work, name, "rechnungsverwaltung", "wasm");
		await mkdir(cache, { recursive: true });
		for (const entry of await readdir(ownCache)) {
			if (/^debian-[0-9a-f]+$/.test(entry)) {
				await symlink(join(ownCache, entry), join(cache, entry));
			}
		}
		return { ...process.env, XDG_CACHE_HOME: join(work, name) };
	}

	before(async function () {
		this.timeout(BUILD_MS_MAX);
		work = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-build-"));
		ownCache = join(
			process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
			"rechnungsverwaltung",
			"wasm",
		);
		build = await load<Build>("build.mjs");
		bundle = join(work, "bundle.js");
		await writeFile(bundle, BUNDLE_TEXT);
		first = await build.buildEngine({ bundle, level: "0" });
		otherCache = await emptyCache("a second cache with another path");
	});

	after(async () => {
		await rm(work, { recursive: true, force: true });
	});

	it("runs the bundle from its bytecode, without a line of its source", async () => {
		const { runCommand } = await load<WasmEdgeModule>("wasmedge.mjs");
		assert.equal(
			await printed(runCommand(first.wasmEdge, first.engine)),
			"from bytecode",
		);
		assert.ok((await readFile(first.wasm)).includes("from bytecode"));
		assert.ok(!(await readFile(first.wasm)).includes("host.writeText("));
	});

	it("gives the same bytes from the same inputs, wherever they lie", async function () {
		this.timeout(BUILD_MS_MAX);
		const moved = join(work, "elsewhere");
		await mkdir(moved);
		await cp(HOST, join(moved, "host"), { recursive: true });
		await cp(bundle, join(moved, "bundle.js"));
		const second = await build.buildEngine({
			environment: otherCache,
			bundle: join(moved, "bundle.js"),
			hostFolder: join(moved, "host"),
			level: "0",
		});
		assert.notEqual(second.engine, first.engine);
		assert.equal(second.key, first.key);
		for (const file of ["wasm", "engine"] as const) {
			const [one, other] = await Promise.all([
				readFile(first[file]),
				readFile(second[file]),
			]);
			assert.ok(one.equals(other), `${basename(first[file])} differs`);
		}
		const bytes = await readFile(second.wasm);
		for (const path of [work, homedir(), process.cwd()]) {
			assert.ok(!bytes.includes(path), `the module tells ${path}`);
		}
	});

	it("does nothing where all is there, and says so by its speed", async () => {
		const lines: string[] = [];
		const again = await build.buildEngine({
			bundle,
			level: "0",
			onProgress: (line) => lines.push(line),
		});
		assert.equal(again.engine, first.engine);
		assert.deepEqual(lines, []);
	});

	it("makes another engine when the bundle, a host file or the level differs", async function () {
		this.timeout(BUILD_MS_MAX);
		const keys = new Set([first.key]);
		const changedBundle = join(work, "changed.js");
		await writeFile(changedBundle, `${BUNDLE_TEXT} `);
		const other = await build.buildEngine({
			environment: otherCache,
			bundle: changedBundle,
			level: "0",
		});
		keys.add(other.key);
		const hostFolder = join(work, "changed-host");
		await cp(HOST, hostFolder, { recursive: true });
		const file = join(hostFolder, "errors.c");
		await writeFile(file, `${await readFile(file, "utf8")}/* a word */\n`);
		const lines: string[] = [];
		const changed = await build.buildEngine({
			environment: otherCache,
			bundle,
			hostFolder,
			level: "0",
			onProgress: (line) => lines.push(line),
		});
		keys.add(changed.key);
		assert.equal(keys.size, 3);
		assert.ok(
			lines.includes("Compiling 1 C files."),
			`only errors.c is compiled anew: ${lines.join(" ")}`,
		);
	});

	it("notices a damaged file in the cache and builds it anew", async function () {
		this.timeout(BUILD_MS_MAX);
		const options = { environment: otherCache, bundle, level: "0" };
		const { engine } = await build.buildEngine(options);
		const original = await readFile(engine);
		const damaged = Buffer.from(original);
		damaged.writeUInt8(damaged.readUInt8(5000) ^ 1, 5000);
		await writeFile(engine, damaged);
		const lines: string[] = [];
		await build.buildEngine({
			...options,
			onProgress: (line) => lines.push(line),
		});
		assert.match(lines.join("\n"), /damaged; it is built anew/);
		assert.ok((await readFile(engine)).equals(original));
	});

	it("compiles an object file anew that was cut off", async function () {
		this.timeout(BUILD_MS_MAX);
		const objects = join(
			String(otherCache.XDG_CACHE_HOME),
			"rechnungsverwaltung/wasm/objects",
		);
		const options = { environment: otherCache, bundle, level: "0" };
		await build.buildEngine(options);
		const object = (await readdir(objects)).find((name) =>
			/^text-.*\.o$/.test(name),
		);
		await truncate(join(objects, String(object)), 1000);
		await rm(dirname((await build.buildEngine(options)).engine), {
			recursive: true,
		});
		const lines: string[] = [];
		const { wasm } = await build.buildEngine({
			...options,
			onProgress: (line) => lines.push(line),
		});
		assert.ok(lines.includes("Compiling 1 C files."), lines.join(" "));
		assert.ok((await readFile(wasm)).equals(await readFile(first.wasm)));
	});

	it("tells the C file and the compiler's words when the host has an error", async function () {
		this.timeout(BUILD_MS_MAX);
		const hostFolder = join(work, "faulty-host");
		await cp(HOST, hostFolder, { recursive: true });
		await writeFile(
			join(hostFolder, "errors.c"),
			"int broken(void) { return x; }\n",
		);
		await assert.rejects(
			build.buildEngine({ environment: otherCache, hostFolder, level: "0" }),
			/errors\.c could not be compiled:[\s\S]*undeclared identifier 'x'/,
		);
	});
});

describe("what the build fetches", () => {
	let work: string;
	let environment: NodeJS.ProcessEnv;
	/** The smallest of the packages. */
	const small = "libcom-err2";

	beforeEach(async () => {
		work = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-fetch-"));
		environment = { ...process.env, XDG_CACHE_HOME: work };
	});

	afterEach(async () => {
		await rm(work, { recursive: true, force: true });
	});

	const otherDigest = "0".repeat(64);

	async function packagesWith(change: Partial<Pin>) {
		const { amd64 } = await readPins<
			Record<string, (Pin & { name: string; version: string })[]>
		>("debian-packages.json");
		const pinned = amd64?.find(({ name }) => name === small);
		assert.ok(pinned);
		return { amd64: [{ ...pinned, ...change }] };
	}

	it("refuses a package with other bytes than are pinned, and leaves nothing behind", async () => {
		const { debianRoot } = await load<Packages>("packages.mjs");
		const list = await packagesWith({ sha256: otherDigest });
		await assert.rejects(
			debianRoot({ environment, list }),
			/gave other bytes than are pinned for libcom-err2/,
		);
		assert.deepEqual(
			await readdir(join(work, "rechnungsverwaltung", "wasm")),
			[],
		);
	});

	it("says how to go on when the mirror no longer has a package", async () => {
		const { debianRoot } = await load<Packages>("packages.mjs");
		const list = await packagesWith({
			path: "pool/main/e/e2fsprogs/libcom-err2_0.0.1-1_amd64.deb",
		});
		await assert.rejects(
			debianRoot({ environment, list }),
			/no longer has libcom-err2_0\.0\.1-1_amd64\.deb: .*--renew.*DEBIAN_PACKAGES=newest/,
		);
	});

	it("refuses sources with other bytes than are pinned", async function () {
		this.timeout(BUILD_MS_MAX);
		const { engineSources } = await load<Sources>("sources.mjs");
		const { buildTools } = await load<{ buildTools(): Promise<unknown> }>(
			"compiler.mjs",
		);
		const { quickjs, zlib } =
			await readPins<Record<string, { archive: Pin }>>("sources.json");
		await assert.rejects(
			engineSources(buildTools, {
				environment,
				pins: { quickjs: { ...quickjs, digest: otherDigest } },
			}),
			/C files of rquickjs-sys-0\.14\.0 have the digest [0-9a-f]{64}, and 0{64} is pinned/,
		);
		await assert.rejects(
			engineSources(buildTools, {
				environment,
				pins: {
					zlib: {
						...zlib,
						archive: { ...zlib?.archive, sha256: otherDigest },
					},
				},
			}),
			/gave other bytes than are pinned for zlib/,
		);
		assert.deepEqual(
			await readdir(join(work, "rechnungsverwaltung", "wasm")),
			[],
		);
	});

	it("takes sources from SOURCES_FOLDER, checked all the same", async function () {
		this.timeout(BUILD_MS_MAX);
		const { engineSources } = await load<Sources>("sources.mjs");
		const { buildTools } = await load<{ buildTools(): Promise<unknown> }>(
			"compiler.mjs",
		);
		const folder = join(work, "sources");
		await mkdir(folder);
		const { zlib } =
			await readPins<Record<string, { archive: Pin }>>("sources.json");
		await writeFile(
			join(folder, basename(zlib?.archive.path ?? "")),
			"no archive",
		);
		await assert.rejects(
			engineSources(buildTools, {
				environment: { ...environment, SOURCES_FOLDER: folder },
				pins: { zlib },
			}),
			/zlib_.*orig\.tar\.gz has the SHA-256 .*, and 60dd315c/,
		);
	});
});

describe("WasmEdge's versions", () => {
	let folder: string;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-wasmedge-"));
	});

	after(async () => {
		await rm(folder, { recursive: true, force: true });
	});

	/** A program that speaks as that version does. */
	async function program(version: string, help: string): Promise<string> {
		const path = join(folder, `wasmedge-${version}`);
		await writeFile(
			path,
			`#!/bin/sh\ncase $1 in --version) echo "wasmedge version ${version}";; *) echo "${help}";; esac\n`,
		);
		await chmod(path, 0o755);
		return path;
	}

	const cases = [
		{ version: "0.13.5", help: "--dir --env", flags: [], suffix: "" },
		{
			version: "0.14.1",
			help: "--dir guest_path:host_path:readonly",
			flags: [],
			suffix: ":readonly",
		},
		{
			version: "0.17.1",
			help: "--run-mode --dir guest_path:host_path:readonly",
			flags: ["--run-mode=aot"],
			suffix: ":readonly",
		},
	];
	for (const { version, help, flags, suffix } of cases) {
		it(`${version} runs a compiled module natively`, async () => {
			const { findWasmEdge, runCommand, compileCommand } =
				await load<WasmEdgeModule>("wasmedge.mjs");
			const path = await program(version, help);
			const wasmEdge = await findWasmEdge({
				environment: { XDG_CACHE_HOME: folder, WASMEDGE_BINARY: path },
			});
			assert.equal(wasmEdge.version, version);
			assert.equal(wasmEdge.source, "WASMEDGE_BINARY");
			assert.deepEqual(
				runCommand(wasmEdge, "service.so", ["one"], {
					environment: { PORT: "80" },
					folders: [{ inside: "/app", outside: "/srv" }],
					memoryPagesMax: 4096,
				}),
				[
					...[path, ...flags, "--dir", `/app:/srv${suffix}`],
					...["--env", "PORT=80", "--memory-page-limit", "4096"],
					...["--", "service.so", "one"],
				],
			);
			assert.deepEqual(compileCommand(wasmEdge, "a.wasm", "a.so"), [
				...[path, "compile", "--optimize", "2", "a.wasm", "a.so"],
			]);
		});
	}

	for (const version of ["0.12.1", "0.18.0", "1.0.0"]) {
		it(`${version} is refused, as nobody has tried it`, async () => {
			const { findWasmEdge } = await load<WasmEdgeModule>("wasmedge.mjs");
			const path = await program(version, "--dir");
			await assert.rejects(
				findWasmEdge({
					environment: { XDG_CACHE_HOME: folder, WASMEDGE_BINARY: path },
				}),
				new RegExp(`is WasmEdge ${version.replaceAll(".", "\\.")}; versions`),
			);
		});
	}

	it("a WASMEDGE_BINARY that is no program is told by its name", async () => {
		const { findWasmEdge } = await load<WasmEdgeModule>("wasmedge.mjs");
		await assert.rejects(
			findWasmEdge({ environment: { WASMEDGE_BINARY: "/nowhere/wasmedge" } }),
			/WASMEDGE_BINARY is \/nowhere\/wasmedge, which is no program/,
		);
	});
});

async function printed([command, ...args]: string[]): Promise<string> {
	const { run } = await load<{
		run(command: string | undefined, args: string[]): Promise<string>;
	}>("../local/install.mjs");
	return run(command, args);
}
