import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { bundleGuest, testEngine } from "./engine.ts";
import type { HttpLine } from "./http-guest.ts";
import { eventually } from "./processes.ts";

const BUILD_MS_MAX = 600_000;

interface Guest {
	url: string;
	port: number;
	child: ChildProcess;
	lines: HttpLine[];
	/** The first line of that kind, as soon as it is there. */
	line<Event extends HttpLine["event"]>(
		event: Event,
	): Promise<Extract<HttpLine, { event: Event }>>;
	/** Ends it by force. */
	end(): Promise<void>;
}

/** The engine, which may have to be built first. */
let engine: Awaited<ReturnType<typeof testEngine>>;
before(async function () {
	this.timeout(BUILD_MS_MAX);
	engine = await testEngine();
});

async function startGuest(env: Record<string, string> = {}): Promise<Guest> {
	const script = await bundleGuest("test/wasm/http-guest.ts");
	const child = engine.run(script, {
		env,
		stdio: ["ignore", "pipe", "inherit"],
	});
	const ended = once(child, "exit");
	const lines: HttpLine[] = [];
	createInterface({ input: child.stdout as NodeJS.ReadableStream }).on(
		"line",
		(line) => lines.push(JSON.parse(line) as HttpLine),
	);
	const line: Guest["line"] = (event) =>
		eventually(`a line "${event}"`, () =>
			lines.find(
				(each): each is Extract<HttpLine, { event: typeof event }> =>
					each.event === event,
			),
		);
	const { url } = await line("listening");
	return {
		url,
		port: Number(new URL(url).port),
		child,
		lines,
		line,
		async end() {
			child.kill("SIGKILL");
			await ended;
		},
	};
}

/** A connection, and what came over it. */
interface Client {
	socket: Socket;
	text: () => string;
	/** Resolves when the pattern has come. */
	received(pattern: RegExp): Promise<string>;
	closed: Promise<unknown>;
}

async function openClient(port: number): Promise<Client> {
	const socket = connect(port, "127.0.0.1");
	const closed = once(socket, "close").catch(() => {});
	await once(socket, "connect");
	let text = "";
	socket.setEncoding("latin1");
	socket.on("data", (chunk) => {
		text += chunk;
	});
	socket.on("error", () => {});
	return {
		socket,
		text: () => text,
		received: (pattern) =>
			eventually(`an answer like ${pattern}`, () =>
				pattern.test(text) ? text : undefined,
			),
		closed,
	};
}

const get = (path: string, ...fields: string[]) =>
	`GET ${path} HTTP/1.1\r\n${["Host: localhost", ...fields].join("\r\n")}\r\n\r\n`;

const post = (path: string, body: string, ...fields: string[]) =>
	`POST ${path} HTTP/1.1\r\n${["Host: localhost", `Content-Length: ${body.length}`, ...fields].join("\r\n")}\r\n\r\n${body}`;

const MIB = 1024 * 1024;

