import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
	ConfigurationError,
	readConfiguration,
} from "../../src/configuration.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { NODE } from "../../src/node/runtime.ts";
import { startService } from "../../src/service.ts";
import { goldenDrafts } from "../golden.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import {
	openSocket,
	runToEnd,
	type ServiceProcess,
	startProcess,
} from "./process.ts";

const DRAFT = goldenDrafts().find(({ name }) => name === "car-sharing-380")
	?.draft as Record<string, unknown>;
const BODY = JSON.stringify(DRAFT);

describe("The process", () => {
	let database: StoreDatabase;
	let settings: Record<string, string>;
	let service: ServiceProcess;
	before(async () => {
		database = await openStoreDatabase();
		settings = {
			MONGODB_URI: database.serviceUri,
			MONGODB_DATABASE: database.admin.databaseName,
		};
		service = await startProcess(settings);
	});
	after(async () => {
		await service.end();
		await database.drop();
	});

	const post = (body: string, headers: Record<string, string> = {}) =>
		fetch(`${service.url}/invoices`, {
			method: "POST",
			headers: { "Content-Type": "application/json", ...headers },
			body,
		});

	const stored = (series: string) =>
		database.collections.invoices.find({ series }).toArray();

	it("answers 200 clients at once, each with a number of its own", async () => {
		const body = JSON.stringify({ ...DRAFT, series: "MANY" });
		const answers = await Promise.all(
			Array.from({ length: 200 }, () => post(body)),
		);
		assert.ok(answers.every(({ status }) => status === 201));
		const sequences = await Promise.all(
			answers.map(
				async (answer) => ((await answer.json()) as Snapshot).sequence,
			),
		);
		assert.deepEqual(
			sequences.sort((a, b) => a - b),
			Array.from({ length: 200 }, (_, index) => index + 1),
		);
	});

	it("answers 413 to 10 MB, announced or not, and goes on serving", async () => {
		const large = "x".repeat(10 * 1024 * 1024);
		assert.equal((await post(large)).status, 413);
		const chunked = await fetch(`${service.url}/invoices`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: new Blob([large]).stream(),
			duplex: "half",
		} as RequestInit);
		assert.equal(chunked.status, 413);
		assert.equal((await post(BODY)).status, 201);
	});

	it("answers HEAD without a body, and without a length that is not the content's", async () => {
		const created = await post(BODY);
		const location = created.headers.get("location");
		const { socket, received } = await openSocket(service.port);
		const request = (path: string, more = "") =>
			`HEAD ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
		socket.write(
			request(`${location}.json`) +
				request(`${location}.pdf`) +
				request("/nowhere", "Connection: close\r\n"),
		);
		await once(socket, "close");
		const text = await received(/404/);
		const answers = text.split("\r\n\r\n");
		assert.equal(answers.length, 4, text);
		assert.equal(answers[3], "", "no body");
		assert.ok(!/content-length/i.test(answers[0] ?? ""), answers[0]);
		assert.ok(!/content-length/i.test(answers[1] ?? ""), answers[1]);
		assert.match(answers[0] ?? "", /^HTTP\/1\.1 200/);
	});

	for (const [what, request, status] of [
		["no HTTP", "HELO invoices\r\n\r\n", 400],
		["no Host", "GET /health/live HTTP/1.1\r\n\r\n", 400],
		[
			"a Host that is none",
			"GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n",
			400,
		],
		[
			"two lengths",
			"POST /invoices HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
			400,
		],
		[
			"a length and chunks",
			"POST /invoices HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400,
		],
		[
			"too many header fields",
			`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
			431,
		],
		[
			"a chunked body that is broken",
			"POST /invoices HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			400,
		],
	] as const) {
		it(`answers ${status} to ${what}, and goes on serving`, async () => {
			const { socket, received } = await openSocket(service.port);
			socket.write(request);
			const text = await received(/^HTTP\/1\.1 \d+/);
			assert.match(text, new RegExp(`^HTTP/1\\.1 ${status}`));
			socket.destroy();
			assert.equal((await fetch(`${service.url}/health/live`)).status, 200);
		});
	}

	it("stores nothing for a client that leaves in the middle of its body", async () => {
		const { socket, received } = await openSocket(service.port);
		const body = JSON.stringify({ ...DRAFT, series: "LEFT" });
		socket.write(
			`POST /invoices HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nExpect: 100-continue\r\n\r\n`,
		);
		await received(/100 Continue/);
		socket.write(body.slice(0, 100));
		socket.destroy();
		await once(socket, "close");
		assert.equal((await post(BODY)).status, 201);
		assert.deepEqual(await stored("LEFT"), []);
		await service.line(/"route":"\/invoices","status":400/);
		const failures = service.lines.filter((line) => line.includes('"error"'));
		assert.deepEqual(failures, []);
	});

	it("logs one JSON line a request", async () => {
		await fetch(`${service.url}/health/live`, {
			headers: { "X-Request-Id": "look-for-me" },
		});
		const line = await service.line(/look-for-me/);
		const entry = JSON.parse(line) as Record<string, unknown>;
		assert.equal(entry.route, "/health/live");
		assert.equal(entry.status, 200);
	});

	it("on SIGTERM answers all that it accepted, accepts nothing more, and ends with 0", async () => {
		const ending = await startProcess(settings);
		const body = JSON.stringify({ ...DRAFT, series: "ENDING" });
		const sockets = await Promise.all(
			Array.from({ length: 20 }, () => openSocket(ending.port)),
		);
		for (const { socket } of sockets) {
			socket.write(
				`POST /invoices HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nExpect: 100-continue\r\n\r\n`,
			);
		}
		await Promise.all(sockets.map(({ received }) => received(/100 Continue/)));
		const idle = await openSocket(ending.port);
		const ended = ending.end("SIGTERM");
		await once(idle.socket, "close");
		await assert.rejects(fetch(`${ending.url}/health/live`));
		for (const { socket } of sockets) {
			socket.write(body);
		}
		const answers = await Promise.all(
			sockets.map(({ received }) => received(/HTTP\/1\.1 201[\s\S]*\}$/)),
		);
		assert.ok(answers.every((text) => /connection: close/i.test(text)));
		assert.equal(await ended, 0);
		assert.equal((await stored("ENDING")).length, 20);
	});

	it("on SIGTERM under load has stored what it answered, once", async () => {
		const loaded = await startProcess(settings);
		const body = JSON.stringify({ ...DRAFT, series: "LOADED" });
		const answered: string[] = [];
		let refused = false;
		const client = async () => {
			while (!refused) {
				try {
					const answer = await fetch(`${loaded.url}/invoices`, {
						method: "POST",
						headers: { "Content-Type": "application/json" },
						body,
					});
					if (answer.status === 201) {
						answered.push(((await answer.json()) as Snapshot).number);
					} else {
						assert.equal(answer.status, 503);
					}
				} catch {
					// The connection was closed between two requests, or is not accepted any more.
					refused = true;
				}
			}
		};
		const clients = Array.from({ length: 32 }, client);
		while (answered.length < 100) {
			await new Promise((resolve) => setImmediate(resolve));
		}
		assert.equal(await loaded.end("SIGTERM"), 0);
		await Promise.all(clients);
		const numbers = (await stored("LOADED")).map(({ number }) => number);
		assert.equal(new Set(answered).size, answered.length);
		assert.ok(answered.every((number) => numbers.includes(number)));
		assert.equal(numbers.length, answered.length);
	});

	describe("where it cannot start it says why in a sentence, and ends with 1", () => {
		it("a wrong configuration", async () => {
			const { status, errors } = await runToEnd({
				...settings,
				HOST: "0.0.0.0",
			});
			assert.equal(status, 1);
			assert.match(errors, /^HOST is "0\.0\.0\.0", which others can reach/);
		});

		it("a port that is taken", async () => {
			const { status, errors } = await runToEnd({
				...settings,
				PORT: String(service.port),
			});
			assert.equal(status, 1);
			assert.equal(
				errors,
				`PORT ${service.port} of 127.0.0.1 is taken by another process. Stop that one, or set PORT to another one.`,
			);
		});

		it("files that are missing or wrong", async () => {
			const folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-"));
			const seller = join(folder, "seller.json");
			await writeFile(seller, '{"name": "Stadtflitzer", "adress": {}}');
			const key = join(folder, "key.pem");
			await writeFile(key, "no key");
			const ignore = () => {};
			for (const [wrong, sentence] of [
				[
					{ SELLER_FILE: join(folder, "none.json") },
					/^SELLER_FILE: .* cannot be read \(ENOENT\)/,
				],
				[
					{ SELLER_FILE: seller },
					/^SELLER_FILE: in .* at \/adress: "adress" is not a known field/,
				],
				[{ SELLER_FILE: key }, /^SELLER_FILE: .* is not JSON/],
				[
					{ JWT_PUBLIC_KEY_FILE: key },
					/^JWT_PUBLIC_KEY_FILE: .* must hold a public key/,
				],
				[{ JWT_KEYS_FILE: key }, /^JWT_KEYS_FILE: .* must be JSON/],
				[
					{ TEMPLATE: "leaflet/3" },
					/^TEMPLATE: there is no template leaflet\/3/,
				],
				[{ TIME_ZONE: "Europe/Atlantis" }, /^TIME_ZONE must be a time zone/],
			] as const) {
				const configuration = readConfiguration({ ...settings, ...wrong });
				await assert.rejects(
					startService(configuration, NODE, {
						write: ignore,
						say: ignore,
						onFailure: ignore,
					}),
					(error: Error) => {
						assert.ok(error instanceof ConfigurationError, error.stack);
						assert.match(error.message, sentence);
						return true;
					},
				);
			}
			await rm(folder, { recursive: true });
		});
	});

	it("where the database is not there it lives, is not ready, and says why", async () => {
		const free = createServer().listen(0, "127.0.0.1");
		await once(free, "listening");
		const { port } = free.address() as { port: number };
		free.close();
		const alone = await startProcess({
			MONGODB_URI: `mongodb://127.0.0.1:${port}/?replicaSet=none`,
		});
		assert.equal((await fetch(`${alone.url}/health/live`)).status, 200);
		const ready = await fetch(`${alone.url}/health/ready`);
		assert.equal(ready.status, 503);
		assert.equal(ready.headers.get("retry-after"), "5");
		assert.equal(await alone.end(), 0);
	});

	it("where the database was not set up it says what is missing; MONGODB_SETUP_URI sets it up", async () => {
		const bare = {
			MONGODB_URI: database.admin.uri,
			MONGODB_DATABASE: `${database.admin.databaseName}_bare`,
		};
		const unready = await startProcess(bare);
		const ready = await fetch(`${unready.url}/health/ready`);
		assert.equal(ready.status, 503);
		assert.match(await ready.text(), /has no invoices/);
		await unready.end();
		const set = await startProcess({
			...bare,
			MONGODB_SETUP_URI: database.admin.uri,
		});
		assert.equal((await fetch(`${set.url}/health/ready`)).status, 200);
		await set.end();
		const administered = database.admin.client.db(bare.MONGODB_DATABASE);
		await administered.command({ dropAllRolesFromDatabase: 1 });
		await administered.dropDatabase();
	});
});

