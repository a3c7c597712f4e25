/** How the HTTP engine makes requests and reads responses: without copies, and no earlier than asked for. */
import assert from "node:assert/strict";
import "./node-host.ts";
import type { BodySource } from "../../src/wasmedge/web/body.ts";
import { formatted } from "../../src/wasmedge/web/console.ts";
import { toASCII } from "../../src/wasmedge/web/domain-name.ts";
import { ReadableStream } from "../../src/wasmedge/web/readable-stream.ts";
import { createRequest } from "../../src/wasmedge/web/request.ts";
import { Response, responseParts } from "../../src/wasmedge/web/response.ts";

const CHUNKS = ['{"invoice', 'Number":', '"R-1"}'];

/** Gives the chunks one by one, and tells what was asked of it. */
function sourceOf(chunks: readonly string[]): BodySource & { calls: string[] } {
	const calls: string[] = [];
	const rest = chunks.map((chunk) => new TextEncoder().encode(chunk));
	return {
		calls,
		read() {
			calls.push("read");
			return Promise.resolve(rest.shift());
		},
		cancel(reason) {
			calls.push(`cancel ${reason}`);
		},
	};
}

function requestWith(body: Uint8Array | BodySource | null): Request {
	return createRequest({
		method: "POST",
		url: "http://a.example/invoices?x",
		headers: new Map([["content-type", "application/json"]]),
		body,
	});
}

describe("a request of the HTTP engine", () => {
	it("has what it was made of", () => {
		const request = requestWith(null);
		assert.equal(request.method, "POST");
		assert.equal(request.url, "http://a.example/invoices?x");
		assert.equal(request.headers.get("Content-Type"), "application/json");
		assert.equal(request.headers.get("accept"), null);
		assert.equal(request.headers, request.headers);
		assert.equal(request.body, null);
		assert.equal(request.signal.aborted, false);
	});

	it("reads nothing until it is asked", async () => {
		const source = sourceOf(CHUNKS);
		const request = requestWith(source);
		await Promise.resolve();
		assert.deepEqual(source.calls, []);
		assert.equal(request.bodyUsed, false);
		assert.deepEqual(await request.json(), { invoiceNumber: "R-1" });
		assert.equal(source.calls.length, CHUNKS.length + 1);
		assert.equal(request.bodyUsed, true);
		await assert.rejects(request.text(), TypeError);
	});

	it("asks its stream's source for one chunk at a time, as the reader does", async () => {
		const source = sourceOf(CHUNKS);
		const { body } = requestWith(source);
		const reader = body?.getReader();
		await Promise.resolve();
		assert.deepEqual(source.calls, []);
		assert.equal((await reader?.read())?.value?.length, CHUNKS[0]?.length);
		assert.deepEqual(source.calls, ["read"]);
		await reader?.cancel("too long");
		assert.deepEqual(source.calls, ["read", "cancel too long"]);
	});

	it("fails where the client has left", async () => {
		const left: BodySource = {
			read: () => Promise.reject(new RangeError("left")),
			cancel() {},
		};
		await assert.rejects(requestWith(left).arrayBuffer(), RangeError);
		await assert.rejects(
			async () => requestWith(left).body?.getReader().read(),
			RangeError,
		);
	});

	it("has its bytes again for the program to change", async () => {
		const given = Uint8Array.of(1, 2, 3);
		const request = requestWith(given);
		const read = new Uint8Array(await request.arrayBuffer());
		read[0] = 9;
		assert.deepEqual([...given], [1, 2, 3]);
		assert.deepEqual([...read], [9, 2, 3]);
	});

	it("splits its body for a clone", async () => {
		const request = requestWith(sourceOf(CHUNKS));
		const copy = request.clone();
		assert.equal(await copy.text(), CHUNKS.join(""));
		assert.equal(await request.text(), CHUNKS.join(""));
		assert.equal(copy.headers.get("content-type"), "application/json");
	});
});

describe("a response for the HTTP engine", () => {
	it("gives bytes, text and streams as they are", () => {
		const stream = new ReadableStream<Uint8Array>();
		for (const body of [Uint8Array.of(1), "text", stream, null]) {
			assert.equal(responseParts(new Response(body)).body, body);
		}
	});

	it("tells status, fields and cookies", () => {
		const parts = responseParts(
			new Response("{}", {
				status: 201,
				headers: [
					["Content-Type", "application/json"],
					["Vary", "Accept"],
					["vary", "Origin"],
					["Set-Cookie", "a=1"],
					["Set-Cookie", "b=2"],
				],
			}),
		);
		assert.equal(parts.status, 201);
		assert.equal(parts.statusText, "");
		assert.deepEqual(
			[...parts.headers],
			[
				["content-type", "application/json"],
				["vary", "Accept, Origin"],
			],
		);
		assert.deepEqual(parts.cookies, ["a=1", "b=2"]);
	});

	it("has names that differ in case as one field, of a record too", () => {
		const headers = { Vary: "Accept", vary: "Origin", "Set-Cookie": "a=1" };
		const parts = responseParts(new Response(null, { headers }));
		assert.deepEqual([...parts.headers], [["vary", "Accept, Origin"]]);
		assert.deepEqual(parts.cookies, ["a=1"]);
	});

	it("refuses a line break in the value that a header had before without", () => {
		const answer = (value: string) =>
			new Response(null, { headers: { "X-Request-Id": value } });
		assert.equal(answer("one").headers.get("x-request-id"), "one");
		assert.throws(() => answer("one\r\nSet-Cookie: a=1"), TypeError);
		assert.throws(() => answer("one\r\nSet-Cookie: a=1"), TypeError);
		assert.equal(answer("one").headers.get("x-request-id"), "one");
	});

	it("is read once", async () => {
		const response = new Response("text");
		responseParts(response);
		assert.equal(response.bodyUsed, true);
		assert.throws(() => responseParts(response), TypeError);
		await assert.rejects(response.text(), TypeError);
	});

	it("keeps the changes of a middleware", () => {
		const response = new Response("text", { headers: { a: "1" } });
		response.headers.set("A", "2");
		response.headers.append("Server-Timing", "pdf;dur=14");
		assert.deepEqual(
			[...responseParts(response).headers],
			[
				["a", "2"],
				["content-type", "text/plain;charset=UTF-8"],
				["server-timing", "pdf;dur=14"],
			],
		);
	});
});

describe("a URL's host in the bundle", () => {
	for (const [name, expected] of [
		["Example.COM", "example.com"],
		["127.0.0.1", "127.0.0.1"],
		["xn--Bcher-kva.example", "xn--bcher-kva.example"],
		["bücher.example", null],
		["ex\u00adample", null],
	] as const) {
		it(`has ${JSON.stringify(name)} as ${expected}`, () => {
			assert.equal(toASCII(name), expected);
		});
	}
});

describe("what is written to the console", () => {
	for (const [values, expected] of [
		[["text", 1, null, undefined], "text 1 null undefined"],
		[
			["%s has %d of %i, %f%%", "R-1", "2", "3.9", "4.5"],
			"R-1 has 2 of 3, 4.5%",
		],
		[["%j %c%s", { a: 1 }, "color: red", "end"], '{"a":1} end'],
		[["%s"], "%s"],
		[["100%", "more"], "100% more"],
		[[{ a: [1] }], "{ a: [ 1 ] }"],
	] as const) {
		it(`is ${JSON.stringify(expected)}`, () => {
			assert.equal(formatted(values), expected);
		});
	}
});
