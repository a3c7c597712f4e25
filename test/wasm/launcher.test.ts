import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	symlink,
	writeFile,
} from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { SETTINGS } from "../../src/configuration.ts";
import { buildLauncherGuest } from "./launcher-guest.ts";
import {
	childrenOf,
	countConnections,
	eventually,
	isGone,
	listeningPort,
	ofProcess,
} from "./processes.ts";

const VARIABLES_OF_LAUNCHER = "infra/wasm/launcher/guest-root.c";

/** A launcher with the guest of this test. */
interface Launched {
	process: ChildProcess;
	/** Process ids of those that run WasmEdge now. */
	workers(): Promise<number[]>;
	/** Lines of its log so far. */
	log: Record<string, unknown>[];
	/** What it and the guests have written to standard error so far. */
	said(): string;
	/** Resolves with its exit status. */
	ended: Promise<number | null>;
	port: number;
	get(path: string): Promise<string>;
	/** Resolves with the first line of the log of this message that says this much. */
	logged(
		message: string,
		fields: Record<string, unknown>,
	): Promise<Record<string, unknown>>;
}

describe("the launcher", function () {
	this.timeout(60_000);

	let folder: string;
	let application: string;
	let commandLine: string[];
	const running = new Set<ChildProcess>();

	before(async function () {
		this.timeout(600_000);
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-launcher-"));
		application = join(folder, "app");
		await mkdir(application);
		await writeFile(join(application, "own.txt"), "own");
		await writeFile(join(folder, "secret.txt"), "secret");
		await symlink(join(folder, "secret.txt"), join(application, "link.txt"));
		commandLine = (await buildLauncherGuest(folder)).commandLine(application);
	});

	afterEach(() => {
		for (const process of running) process.kill("SIGKILL");
		running.clear();
	});

	after(() => rm(folder, { recursive: true, force: true }));

	/** Starts a launcher; it need not come to listen. */
	function begin(environment: Record<string, string> = {}) {
		const [command = "", ...args] = commandLine;
		const process_ = spawn(command, args, {
			env: { PATH: process.env.PATH, PORT: "0", ...environment },
			stdio: ["ignore", "pipe", "pipe"],
		});
		running.add(process_);
		const log: Record<string, unknown>[] = [];
		createInterface({ input: process_.stdout }).on("line", (line) => {
			// WasmEdge itself writes lines of its own here, such as one on memory that cannot grow.
			if (line.startsWith("{")) {
				log.push(JSON.parse(line) as Record<string, unknown>);
			}
		});
		let words = "";
		process_.stderr.on("data", (chunk) => {
			words += chunk;
		});
		const ended = new Promise<number | null>((settle) =>
			process_.once("close", (code) => {
				running.delete(process_);
				settle(code);
			}),
		);
		return { process: process_, log, said: () => words, ended };
	}

	/** Starts a launcher and waits until it answers. */
	async function launch(
		environment: Record<string, string> = {},
	): Promise<Launched> {
		const begun = begin(environment);
		const { log } = begun;
		const { pid = 0 } = begun.process;
		const port = await eventually("a port", () => listeningPort(pid));
		const get = (path: string) => getText(port, path);
		await get("/worker");
		return {
			...begun,
			port,
			get,
			async workers() {
				const children = await childrenOf(pid);
				const lines = await Promise.all(
					children.map((child) => ofProcess(child, "cmdline")),
				);
				return children.filter((_, at) => lines[at]?.endsWith("guest.so\0"));
			},
			logged: (message, fields) =>
				eventually(`a line "${message}"`, () =>
					log.find(
						(line) =>
							line.message === message &&
							Object.entries(fields).every(
								([name, value]) => line[name] === value,
							),
					),
				),
		};
	}

	it("gives the guest the variables of the configuration, and no others", async () => {
		const { get } = await launch({
			JWT_SECRET: "a secret of the service",
			SERIES: " RE-{year}\t",
			CURRENCY: "",
			AWS_SECRET_ACCESS_KEY: "a secret of somebody else",
		});
		const variables = (await get("/read/environment")).split("\0");
		assert.deepEqual(
			variables.filter((line) => !line.startsWith("PORT=")),
			["SERIES=RE-{year}", "JWT_SECRET=a secret of the service", ""],
		);
	});

	it("knows every variable of the configuration", async () => {
		const source = await readFile(VARIABLES_OF_LAUNCHER, "utf8");
		const known = [
			...source.matchAll(
				/^\t\{ "([A-Z_]+)", (TEXT|FILE_NAME|FOLDER_NAME) \},$/gm,
			),
		];
		const kindOf = (name: string) =>
			name === "TEMPLATES_DIRECTORY"
				? "FOLDER_NAME"
				: name.endsWith("_FILE")
					? "FILE_NAME"
					: "TEXT";
		assert.deepEqual(
			known.map(([, name, kind]) => [name, kind]),
			Object.values(SETTINGS).map(({ name }) => [name, kindOf(name)]),
		);
	});

	it("shows no secret in the list of processes", async () => {
		const secret = "a-secret-that-nobody-else-has";
		const { process: launcher, workers } = await launch({
			JWT_SECRET: secret,
			MONGODB_URI: `mongodb://service:${secret}@127.0.0.1/`,
		});
		const children = await childrenOf(launcher.pid ?? 0);
		for (const process of [launcher.pid ?? 0, ...children]) {
			assert.ok(!(await ofProcess(process, "cmdline")).includes(secret));
		}
		const [worker = 0] = await workers();
		const environment = await ofProcess(worker, "environ");
		assert.match(environment, /^PATH=[^\0]*\0$/);
	});

	for (const signal of ["SIGTERM", "SIGKILL"] as const) {
		it(`keeps the variables from other users, and leaves none behind after ${signal}`, async () => {
			const { process: launcher, workers, ended } = await launch({});
			const [worker = 0] = await workers();
			const line = await ofProcess(worker, "cmdline");
			const [, root = ""] = /\0\/:([^\0]+):readonly\0/.exec(line) ?? [];
			const mode = async (path: string) => (await stat(path)).mode & 0o777;
			assert.equal(await mode(root), 0o700);
			assert.equal(await mode(join(root, "environment")), 0o400);
			launcher.kill(signal);
			await ended;
			await eventually("the end of the folder", () => isGone(root));
		});
	}

	it("lets the guest read its own folder and named files, and nothing else", async () => {
		const { get } = await launch({
			SELLER_FILE: join(folder, "secret.txt"),
		});
		assert.equal(await get("/read/app/own.txt"), "own");
		assert.equal(await get(`/read${folder}/secret.txt`), "secret");
		for (const path of [
			"/etc/passwd",
			"/proc/self/environ",
			"/app/link.txt",
			"/app/../../etc/passwd",
			`${folder}/guest.c`,
			`${folder}/app/own.txt`,
			"/dev/null",
			resolve("package.json"),
		]) {
			assert.match(
				await get(`/read${path}`),
				/No such file|not permitted|insufficient/,
				path,
			);
		}
		for (const path of ["/app/new", "/new", "/environment", "/tmp/new"]) {
			assert.match(
				await get(`/write${path}`),
				/No such file|not permitted|insufficient/,
				path,
			);
		}
		assert.deepEqual((await readdir(application)).sort(), [
			"link.txt",
			"own.txt",
		]);
	});

	it("hands over the files that a connection string names", async () => {
		const authorities = join(folder, "ca,1.pem");
		await writeFile(authorities, "certificate");
		const uri = `mongodb://127.0.0.1/?tls=true&tlsCAFile=${encodeURIComponent(authorities)}&w=1`;
		assert.match(uri, /%2C/);
		const { get } = await launch({ MONGODB_URI: uri });
		assert.equal(await get(`/read${authorities}`), "certificate");
	});

	it("shares the port among its workers", async () => {
		const { get } = await launch({ WORKERS: "3" });
		const seen = new Set<string>();
		await eventually("every worker", async () => {
			const answers = await Promise.all(
				Array.from({ length: 8 }, () => get("/worker")),
			);
			for (const worker of answers) seen.add(worker);
			return seen.size === 3 || undefined;
		});
		const slow = Array.from({ length: 3 }, () => get("/slow"));
		const startedAt = Date.now();
		assert.deepEqual(await Promise.all(slow), ["slept", "slept", "slept"]);
		assert.ok(Date.now() - startedAt < 2500, "one after the other takes 3 s");
	});

	it("starts a worker again that was killed", async () => {
		const { get, logged, workers } = await launch();
		const [worker = 0] = await workers();
		process.kill(worker, "SIGKILL");
		await logged("worker ended", { worker: 0, signal: 9, restart_ms: 0 });
		assert.equal(await get("/worker"), "0"); // waits in the socket until it is back
		assert.notEqual((await workers())[0], worker);
	});

	it("starts a worker again that ended by itself", async () => {
		const { get, logged } = await launch();
		await assert.rejects(get("/exit"));
		const line = await logged("worker ended", { worker: 0, status: 3 });
		assert.equal(line.level, "warn");
		assert.ok(!Number.isNaN(Date.parse(String(line.time))));
		assert.equal(await get("/worker"), "0");
	});

	it("bounds the memory of a worker and starts it again when it is full", async () => {
		const { get, logged } = await launch({
			MEMORY_LIMIT_MIB: "64",
		});
		await assert.rejects(get("/fill"));
		await logged("worker ended", { worker: 0, status: 4 });
		assert.equal(await get("/worker"), "0");
	});

	it("gives a worker up that ends again and again at its start", async () => {
		const { log, ended, said } = begin({ CURRENCY: "exit 9" });
		const startedAt = Date.now();
		assert.equal(await ended, 1);
		assert.deepEqual(
			log.map(({ message, level, status, restart_ms }) => [
				message,
				level,
				status,
				restart_ms,
			]),
			[
				["worker ended", "warn", 9, 0],
				["worker ended", "warn", 9, 1000],
				["worker ended", "warn", 9, 2000],
				["worker ended", "warn", 9, 4000],
				["worker ended", "error", 9, undefined],
			],
		);
		assert.ok(Date.now() - startedAt >= 7000);
		assert.match(said(), /^A worker has ended 5 times in a row /);
	});

	it("does not start a worker again whose configuration is wrong, and no other one", async () => {
		const { log, ended } = begin({ CURRENCY: "exit 78", WORKERS: "3" });
		const startedAt = Date.now();
		assert.equal(await ended, 78);
		assert.ok(Date.now() - startedAt < 2000);
		assert.deepEqual(log, []);
	});

	for (const [fault, environment, sentence] of [
		[
			"a port that is none",
			{ PORT: "http" },
			'PORT must be a whole number from 0 to 65535; it is "http".\n',
		],
		[
			"an address that is not ours",
			{ HOST: "192.0.2.1" },
			/^The service cannot listen on PORT \d+ of HOST 192\.0\.2\.1 \(.+\)\.\n$/,
		],
		[
			"too many workers",
			{ WORKERS: "65" },
			'WORKERS must be a whole number from 1 to 64; it is "65".\n',
		],
		[
			"a file that is not there",
			{ SELLER_FILE: "/nowhere/seller.json" },
			"SELLER_FILE: /nowhere/seller.json cannot be read (ENOENT).\n",
		],
		[
			"a certificate that is not there",
			{
				MONGODB_URI: "mongodb://127.0.0.1/?tls=true&tlsCAFile=%2Fnowhere.pem",
			},
			"MONGODB_URI: /nowhere.pem cannot be read (ENOENT).\n",
		],
	] as const) {
		it(`refuses ${fault} with a sentence`, async () => {
			const { ended, said } = begin(environment);
			assert.equal(await ended, 78);
			if (typeof sentence === "string") {
				assert.equal(said(), sentence);
			} else {
				assert.match(said(), sentence);
			}
		});
	}

	it("refuses a port that is taken, as the service on Node does", async () => {
		const { port, get } = await launch();
		const second = begin({ PORT: String(port) });
		assert.equal(await second.ended, 78);
		assert.equal(
			second.said(),
			`PORT ${port} of 127.0.0.1 is taken by another process. Stop that one, or set PORT to another one.\n`,
		);
		assert.equal(await get("/worker"), "0");
	});

	for (const signal of ["SIGTERM", "SIGINT"] as const) {
		it(`loses no request that has come before ${signal}, be it accepted or not`, async () => {
			const { get, ended, process: launcher, port } = await launch();
			const first = get("/slow");
			const waiting = [get("/slow"), get("/worker"), get("/worker")];
			await eventually(
				"four connections",
				async () => (await countConnections(port)) >= 4 || undefined,
			);
			launcher.kill(signal);
			launcher.kill(signal); // a second one changes nothing
			assert.equal(await first, "slept");
			assert.deepEqual(await Promise.all(waiting), ["slept", "0", "0"]);
			assert.equal(await ended, 0);
			await assert.rejects(get("/worker"));
		});
	}

	it("leaves no worker behind when it is killed", async () => {
		const {
			process: launcher,
			workers,
			ended,
		} = await launch({ WORKERS: "2" });
		const left = await eventually("the second worker", async () => {
			const both = await workers();
			return both.length === 2 ? both : undefined;
		});
		launcher.kill("SIGKILL");
		await ended;
		for (const worker of left) {
			await eventually("the end of a worker", () => isGone(`/proc/${worker}`));
		}
	});

	it("says nothing where the log is silent", async () => {
		const {
			get,
			log,
			process: launcher,
			ended,
		} = await launch({
			LOG_LEVEL: "silent",
		});
		await assert.rejects(get("/exit"));
		assert.equal(await get("/worker"), "0");
		launcher.kill("SIGTERM");
		assert.equal(await ended, 0);
		assert.deepEqual(log, []);
	});
});

/** Fetches a path as it stands over a connection of its own: `fetch` would resolve the ".." in it. */
function getText(port: number, path: string): Promise<string> {
	return new Promise((settle, fail) => {
		request({ port, path, host: "127.0.0.1", agent: false }, (response) => {
			let text = "";
			response.setEncoding("utf8");
			response.on("data", (chunk) => {
				text += chunk;
			});
			response.once("end", () => settle(text));
			response.once("error", fail);
		})
			.once("error", fail)
			.end();
	});
}
