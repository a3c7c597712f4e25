import "./node-host.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
	type Connection,
	type ConnectionServer,
	checkDeadline,
	closeWhenAnswered,
	connectionReady,
	openConnection,
	TICKS,
} from "../../src/wasmedge/http/connection.ts";
import type { BodySource } from "../../src/wasmedge/web/body.ts";
import type { RequestParts } from "../../src/wasmedge/web/request.ts";
import type { ResponseParts } from "../../src/wasmedge/web/response.ts";
import { bytesOf } from "./http-requests.ts";

type Answer = ConnectionServer["answer"];

const GET = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const post = (body: string, ...fields: string[]) =>
	`POST /a HTTP/1.1\r\nHost: a\r\n${[`Content-Length: ${body.length}`, ...fields].join("\r\n")}\r\n\r\n${body}`;
const CHUNKED = post("", "Transfer-Encoding: chunked").replace(
	"Content-Length: 0\r\n",
	"",
);

const answer = (
	body: ResponseParts["body"],
	{ status = 200, headers = {} }: { status?: number; headers?: object } = {},
): ResponseParts => ({
	status,
	statusText: "",
	headers: new Map(Object.entries(headers)),
	cookies: [],
	body,
});

/** Says what it was asked. */
const echo: Answer = async ({ method, url, body }) =>
	answer(`${method} ${new URL(url).pathname} ${await textOf(body)}`);

async function textOf(body: RequestParts["body"]): Promise<string> {
	if (body === null || body instanceof Uint8Array) {
		return Buffer.from(body ?? []).toString("latin1");
	}
	let text = "";
	for (;;) {
		const bytes = await body.read();
		if (bytes === undefined) {
			return text;
		}
		text += Buffer.from(bytes).toString("latin1");
	}
}

/** A connection over a socket that is made up. */
function open(app: Answer, capacity = Number.POSITIVE_INFINITY) {
	const failures: unknown[] = [];
	const server: ConnectionServer = {
		answer: app,
		onFailure: (error) => failures.push(error),
		onClosed: () => {},
		receiveBuffer: new Uint8Array(64 * 1024),
		tick: 0,
		isClosing: false,
	};
	let incoming = new Uint8Array(0);
	let interest = 0;
	let room = capacity;
	const socket = {
		received: "",
		/** Calls that sent something. */
		sends: 0,
		hasClientEnded: false,
		isReset: false,
		hasServerEnded: false,
		isClosed: false,
	};
	const fail = () => {
		throw Object.assign(new Error("Connection reset by peer"), {
			code: "ECONNRESET",
		});
	};
	const connection: Connection = openConnection(server, {
		receive(target) {
			if (socket.isReset) {
				fail();
			}
			const length = Math.min(target.length, incoming.length);
			target.set(incoming.subarray(0, length));
			incoming = incoming.slice(length);
			return length > 0 ? length : socket.hasClientEnded ? 0 : -1;
		},
		send(chunks, offset) {
			assert.ok(!socket.hasServerEnded, "Nothing is sent behind the end.");
			if (socket.isReset) {
				fail();
			}
			const left = Buffer.concat(chunks).subarray(offset);
			const length = Math.min(left.length, room);
			room -= length;
			socket.received += left.subarray(0, length).toString("latin1");
			socket.sends += 1;
			return length === 0 && left.length > 0 ? -1 : length;
		},
		watch(wanted) {
			interest = wanted;
		},
		endSending() {
			socket.hasServerEnded = true;
		},
		close() {
			assert.ok(!socket.isClosed, "It is closed once.");
			socket.isClosed = true;
		},
	});
	/** Runs the loop until nothing is left to do but to wait for the client. */
	const settle = async () => {
		for (let idle = 0; idle < 3; ) {
			const ready =
				(incoming.length > 0 || socket.hasClientEnded || socket.isReset
					? host.READABLE
					: 0) | (room > 0 || socket.isReset ? host.WRITABLE : 0);
			if ((ready & interest) !== 0 && !socket.isClosed) {
				connectionReady(connection, ready & interest);
				idle = 0;
			} else {
				idle += 1;
			}
			await new Promise((resolve) => setImmediate(resolve));
		}
		return socket.received;
	};
	return {
		connection,
		server,
		socket,
		failures,
		settle,
		/** What came is the answer, with the date, which is another every second, taken out. */
		async say(text: string) {
			incoming = new Uint8Array(Buffer.concat([incoming, bytesOf(text)]));
			return (await settle()).replaceAll(/Date: .* GMT\r\n/g, "");
		},
		async end() {
			socket.hasClientEnded = true;
			return await settle();
		},
		async reset() {
			socket.isReset = true;
			await settle();
		},
		/** The client takes this many bytes. */
		async take(bytes: number) {
			room += bytes;
			return await settle();
		},
		async pass(ticks: number) {
			for (let count = 0; count < ticks; count += 1) {
				server.tick += 1;
				checkDeadline(connection);
			}
			return await settle();
		},
		async close() {
			server.isClosing = true;
			closeWhenAnswered(connection);
			return await settle();
		},
		/** Bytes that wait to be received. */
		waiting: () => incoming.length,
	};
}

