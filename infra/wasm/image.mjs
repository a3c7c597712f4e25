/** Lays out what the images hold; a Containerfile beside it makes an image of it without any base image. */
import {
	chmod,
	cp,
	mkdir,
	readdir,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installPackages, ROOT, run } from "../local/install.mjs";
import { withProgress } from "../local/progress.mjs";
import { compileCommand, findWasmEdge } from "./wasmedge.mjs";

const HELP = `node infra/wasm/image.mjs [--output <folder>] [--help]

Builds the service for WasmEdge and lays out two folders to make images from:

  image/   WasmEdge, its libraries, the launcher, the engine and the fonts:
           an ordinary image, below 30 MB, for any container runtime
  shim/    the module and the fonts: an image for a runtime that is WasmEdge itself

Then, with buildah, podman or docker:

  buildah build -t rechnungsverwaltung dist/images/image
  buildah build -t rechnungsverwaltung-wasm --platform wasi/wasm dist/images/shim

  --output  where to lay them out (dist/images); what is there is replaced
`;

/** Where the parts lie in the image; the Containerfile names them too. */
const LIBRARIES = "usr/lib/wasmedge";
const SERVICE = "usr/lib/rechnungsverwaltung";

/**
 * Lays out the content of the ordinary image.
 *
 * @param {string} root folder that becomes the image's "/"
 * @param {object} parts
 * @param {string} parts.launcher
 * @param {string} parts.engine native library; for any processor of the architecture, since it is built here and run elsewhere
 * @param {string} parts.application folder that becomes /app
 * @param {string} parts.runtime folder with `wasmedge`, its loader and its libraries
 */
export async function layOutImage(
	root,
	{ launcher, engine, application, runtime },
) {
	await mkdir(join(root, "usr/bin"), { recursive: true });
	await cp(launcher, join(root, "usr/bin/launcher"));
	await cp(runtime, join(root, LIBRARIES), { recursive: true });
	const loader = (await readdir(runtime)).find((name) =>
		name.startsWith("ld-linux"),
	);
	await symlink(loader, join(root, LIBRARIES, "loader"));
	await mkdir(join(root, SERVICE), { recursive: true });
	await cp(engine, join(root, SERVICE, "engine.so"));
	await cp(application, join(root, SERVICE, "app"), { recursive: true });
	// The authorities that Node trusts; a connection string may name others (tlsCAFile).
	await mkdir(join(root, "etc/ssl/certs"), { recursive: true });
	await writeFile(
		join(root, "etc/ssl/certs/ca-certificates.crt"),
		`${rootCertificates.join("\n")}\n`,
	);
	await writeFile(
		join(root, "etc/passwd"),
		"nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
	);
	await writeFile(join(root, "etc/group"), "nogroup:x:65534:\n");
	// Mount points: the root itself may be read-only.
	for (const name of ["dev", "proc", "sys", "tmp", "run"]) {
		await mkdir(join(root, name));
	}
	await makeReadable(root);
}

/** Whatever the umask here: anybody may read all of it, and nobody write. */
async function makeReadable(folder) {
	await chmod(folder, 0o755);
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) await makeReadable(path);
		else if (entry.isFile()) await chmod(path, 0o555);
	}
}

/** The command in the image, without arguments of the launcher that name places elsewhere. */
export const IMAGE_COMMAND = [
	"/usr/bin/launcher",
	...["--engine", `/${SERVICE}/engine.so`],
	...["--application", `/${SERVICE}/app`],
	"--",
	`/${LIBRARIES}/loader`,
	...["--library-path", `/${LIBRARIES}`],
	`/${LIBRARIES}/wasmedge`,
];

async function main({ output }) {
	await installPackages();
	const { buildWasmService } = await import("./service.mjs");
	await withProgress("Laying out the images", async (say) => {
		const service = await buildWasmService({ onProgress: say });
		const { wasmEdge } = service;
		if (wasmEdge.folder === undefined) {
			throw new Error(
				`The image holds the WasmEdge of the private Debian packages, and ${basename(wasmEdge.command[0])} (${wasmEdge.source}) is another one. Unset WASMEDGE_BINARY, and take the other one off PATH.`,
			);
		}
		const folder = resolve(output);
		await rm(folder, { recursive: true, force: true });
		await mkdir(join(folder, "shim/root"), { recursive: true });
		const whole = await findWasmEdge({ onProgress: say });
		const compile = async (file) => {
			say(`Compiling ${basename(file)} for any processor.`);
			const [command, ...args] = compileCommand(whole, service.wasm, file, {
				anyProcessor: true,
			});
			await run(command, args);
		};
		const engine = join(folder, "engine.so");
		await compile(engine);
		await layOutImage(join(folder, "image/root"), {
			launcher: service.launcher,
			engine,
			application: service.application,
			runtime: wasmEdge.folder,
		});
		await rm(engine);
		await compile(join(folder, "shim/root/service.wasm"));
		await cp(service.application, join(folder, "shim/root/app"), {
			recursive: true,
		});
		await makeReadable(join(folder, "shim/root"));
		for (const [kind, name] of [
			["image", "Containerfile"],
			["shim", "Containerfile.shim"],
		]) {
			await cp(
				fileURLToPath(new URL(name, import.meta.url)),
				join(folder, kind, "Containerfile"),
			);
		}
		say(`${folder}/image and ${folder}/shim are ready for buildah build.`);
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { values } = parseArgs({
		options: {
			help: { type: "boolean", short: "h" },
			output: { type: "string", default: join(ROOT, "dist/images") },
		},
	});
	if (values.help) {
		process.stdout.write(HELP);
	} else {
		await main(values).catch((error) => {
			console.error(error.message);
			process.exitCode = 1;
		});
	}
}
