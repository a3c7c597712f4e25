/** Requests, responses, headers, streams, events and aborting. */
import { listed, tabled, type Web, type WebCase } from "./web-case.ts";

const HEADER_NAMES = [
	"Accept",
	"x-1_.~!#$%&'*+-^`|",
	"",
	" a",
	"a ",
	"a b",
	"a:b",
	"a\r\nb",
	"ä",
	"a\u0000",
	"(a)",
];

const HEADER_VALUES = [
	"",
	"plain",
	"  around  ",
	"\tin\tside\t",
	"a\r\nSet-Cookie: b",
	"a\nb",
	"a\rb",
	"a\u0000b",
	"\r\n a \r\n",
	"ä in latin1",
	"€ is no byte",
	"\u0001 control",
	"\u007f",
];

const HEADERS: Readonly<Record<string, (web: Web) => unknown>> = {
	"of a record": () => ({ B: "1", a: "2", C: "" }),
	"of a record with other values": () => ({ a: 1, b: null, c: undefined }),
	"of pairs": () => [
		["b", "1"],
		["A", "2"],
		["B", "3"],
	],
	"of a pair with three": () => [["a", "b", "c"]],
	"of pairs that are text": () => ["ab"],
	"of a Map": () => new Map([["a", "1"]]),
	"of Headers": (web) => new web.Headers({ a: "1" }),
	"of Headers with cookies": (web) =>
		new web.Headers([
			["set-cookie", "a=1"],
			["x", "y"],
			["Set-Cookie", "b=2; Path=/"],
		]),
	"of nothing": () => undefined,
	"of null": () => null,
	"of a number": () => 1,
	"of text": () => "a: b",
};

const METHODS = [
	"get",
	"Post",
	"PUT",
	"patch",
	"PATCH",
	"options",
	"HEAD",
	"CONNECT",
	"trace",
	"a b",
	"",
	"M-SEARCH",
];

type Body = (web: Web) => unknown;
type BodyContent = ConstructorParameters<typeof globalThis.Response>[0];
type HeadersContent = ConstructorParameters<typeof globalThis.Headers>[0];

const BODIES: Readonly<Record<string, Body>> = {
	text: () => "Grüße 💩",
	"text with a byte order mark": () => "\ufeffa",
	"text with half a pair": () => "a\ud800",
	"empty text": () => "",
	bytes: () => Uint8Array.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
	"part of a buffer": () => new Uint8Array(8).fill(0x31).subarray(2, 5),
	"a buffer": () => Uint8Array.from([0x31]).buffer,
	"a view": () => new DataView(Uint8Array.from([0x31, 0x32]).buffer, 1),
	nothing: () => null,
	undefined: () => undefined,
	"a number": () => 12,
	"a form": (web) => new web.URLSearchParams({ a: "ä b" }),
	"a stream": (web) => streamOf(web, ["[1,", "2]"]),
	"a stream that fails": (web) =>
		new web.ReadableStream({
			pull(controller) {
				controller.error(new RangeError("torn"));
			},
		}),
	"a stream of text": (web) =>
		new web.ReadableStream({
			start(controller) {
				controller.enqueue("text");
				controller.close();
			},
		}),
	"a stream that is locked": (web) => {
		const stream = streamOf(web, ["a"]);
		stream.getReader();
		return stream;
	},
	"a stream that was read from": async (web) => {
		const stream = streamOf(web, ["a"]);
		const reader = stream.getReader();
		await reader.read();
		reader.releaseLock();
		return stream;
	},
};

const READERS = ["text", "json", "arrayBuffer"] as const;

function streamOf(web: Web, parts: readonly string[]) {
	const rest = [...parts];
	return new web.ReadableStream<Uint8Array>({
		pull(controller) {
			const part = rest.shift();
			if (part === undefined) {
				controller.close();
			} else {
				controller.enqueue(new web.TextEncoder().encode(part));
			}
		},
	});
}

