/** The web APIs of the runtime without Node answer as Node's own do. */
import assert from "node:assert/strict";
import { once } from "node:events";
import "./node-host.ts";
import { AbortController, AbortSignal } from "../../src/wasmedge/web/abort.ts";
import { crypto as ourCrypto } from "../../src/wasmedge/web/crypto.ts";
import { Event, EventTarget } from "../../src/wasmedge/web/event-target.ts";
import { Headers } from "../../src/wasmedge/web/headers.ts";
import { performance as ourPerformance } from "../../src/wasmedge/web/performance.ts";
import {
	ReadableStream,
	TransformStream,
	WritableStream,
} from "../../src/wasmedge/web/readable-stream.ts";
import { Request } from "../../src/wasmedge/web/request.ts";
import { Response } from "../../src/wasmedge/web/response.ts";
import { structuredClone as ourClone } from "../../src/wasmedge/web/structured-clone.ts";
import {
	TextDecoder,
	TextEncoder,
} from "../../src/wasmedge/web/text-encoding.ts";
import { URL, URLSearchParams } from "../../src/wasmedge/web/url.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import type { Web } from "./web-case.ts";
import { outcomeOf, WEB_CASES } from "./web-cases.ts";

const OURS = {
	AbortController,
	AbortSignal,
	// QuickJS has these itself; the run in the engine compares them.
	atob,
	btoa,
	DOMException,
	crypto: ourCrypto,
	Event,
	EventTarget,
	Headers,
	performance: ourPerformance,
	ReadableStream,
	Request,
	Response,
	structuredClone: ourClone,
	TextDecoder,
	TextEncoder,
	TransformStream,
	URL,
	URLSearchParams,
	WritableStream,
} as unknown as Web;

describe("the web APIs without Node", () => {
	for (const [name, run] of Object.entries(WEB_CASES)) {
		it(name, async () => {
			assert.equal(
				await outcomeOf(run, OURS),
				await outcomeOf(run, globalThis as unknown as Web),
			);
		});
	}

	it("decodes latin1 as windows-1252, as the Encoding Standard has it", () => {
		assert.equal(
			new TextDecoder("latin1").decode(Uint8Array.of(0x80, 0x81, 0x9f)),
			"\u20ac\u0081\u0178",
		);
	});

	for (const refused of [
		() => new Response("").blob(),
		() => new Response("").formData(),
		() => ourCrypto.subtle.encrypt(),
		() => ourCrypto.subtle.generateKey(),
		() => ourCrypto.subtle.digest("SHA3-256", new Uint8Array(0)),
		() => Promise.reject(attempt(() => new TextDecoder("utf-16"))),
		() => Promise.reject(attempt(() => Response.error())),
	]) {
		it(`says in a sentence that there is no ${String(refused).slice(5)}`, async () => {
			await assert.rejects(refused, /not supported inside WasmEdge: .+\.$/);
		});
	}
});

describe("the web APIs inside the engine", () => {
	it("answer as Node's do", async () => {
		const { run } = await testEngine();
		const child = run(await bundleGuest("test/wasm/web-guest.ts"), {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const [text, [status]] = await Promise.all([
			textOf(child.stdout as NodeJS.ReadableStream),
			once(child, "close"),
		]);
		assert.equal(status, 0, text);
		const outcomes = JSON.parse(text) as Record<string, string>;
		const expected: Record<string, string> = {};
		for (const [name, ask] of Object.entries(WEB_CASES)) {
			expected[name] = await outcomeOf(ask, globalThis as unknown as Web);
		}
		assert.deepEqual(outcomes, expected);
	}).timeout(600_000);
});

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
	let text = "";
	for await (const part of stream.setEncoding("utf8")) {
		text += part;
	}
	return text;
}

function attempt(act: () => unknown): unknown {
	try {
		act();
	} catch (error) {
		return error;
	}
	return undefined;
}
