/** Unpacks the pinned Debian packages of the tools into a folder of our own, for any user, without touching the system's packages. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, withLock } from "../local/install.mjs";
import { findProgram } from "../local/system-packages.mjs";
import {
	cacheFolder,
	exists,
	keyOf,
	makeFolder,
	sha256OfFile,
} from "./cache.mjs";

const LIST = fileURLToPath(new URL("debian-packages.json", import.meta.url));
const APT_HELPER = "/usr/lib/apt/apt-helper";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const VERIFIED = ".verified";

/** Debian's names of the architectures for which packages are pinned, and of their folders of libraries and loaders. */
const ARCHITECTURES = {
	x64: {
		debian: "amd64",
		libraries: "x86_64-linux-gnu",
		loader: "ld-linux-x86-64.so.2",
	},
};

/** Names of Debian's releases, by which its own archive is told from others that apt knows. */
const DEBIAN_SUITES =
	/^(?:bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates|-backports)?$/;

const BY_HAND =
	"Build on Debian or Ubuntu (x86-64), or provide the programs: set WASMEDGE_BINARY, and for building CLANG (19 or later), WASM_LD, WASI_SYSROOT and SOURCES_FOLDER (infra/wasm/README.md).";

/**
 * @typedef {{ path: string, sha256: string }} PinnedFile a file of Debian's archive: its path below the mirror's address
 * @typedef {PinnedFile & { name: string, version: string }} PinnedPackage
 * @typedef {{ suite: string, wanted: string[], omitted: Record<string, string[]> } & Record<string, PinnedPackage[]>} PackageList
 * @typedef {{ folder: string, key: string, program: (path: string) => string[] }} DebianRoot
 * `program` gives the beginning of the command line that starts a program of the root
 * @typedef {{ onProgress?: (line: string) => void, environment?: NodeJS.ProcessEnv, list?: PackageList }} Options
 */

/**
 * The folder with the packages unpacked; fetches them where it is missing.
 *
 * @param {Options} [options]
 * @returns {Promise<DebianRoot>}
 * @throws {Error} a sentence that says what cannot be had and what to provide instead
 */
export async function debianRoot({
	onProgress = () => {},
	environment = process.env,
	list,
} = {}) {
	const architecture = pinnedArchitecture();
	const pinned = list ?? (await readList());
	const cache = cacheFolder(environment);
	let packages = pinned[architecture.debian];
	if (environment.DEBIAN_PACKAGES === "newest") {
		packages = await newestPackages(cache, pinned, architecture, environment);
	} else if (environment.DEBIAN_PACKAGES) {
		throw new Error(
			`DEBIAN_PACKAGES is ${environment.DEBIAN_PACKAGES}. The only value it knows is newest; unset it for the pinned versions.`,
		);
	}
	const key = keyOf(packages);
	const folder = join(cache, `debian-${key}`);
	if (!(await exists(join(folder, VERIFIED)))) {
		await withLock(join(cache, "debian.lock"), async () => {
			if (await exists(join(folder, VERIFIED))) return;
			await makeFolder(folder, (unfinished) =>
				unpack(packages, unfinished, onProgress, environment),
			);
		});
	}
	return { folder, key, program: (path) => startedIn(folder, path) };
}

/**
 * Whether the packages are there already.
 *
 * @param {NodeJS.ProcessEnv} [environment]
 */
export async function hasDebianRoot(environment = process.env) {
	const architecture = ARCHITECTURES[process.arch];
	if (process.platform !== "linux" || !architecture) return false;
	const packages = (await readList())[architecture.debian];
	return exists(
		join(cacheFolder(environment), `debian-${keyOf(packages)}`, VERIFIED),
	);
}

/**
 * Fetches files of Debian's archive by apt, which knows the mirror and the proxy, and checks their digests.
 *
 * @param {PinnedFile[]} files
 * @param {string} folder where they are put under their own names
 * @param {NodeJS.ProcessEnv} [environment]
 */
export async function fetchFromDebian(
	files,
	folder,
	environment = process.env,
) {
	const failures = [];
	for (const mirror of await debianMirrors(environment)) {
		try {
			await run(
				APT_HELPER,
				[
					...UNSANDBOXED,
					"download-file",
					...files.flatMap(({ path, sha256 }) => [
						`${mirror}/${path}`,
						join(folder, basename(path)),
						`SHA256:${sha256}`,
					]),
				],
				undefined,
				englishOf(environment),
			);
		} catch (error) {
			failures.push(whyNotFetched(mirror, error.message));
			continue;
		}
		for (const { path, sha256 } of files) {
			await expectDigest(join(folder, basename(path)), sha256);
		}
		return;
	}
	throw new Error(failures.join("\n"));
}