async function readings(
	message: Request | Response,
	reader: (typeof READERS)[number],
) {
	const before = message.bodyUsed;
	let read: unknown;
	try {
		read = await message[reader]();
	} catch (error) {
		read = (error as Error).name;
	}
	const again = await message[reader]().catch((error: Error) => error.name);
	return [
		before,
		read,
		message.bodyUsed,
		again,
		message.headers.get("content-type"),
	];
}

const bodies: Record<string, WebCase> = {};
for (const [name, make] of Object.entries(BODIES)) {
	for (const reader of READERS) {
		bodies[`answers ${name} and reads ${reader}`] = async (web) =>
			readings(new web.Response((await make(web)) as BodyContent), reader);
	}
	bodies[`asks with ${name}`] = async (web) =>
		readings(
			new web.Request("http://a.example/", {
				method: "POST",
				body: (await make(web)) as BodyContent,
				duplex: "half",
			} as RequestInit),
			"text",
		);
	bodies[`streams ${name}`] = async (web) => {
		const response = new web.Response((await make(web)) as BodyContent);
		const { body } = response;
		if (body === null) {
			return "no body";
		}
		const reader = body.getReader();
		const parts: unknown[] = [];
		for (;;) {
			const { done, value } = await reader.read();
			if (done) {
				break;
			}
			parts.push(value);
		}
		return [
			parts.length > 0,
			parts.flatMap((part): unknown[] =>
				typeof part === "string" ? [part] : [...(part as Uint8Array)],
			),
			response.bodyUsed,
			body.locked,
		];
	};
	bodies[`answers ${name} twice`] = async (web) => {
		const response = new web.Response((await make(web)) as BodyContent);
		const copy = response.clone();
		return [
			await response.text().catch((error: Error) => error.name),
			await copy.text().catch((error: Error) => error.name),
		];
	};
}

const STATUSES = [
	"199",
	"200",
	"204",
	"205",
	"304",
	"404",
	"599",
	"600",
	"101",
	"200.5",
	"x",
];