describe("The HTTP server in the engine", () => {
	let guest: Guest;
	before(async () => {
		guest = await startGuest();
	});
	after(() => guest.end());

	const memory = async () => {
		const answer = await fetch(`${guest.url}/memory`);
		return (await answer.json()) as {
			linear: number;
			used: number;
			connections: number;
		};
	};

	it("answers", async () => {
		const answer = await fetch(`${guest.url}/json`);
		assert.equal(answer.status, 200);
		assert.equal(answer.headers.get("content-type"), "application/json");
		assert.equal(answer.headers.get("keep-alive"), "timeout=65");
		assert.deepEqual(await answer.json(), { hello: "world" });
	});

	it("answers requests that came at once, in their order", async () => {
		const { socket, received, closed } = await openClient(guest.port);
		socket.write(
			post("/echo", "one") +
				get("/slow") +
				post("/echo", "two") +
				get("/json", "Connection: close"),
		);
		await closed;
		const text = await received(/world/);
		assert.match(text, /one[^~]*slow[^~]*two[^~]*world/);
		assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 4);
	});

	it("reads and sends chunks", async () => {
		const text = "äöü".repeat(100_000);
		const answer = await fetch(`${guest.url}/echo`, {
			method: "POST",
			body: new Blob([text]).stream(),
			duplex: "half",
		} as RequestInit);
		assert.equal(await answer.text(), text);
		const streamed = await fetch(`${guest.url}/stream/300`);
		assert.equal(streamed.headers.get("content-length"), null);
		assert.equal((await streamed.arrayBuffer()).byteLength, 300 * 16 * 1024);
	});

	it("answers HEAD with the head alone", async () => {
		const { socket, received, closed } = await openClient(guest.port);
		socket.write(
			get("/json").replace("GET", "HEAD") + get("/json", "Connection: close"),
		);
		await closed;
		const [head, second, body, ...more] = (await received(/world/)).split(
			"\r\n\r\n",
		);
		assert.match(head ?? "", /^HTTP\/1\.1 200 OK/);
		assert.match(second ?? "", /^HTTP\/1\.1 200 OK/);
		assert.equal(body, '{"hello":"world"}');
		assert.deepEqual(more, []);
	});

	it("tells a client that asks to send its body, and refuses without asking for it", async () => {
		const { socket, received, closed } = await openClient(guest.port);
		const text = post("/echo", "abc", "Expect: 100-continue");
		socket.write(text.slice(0, -3));
		await received(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
		socket.write(`abc${text.replace("/echo", "/refuse").slice(0, -3)}`);
		const all = await received(/413/);
		assert.match(all, /abc/);
		assert.equal(all.match(/100 Continue/g)?.length, 1);
		await closed;
	});

	it("lets a client that sends 10 MB in vain read its answer, and takes its next request", async () => {
		const { socket, received } = await openClient(guest.port);
		socket.write(post("/refuse", "x".repeat(10 * MIB)));
		await received(/413 [^~]*no$/);
		socket.write(get("/json"));
		await received(/world/);
		socket.destroy();
	});

	it("answers a malformed request with a problem, closes, and goes on serving", async () => {
		for (const [text, status] of [
			["HELO\r\n\r\n", 400],
			[get("/json", "Host: b"), 400],
			[post("/echo", "abc", "Transfer-Encoding: chunked"), 400],
			[get("/json", `X: ${"x".repeat(20_000)}`), 431],
			[get("/json").replace("1.1", "2.0"), 505],
		] as const) {
			const { socket, received, closed } = await openClient(guest.port);
			socket.write(text + get("/json"));
			await closed;
			const answer = await received(/\}$/);
			assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
			assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/);
			assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1);
		}
		assert.equal((await fetch(`${guest.url}/json`)).status, 200);
	});

	it("answers 500 where a handler fails, and lives", async () => {
		assert.equal((await fetch(`${guest.url}/throw`)).status, 500);
		assert.equal(
			(await guest.line("failed")).message,
			"Error: The handler fails.",
		);
		assert.equal((await fetch(`${guest.url}/json`)).status, 200);
	});

	it("answers 408 to a head that drips, in the time of Node's server", async () => {
		const began = Date.now();
		const { socket, text, closed } = await openClient(guest.port);
		const drip = setInterval(() => socket.write("x"), 500);
		socket.write("GET /");
		await closed;
		clearInterval(drip);
		assert.match(text(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
		const taken_ms = Date.now() - began;
		assert.ok(taken_ms > 9000 && taken_ms < 16_000, String(taken_ms));
	});

	it("keeps 1000 connections for next to nothing, and answers on all of them", async () => {
		const before = await memory();
		const clients = await Promise.all(
			Array.from({ length: 1000 }, () => openClient(guest.port)),
		);
		for (const round of [1, 2]) {
			for (const { socket } of clients) {
				socket.write(get("/json"));
			}
			await Promise.all(
				clients.map(({ received }) =>
					received(
						new RegExp(`^(?:HTTP[^{]*\\{"hello":"world"\\}){${round}}$`),
					),
				),
			);
		}
		const { used, connections } = await memory();
		assert.ok(connections >= 1000);
		const each = (used - before.used) / 1000;
		assert.ok(each < 4096, `${each} bytes a connection`);
		for (const { socket } of clients) {
			socket.destroy();
		}
		await eventually("an end of the connections", async () =>
			(await memory()).connections < 20 ? true : undefined,
		);
	});

	it("streams to a slow reader without holding what it does not take", async () => {
		const { socket } = await openClient(guest.port);
		const before = await memory();
		socket.pause();
		socket.write(get("/stream/4096"));
		// 64 MB, of which the system's buffers take a few.
		for (let turn = 0; turn < 20; turn += 1) {
			const { used, linear } = await memory();
			assert.ok(used < before.used + MIB, `${used - before.used} bytes more`);
			assert.ok(linear <= before.linear + 2 * MIB);
		}
		let length = 0;
		socket.on("data", (chunk: string) => {
			length += chunk.length;
		});
		socket.resume();
		await eventually("an end of the stream", () =>
			length > 4096 * 16 * 1024 ? true : undefined,
		);
		const after = await memory();
		assert.ok(after.used < before.used + MIB);
		socket.destroy();
	});

	it("cancels a stream whose client leaves", async () => {
		const { socket, received } = await openClient(guest.port);
		socket.write(get("/stream/1000000"));
		await received(/xxxx/);
		socket.destroy();
		const { chunks, reason } = await guest.line("cancelled");
		assert.ok(chunks < 100_000);
		assert.match(reason, /client has closed/);
	});

	it("reads no more of a body than the app does", async () => {
		const { socket, received } = await openClient(guest.port);
		const body = "x".repeat(30 * MIB);
		const before = await memory();
		socket.write(post("/length", body));
		const { used } = await memory();
		assert.ok(used < before.used + MIB, `${used - before.used} bytes more`);
		await received(new RegExp(`\r\n\r\n${body.length}$`));
		socket.destroy();
	});
});