/**
 * @param {string} path
 * @param {string} expected SHA-256
 * @throws {Error} where the file has another one
 */
export async function expectDigest(path, expected) {
	const found = await sha256OfFile(path);
	if (found !== expected) {
		throw new Error(
			`${basename(path)} has the SHA-256 ${found}, and ${expected} is pinned. It is damaged or was replaced: fetch it again, and if it stays so, do not use it.`,
		);
	}
}

/** root's apt would hand the download to its own user, who may not write here. */
const UNSANDBOXED = ["-o", "APT::Sandbox::User="];

async function unpack(packages, folder, onProgress, environment) {
	const fetched = join(folder, ".fetched");
	await mkdir(fetched);
	onProgress(
		`Fetching ${packages.length} Debian packages: the compiler and WasmEdge.`,
	);
	await fetchFromDebian(packages, fetched, environment);
	onProgress("Unpacking them into the cache.");
	for (const { path } of packages) {
		await run("dpkg-deb", ["--extract", join(fetched, basename(path)), folder]);
	}
	await rm(fetched, { recursive: true });
	for (const program of ["usr/bin/wasmedge", "usr/lib/llvm-19/bin/clang"]) {
		const [command, ...args] = startedIn(folder, program);
		await run(command, [...args, "--version"]); // a library that lacks is told here, not in the middle of a build
	}
	await writeFile(
		join(folder, VERIFIED),
		`${packages.map(({ name, version }) => `${name} ${version}`).join("\n")}\n`,
	);
}

/**
 * A program of the root runs through the root's own loader and libraries, whatever the system's are.
 *
 * @param {string} folder
 * @param {string} path
 * @returns {string[]}
 */
function startedIn(folder, path) {
	const { libraries, loader } = pinnedArchitecture();
	const libraryFolder = join(folder, "usr/lib", libraries);
	return [
		join(libraryFolder, loader),
		"--library-path",
		`${libraryFolder}:${join(folder, "usr/lib/llvm-19/lib")}`,
		join(folder, path),
	];
}

function pinnedArchitecture() {
	const architecture = ARCHITECTURES[process.arch];
	if (process.platform !== "linux" || !architecture) {
		throw new Error(
			`There are no pinned packages for ${process.platform} on ${process.arch}. ${BY_HAND}`,
		);
	}
	return architecture;
}

/** @returns {Promise<PackageList>} */
async function readList() {
	return JSON.parse(await readFile(LIST, "utf8"));
}

/**
 * Addresses of Debian's archive: `DEBIAN_MIRROR`, or what the system's own apt uses, the likeliest first.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<string[]>} without closing slashes
 */
async function debianMirrors(environment) {
	for (const program of ["apt-get", "dpkg-deb"]) {
		if (!(await findProgram(program))) {
			throw new Error(`This machine has no ${program}. ${BY_HAND}`);
		}
	}
	if (environment.DEBIAN_MIRROR) {
		return [environment.DEBIAN_MIRROR.replace(/\/+$/, "")];
	}
	// Nothing is updated here: this prints what would be fetched, and works without lists and for any user.
	const printed = await run(
		"apt-get",
		["update", "--print-uris"],
		undefined,
		englishOf(environment),
	);
	/** @type {Map<string, number>} */
	const mirrors = new Map();
	for (const [, address, suite] of printed.matchAll(
		/^'(\S+?)\/dists\/([^/']+)\/InRelease'/gm,
	)) {
		const found = DEBIAN_SUITES.exec(suite);
		// Others name suites as Debian does; only Debian itself has one for updates.
		if (found) {
			mirrors.set(
				address,
				Math.max(mirrors.get(address) ?? 0, found[1] ? 1 : 0),
			);
		}
	}
	if (mirrors.size === 0) {
		throw new Error(
			"The system's apt knows no mirror of Debian. Set DEBIAN_MIRROR to the address of one, up to and without /dists.",
		);
	}
	return [...mirrors].sort((a, b) => b[1] - a[1]).map(([address]) => address);
}

/** @param {NodeJS.ProcessEnv} environment */
function englishOf(environment) {
	return { ...environment, LC_ALL: "C" };
}

