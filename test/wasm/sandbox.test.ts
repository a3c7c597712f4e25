import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
	cp,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { goldenDrafts } from "../golden.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import { assertSound } from "../store/sound.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import { buildLauncherGuest, load } from "./launcher-guest.ts";
import { childrenOf, eventually, listeningPort } from "./processes.ts";

/** EX_CONFIG of sysexits.h: the launcher does not start it again. */
const MISCONFIGURED = 78;

/** What the C library says where WASI lacks a right. */
const REFUSAL =
	/: (Capabilities insufficient|Operation not permitted|Permission denied|Bad file descriptor)$/;

const CALLS_OF_FILES = ["readFile", "readFolder", "writeText"];

/** The least that the launcher takes. */
const MEMORY_LIMIT_MIB = 64;

/** As long as BODY_BYTES_MAX allows. */
const BODY_BYTES = 4 * 1024 * 1024;

/** Together more than the limit. */
const HELD_BODIES = 24;

const OUT_OF_MEMORY =
	"The program has used up its memory and ends; start it again, with a higher MEMORY_LIMIT_MIB if this comes often.\n";

const INTERPRETED =
	"WasmEdge interprets the module, which is far too slow to serve. Compile it (wasmedge compile), run what comes out, and give WasmEdge 0.15 or later --run-mode=aot; ALLOW_INTERPRETER=1 starts it nevertheless.\n";

interface Launched {
	child: ChildProcess;
	/** What was written to standard error so far. */
	said(): string;
	/** What was written to standard output so far. */
	printed(): string;
	ended: Promise<number | null>;
}

/** What is printed by `npm run wasm -- --build`. */
interface WasmService {
	launcher: string;
	wasm: string;
	application: string;
	wasmEdge: object;
}