describe("The quick start", () => {
	const run = promisify(execFile);
	let folder: string;
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-"));
	});
	after(() => rm(folder, { recursive: true, force: true }));

	it("loads two examples, prints three commands that work as printed, keeps its data, and leaves nothing running", async () => {
		const settings = { DATA_DIRECTORY: join(folder, "data") };
		const first = await startProcess(settings);
		const printed = async (service: ServiceProcess) => {
			await service.line(/\.pdf$/);
			return service.lines.filter((line) => line.startsWith("curl "));
		};
		const commands = await printed(first);
		assert.equal(commands.length, 3);
		const outputs: string[] = [];
		for (const command of commands) {
			const { stdout } = await run("sh", ["-c", `${command} --silent`], {
				cwd: folder,
			});
			outputs.push(stdout);
		}
		const created = JSON.parse(outputs[0] ?? "") as Snapshot;
		assert.equal(created.sequence, 1);
		assert.match(created.number, /^RE-\d{4}-000001$/);
		const example = JSON.parse(outputs[1] ?? "") as Snapshot;
		assert.equal(example.number, "BEISPIEL-000001");
		const pdf = await readFile(join(folder, "BEISPIEL-000001.pdf"), "latin1");
		assert.equal(pdf.slice(0, 5), "%PDF-");
		const count = async (service: ServiceProcess) => {
			const list = await fetch(
				`${service.url}/invoices?from=1990-01-01&to=2199-12-31`,
			);
			return ((await list.json()) as { invoices: object[] }).invoices.length;
		};
		assert.equal(await count(first), 3);
		assert.equal(await first.end("SIGINT"), 0);

		const second = await startProcess(settings);
		assert.equal((await printed(second)).length, 3);
		assert.equal(await count(second), 3);
		assert.equal(await second.end("SIGTERM"), 0);
		const port = Number(
			await readFile(join(settings.DATA_DIRECTORY, "mongod.port"), "utf8"),
		);
		await assert.rejects(openSocket(port), /ECONNREFUSED/);
	});
});
