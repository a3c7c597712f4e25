/** Where the engine's tools, sources and results are kept: a folder outside the repository, whose names are digests of what they were made from. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
	mkdir,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

/** Hexadecimal digits of a digest that name a folder: 96 bits. */
const KEY_LENGTH = 24;

/**
 * `$XDG_CACHE_HOME/rechnungsverwaltung/wasm`, or the same in `~/.cache`.
 *
 * @param {NodeJS.ProcessEnv} [environment]
 */
export function cacheFolder(environment = process.env) {
	const cacheHome = environment.XDG_CACHE_HOME || join(homedir(), ".cache");
	return resolve(cacheHome, "rechnungsverwaltung", "wasm");
}

/**
 * @param {string | Uint8Array} bytes
 * @returns {string} SHA-256 in hexadecimal digits
 */
export function sha256(bytes) {
	return createHash("sha256").update(bytes).digest("hex");
}

/**
 * @param {string} path
 * @returns {Promise<string>} SHA-256 of the file in hexadecimal digits
 */
export async function sha256OfFile(path) {
	const hash = createHash("sha256");
	await pipeline(createReadStream(path), hash);
	return hash.digest("hex");
}

/**
 * A name for what is made from these inputs.
 *
 * @param {unknown} inputs anything that JSON can tell apart
 */
export function keyOf(inputs) {
	return sha256(JSON.stringify(inputs)).slice(0, KEY_LENGTH);
}

/** @param {string} path */
export async function exists(path) {
	return stat(path).then(
		() => true,
		() => false,
	);
}

/**
 * Makes a folder whole or not at all: the work fills a folder of another name, which then takes its place.
 *
 * @param {string} folder
 * @param {(unfinished: string) => Promise<void>} work
 */
export async function makeFolder(folder, work) {
	const unfinished = `${folder}.${process.pid}.unfinished`;
	await rm(unfinished, { recursive: true, force: true });
	await mkdir(unfinished, { recursive: true });
	try {
		await work(unfinished);
		await rm(folder, { recursive: true, force: true });
		await rename(unfinished, folder);
	} finally {
		await rm(unfinished, { recursive: true, force: true });
	}
}

/**
 * Every file below a folder, with its digest.
 *
 * @param {string} folder
 * @returns {Promise<Record<string, string>>} path within the folder, with slashes → SHA-256; sorted by path
 */
export async function digestsBelow(folder) {
	const entries = await readdir(folder, {
		recursive: true,
		withFileTypes: true,
	});
	const paths = entries
		.filter((entry) => entry.isFile())
		.map((entry) =>
			join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1),
		)
		.sort();
	const digests = await Promise.all(
		paths.map(async (path) => sha256(await readFile(join(folder, path)))),
	);
	return Object.fromEntries(paths.map((path, at) => [path, digests[at]]));
}

/**
 * Writes a file whole or not at all.
 *
 * @param {string} path
 * @param {string | Uint8Array} content
 */
export async function replaceFile(path, content) {
	const unfinished = `${path}.${process.pid}.unfinished`;
	await mkdir(dirname(path), { recursive: true });
	await writeFile(unfinished, content);
	await rename(unfinished, path);
}
