import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildLauncherGuest, load } from "./launcher-guest.ts";
import {
	childrenOf,
	countConnections,
	eventually,
	listeningPort,
	ofProcess,
} from "./processes.ts";

const run = promisify(execFile);

/** WasmEdge, the launcher, fonts and certificates; the service's engine adds 6.5 MB. */
const IMAGE_BYTES_MAX = 15_000_000;

/**
 * What a container runtime does: a root that nobody may write, devices, /proc, memory in /dev/shm, process 1, an
 * ordinary user.
 */
const AS_CONTAINER = `
set -e
mount --bind "$1" "$1"
mount -t tmpfs none "$1/dev"
mknod -m 666 "$1/dev/null" c 1 3
mkdir -m 1777 "$1/dev/shm"
mount -t tmpfs none "$1/dev/shm"
mount -t proc none "$1/proc"
mount -o remount,ro,bind "$1"
root="$1"
shift
exec chroot --userspec=65534:65534 "$root" "$@"
`;

interface Image {
	layOutImage(
		root: string,
		parts: {
			launcher: string;
			engine: string;
			application: string;
			runtime: string;
		},
	): Promise<void>;
	IMAGE_COMMAND: string[];
}

describe("the image", function () {
	this.timeout(60_000);

	let folder: string;
	let root: string;
	let command: string[];
	let container: ChildProcess | undefined;

	before(async function () {
		this.timeout(600_000);
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-image-"));
		root = join(folder, "root");
		const application = join(folder, "app");
		await mkdir(application);
		await writeFile(join(application, "own.txt"), "own");
		const guest = await buildLauncherGuest(folder);
		const image = await load<Image>("infra/wasm/image.mjs");
		await image.layOutImage(root, { ...guest, application });
		command = image.IMAGE_COMMAND;
	});

	afterEach(() => {
		container?.kill("SIGKILL");
		container = undefined;
	});

	after(() => rm(folder, { recursive: true, force: true }));

	it("is started by the command that its content is laid out for", async () => {
		const text = await readFile("infra/wasm/Containerfile", "utf8");
		const [, entryPoint = ""] = /^ENTRYPOINT (.+)$/m.exec(text) ?? [];
		assert.deepEqual(JSON.parse(entryPoint), command);
	});

	it("is small", async () => {
		const { stdout } = await run("du", ["--bytes", "--summarize", root]);
		assert.ok(Number.parseInt(stdout, 10) < IMAGE_BYTES_MAX, stdout);
	});

	it("runs as process 1 of an ordinary user on a root that it cannot write", async function () {
		await skipWhereNotAllowed(this);
		const args = [
			...["--mount", "--pid", "--fork", "--kill-child=SIGKILL"],
			...["sh", "-c", AS_CONTAINER, "sh", root, ...command],
		];
		container = spawn("unshare", args, {
			env: { PATH: process.env.PATH, PORT: "0" },
			stdio: ["ignore", "pipe", "inherit"],
		});
		const ended = new Promise((settle) => container?.once("exit", settle));
		const { launcher, port } = await eventually("a port", async () => {
			const [launcher] = await childrenOf(container?.pid ?? 0);
			const port = launcher && (await listeningPort(launcher));
			return launcher && port ? { launcher, port } : undefined;
		});
		const get = async (path: string) =>
			(await fetch(`http://127.0.0.1:${port}${path}`)).text();
		assert.equal(await get("/read/app/own.txt"), "own");
		assert.equal(await get("/read/etc/passwd"), "No such file or directory");
		const status = await ofProcess(launcher, "status");
		assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
		assert.match(status, /^NSpid:\t\d+\t1$/m);

		const slow = get("/slow");
		await eventually(
			"the request",
			async () => (await countConnections(port)) > 0 || undefined,
		);
		process.kill(launcher, "SIGTERM");
		assert.equal(await slow, "slept");
		assert.equal(await ended, 0);
	});

	it("tells by its health check whether the service answers", async () => {
		const [launcher = ""] = command;
		const program = join(root, launcher);
		const check = (port: number) =>
			run(program, ["--check"], { env: { PORT: String(port) } });
		let status = 200;
		const server = createServer((request, response) => {
			response.statusCode = request.url === "/health/live" ? status : 404;
			response.end();
		});
		await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
		const address = server.address();
		assert.ok(typeof address === "object" && address !== null);
		await check(address.port);
		status = 503;
		await assert.rejects(check(address.port), { code: 1 });
		await new Promise((settle) => server.close(settle));
		await assert.rejects(check(address.port), {
			code: 1,
			stderr: /^Nobody takes connections on PORT \d+ of 127\.0\.0\.1: /,
		});
	});
});

/** Namespaces of its own may be made by root only, and not everywhere. */
async function skipWhereNotAllowed(context: Mocha.Context): Promise<void> {
	const allowed = await run("unshare", [
		"--mount",
		"--pid",
		"--fork",
		"true",
	]).then(
		() => process.getuid?.() === 0,
		() => false,
	);
	if (!allowed) context.skip();
}