/**
 * @param {string} mirror
 * @param {string} words apt's
 */
function whyNotFetched(mirror, words) {
	const missing = [...words.matchAll(/^E: Failed to fetch (\S+)\s+404/gm)].map(
		([, address]) => decodeURIComponent(basename(address)),
	);
	if (missing.length > 0) {
		return `${mirror} no longer has ${missing.join(", ")}: Debian has put a newer version in its place. Renew the pins (node infra/wasm/packages.mjs --renew), or set DEBIAN_PACKAGES=newest to build with the newest versions of the suite.`;
	}
	if (words.includes("Hash Sum mismatch")) {
		const damaged = [
			...words.matchAll(/^E: Failed to fetch (\S+)\s+Hash/gm),
		].map(([, address]) => decodeURIComponent(basename(address)));
		return `${mirror} gave other bytes than are pinned for ${damaged.join(", ")}. Try again, or set DEBIAN_MIRROR to another mirror.`;
	}
	const reasons = [...words.matchAll(/^(?:E|W): .*$/gm)].map(([line]) => line);
	return `Nothing could be fetched from ${mirror}. Check the network and apt's proxy, or set DEBIAN_MIRROR to another mirror.\n${(reasons.length > 0 ? reasons : words.split("\n")).slice(0, 5).join("\n")}`;
}

/**
 * What the suite has now: the closure of the wanted packages, less what the build has no use for, by an apt with
 * lists, state and cache of its own.
 *
 * @param {string} cache
 * @param {PackageList} list
 * @param {{ debian: string }} architecture
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<PinnedPackage[]>}
 */
async function newestPackages(cache, list, architecture, environment) {
	const [mirror] = await debianMirrors(environment);
	if (!(await exists(KEYRING))) {
		throw new Error(
			`${KEYRING} is missing, by which Debian's lists are checked. Install debian-archive-keyring, or build with the pinned versions, which need it not.`,
		);
	}
	const folder = join(cache, `apt.${process.pid}`);
	await rm(folder, { recursive: true, force: true });
	await mkdir(join(folder, "lists", "partial"), { recursive: true });
	await mkdir(join(folder, "archives", "partial"), { recursive: true });
	await writeFile(join(folder, "status"), "");
	await writeFile(
		join(folder, "sources.list"),
		`deb [signed-by=${KEYRING}] ${mirror} ${list.suite} main\n`,
	);
	const settings = {
		"Dir::Etc::SourceList": join(folder, "sources.list"),
		"Dir::Etc::SourceParts": "-",
		"Dir::State": folder,
		"Dir::State::Lists": join(folder, "lists"),
		"Dir::State::status": join(folder, "status"),
		"Dir::Cache": folder,
		"APT::Architecture": architecture.debian,
		"APT::Architectures": architecture.debian,
		"Acquire::Languages": "none",
		"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
		"Acquire::ForceHash": "sha256",
	};
	const apt = (...args) =>
		run(
			"apt-get",
			[
				...UNSANDBOXED,
				...Object.entries(settings).flatMap(([name, value]) => [
					"-o",
					`${name}=${value}`,
				]),
				...args,
			],
			undefined,
			englishOf(environment),
		);
	try {
		await apt("update");
		const printed = await apt(
			"install",
			"--print-uris",
			"--yes",
			"--no-install-recommends",
			...list.wanted,
		);
		const omitted = new Set(Object.values(list.omitted).flat());
		return [
			...printed.matchAll(/^'(\S+)' (\S+)_(\S+)_\S+\.deb \d+ SHA256:(\w+)$/gm),
		]
			.map(([, address, name, version, sha256]) => ({
				name,
				version: decodeURIComponent(version),
				path: decodeURIComponent(address.slice(mirror.length + 1)),
				sha256,
			}))
			.filter(({ name }) => !omitted.has(name))
			.sort((a, b) => (a.name < b.name ? -1 : 1));
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function renew() {
	const list = await readList();
	for (const architecture of Object.values(ARCHITECTURES)) {
		list[architecture.debian] = await newestPackages(
			cacheFolder(),
			list,
			architecture,
			process.env,
		);
	}
	await writeFile(LIST, `${JSON.stringify(list, undefined, "\t")}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	if (process.argv[2] === "--renew") await renew();
	else console.log((await debianRoot({ onProgress: console.error })).folder);
}