describe("a program in the sandbox", function () {
	this.timeout(60_000);

	let folder: string;
	let application: string;
	const running = new Set<ChildProcess>();

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-sandbox-"));
		application = join(folder, "app");
		await mkdir(application);
		await writeFile(join(application, "own.txt"), "own");
		await writeFile(join(folder, "secret.txt"), "secret");
		await symlink(join(folder, "secret.txt"), join(application, "out.txt"));
		await symlink("../secret.txt", join(application, "up.txt"));
		await symlink("/etc/passwd", join(application, "passwd.txt"));
		await symlink("own.txt", join(application, "inside.txt"));
		await symlink("..", join(application, "above"));
	});

	after(async () => {
		for (const child of running) child.kill("SIGKILL");
		await rm(folder, { recursive: true, force: true });
	});

	function launch(
		[command = "", ...args]: string[],
		environment: Record<string, string | undefined> = {},
	): Launched {
		const child = spawn(command, args, {
			env: { PATH: process.env.PATH, PORT: "0", ...environment },
			stdio: ["ignore", "pipe", "pipe"],
		});
		running.add(child);
		let words = "";
		let lines = "";
		child.stderr.on("data", (chunk) => {
			words += chunk;
		});
		child.stdout.on("data", (chunk) => {
			lines += chunk;
		});
		return {
			child,
			said: () => words,
			printed: () => lines,
			ended: new Promise((settle) =>
				child.once("close", (status) => {
					running.delete(child);
					settle(status);
				}),
			),
		};
	}

	describe("in JavaScript, below the launcher", () => {
		let guest: Launched;
		let address: string;

		const ask = async (path: string): Promise<unknown> => {
			const answer = await fetch(`${address}${path}`);
			assert.equal(answer.status, 200, path);
			return answer.json();
		};
		const read = (path: string) =>
			ask(`/read?path=${encodeURIComponent(path)}`);
		const list = (path: string) =>
			ask(`/list?path=${encodeURIComponent(path)}`);

		before(async function () {
			this.timeout(600_000);
			const { engine } = await testEngine();
			const small = await buildLauncherGuest(folder);
			const script = await bundleGuest("test/wasm/sandbox-guest.ts");
			await cp(script, join(application, basename(script)));
			const line = small
				.commandLine(application)
				.map((word) => (word === small.engine ? engine.engine : word));
			const runtimeAt = line.indexOf("--") + 1;
			guest = launch(
				// What the launcher says is left as it is: only the script's name is put behind it.
				line.toSpliced(
					runtimeAt,
					0,
					...["/bin/sh", "-c", `exec "$@" /app/${basename(script)}`, "sh"],
				),
				{
					SERIES: "RE-{year}",
					SELLER_FILE: join(folder, "secret.txt"),
					AWS_SECRET_ACCESS_KEY: "a secret of somebody else",
				},
			);
			const { pid = 0 } = guest.child;
			const port = await eventually("a port", () => listeningPort(pid));
			address = `http://127.0.0.1:${port}`;
		});

		it("sees the named environment variables, and no other one", async () => {
			assert.deepEqual(await ask("/environment"), {
				ENVIRONMENT_FILE: "/environment",
				LISTEN_DESCRIPTOR: "0",
				MEMORY_LIMIT_MIB: "512",
				WORKER: "0",
				PORT: "0",
				SELLER_FILE: join(folder, "secret.txt"),
				SERIES: "RE-{year}",
			});
		});

		it("reads its own folder and the files that were named", async () => {
			assert.equal(await read("/app/own.txt"), "own");
			assert.equal(await read("/app/inside.txt"), "own");
			assert.equal(await read(join(folder, "secret.txt")), "secret");
		});

		for (const path of [
			"/etc/passwd",
			"/proc/self/environ",
			"/proc/1/cmdline",
			"/dev/null",
			"../../../../etc/passwd",
			"/app/../../../../../etc/passwd",
			"/../etc/passwd",
			"/app/out.txt",
			"/app/up.txt",
			"/app/passwd.txt",
			"/app/above/secret.txt",
			"/app/above/app/own.txt",
			resolve("package.json"),
			resolve("infra/wasm/run.mjs"),
		]) {
			it(`cannot read ${path.replace(resolve(), "<repository>")}`, async () => {
				assert.match(String(await read(path)), /^E[A-Z]+$/);
			});
		}

		it("sees no folder above its own", async () => {
			const own = (await readdir(application)).sort().join(" ");
			assert.equal(await list("/app"), own);
			for (const path of ["/etc", "/proc", "/app/..", "/app/above", "/../.."]) {
				assert.doesNotMatch(String(await list(path)), /passwd|secret/, path);
			}
		});

		it("has no call that writes a file or starts a program", async () => {
			const { host, global } = (await ask("/functions")) as Record<
				"host" | "global",
				string[]
			>;
			assert.deepEqual(
				host.filter((name) =>
					/file|folder|write|path|link|remove|rename/i.test(name),
				),
				[...CALLS_OF_FILES, "writeLatin1"],
			);
			assert.deepEqual(
				host.filter((name) =>
					/spawn|exec|fork|run|eval|load|import/i.test(name),
				),
				[],
			);
			for (const name of ["std", "os", "bjson", "require", "WebAssembly"]) {
				assert.ok(!global.includes(name), name);
			}
		});

		const workers = () => childrenOf(guest.child.pid ?? 0);

		for (const path of ["/throw", "/throw-later"]) {
			it(`answers 500 to a handler that fails: ${path}`, async () => {
				const before = await workers();
				const answer = await fetch(`${address}${path}`);
				assert.equal(answer.status, 500);
				assert.doesNotMatch(await answer.text(), /The handler fails/);
				await eventually(
					"its error on stderr",
					() =>
						guest
							.said()
							.includes(
								path === "/throw"
									? "The handler fails.\n"
									: "The handler fails later.\n",
							) || undefined,
				);
				assert.equal(await read("/app/own.txt"), "own");
				assert.deepEqual(await workers(), before);
			});
		}

		for (const [path, sentence] of [
			["/timer", "Uncaught Error: The timer fails.\n"],
			["/rejection", "Uncaught Error: Nobody handles it.\n"],
		] as const) {
			it(`tells an error that belongs to no request, and goes on: ${path}`, async () => {
				const before = await workers();
				assert.equal(await ask(path), "done");
				await eventually(
					"it on stderr",
					() => guest.said().includes(sentence) || undefined,
				);
				assert.equal(await read("/app/own.txt"), "own");
				assert.deepEqual(await workers(), before);
				assert.doesNotMatch(guest.printed(), /worker ended/);
			});
		}
	});

	it("in C cannot change anything in the folders that the launcher opens", async function () {
		this.timeout(600_000);
		const program = await mkdtemp(join(folder, "program-"));
		const { commandLine } = await buildLauncherGuest(
			program,
			"test/wasm/sandbox-guest.c",
		);
		const before = (await readdir(application)).sort();
		const { ended, printed } = launch(commandLine(application));
		assert.equal(await ended, MISCONFIGURED);
		const lines = printed().trim().split("\n");
		assert.equal(lines.length, 32);
		assert.deepEqual(
			lines.filter((line) => !REFUSAL.test(line)),
			["/app/ read: DONE", "/ read: DONE"],
		);
		assert.deepEqual((await readdir(application)).sort(), before);
		assert.equal(await readFile(join(application, "own.txt"), "utf8"), "own");
	});

	describe("that is the service itself", () => {
		let database: StoreDatabase;
		let environment: Record<string, string | undefined>;

		before(async function () {
			this.timeout(600_000);
			database = await openStoreDatabase();
			environment = {
				HOME: process.env.HOME,
				XDG_CACHE_HOME: process.env.XDG_CACHE_HOME,
				MONGODB_URI: database.serviceUri,
				MONGODB_DATABASE: database.admin.databaseName,
			};
		});

		after(async () => {
			await Promise.all([...running].map(end));
			await database.drop();
		});

		const end = async (child: ChildProcess) => {
			const ended = once(child, "close");
			child.kill("SIGTERM");
			await ended;
		};

		/** Starts it as `npm run wasm` does; its address. */
		async function serve(
			settings: Record<string, string>,
		): Promise<Launched & { url: string }> {
			const launched = launch([process.execPath, "infra/local/wasm.mjs"], {
				...environment,
				...settings,
			});
			const url = await eventually("an address", () => {
				assert.equal(launched.child.exitCode, null, launched.said());
				return /"message":"listening","url":"([^"]+)"/.exec(
					launched.printed(),
				)?.[1];
			});
			return { ...launched, url };
		}

		it("ends when its memory is used up, starts again, and keeps every invoice that it has answered", async () => {
			const { url, said, printed, child } = await serve({
				MEMORY_LIMIT_MIB: String(MEMORY_LIMIT_MIB),
			});
			const draft = goldenDrafts().find(
				({ name }) => name === "car-sharing-380",
			)?.draft;
			const answered: { number: string; digest: string }[] = [];
			let keys = 0;
			/** Tries until it is answered, as a caller with a key may. */
			const create = async () => {
				keys += 1;
				const key = `sandbox-${keys}`;
				answered.push(
					await eventually("an answer", () => tryCreate(url, key, draft)),
				);
			};
			const isRestarted = () =>
				printed().split('"message":"listening"').length === 3;

			await Promise.all(Array.from({ length: 4 }, create));
			const writers = Array.from({ length: 4 }, async () => {
				while (!isRestarted()) await create();
				await create();
			});
			const holders = await Promise.all(
				Array.from({ length: HELD_BODIES }, () =>
					holdBody(Number(new URL(url).port)),
				),
			);
			try {
				await Promise.all(writers);
			} finally {
				for (const socket of holders) socket.destroy();
			}
			// Before it, a request may be told that has failed for want of memory.
			assert.equal(said().split(OUT_OF_MEMORY).length, 2, said());
			assert.ok(said().endsWith(OUT_OF_MEMORY), said());
			assert.deepEqual(printed().match(/"message":"worker ended".*/g), [
				'"message":"worker ended","worker":0,"status":70,"restart_ms":0}',
			]);
			const counts = await assertSound(database.collections, answered);
			assert.deepEqual([...counts.values()], [keys]);
			await end(child);
		});

		it("tells that it runs natively, and refuses to be interpreted", async function () {
			this.timeout(120_000);
			const { url, child } = await serve({});
			const ready = await fetch(`${url}/health/ready`);
			assert.equal(ready.status, 200);
			assert.deepEqual(await ready.json(), {
				status: "ok",
				runtime: "wasmedge",
				mode: "aot",
			});
			await end(child);
			const { stdout } = await promisify(execFile)(
				process.execPath,
				["infra/local/wasm.mjs", "--build"],
				{ env: { PATH: process.env.PATH, ...environment } },
			);
			const built = JSON.parse(stdout) as WasmService;
			const { launcherCommand } = await load<{
				launcherCommand(
					launcher: string,
					wasmEdge: object,
					engine: string,
					application: string,
					options: { followParent: boolean },
				): string[];
			}>("infra/wasm/launcher.mjs");
			const interpreted = launch(
				launcherCommand(
					built.launcher,
					built.wasmEdge,
					built.wasm,
					built.application,
					{ followParent: true },
				),
				environment,
			);
			assert.equal(await interpreted.ended, MISCONFIGURED);
			assert.equal(interpreted.said(), INTERPRETED);
			assert.doesNotMatch(interpreted.printed(), /listening|worker ended/);
		});
	});
});

/** Creates an invoice; undefined where the connection broke off or the service is short of something. */
async function tryCreate(
	url: string,
	key: string,
	draft: object | undefined,
): Promise<{ number: string; digest: string } | undefined> {
	let answer: Response;
	let body: string;
	try {
		answer = await fetch(`${url}/invoices`, {
			method: "POST",
			headers: { "content-type": "application/json", "idempotency-key": key },
			body: JSON.stringify(draft),
		});
		body = await answer.text();
	} catch {
		return undefined; // the process that should have answered has ended
	}
	if (answer.status >= 500) return undefined;
	assert.ok(answer.ok, body);
	return {
		number: (JSON.parse(body) as { number: string }).number,
		digest: answer.headers.get("etag")?.replaceAll('"', "") ?? "",
	};
}

/** Sends all of a body but its last byte: the service has to keep it. */
async function holdBody(port: number): Promise<Socket> {
	const socket = connect(port, "127.0.0.1");
	socket.on("error", () => {}); // the process that it was sent to ends
	await once(socket, "connect");
	socket.write(
		`POST /invoices/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`,
	);
	socket.write(Buffer.alloc(BODY_BYTES - 1, " "));
	return socket;
}
