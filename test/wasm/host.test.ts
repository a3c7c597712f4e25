/** The engine's host: how a program runs and ends, its files and sockets, and what ends a program that goes wrong. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { RunOptions, TestEngine } from "../../infra/wasm/run.d.mts";
import { testEngine } from "./engine.ts";

const DONE = 0;
const FAILED = 1;
const OUT_OF_MEMORY = 70;

interface Outcome {
	status: number | null;
	output: string;
	errors: string;
}

describe("the engine's host", function () {
	this.timeout(60_000);

	let folder: string;
	let engine: TestEngine;
	let scripts = 0;
	let running: ChildProcess[] = [];

	before(async function () {
		this.timeout(900_000); // the engine may have to be built
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-host-"));
		engine = await testEngine();
	});

	afterEach(() => {
		for (const child of running) {
			if (child.exitCode === null) child.kill("SIGKILL");
		}
		running = [];
	});

	after(() => rm(folder, { recursive: true, force: true }));

	async function start(
		source: string,
		options: RunOptions = {},
	): Promise<ChildProcess> {
		const file = join(folder, `script-${scripts++}.js`);
		await writeFile(
			file,
			`const print = (value) => host.writeText(1, value + "\\n");\n${source}`,
		);
		const child = engine.run(file, {
			stdio: ["ignore", "pipe", "pipe"],
			...options,
		});
		running.push(child);
		return child;
	}

	async function outcome(child: ChildProcess): Promise<Outcome> {
		const [output, errors, [status]] = await Promise.all([
			text(child.stdout as NodeJS.ReadableStream),
			text(child.stderr as NodeJS.ReadableStream),
			once(child, "close"),
		]);
		return { status, output, errors };
	}

	const run = async (source: string, options?: RunOptions) =>
		outcome(await start(source, options));

	async function prints(
		source: string,
		expected: unknown,
		options?: RunOptions,
	): Promise<void> {
		const { status, output, errors } = await run(
			`print(JSON.stringify((() => {${source}})()))`,
			options,
		);
		assert.equal(errors, "");
		assert.deepEqual(JSON.parse(output), expected);
		assert.equal(status, DONE);
	}

	/** Reads lines until one has come that begins so; the rest of it. */
	async function said(child: ChildProcess, beginning: string): Promise<string> {
		let soFar = "";
		let errors = "";
		child.stderr?.on("data", (chunk) => {
			errors += chunk;
		});
		for await (const [chunk] of on(
			child.stdout as NodeJS.ReadableStream,
			"data",
			{ close: ["end"] },
		)) {
			soFar += chunk;
			const line = soFar
				.split("\n")
				.slice(0, -1)
				.find((line) => line.startsWith(beginning));
			if (line !== undefined) return line.slice(beginning.length);
		}
		throw new Error(
			`The program ended before it said ${beginning}: ${soFar}${errors}`,
		);
	}

	describe("runs a program", () => {
		it("jobs before the next turn, in their order", async () => {
			const { output, status } = await run(`
				let turns = 0;
				host.setTurn(() => {
					print("turn " + turns);
					Promise.resolve().then(() => print("promise")).then(() => print("then"));
					host.queueJob(() => print("job"));
					return ++turns < 2;
				});
				host.queueJob(() => print("first"));
				print("script");`);
			assert.deepEqual(output.trim().split("\n"), [
				"script",
				"first",
				"turn 0",
				"promise",
				"job",
				"then",
				"turn 1",
				"promise",
				"job",
				"then",
			]);
			assert.equal(status, DONE);
		});

		it("until it exits, with the status that it says", async () => {
			const { status, output } = await run(
				"print(1); host.exit(78); print(2);",
			);
			assert.deepEqual({ status, output }, { status: 78, output: "1\n" });
		});

		it("natively, and says so", () => prints("return host.mode", "aot"));

		it("interpreted where WasmEdge is not given the native code, and says so", async () => {
			const { wasmEdge, wasm } = engine.engine as TestEngine["engine"] & {
				wasmEdge: { command: string[]; hasRunMode: boolean };
			};
			await writeFile(join(folder, "mode.js"), "host.writeText(1, host.mode)");
			const [program = "", ...line] = wasmEdge.command;
			const child = spawn(program, [
				...line,
				...(wasmEdge.hasRunMode ? ["--run-mode=interpreter"] : []),
				...["--dir", `/script:${folder}`, wasm, "/script/mode.js"],
			]);
			running.push(child);
			assert.equal((await outcome(child)).output, "interpreter");
		});

		it("with clocks, random bytes and a count of its memory", () =>
			prints(
				`const bytes = new Uint8Array(64);
				host.fillRandom(bytes);
				const before = host.memoryUsage();
				const kept = new Uint8Array(30_000_000);
				const after = host.memoryUsage();
				const now = host.monotonicNow();
				return {
					isRandom: new Set(bytes).size > 30,
					grown: Math.round((after.used - before.used) / 1e6),
					holds: after.linear >= after.used && after.linear % 65536 === 0,
					goesOn: host.monotonicNow() >= now,
					hasWorked: host.cpuSeconds() > 0,
					kept: kept.length,
				}`,
				{
					isRandom: true,
					grown: 30,
					holds: true,
					goesOn: true,
					hasWorked: true,
					kept: 30_000_000,
				},
			));

		it("with the variables of WasmEdge and of the environment's file, which wins", async () => {
			await mkdir(join(folder, "private"));
			await writeFile(
				join(folder, "private/environment"),
				"A=from file\0EMPTY=\0LONG=a=b\nc\0",
			);
			await prints(
				`const { A, B, EMPTY, LONG } = host.environment(); return { A, B, EMPTY, LONG }`,
				{ A: "from file", B: "ö", EMPTY: "", LONG: "a=b\nc" },
				{
					env: { A: "1", B: "ö", ENVIRONMENT_FILE: "/private/environment" },
					folders: [{ inside: "/private", outside: join(folder, "private") }],
				},
			);
		});

		it("not without the environment's file that was named", async () => {
			const { status, errors } = await run("print(1)", {
				env: { ENVIRONMENT_FILE: "/nowhere" },
			});
			assert.equal(status, FAILED);
			assert.match(
				errors,
				/^The file \/nowhere, which ENVIRONMENT_FILE names, cannot be read: .+\n$/,
			);
		});

		it("from bytecode as from its text", async () => {
			const file = join(folder, "compiled.js");
			await writeFile(file, 'host.writeText(1, "compiled: ü")');
			const compiler = await start("", { args: [] });
			await outcome(compiler);
			const script = compiler.spawnargs.at(-1) ?? "";
			const line = compiler.spawnargs.slice(1, -1);
			const child = spawn(compiler.spawnfile, [
				...line,
				"--compile",
				script.replace(/[^/]+$/, "compiled.js"),
			]);
			const chunks: Buffer[] = [];
			child.stdout.on("data", (chunk) => chunks.push(chunk));
			assert.deepEqual(await once(child, "close"), [DONE, null]);
			await writeFile(join(folder, "compiled.qbc"), Buffer.concat(chunks));
			const runner = spawn(compiler.spawnfile, [
				...line,
				script.replace(/[^/]+$/, "compiled.qbc"),
			]);
			assert.equal((await outcome(runner)).output, "compiled: ü");
		});
	});

	describe("ends a program", () => {
		const ENDS: [
			name: string,
			source: string,
			status: number,
			errors: RegExp,
		][] = [
			[
				"that throws",
				'throw new Error("gone wrong")',
				FAILED,
				/^Uncaught error: Error: gone wrong\n {4}at .+script-\d+\.js:2:/,
			],
			["that throws nothing", "throw null", FAILED, /^Uncaught error: null\n$/],
			["that is no JavaScript", "return }", FAILED, /^SyntaxError: .+\n/],
			[
				"whose turn throws",
				'host.setTurn(() => { throw new TypeError("turned") })',
				FAILED,
				/^Uncaught error: TypeError: turned\n/,
			],
			[
				"whose job throws",
				'host.queueJob(() => { throw new TypeError("queued") })',
				FAILED,
				/^Uncaught error: TypeError: queued\n/,
			],
			[
				"with a rejection that nobody handles",
				'Promise.reject(new Error("left alone"))',
				FAILED,
				/^A promise was rejected and nobody handles it: Error: left alone\n/,
			],
			[
				"whose handler throws",
				'host.onUncaughtError(() => { throw new Error("again") }); host.setTurn(() => { throw 1 })',
				FAILED,
				/has thrown one itself: Error: again\n/,
			],
			[
				"whose handler calls itself for ever",
				"host.onUncaughtError(function f(e) { f(e) }); host.setTurn(() => { throw 1 })",
				FAILED,
				/Maximum call stack size exceeded\n/,
			],
		];
		for (const [name, source, status, errors] of ENDS) {
			it(name, async () => {
				const ended = await run(source);
				assert.match(ended.errors, errors);
				assert.equal(ended.status, status);
			});
		}

		it("not where it handles errors and rejections", async () => {
			const { output, errors, status } = await run(`
				host.onUncaughtError((error) => print("error " + error.message));
				host.onUnhandledRejection((reason) => print("rejection " + reason));
				Promise.reject(1);
				const late = Promise.reject(2);
				Promise.resolve().then(() => late.catch(() => print("handled in time")));
				host.queueJob(() => { throw new Error("of a job") });
				let turns = 0;
				host.setTurn(() => {
					if (++turns === 1) throw new Error("of a turn");
					if (turns === 2) return Promise.reject(3), true;
					return false;
				});`);
			assert.equal(errors, "");
			assert.deepEqual(output.trim().split("\n"), [
				"error of a job",
				"handled in time",
				"rejection 1",
				"error of a turn",
				"rejection 3",
			]);
			assert.equal(status, DONE);
		});
	});

	describe("survives", () => {
		const RECURSIONS: Record<string, string> = {
			"a function that calls itself": "(function f() { f() })()",
			"calls through the engine's own functions":
				"(function f() { [1].forEach(f) })()",
			"a sort that sorts": "(function f() { [2, 1].sort(f) })()",
			"a getter that gets itself": "({ get a() { return this.a } }).a",
			"toString of itself": "String({ toString() { return String(this) } })",
			"a replacement that replaces": '(function f() { "x".replace(/x/, f) })()',
			"a generator that iterates":
				"(function f() { [...{ *[Symbol.iterator]() { f() } }] })()",
			"JSON of a million brackets": 'JSON.parse("[".repeat(1e6))',
			"JSON of a million objects": `JSON.parse('{"a":'.repeat(1e6))`,
			"JSON with a reviver":
				'JSON.parse("[".repeat(1e5) + "]".repeat(1e5), (_, value) => value)',
			"writing a million levels as JSON":
				"let a = []; for (let i = 0; i < 1e6; i++) a = [a]; JSON.stringify(a)",
			"joining nested arrays":
				"let a = []; for (let i = 0; i < 1e5; i++) a = [a]; String(a)",
			"flattening nested arrays":
				"let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)",
		};
		for (const [name, source] of Object.entries(RECURSIONS)) {
			it(name, () =>
				prints(
					`try { ${source} } catch (error) { return error.name } return "no error"`,
					"RangeError",
				),
			);
		}

		it("deep structures as garbage", () =>
			prints(
				"let a = []; for (let i = 0; i < 1e6; i++) a = [a]; a = 0; host.collectGarbage(); return a",
				0,
			));

		it("a refusal of memory that the program handles", async () => {
			const { status, output, errors } = await run(
				`let turns = 0;
				host.setTurn(() => {
					try { new Uint8Array(50e6) } catch (error) { print(error.message) }
					return ++turns < 3;
				});`,
				{ env: { MEMORY_LIMIT_MIB: "16" } },
			);
			assert.deepEqual(
				{ status, output, errors },
				{
					status: DONE,
					output: "out of memory\n".repeat(3),
					errors: "",
				},
			);
		});
	});

	describe("ends a program that has used up its memory, to be started again,", () => {
		const HUNGRY: Record<string, string> = {
			"by objects": "const kept = []; for (;;) kept.push({ a: kept.length });",
			"by text": 'let text = "x"; for (;;) text = [text, text].join("");',
			"by bytes":
				"const kept = []; for (;;) kept.push(new Uint8Array(100_000));",
			"in a turn":
				"host.onUncaughtError(() => {}); const kept = []; host.setTurn(() => { kept.push(new Array(1000).fill(1)); return true });",
			"in a promise":
				"host.onUnhandledRejection(() => {}); (async () => { await 1; const kept = []; for (;;) kept.push([1, 2, 3]) })();",
			"though it catches every error":
				"const kept = []; host.setTurn(() => { try { kept.push(new Uint8Array(10_000)) } catch {} return true });",
			"by closures": "let f = () => 0; for (;;) { const g = f; f = () => g }",
		};
		const RUNS_OUT =
			/^The program has used up its memory and ends; start it again, with a higher MEMORY_LIMIT_MIB if this comes often\.\n$/;
		for (const [name, source] of Object.entries(HUNGRY)) {
			it(name, async () => {
				const { status, errors } = await run(source, {
					env: { MEMORY_LIMIT_MIB: "24" },
				});
				assert.match(errors, RUNS_OUT);
				assert.equal(status, OUT_OF_MEMORY);
			});
		}

		it("where it is WasmEdge that limits it", async () => {
			const { status, errors } = await run(HUNGRY["by bytes"] ?? "", {
				memoryPagesMax: 1024,
			});
			assert.match(errors, RUNS_OUT);
			assert.equal(status, OUT_OF_MEMORY);
		});

		it("and says what limit is none", async () => {
			const { status, errors } = await run("", {
				env: { MEMORY_LIMIT_MIB: "much" },
			});
			assert.equal(
				errors,
				'MEMORY_LIMIT_MIB must be a whole number from 1 to 4095, not "much".\n',
			);
			assert.equal(status, FAILED);
		});
	});

	describe("reads files", () => {
		let shared: RunOptions;

		before(async () => {
			const open = join(folder, "open");
			await mkdir(join(open, "inner"), { recursive: true });
			await writeFile(join(open, "brief.txt"), "Grüße");
			await writeFile(join(open, "leer"), "");
			await writeFile(join(open, "groß.bin"), Buffer.alloc(5_000_000, 7));
			await writeFile(join(folder, "secret.txt"), "secret");
			await symlink("../secret.txt", join(open, "way-out"));
			await symlink("/etc/passwd", join(open, "far-out"));
			await symlink("inner", join(open, "way-in"));
			shared = { folders: [{ inside: "/open", outside: open }] };
		});

		it("of the folders that were opened to it", () =>
			prints(
				`const big = host.readFile("/open/groß.bin");
				return [
					host.decodeUtf8(host.readFile("/open/brief.txt"), true),
					host.readFile("/open/leer").length,
					big.length, big[4_999_999],
				]`,
				["Grüße", 0, 5_000_000, 7],
				{ ...shared },
			));

		it("and the folders themselves", () =>
			prints(
				`return host.readFolder("/open").sort((a, b) => (a.name < b.name ? -1 : 1))`,
				[
					{ name: "brief.txt", isFolder: false },
					{ name: "far-out", isFolder: false },
					{ name: "groß.bin", isFolder: false },
					{ name: "inner", isFolder: true },
					{ name: "leer", isFolder: false },
					{ name: "way-in", isFolder: true },
					{ name: "way-out", isFolder: false },
				],
				{ ...shared },
			));

		const REFUSED = [
			"/etc/passwd",
			"/open/../secret.txt",
			"/open/inner/../../secret.txt",
			"/open/way-out",
			"/open/far-out",
			"../secret.txt",
			"/proc/self/environ",
			"/open/inner/../../../../../../etc/passwd",
		];
		it("but none outside, by whatever path", () =>
			prints(
				`return ${JSON.stringify(REFUSED)}.map((path) => {
					try { return path + ": " + host.decodeUtf8(host.readFile(path), false) }
					catch (error) { return /^E[A-Z]+$/.test(error.code) && error.syscall === "open" ? "refused" : String(error) }
				})`,
				REFUSED.map(() => "refused"),
				{ ...shared },
			));

		const FAILURES: [string, unknown][] = [
			['host.readFile("/open/nothing")', "ENOENT"],
			['host.readFile("/open")', "EISDIR"],
			['host.readFile("/open/brief.txt/x")', "ENOTDIR"],
			['host.readFolder("/open/brief.txt")', "ENOTDIR"],
			['host.readFolder("/open/nothing")', "ENOENT"],
			["host.readFile(5)", "TypeError: The path must be a string."],
			[
				'host.readFile("/open/a\\0b")',
				"TypeError: The path must not contain the character U+0000.",
			],
			[
				'host.writeText(3, "x")',
				"RangeError: The stream must be a whole number from 1 to 2, not 3.",
			],
		];
		it("and tells what is wrong with a path", () =>
			prints(
				`return [${FAILURES.map(([source]) => `() => ${source}`)}].map((f) => { try { f() } catch (error) { return error.code ?? String(error) } })`,
				FAILURES.map(([, expected]) => expected),
				{ ...shared },
			));
	});

	/** A loop for sockets: `on` maps a descriptor to its handler, `ended` ends it. */
	const SOCKET_LOOP = `
		const { READABLE, WRITABLE, BROKEN } = host;
		const on = new Map(), events = new Int32Array(128);
		let ended = false;
		host.setTurn(() => {
			const count = host.poll(Infinity, events);
			for (let i = 0; i < count; i++) on.get(events[2 * i])?.(events[2 * i + 1]);
			return !ended;
		});
		const codeOf = (f) => { try { return f() } catch (error) { return error.code ?? String(error) } };
	`;
	const LISTEN = `${SOCKET_LOOP}
		const listener = host.openSocket(4);
		host.setSocketOption(listener, "reuseAddress", true);
		host.bindSocket(listener, "127.0.0.1", 0);
		host.listenSocket(listener, 128);
		host.watch(listener, READABLE);
		on.set(listener, () => {
			for (let s = host.acceptSocket(listener); s !== undefined; s = host.acceptSocket(listener)) accepted(s);
		});
		print("port " + host.localAddress(listener).port);
	`;

	async function dial(child: ChildProcess): Promise<Socket> {
		const socket = connect(Number(await said(child, "port ")), "127.0.0.1");
		await once(socket, "connect");
		return socket;
	}

	describe("serves connections", () => {
		const ECHO = `
			const buffer = new Uint8Array(65536);
			function accepted(s) {
				host.watch(s, READABLE);
				on.set(s, () => {
					const length = host.receive(s, buffer);
					if (length === -1) return;
					if (length === 0) { on.delete(s); host.closeSocket(s); return }
					host.send(s, [buffer.subarray(0, length)], 0);
				});
			}`;

		it("and gives back what they send", async () => {
			const child = await start(`${LISTEN}${ECHO}`);
			const socket = await dial(child);
			socket.write("Rechnung");
			assert.equal(String((await once(socket, "data"))[0]), "Rechnung");
			socket.end();
			await once(socket, "end"); // the guest has closed it
		});

		it("a thousand idle ones beside busy ones, each of which wakes again", async () => {
			const child = await start(`${LISTEN}${ECHO}`);
			const port = Number(await said(child, "port "));
			const idle: Socket[] = [];
			for (let i = 0; i < 1000; i++) {
				const socket = connect(port, "127.0.0.1");
				await once(socket, "connect");
				idle.push(socket);
			}
			const answered = async (socket: Socket) => {
				socket.write("x");
				await once(socket, "data");
			};
			const [busy] = idle.splice(0, 1) as [Socket];
			let isDone = false;
			const keepBusy = async () => {
				while (!isDone) await answered(busy);
			};
			const working = keepBusy();
			await Promise.all(idle.map(answered));
			for (const socket of idle.slice(0, 50)) await answered(socket);
			// Those that their peer has broken are noticed too, while others are busy.
			const ends = idle.slice(50, 100).map((socket) => once(socket, "close"));
			for (const socket of idle.slice(50, 100)) socket.end();
			await Promise.all(ends);
			isDone = true;
			await working;
			for (const socket of [busy, ...idle]) socket.destroy();
		});

		it("and tells both addresses, on IPv6 too", async () => {
			const child = await start(`${SOCKET_LOOP}
				const listener = host.openSocket(6);
				host.bindSocket(listener, "::1", 0);
				host.listenSocket(listener, 1);
				host.watch(listener, READABLE);
				print("port " + host.localAddress(listener).port);
				on.set(listener, () => {
					const s = host.acceptSocket(listener);
					print("addresses " + JSON.stringify([host.localAddress(s), host.peerAddress(s)]));
					ended = true;
				});`);
			const port = Number(await said(child, "port "));
			const socket = connect(port, "::1");
			const told = said(child, "addresses ");
			await once(socket, "connect");
			assert.deepEqual(JSON.parse(await told), [
				{ family: 6, address: "::1", port },
				{ family: 6, address: "::1", port: socket.localPort },
			]);
		});

		it("sends many chunks from an offset on, as fast as the peer reads", async () => {
			const child = await start(`${LISTEN}
				function accepted(s) {
					const chunks = Array.from({ length: 2000 }, (_, i) => new Uint8Array(i % 7 * 1000).fill(i));
					const total = chunks.reduce((sum, { length }) => sum + length, 0);
					let sent = 0, isFull = false;
					const go = () => {
						while (sent < total) {
							const taken = host.send(s, chunks, sent);
							if (taken === -1) {
								if (!isFull) print("full");
								isFull = true;
								host.watch(s, WRITABLE);
								return;
							}
							sent += taken;
						}
						host.closeSocket(s);
						ended = true;
					};
					on.set(s, go);
					go();
				}`);
			const socket = await dial(child);
			await said(child, "full"); // nothing is read before
			const expected = Buffer.concat(
				Array.from({ length: 2000 }, (_, i) =>
					Buffer.alloc((i % 7) * 1000, i % 256),
				),
			);
			const chunks: Buffer[] = [];
			socket.on("data", (chunk) => chunks.push(chunk));
			await once(socket, "end");
			assert.ok(expected.equals(Buffer.concat(chunks)));
		});

		it("notices a peer that breaks off, whatever it waits for", async () => {
			for (const interest of ["READABLE", "WRITABLE", "READABLE | WRITABLE"]) {
				const child = await start(`${LISTEN}
					function accepted(s) {
						while (host.send(s, [new Uint8Array(100_000)], 0) !== -1);
						host.watch(s, ${interest});
						on.set(s, (flags) => {
							if (!(flags & BROKEN)) return;
							print("broken " + codeOf(() => host.receive(s, new Uint8Array(1))));
							ended = true;
						});
						print("full ");
					}`);
				const socket = await dial(child);
				await said(child, "full ");
				socket.resetAndDestroy();
				assert.equal(await said(child, "broken "), "ECONNRESET", interest);
			}
		});

		it("rests while a peer that has ended does not read", async () => {
			const child = await start(`${LISTEN}
				function accepted(s) {
					while (host.send(s, [new Uint8Array(100_000)], 0) !== -1);
					host.watch(s, WRITABLE);
					on.set(s, () => {});
					const buffer = new Uint8Array(1);
					const began = host.cpuSeconds(), end = host.monotonicNow() + 1000;
					let polls = 0;
					host.setTurn(() => {
						if (host.receive(s, buffer) !== 0 && polls === 0) return host.poll(1, events) >= 0;
						host.poll(1000, events);
						polls++;
						if (host.monotonicNow() < end) return true;
						print("polls " + polls);
					});
				}`);
			const socket = await dial(child);
			socket.pause();
			socket.end();
			const polls = Number(await said(child, "polls "));
			assert.ok(polls < 2000, `${polls} polls in a second`);
			socket.destroy();
		});

		it("is told at once when what it inherited as descriptor 0 is closed", async () => {
			const child = await start(
				`${SOCKET_LOOP}
				host.watch(0, READABLE);
				on.set(0, (flags) => {
					// BROKEN too, if the other end is not only shut down but closed by now.
					print("flags " + ((flags & READABLE) !== 0));
					ended = true;
				});
				print("ready ");`,
				{ stdio: ["pipe", "pipe", "pipe"] },
			);
			await said(child, "ready ");
			child.stdin?.end();
			assert.equal(await said(child, "flags "), "true");
		});
	});

	describe("connects", () => {
		it("to a server by its name, and talks to it", async () => {
			const server = createServer((socket) => socket.end("Guten Tag")).listen(
				0,
				"127.0.0.1",
			);
			await once(server, "listening");
			const { port } = server.address() as AddressInfo;
			const { output, errors } = await run(`${SOCKET_LOOP}
				const { address } = host.resolve("localhost").find(({ family }) => family === 4);
				const s = host.openSocket(4);
				host.connectSocket(s, address, ${port});
				host.watch(s, WRITABLE);
				const buffer = new Uint8Array(100);
				let length = 0;
				on.set(s, () => {
					const error = host.socketError(s);
					if (error) throw error;
					host.watch(s, READABLE);
					on.set(s, () => {
						const read = host.receive(s, buffer.subarray(length));
						if (read > 0) { length += read; return }
						print(host.decodeUtf8(buffer.subarray(0, length), true));
						print(host.setSocketOption(s, "keepAlive", true));
						host.closeSocket(s);
						print(codeOf(() => host.receive(s, buffer)));
						ended = true;
					});
				});`);
			assert.equal(errors, "");
			assert.equal(output, "Guten Tag\ntrue\nEBADF\n");
			server.close();
		});

		it("not where nobody listens", async () => {
			const server = createServer().listen(0, "127.0.0.1");
			await once(server, "listening");
			const { port } = server.address() as AddressInfo;
			server.close();
			await once(server, "close");
			const { output } = await run(`${SOCKET_LOOP}
				const s = host.openSocket(4);
				host.connectSocket(s, "127.0.0.1", ${port});
				host.watch(s, WRITABLE);
				on.set(s, (flags) => {
					const { code, syscall, message } = host.socketError(s);
					print([flags & BROKEN, code, syscall, message]);
					ended = true;
				});`);
			assert.equal(
				output,
				"4,ECONNREFUSED,connect,connect failed: nothing listens at that address (ECONNREFUSED).\n",
			);
		});

		const ANSWERS: [source: string, expected: unknown][] = [
			['host.resolve("127.0.0.1")', [{ family: 4, address: "127.0.0.1" }]],
			['host.resolve("::1")', [{ family: 6, address: "::1" }]],
			[
				'host.resolve("2001:DB8:0::00ff")',
				[{ family: 6, address: "2001:db8::ff" }],
			],
			[
				'host.resolve("")',
				"RangeError: A host name has 1 to 253 bytes, not 0.",
			],
			[
				'host.connectSocket(host.openSocket(4), "localhost", 1)',
				'TypeError: "localhost" is no literal IPv4 or IPv6 address; let `resolve` look up a name first.',
			],
			[
				'host.connectSocket(host.openSocket(4), "127.0.0.1", 65536)',
				"RangeError: The port must be a whole number from 0 to 65535, not 65536.",
			],
			["host.openSocket(5)", "RangeError: The address family must be 4 or 6."],
			["host.receive(12345, new Uint8Array(1))", "EBADF"],
			[
				"host.receive(host.openSocket(4), new Uint8Array(0))",
				"RangeError: The target must have room for a byte.",
			],
			[
				"host.send(host.openSocket(4), [new Uint8Array(3)], 3)",
				"RangeError: There is no byte to send at that offset.",
			],
			[
				"host.send(host.openSocket(4), [[1]], 0)",
				"TypeError: A chunk must be a Uint8Array.",
			],
			['host.shutdownSocket(host.openSocket(4), "write")', "ENOTCONN"],
			[
				'host.shutdownSocket(host.openSocket(4), "up")',
				'TypeError: The direction of a shutdown does not know "up".',
			],
			["host.peerAddress(host.openSocket(4))", "ENOTCONN"],
			[
				"host.poll(Infinity, new Int32Array(2))",
				"RangeError: Nothing is watched and no time is given: the wait would have no end.",
			],
			[
				"host.poll(0, new Int32Array(1))",
				"RangeError: The events must have room for a pair.",
			],
			[
				"host.poll(NaN, new Int32Array(2))",
				"TypeError: The timeout must be a number.",
			],
			[
				"host.poll(0, new Uint8Array(8))",
				"TypeError: The events must be an Int32Array.",
			],
			[
				"host.watch(1, 4)",
				"RangeError: The interest must be a whole number from 0 to 3, not 4.",
			],
			[
				"host.watch(-1, 1)",
				"RangeError: The descriptor must be a whole number from 0 to 2147483647, not -1.",
			],
			["host.poll(0, new Int32Array(2))", 0],
		];
		it("with literal addresses and right arguments only", () =>
			prints(
				`return [${ANSWERS.map(([source]) => `() => ${source}`)}].map((f) => { try { return f() } catch (error) { return error.code ?? String(error) } })`,
				ANSWERS.map(([, expected]) => expected),
			));

		it("not to a name that is not known", async () => {
			const { output } = await run(
				`try { print(JSON.stringify(host.resolve("nowhere.invalid"))) } catch (error) { print(error.code + " " + error.syscall) }`,
			);
			assert.match(
				output,
				/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA) getaddrinfo\n$/,
			);
		});

		it("and waits as long as it was told, not less", () =>
			prints(
				`const began = host.monotonicNow();
				for (let i = 0; i < 5; i++) host.poll(10.5, new Int32Array(2));
				const took = host.monotonicNow() - began;
				return took >= 52.5 && took < 5000`,
				true,
			));
	});
});
