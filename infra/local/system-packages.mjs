/** Finds the programs that the machine must bring, and installs them with apt-get where that is possible. */
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { run } from "./install.mjs";
import { withProgress } from "./progress.mjs";

/**
 * The path of the first of these programs that is on PATH.
 *
 * @param {...string} names
 * @returns {Promise<string | undefined>}
 */
export async function findProgram(...names) {
	for (const name of names) {
		for (const folder of (process.env.PATH ?? "").split(delimiter)) {
			if (!folder) continue;
			const path = join(folder, name);
			const found = await access(path, constants.X_OK).then(
				() => true,
				() => false,
			);
			if (found) return path;
		}
	}
	return undefined;
}

/**
 * Installs Debian or Ubuntu packages; all of them in one call.
 *
 * @param {string[]} packages
 * @throws {Error} a sentence that says what to install by hand, where this cannot do it
 */
export async function installSystemPackages(packages) {
	if (packages.length === 0) return;
	const names = packages.join(" ");
	const byHand = `Install it: apt-get install ${names} on Debian and Ubuntu, or your system's own packages.`;
	if (!(await findProgram("apt-get"))) {
		throw new Error(`${names} is missing, and there is no apt-get. ${byHand}`);
	}
	if (process.getuid?.() !== 0) {
		throw new Error(
			`${names} is missing, and only root may install it. ${byHand}`,
		);
	}
	const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
	const apt = (...args) =>
		run("apt-get", ["-q", "-y", ...args], undefined, environment);
	const install = () => apt("install", "--no-install-recommends", ...packages);
	await withProgress(`Installing ${names}`, async () => {
		const lists = await readdir("/var/lib/apt/lists").catch(() => []);
		const known = lists.some((name) => name.includes("_Packages"));
		if (known) {
			try {
				return await install();
			} catch {
				// Old lists name versions that the mirror no longer has: the second try below tells what is wrong.
			}
		}
		await apt("update");
		return install();
	}).catch((error) => {
		throw new Error(
			`${names} could not be installed. ${byHand}\n${error.message}`,
		);
	});
}

/**
 * Installs libcurl, to which mongod is linked and which small Debian systems lack. Where that cannot be done, it is
 * said, and the search for a mongod goes on: another one may need no libcurl.
 */
export async function installMongodLibraries() {
	if (process.platform !== "linux") return;
	const known = await run("ldconfig", ["-p"]).catch(() => undefined);
	if (known === undefined || known.includes("libcurl.so.4")) return;
	await installSystemPackages(["libcurl4"]).catch((error) =>
		console.error(error.message),
	);
}