const bodies = (text: string) =>
	text.split(/HTTP\/1\.1 [\s\S]*?\r\n\r\n/).slice(1);

/** A stream that gives as many chunks as are asked for, and notes it. */
function source(chunk: Uint8Array, count: number) {
	const seen = { given: 0, isCancelled: false, reason: undefined as unknown };
	const stream = new ReadableStream<Uint8Array>(
		{
			pull(controller) {
				if (seen.given === count) {
					controller.close();
				} else {
					seen.given += 1;
					controller.enqueue(chunk);
				}
			},
			cancel(reason) {
				seen.isCancelled = true;
				seen.reason = reason;
			},
		},
		{ highWaterMark: 0 },
	);
	return { seen, stream: stream as unknown as ResponseParts["body"] };
}

describe("A connection", () => {
	it("sends head and body in one call, with the fields that Node's server adds", async () => {
		const client = open(async () =>
			answer("äöü", { headers: { "content-type": "text/plain" } }),
		);
		assert.equal(
			await client.say(GET),
			"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nConnection: keep-alive\r\nKeep-Alive: timeout=65\r\nContent-Length: 6\r\n\r\nÃ¤Ã¶Ã¼",
		);
		assert.equal(client.socket.sends, 1);
	});

	it("tells the date", async () => {
		const client = open(echo);
		await client.say(GET);
		const date = /Date: (.*)\r\n/.exec(client.socket.received)?.[1] as string;
		assert.ok(Math.abs(Date.parse(date) - Date.now()) < 5000, date);
		assert.equal(new Date(date).toUTCString(), date);
	});

	it("answers requests in their order, one at a time", async () => {
		let open_ = 0;
		const client = open(async (request) => {
			open_ += 1;
			assert.equal(open_, 1);
			await new Promise((resolve) => setImmediate(resolve));
			open_ -= 1;
			return await echo(request);
		});
		const received = await client.say(
			`${GET + post("one")}${CHUNKED}3\r\ntwo\r\n0\r\n\r\n${LAST}${GET}`,
		);
		assert.deepEqual(bodies(received), [
			"GET /a ",
			"POST /a one",
			"POST /a two",
			"GET /last ",
		]);
		assert.ok(client.socket.hasServerEnded);
	});

	it("answers the same however the bytes come and go", async () => {
		const text =
			GET +
			post("one") +
			`${CHUNKED}3;x\r\ntwo\r\n05\r\nthree\r\n0\r\nX: y\r\n\r\n` +
			post("four").replace("POST", "GET") +
			LAST;
		const whole = await open(echo).say(text);
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 20 }),
				fc.integer({ min: 1, max: 200 }),
				async (lengths, room) => {
					const client = open(echo, 0);
					let at = 0;
					for (const length of lengths) {
						await client.say(text.slice(at, at + length));
						await client.take(room);
						at += length;
					}
					await client.say(text.slice(at));
					await client.take(Number.POSITIVE_INFINITY);
					assert.equal(
						client.socket.received.replaceAll(/Date: .* GMT\r\n/g, ""),
						whole,
					);
					await client.end();
					assert.ok(client.socket.isClosed);
				},
			),
			{ numRuns: 40 },
		);
	});

	it("begins nothing more while the client does not read its answers", async () => {
		let count = 0;
		const client = open((request) => {
			count += 1;
			return echo(request);
		}, 10);
		await client.say(GET.repeat(5000));
		assert.equal(count, 1);
		assert.ok(client.waiting() > 0, "The rest waits in the system.");
		assert.ok(client.connection.held.length <= 128 * 1024);
		await client.take(Number.POSITIVE_INFINITY);
		assert.equal(bodies(await client.settle()).length, 5000);
	});

	it("closes where the client or the app says so, and where HTTP/1.0 does not say otherwise", async () => {
		for (const [text, headers] of [
			[LAST, {}],
			[GET, { connection: "close" }],
			["GET / HTTP/1.0\r\nHost: a\r\n\r\n", {}],
		] as const) {
			const client = open(() => answer("bye", { headers }));
			assert.match(
				await client.say(text),
				/^HTTP\/1\.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye$/,
			);
			assert.ok(client.socket.hasServerEnded);
			assert.ok(!client.socket.isClosed, "The client may read first.");
			await client.end();
			assert.ok(client.socket.isClosed);
		}
	});

	it("answers HEAD, 204 and 304 without a body, and reads no stream for them", async () => {
		const { seen, stream } = source(bytesOf("abc"), 3);
		const client = open(({ url }) =>
			url.endsWith("/304")
				? answer(null, { status: 304, headers: { etag: '"x"' } })
				: url.endsWith("/204")
					? answer(null, { status: 204 })
					: answer(stream, { headers: { "content-length": "9" } }),
		);
		const received = await client.say(
			GET.replace("GET", "HEAD") +
				GET.replace("/a", "/204") +
				GET.replace("/a", "/304"),
		);
		assert.deepEqual(bodies(received), ["", "", ""]);
		assert.equal(received.match(/Content-Length/gi)?.length, 1);
		assert.match(received, /content-length: 9/);
		assert.ok(!/Transfer-Encoding/.test(received));
		assert.ok(seen.isCancelled);
		assert.equal(seen.given, 0);
	});

	describe("with a request's body", () => {
		it("hands it out as it comes", async () => {
			const pieces: string[] = [];
			const client = open(async ({ body }) => {
				const source = body as BodySource;
				for (;;) {
					const bytes = await source.read();
					if (bytes === undefined) {
						return answer("done");
					}
					pieces.push(Buffer.from(bytes).toString());
				}
			});
			await client.say(post("0123456789").slice(0, -6));
			await client.say("456");
			await client.say("789");
			assert.deepEqual(pieces, ["0123", "456", "789"]);
			assert.match(client.socket.received, /done$/);
		});

		it("reads no faster than the app", async () => {
			let read = () => {};
			const client = open(async ({ body }) => {
				await new Promise<void>((resolve) => {
					read = resolve;
				});
				return answer(String((await textOf(body)).length));
			});
			const text = "x".repeat(1_000_000);
			await client.say(post(text));
			assert.ok(client.waiting() > 800_000);
			read();
			assert.match(await client.settle(), /\r\n\r\n1000000$/);
		});

		it("reads what the app did not, behind the answer, and goes on", async () => {
			const client = open(() => answer("no"));
			const text = "x".repeat(1_000_000);
			const received = await client.say(post(text) + post(text) + LAST);
			assert.deepEqual(bodies(received), ["no", "no", "no"]);
		});

		it("closes where what the app did not read does not come", async () => {
			const client = open(() => answer("no"));
			await client.say(post("x".repeat(1000)).slice(0, -1));
			await client.pass(TICKS.drain + 1);
			assert.ok(client.socket.hasServerEnded);
			await client.pass(TICKS.linger + 1);
			assert.ok(client.socket.isClosed);
		});

		it("tells the app where the client ends it too early", async () => {
			let told: unknown;
			const client = open(async ({ body }) => {
				try {
					await textOf(body);
				} catch (error) {
					told = error;
				}
				return answer("pity", { status: 400 });
			});
			await client.say(post("0123456789").slice(0, -1));
			await client.end();
			assert.match(String(told), /ended its request within the body/);
			assert.match(client.socket.received, /400/);
			assert.ok(client.socket.isClosed);
		});

		it("answers 400 where its chunks break, whatever the app says later", async () => {
			let told: unknown;
			const client = open(async ({ body }) => {
				await textOf(body).catch((error) => {
					told = error;
				});
				return answer("fine");
			});
			await client.say(`${CHUNKED}3\r\nabc\r\n`);
			const received = await client.say(`zz\r\n${GET}`);
			assert.match(String(told), /malformed/);
			assert.equal(received.match(/HTTP\/1\.1/g)?.length, 1);
			assert.match(received, /^HTTP\/1\.1 400 .*application\/problem\+json/s);
			assert.ok(client.socket.hasServerEnded);
		});

		it("asks for it only when the app does (100-continue)", async () => {
			let read = () => {};
			const client = open(async ({ body }) => {
				await new Promise<void>((resolve) => {
					read = resolve;
				});
				return answer(await textOf(body));
			});
			const text = post("abc", "Expect: 100-continue");
			assert.equal(await client.say(text.slice(0, -3)), "");
			read();
			assert.equal(await client.settle(), "HTTP/1.1 100 Continue\r\n\r\n");
			assert.deepEqual(bodies(await client.say("abc")), ["", "abc"]);
			assert.ok(!client.socket.hasServerEnded);
		});

		it("closes where it never asked for it", async () => {
			const client = open(() => answer("no", { status: 401 }));
			const text = post("abc", "Expect: 100-continue");
			assert.match(
				await client.say(text.slice(0, -3)),
				/^HTTP\/1\.1 401 Unauthorized\r\nConnection: close/,
			);
		});
	});

	describe("with a stream as its answer", () => {
		const chunk = bytesOf("x".repeat(1000));

		it("tells the length where the stream ends at once", async () => {
			const client = open(() => answer(source(bytesOf("ab"), 3).stream));
			assert.match(await client.say(GET), /Content-Length: 6\r\n\r\nababab$/);
			assert.equal(client.socket.sends, 1);
		});

		it("sends chunks as they come, and goes on with the next request", async () => {
			let next: (text: string | undefined) => void = () => {};
			const stream = new ReadableStream({
				start(controller) {
					next = (text) =>
						text === undefined
							? controller.close()
							: controller.enqueue(bytesOf(text));
				},
			});
			const client = open(({ url }) =>
				answer(
					url.endsWith("/last")
						? "last"
						: (stream as unknown as ResponseParts["body"]),
				),
			);
			assert.equal(await client.say(GET + LAST), "");
			next("one");
			next("");
			assert.match(
				await client.settle(),
				/Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n$/,
			);
			next("two");
			next("three");
			assert.match(await client.settle(), /3\r\none\r\n8\r\ntwothree\r\n$/);
			next(undefined);
			assert.match(
				await client.settle(),
				/twothree\r\n0\r\n\r\nHTTP\/1\.1 200.*last$/s,
			);
		});

		it("ends the connection behind it for HTTP/1.0", async () => {
			const client = open(() => answer(source(chunk, 100).stream));
			const received = await client.say(
				"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
			);
			assert.match(
				received,
				/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n\r\nx/,
			);
			assert.equal(bodies(received)[0]?.length, 100_000);
			assert.ok(client.socket.hasServerEnded);
		});

		it("reads no more of it than the client takes, and a little ahead", async () => {
			const { seen, stream } = source(chunk, 10_000);
			const client = open(() => answer(stream), 1000);
			await client.say(GET);
			assert.ok(seen.given < 200, `${seen.given} chunks were read.`);
			for (let count = 0; count < 20; count += 1) {
				await client.take(50_000);
				const sent = client.socket.received.length / 1000;
				assert.ok(seen.given < sent + 200, `${seen.given} of ${sent}`);
			}
			await client.take(Number.POSITIVE_INFINITY);
			assert.match(client.socket.received, /\r\n0\r\n\r\n$/);
			assert.equal(client.socket.received.match(/x/g)?.length, 10_000_000);
		});

		it("cancels it when the client leaves", async () => {
			for (const leave of ["reset", "stall"] as const) {
				const { seen, stream } = source(chunk, 10_000);
				const client = open(() => answer(stream), 1000);
				await client.say(GET);
				await (leave === "reset"
					? client.reset()
					: client.pass(TICKS.send + 1));
				assert.match(String(seen.reason), /client has closed/);
				assert.ok(client.socket.isClosed);
				assert.deepEqual(client.failures, []);
			}
		});

		it("cancels it where the client has left before", async () => {
			let finish = () => {};
			const { seen, stream } = source(chunk, 10);
			const client = open(async () => {
				await new Promise<void>((resolve) => {
					finish = resolve;
				});
				return answer(stream);
			});
			await client.say(GET);
			await client.reset();
			finish();
			await client.settle();
			assert.ok(seen.isCancelled);
			assert.equal(seen.given, 0);
			assert.deepEqual(client.failures, []);
		});

		it("breaks the connection where the stream fails, so that nobody takes a part for the whole", async () => {
			const stream = new ReadableStream({
				async pull(controller) {
					await new Promise((resolve) => setImmediate(resolve));
					if (client.socket.received === "") {
						controller.enqueue(chunk);
					} else {
						controller.error(new Error("The database is gone."));
					}
				},
			});
			const client = open(() =>
				answer(stream as unknown as ResponseParts["body"]),
			);
			const received = await client.say(GET);
			assert.ok(!received.endsWith("0\r\n\r\n"));
			assert.ok(client.socket.isClosed);
			assert.match(String(client.failures), /database is gone/);
		});

		it("answers 500 where it fails before anything was sent", async () => {
			const stream = new ReadableStream({
				pull(controller) {
					controller.error(new Error("The database is gone."));
				},
			});
			const client = open(() =>
				answer(stream as unknown as ResponseParts["body"]),
			);
			assert.match(await client.say(GET), /^HTTP\/1\.1 500 /);
			assert.match(String(client.failures), /database is gone/);
		});

		it("breaks the connection where the request's body breaks meanwhile", async () => {
			let read: Promise<string> | undefined;
			const client = open(({ body }) => {
				read = textOf(body);
				read.catch(() => {});
				return answer(source(chunk, 1000).stream);
			}, 5000);
			await client.say(`${CHUNKED}3\r\nabc\r\n`);
			await client.say("zz\r\n");
			await client.take(Number.POSITIVE_INFINITY);
			await assert.rejects(read as Promise<string>, /malformed/);
			assert.equal(client.socket.received.match(/HTTP\/1/g)?.length, 1);
			assert.ok(!client.socket.received.endsWith("0\r\n\r\n"));
			assert.ok(client.socket.hasServerEnded);
		});

		it("holds it to the length that the app has announced", async () => {
			for (const [length, fault] of [
				["2999", /longer than its Content-Length/],
				["3001", /has 3000 bytes/],
			] as const) {
				const client = open(() =>
					answer(source(chunk, 3).stream, {
						headers: { "content-length": length },
					}),
				);
				await client.say(GET);
				assert.match(String(client.failures), fault);
			}
		});
	});

	it("answers 500 where the app fails, and goes on", async () => {
		const client = open(({ url }) => {
			if (url.endsWith("/last")) {
				throw new Error("at once");
			}
			return Promise.reject(new Error("later"));
		});
		const received = await client.say(GET + LAST);
		assert.equal(received.match(/HTTP\/1\.1 500/g)?.length, 2);
		assert.match(String(client.failures), /later.*at once/);
	});

	describe("of a slow client", () => {
		it("answers 408 where its head does not come in time", async () => {
			for (const text of ["", "GET / HT"]) {
				const client = open(echo);
				await client.say(text);
				assert.equal(await client.pass(TICKS.head), "");
				assert.match(await client.pass(1), /^HTTP\/1\.1 408 /);
				await client.pass(TICKS.linger + 1);
				assert.ok(client.socket.isClosed);
			}
		});

		it("answers 408 where its body does not, however it drips", async () => {
			const client = open(echo);
			await client.say(post("x".repeat(1000)).slice(0, -900));
			for (let tick = 0; tick < TICKS.request; tick += 1) {
				await client.pass(1);
				assert.equal(await client.say("x"), "");
			}
			assert.match(await client.pass(1), /^HTTP\/1\.1 408 /);
		});

		it("gives the app all the time that it needs", async () => {
			let finish = () => {};
			const client = open(async () => {
				await new Promise<void>((resolve) => {
					finish = resolve;
				});
				return answer("late");
			});
			await client.say(GET);
			assert.equal(await client.pass(1000), "");
			finish();
			assert.match(await client.settle(), /late$/);
		});

		it("closes an idle connection without a word", async () => {
			const client = open(echo);
			const received = await client.say(GET);
			await client.pass(TICKS.keepAlive);
			assert.ok(!client.socket.isClosed);
			assert.equal((await client.pass(1)).length > 0, true);
			assert.ok(client.socket.isClosed);
			assert.equal(bodies(received).length, 1);
		});

		it("counts a head's time from its first byte on", async () => {
			const client = open(echo);
			await client.say(GET);
			await client.pass(TICKS.keepAlive - 1);
			await client.say(GET.slice(0, 5));
			await client.pass(TICKS.head);
			assert.ok(!client.socket.hasServerEnded);
			assert.equal(bodies(await client.say(GET.slice(5))).length, 2);
		});

		it("closes where it does not take its answer", async () => {
			const client = open(() => answer("x".repeat(1000)), 100);
			await client.say(GET);
			await client.pass(TICKS.send);
			assert.ok(!client.socket.isClosed);
			await client.pass(1);
			assert.ok(client.socket.isClosed);
		});
	});

	it("answers a client that has ended its side", async () => {
		const client = open(echo);
		client.socket.hasClientEnded = true;
		assert.deepEqual(bodies(await client.say(GET + GET)), [
			"GET /a ",
			"GET /a ",
		]);
		assert.ok(client.socket.isClosed);
	});

	it("tells the app by the request's signal that the client has left", async () => {
		let signal: { aborted: boolean } | undefined;
		const client = open((request) => {
			signal = request.signal?.();
			return new Promise(() => {});
		});
		await client.say(GET);
		assert.equal(signal?.aborted, false);
		await client.reset();
		assert.equal(signal?.aborted, true);
	});

	describe("when the server ends", () => {
		it("is closed at once where it is idle", async () => {
			const fresh = open(echo);
			await fresh.close();
			assert.ok(fresh.socket.isClosed);
			const idle = open(echo);
			await idle.say(GET);
			await idle.close();
			assert.ok(idle.socket.isClosed);
			const partial = open(echo);
			await partial.say(GET.slice(0, 9));
			await partial.close();
			assert.ok(partial.socket.isClosed);
		});

		it("is closed behind the answer that is under way, which says so", async () => {
			const client = open(echo);
			await client.say(post("abc").slice(0, -3));
			await client.close();
			const received = await client.say(`abc${GET}`);
			assert.match(received, /Connection: close[\s\S]*POST \/a abc$/);
			assert.ok(client.socket.hasServerEnded);
		});

		it("is closed behind an answer that the client has still to take", async () => {
			const client = open(echo, 20);
			await client.say(GET);
			await client.close();
			assert.ok(!client.socket.isClosed);
			assert.match(await client.take(1000), /GET \/a $/);
			assert.ok(client.socket.hasServerEnded);
		});
	});
});
