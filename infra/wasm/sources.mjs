/** Gets the engine's C sources: pinned archives of Debian, and QuickJS from a pinned crate; checks and patches them. */
import {
	copyFile,
	mkdir,
	readdir,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { run, withLock } from "../local/install.mjs";
import {
	cacheFolder,
	digestsBelow,
	exists,
	keyOf,
	makeFolder,
	sha256,
} from "./cache.mjs";
import { expectDigest, fetchFromDebian } from "./packages.mjs";

const PINS = fileURLToPath(new URL("sources.json", import.meta.url));
const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/**
 * @typedef {{ folder: string, version: string, key: string }} Source `key` tells these files from others
 * @typedef {import("./packages.mjs").Options & { pins?: Record<string, any> }} SourceOptions
 */

/**
 * Folders with the sources, by name: "quickjs", "zlib", "mbedtls", "libsodium". Fetches what is missing.
 *
 * @param {() => Promise<import("./compiler.mjs").Tools>} tools asked for only where something is fetched
 * @param {SourceOptions} [options]
 * @returns {Promise<Record<string, Source>>}
 * @throws {Error} where a source cannot be had or has other bytes than are pinned
 */
export async function engineSources(
	tools,
	{ onProgress = () => {}, environment = process.env, pins } = {},
) {
	const cache = cacheFolder(environment);
	/** @type {Record<string, Source>} */
	const sources = {};
	for (const [name, pin] of Object.entries(
		pins ?? JSON.parse(await readFile(PINS, "utf8")),
	)) {
		const patchPath = fileURLToPath(new URL(`${name}.patch`, import.meta.url));
		const ownPatch = await readFile(patchPath).catch((error) => {
			if (error.code === "ENOENT") return undefined;
			throw error;
		});
		const key = keyOf([pin, ownPatch && sha256(ownPatch)]);
		const folder = join(cache, `${name}-${key}`);
		if (!(await exists(folder))) {
			await withLock(join(cache, "sources.lock"), async () => {
				if (await exists(folder)) return;
				onProgress(`Fetching the sources of ${name} ${pin.version}.`);
				const programs = await tools();
				await makeFolder(folder, async (unfinished) => {
					if (pin.crate)
						await takeCrate(pin, unfinished, programs, environment);
					else await takeArchive(pin, unfinished, programs, environment);
					if (ownPatch) {
						await applyPatch(patchPath, unfinished, programs);
					}
				});
			});
		}
		sources[name] = { folder, version: pin.version, key };
	}
	return sources;
}

/** Debian's archive of the authors' own files, and those of Debian's patches that the pins name. */
async function takeArchive({ archive, debian }, folder, tools, environment) {
	const fetched = join(folder, ".fetched");
	await mkdir(fetched);
	await takeFiles([archive, ...(debian ? [debian] : [])], fetched, environment);
	await unpack(join(fetched, basename(archive.path)), folder, tools, 1);
	if (debian) {
		const patches = join(fetched, "patches");
		await mkdir(patches);
		await unpack(join(fetched, basename(debian.path)), patches, tools, 0);
		for (const patch of debian.patches) {
			await applyPatch(join(patches, "debian/patches", patch), folder, tools);
		}
	}
	await rm(fetched, { recursive: true });
}

/** From SOURCES_FOLDER, where it is set, or from Debian's mirror. */
async function takeFiles(files, folder, environment) {
	if (!environment.SOURCES_FOLDER) {
		return fetchFromDebian(files, folder, environment);
	}
	for (const { path, sha256 } of files) {
		const name = basename(path);
		await copyFile(join(environment.SOURCES_FOLDER, name), join(folder, name));
		await expectDigest(join(folder, name), sha256);
	}
}

/**
 * @param {string} archive
 * @param {string} folder
 * @param {import("./compiler.mjs").Tools} tools
 * @param {number} stripped leading folders that are left out
 */
async function unpack(archive, folder, tools, stripped) {
	let tarball = archive;
	const decompress = /\.bz2$/.test(archive)
		? tools.bzip2
		: /\.xz$/.test(archive)
			? tools.xz
			: undefined;
	if (decompress) {
		// A small system has neither of the two, and tar would look for them on PATH.
		const [command, ...args] = decompress;
		await run(command, [...args, "--decompress", "--keep", archive]);
		tarball = archive.replace(/\.[^.]+$/, "");
	}
	await run("tar", [
		"--extract",
		"--no-same-owner",
		`--strip-components=${stripped}`,
		`--directory=${folder}`,
		`--file=${tarball}`,
	]);
}

async function applyPatch(patch, folder, tools) {
	const [command, ...args] = tools.patch;
	await run(command, [
		...args,
		"--strip=1",
		"--batch",
		"--forward",
		"--fuzz=0",
		"--no-backup-if-mismatch",
		`--directory=${folder}`,
		`--input=${patch}`,
	]);
}

/**
 * QuickJS as the crate carries it. Cargo has it from the registry that the user's own configuration names; whichever
 * that is, and whichever cargo, the bytes are the pinned ones.
 */
async function takeCrate(pin, folder, tools, environment) {
	const work = join(folder, ".fetched");
	await mkdir(work);
	const name = `${pin.crate}-${pin.crateVersion}`;
	if (environment.SOURCES_FOLDER) {
		await mkdir(join(work, "crates", name), { recursive: true });
		await unpack(
			join(environment.SOURCES_FOLDER, `${name}.crate`),
			join(work, "crates", name),
			tools,
			1,
		);
	} else {
		await vendorCrate(pin, work, tools, environment);
	}
	const carried = join(work, "crates", name, pin.folder);
	for (const file of await readdir(carried)) {
		if (/\.[ch]$/.test(file)) {
			await copyFile(join(carried, file), join(folder, file));
		}
	}
	await rm(work, { recursive: true });
	const found = sha256(JSON.stringify(await digestsBelow(folder)));
	if (found !== pin.digest) {
		throw new Error(
			`The C files of ${name} have the digest ${found}, and ${pin.digest} is pinned. They are damaged or were replaced: do not use them.`,
		);
	}
}

async function vendorCrate(pin, work, tools, environment) {
	await writeFile(
		join(work, "Cargo.toml"),
		`[package]
name = "quickjs-sources"
version = "0.0.0"
edition = "2021"
[lib]
path = "nothing.rs"
[dependencies]
${pin.crate} = { version = "=${pin.crateVersion}", default-features = false }
`,
	);
	await writeFile(join(work, "nothing.rs"), "");
	const [command, ...args] = tools.cargo;
	await run(
		command,
		[...args, "vendor", "--quiet", "--versioned-dirs", "crates"],
		work,
		{
			...environment,
			...(await cargoHome(work, environment)),
			...(await authorities(work, environment)),
		},
	).catch((error) => {
		throw new Error(
			`QuickJS (${pin.crate} ${pin.crateVersion}) could not be fetched by cargo. Check the network and cargo's configuration, or set SOURCES_FOLDER (infra/wasm/README.md).\n${error.message}`,
		);
	});
}

/** A user who has cargo has its configuration and its cache in the home folder; who has not is left without traces. */
async function cargoHome(work, environment) {
	const own =
		environment.CARGO_HOME || (await exists(join(homedir(), ".cargo")));
	return own ? {} : { CARGO_HOME: join(work, "cargo-home") };
}

/** Debian's cargo looks for certificates where Debian has them, which a small system lacks; Node brings its own. */
async function authorities(work, environment) {
	if (environment.CARGO_HTTP_CAINFO || environment.SSL_CERT_FILE) return {};
	if (await exists(SYSTEM_AUTHORITIES)) {
		return { CARGO_HTTP_CAINFO: SYSTEM_AUTHORITIES };
	}
	const path = join(work, "authorities.pem");
	const extra = environment.NODE_EXTRA_CA_CERTS
		? [await readFile(environment.NODE_EXTRA_CA_CERTS, "utf8")]
		: [];
	await writeFile(path, [...rootCertificates, ...extra].join("\n"));
	return { CARGO_HTTP_CAINFO: path };
}