export const FETCH_CASES: Readonly<Record<string, WebCase>> = {
	...listed("takes the header name", HEADER_NAMES, (web, name) => {
		const headers = new web.Headers();
		headers.append(name, "v");
		return [...headers];
	}),
	...listed("asks for the header name", HEADER_NAMES, (web, name) => [
		new web.Headers().get(name),
		new web.Headers().has(name),
	]),
	...listed("deletes the header name", HEADER_NAMES, (web, name) =>
		new web.Headers().delete(name),
	),
	...listed("takes the header value", HEADER_VALUES, (web, value) => [
		...new web.Headers({ a: value }),
	]),
	...listed("sets the header value", HEADER_VALUES, (web, value) => {
		const headers = new web.Headers({ a: "before" });
		headers.set("A", value);
		return [...headers];
	}),
	...listed("answers with the header value", HEADER_VALUES, (web, value) => [
		...new web.Response(null, { headers: { a: value } }).headers,
	]),
	...tabled(
		Object.fromEntries(
			Object.entries(HEADERS).map(([name, make]) => [
				`makes headers ${name}`,
				make,
			]),
		),
		(web, make) => {
			const headers = new web.Headers(make(web) as HeadersContent);
			const told: string[] = [];
			headers.forEach((value, name) => {
				told.push(`${name}: ${value}`);
			});
			return [
				[...headers],
				[...headers.keys()],
				[...headers.values()],
				told,
				headers.getSetCookie(),
				headers.get("set-cookie"),
				headers.has("SET-COOKIE"),
			];
		},
	),
	"does not share the headers it is made of": (web) => {
		const headers = new web.Headers({ a: "1" });
		const copy = new web.Headers(headers);
		const response = new web.Response(null, { headers });
		headers.append("a", "2");
		return [copy.get("a"), response.headers.get("a"), headers.get("a")];
	},
	"changes cookies": (web) => {
		const headers = new web.Headers();
		headers.append("Set-Cookie", "a=1");
		headers.append("Set-Cookie", "b=2");
		const before = headers.getSetCookie();
		headers.set("set-cookie", "c=3");
		const after = headers.getSetCookie();
		headers.delete("set-cookie");
		return [before, after, headers.getSetCookie(), headers.get("set-cookie")];
	},

	...listed("asks with the method", METHODS, (web, method) => {
		const request = new web.Request("http://a.example/x?y#z", { method });
		return [request.method, request.url, request.body, request.bodyUsed];
	}),
	...listed("asks with a body and the method", METHODS, (web, method) =>
		new web.Request("http://a.example", { method, body: "x" }).text(),
	),
	...listed(
		"asks for the URL",
		[
			"http://a.example/../b c",
			"/relative",
			"",
			"http://[",
			"http://user:pass@a.example/",
			"HTTP://A.example:80",
		],
		(web, url) => new web.Request(url).url,
	),
	"asks once more": async (web) => {
		const request = new web.Request("http://a.example/", {
			method: "PUT",
			headers: { a: "1" },
			body: "text",
		});
		const copy = request.clone();
		const other = new web.Request(copy, { headers: { b: "2" } });
		return [
			other.method,
			await request.text(),
			await other.text(),
			[...other.headers],
			copy.bodyUsed,
			request.signal.aborted,
		];
	},
	"asks with a signal": (web) => {
		const controller = new web.AbortController();
		const request = new web.Request("http://a.example/", {
			signal: controller.signal,
		});
		controller.abort();
		return request.signal.aborted;
	},
	...bodies,
	...listed("answers with the status", STATUSES, (web, status) => {
		const response = new web.Response(null, { status: Number(status) });
		return [response.status, response.ok, response.statusText, response.type];
	}),
	...listed("answers text with the status", STATUSES, (web, status) =>
		new web.Response("text", { status: Number(status) }).text(),
	),
	...listed(
		"answers with the reason",
		["Fine", "a\r\nb", "ä"],
		(web, statusText) => new web.Response("text", { statusText }).statusText,
	),
	"answers JSON": async (web) => {
		const plain = web.Response.json({ a: ["ä"] }, { status: 201 });
		const typed = web.Response.json(null, {
			headers: { "Content-Type": "application/problem+json" },
		});
		return [
			plain.status,
			[...plain.headers],
			await plain.text(),
			[...typed.headers],
		];
	},
	"answers JSON of nothing": (web) => web.Response.json(undefined),
	redirects: (web) => {
		const { status, headers } = web.Response.redirect(
			"http://a.example/b c",
			303,
		);
		return [status, [...headers]];
	},
	"redirects with another status": (web) =>
		web.Response.redirect("http://a.example/", 200 as 301),
	"answers as another answer": async (web) => {
		const first = new web.Response("text", {
			status: 404,
			headers: { a: "1", "set-cookie": "b=2" },
		});
		const second = new web.Response(first.body, first);
		return [
			second.status,
			[...second.headers],
			await second.text(),
			first.bodyUsed,
		];
	},
	"tells what it is": (web) =>
		[
			new web.Headers(),
			new web.Request("http://a.example"),
			new web.Response(),
			new web.AbortController(),
			new web.AbortController().signal,
			new web.Event("a"),
			new web.EventTarget(),
			new web.TextDecoder(),
			new web.URL("http://a.example"),
			new web.ReadableStream(),
		].map((each) => Object.prototype.toString.call(each)),

	"waits for who reads": async (web) => {
		let pulled = 0;
		const stream = new web.ReadableStream(
			{
				pull(controller) {
					pulled += 1;
					controller.enqueue(pulled);
				},
			},
			{ highWaterMark: 2 },
		);
		await Promise.resolve();
		await Promise.resolve();
		await Promise.resolve();
		const before = pulled;
		const reader = stream.getReader();
		const { value } = await reader.read();
		await reader.cancel();
		return [before >= 2, value, pulled <= 4];
	},
	"tells of cancelling": async (web) => {
		const told: unknown[] = [];
		const stream = new web.ReadableStream({
			cancel: (reason) => void told.push(reason),
		});
		await stream.cancel("enough");
		return told;
	},
	"reads by for await": async (web) => {
		const parts: number[] = [];
		for await (const part of streamOf(web, ["a", "bc"])) {
			parts.push(...part);
		}
		return parts;
	},
	"pipes through": async (web) => {
		const stream = streamOf(web, ["a", "b"]).pipeThrough(
			new web.TransformStream<Uint8Array, Uint8Array>({
				transform(part, controller) {
					controller.enqueue(part);
					controller.enqueue(part);
				},
			}),
		);
		return new web.Response(stream).text();
	},

	"tells events in order": (web) => {
		const target = new web.EventTarget();
		const told: string[] = [];
		const first = () => told.push("first");
		target.addEventListener("a", first);
		target.addEventListener("a", first);
		target.addEventListener("a", { handleEvent: () => told.push("object") });
		target.addEventListener("a", () => told.push("once"), { once: true });
		target.addEventListener("b", () => told.push("other"));
		target.addEventListener("a", null as unknown as () => void);
		target.dispatchEvent(new web.Event("a"));
		target.removeEventListener("a", first);
		target.dispatchEvent(new web.Event("a"));
		return told;
	},
	"stops events": (web) => {
		const target = new web.EventTarget();
		const told: string[] = [];
		target.addEventListener("a", (event) => {
			told.push(
				String(event.target === target),
				String(event.currentTarget === target),
			);
			event.preventDefault();
			event.stopImmediatePropagation();
		});
		target.addEventListener("a", () => told.push("never"));
		const event = new web.Event("a", { cancelable: true });
		return [
			target.dispatchEvent(event),
			event.defaultPrevented,
			event.currentTarget,
			target.dispatchEvent(new web.Event("a")),
			told,
		];
	},
	"listens until a signal": (web) => {
		const target = new web.EventTarget();
		const controller = new web.AbortController();
		let count = 0;
		target.addEventListener("a", () => (count += 1), {
			signal: controller.signal,
		});
		target.dispatchEvent(new web.Event("a"));
		controller.abort();
		target.dispatchEvent(new web.Event("a"));
		return count;
	},
	"removes a listener while the event goes round": (web) => {
		const target = new web.EventTarget();
		const told: string[] = [];
		const second = () => told.push("second");
		target.addEventListener("a", () => {
			target.removeEventListener("a", second);
			target.addEventListener("a", () => told.push("late"));
		});
		target.addEventListener("a", second);
		target.dispatchEvent(new web.Event("a"));
		return told;
	},
	"dispatches no text": (web) =>
		new web.EventTarget().dispatchEvent("a" as unknown as Event),

	"aborts once": (web) => {
		const controller = new web.AbortController();
		const { signal } = controller;
		const told: string[] = [];
		signal.onabort = () => told.push("property");
		signal.addEventListener("abort", ({ type }) => told.push(type));
		controller.abort("first");
		controller.abort("second");
		return [signal.aborted, signal.reason, told.sort()];
	},
	"aborts with an AbortError": (web) => {
		const controller = new web.AbortController();
		controller.abort();
		return [
			controller.signal.reason.name,
			controller.signal.reason instanceof web.DOMException,
		];
	},
	"throws where it is aborted": (web) => {
		web.AbortSignal.abort(new RangeError("reason")).throwIfAborted();
	},
	"aborts when one of several does": (web) => {
		const [first, second] = [
			new web.AbortController(),
			new web.AbortController(),
		];
		const any = web.AbortSignal.any([first.signal, second.signal]);
		const of = web.AbortSignal.any([any]);
		let count = 0;
		of.addEventListener("abort", () => (count += 1));
		const before = of.aborted;
		second.abort("second");
		first.abort("first");
		return [before, any.aborted, any.reason, of.aborted, of.reason, count];
	},
	"aborts when one of several has": (web) =>
		web.AbortSignal.any([
			web.AbortSignal.abort("gone"),
			new web.AbortController().signal,
		]).reason,
	"aborts in time": async (web) => {
		const signal = web.AbortSignal.timeout(1);
		await new Promise<void>((resolve) => {
			// The signal alone keeps nothing alive.
			const wait = setInterval(() => {
				if (signal.aborted) {
					clearInterval(wait);
					resolve();
				}
			}, 1);
		});
		return [signal.aborted, signal.reason.name];
	},
	"makes no signal by hand": (web) =>
		new (web.AbortSignal as unknown as new () => AbortSignal)(),
};