describe("The HTTP server in the engine, when it ends", () => {
	it("closes idle connections, answers what it has begun, and accepts nothing more", async () => {
		const guest = await startGuest();
		try {
			const idle = await openClient(guest.port);
			idle.socket.write(get("/json"));
			await idle.received(/world/);
			const silent = await openClient(guest.port);
			const slow = await openClient(guest.port);
			slow.socket.write(get("/slow"));
			const sending = await openClient(guest.port);
			sending.socket.write(post("/echo", "abc").slice(0, -3));
			const ending = await openClient(guest.port);
			const exited = once(guest.child, "exit");
			ending.socket.write(get("/end"));
			await ending.received(/Connection: close[^~]*ending$/);
			await Promise.all([idle.closed, silent.closed]);
			await assert.rejects(fetch(`${guest.url}/json`));
			sending.socket.write("abc");
			assert.match(await sending.received(/abc$/), /Connection: close/);
			assert.match(await slow.received(/slow$/), /Connection: close/);
			await guest.line("closed");
			assert.deepEqual(await exited, [0, null]);
		} finally {
			await guest.end();
		}
	});
});

describe("The HTTP server in the engine, with all its connections taken", () => {
	it("closes an idle one for a new one, and lets it wait where all are busy", async () => {
		const guest = await startGuest({ CONNECTIONS_MAX: "3" });
		try {
			const clients: Client[] = [];
			for (let count = 0; count < 3; count += 1) {
				const client = await openClient(guest.port);
				client.socket.write(get("/json"));
				await client.received(/world/);
				clients.push(client);
			}
			const fourth = await openClient(guest.port);
			fourth.socket.write(get("/json"));
			await fourth.received(/world/);
			await clients[0]?.closed;
			const busy = [...clients.slice(1), fourth];
			for (const { socket } of busy) {
				socket.write(get("/slow"));
			}
			const fifth = await openClient(guest.port);
			fifth.socket.write(get("/json"));
			await fifth.received(/world/);
			assert.ok(busy.some(({ text }) => text().endsWith("slow")));
			for (const { socket } of [...busy, fifth]) {
				socket.destroy();
			}
		} finally {
			await guest.end();
		}
	});
});
