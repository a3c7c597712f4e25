import assert from "node:assert/strict";
import fc from "fast-check";
import { PROBLEM_TYPES } from "../../src/http/problem.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import { goldenDrafts } from "../golden.ts";
import { openTestService, problemOf, type TestService } from "./service.ts";

const DRAFT = goldenDrafts().find(({ name }) => name === "car-sharing-380")
	?.draft as object;

describe("Refusals", () => {
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	const send = (
		body: NonNullable<RequestInit["body"]>,
		headers: Record<string, string> = {},
	) =>
		service.fetch("/invoices", {
			method: "POST",
			headers: { "Content-Type": "application/json", ...headers },
			body,
			...(body instanceof ReadableStream ? { duplex: "half" } : {}),
		});

	for (const [what, body, detail] of [
		["an empty body", "", /line 1, column 1/],
		["half an object", '{"loginName":', /line 1, column 14/],
		["a trailing comma", '{\n"type": "380",\n}', /line 3, column 1/],
		["single quotes", "{'type': '380'}", /line 1, column 2/],
		["two values", "{} {}", /line 1, column 4/],
		["not a number", "NaN", /line 1, column 1/],
		[
			"a doubled member",
			'{"lines": [{"price": "1.00", "price": "9.00"}]}',
			/\/lines\/0\/price is there twice/,
		],
		[
			"a member doubled by an escape",
			'{"type": "380", "\\u0074ype": "381"}',
			/\/type is there twice/,
		],
		["a number beyond a double", '{"type": 1e999}', /double precision/],
		["half a surrogate pair", '{"loginName": "\\ud83d"}', /surrogate/],
		[
			"deep nesting",
			`${"[".repeat(1000)}${"]".repeat(1000)}`,
			/deeper than 64/,
		],
		["very deep nesting", "[".repeat(200_000), /deeper than 64/],
	] as const) {
		it(`answers 400 to ${what}, with the place`, async () => {
			const problem = await problemOf(await send(body));
			assert.equal(problem.type, "/problems/malformed-body");
			assert.equal(problem.status, 400);
			assert.match(problem.detail, detail);
		});
	}

	it("answers 400 to what is no UTF-8", async () => {
		const problem = await problemOf(
			await send(new Uint8Array([0x22, 0xc3, 0x28, 0x22])),
		);
		assert.equal(problem.type, "/problems/malformed-body");
		assert.match(problem.detail, /UTF-8/);
	});

	it("takes a byte order mark", async () => {
		assert.equal((await send(`\ufeff${JSON.stringify(DRAFT)}`)).status, 201);
	});

	for (const body of ["null", "[]", '"text"', "7", "true"]) {
		it(`answers 422 to ${body}, which is JSON and no draft`, async () => {
			const problem = await problemOf(await send(body));
			assert.equal(problem.type, "/problems/invalid-draft");
			assert.equal(problem.violations?.[0]?.pointer, "");
		});
	}

	for (const [type, status] of [
		["application/json", 201],
		["application/json; charset=utf-8", 201],
		['Application/JSON;charset="UTF-8"', 201],
		["application/json; charset=iso-8859-1", 415],
		["text/plain", 415],
		["application/x-www-form-urlencoded", 415],
		["application/json-patch+json", 415],
		["application/problem+json", 415],
		["", 415],
	] as const) {
		it(`answers ${status} to Content-Type: ${type || "nothing"}`, async () => {
			const answer = await send(JSON.stringify(DRAFT), {
				"Content-Type": type,
			});
			assert.equal(answer.status, status);
			if (status === 415) {
				const problem = await problemOf(answer);
				assert.equal(problem.type, "/problems/unsupported-media-type");
				assert.equal(answer.headers.get("accept-post"), "application/json");
			}
		});
	}

	it("answers 415 to a compressed body", async () => {
		const answer = await send(new Uint8Array([31, 139, 8]), {
			"Content-Encoding": "gzip",
		});
		assert.equal(answer.status, 415);
		assert.equal(answer.headers.get("accept-encoding"), "identity");
	});

	describe("of a body that is too large", () => {
		const limit = 4096;
		const small = () => service.with({ bodyBytesMax: limit });
		const padded = (bytes: number) => {
			const text = JSON.stringify(DRAFT);
			return text + " ".repeat(bytes - Buffer.byteLength(text));
		};

		it("takes one that just fits", async () => {
			const answer = await small().fetch("/invoices", {
				method: "POST",
				headers: { "Content-Type": "application/json" },
				body: padded(limit),
			});
			assert.equal(answer.status, 201);
		});

		for (const [how, headers] of [
			["by its length", { "Content-Length": String(limit + 1) }],
			["while it arrives", {}],
			["although its length was a lie", { "Content-Length": "10" }],
		] as const) {
			it(`answers 413 ${how}`, async () => {
				const answer = await small().fetch("/invoices", {
					method: "POST",
					headers: { "Content-Type": "application/json", ...headers },
					body: padded(limit + 1),
				});
				const problem = await problemOf(answer);
				assert.equal(problem.type, "/problems/body-too-large");
				assert.match(problem.detail, /BODY_BYTES_MAX/);
			});
		}

		it("reads no further than the limit of an endless stream", async () => {
			let sent = 0;
			const endless = new ReadableStream<Uint8Array>({
				pull(controller) {
					sent += 1024;
					controller.enqueue(new Uint8Array(1024));
				},
			});
			const answer = await small().fetch("/invoices", {
				method: "POST",
				headers: { "Content-Type": "application/json" },
				body: endless,
				duplex: "half",
			} as RequestInit);
			assert.equal(answer.status, 413);
			assert.ok(sent < 4 * limit, `${sent} bytes were taken`);
		});
	});

	for (const [method, path, allow] of [
		["GET", "/invoices/check", "POST, OPTIONS"],
		["PUT", "/invoices", "POST, GET, HEAD, OPTIONS"],
		["DELETE", "/invoices/RE-2026-000001", "GET, HEAD, OPTIONS"],
		["PATCH", "/invoices/RE-2026-000001.json", "GET, HEAD, OPTIONS"],
		["POST", "/invoices/RE-2026-000001.pdf", "GET, HEAD, OPTIONS"],
		["GET", "/invoices/RE-2026-000001/cancellation", "POST, OPTIONS"],
		["HEAD", "/invoices/RE-2026-000001/correction", "POST, OPTIONS"],
		["DELETE", "/customers/anna.schmidt/invoices", "GET, HEAD, OPTIONS"],
		["POST", "/health/live", "GET, HEAD, OPTIONS"],
		["POST", "/health/ready", "GET, HEAD, OPTIONS"],
		["POST", "/metrics", "GET, HEAD, OPTIONS"],
		["POST", "/openapi.json", "GET, HEAD, OPTIONS"],
		["POST", "/problems/not-found", "GET, HEAD, OPTIONS"],
	] as const) {
		it(`answers 405 to ${method} ${path}, and OPTIONS with the methods`, async () => {
			const answer = await service.fetch(path, { method });
			assert.equal(answer.status, 405);
			assert.equal(answer.headers.get("allow"), allow);
			if (method !== "HEAD") {
				assert.equal(
					(await problemOf(answer)).type,
					"/problems/method-not-allowed",
				);
			}
			const options = await service.fetch(path, { method: "OPTIONS" });
			assert.equal(options.status, 204);
			assert.equal(options.headers.get("allow"), allow);
		});
	}

	for (const path of [
		"/",
		"/invoice",
		"/invoices/",
		"/invoices/RE-2026-000001/links",
		"/exports/csv",
		"/favicon.ico",
		"//",
		"/invoices//cancellation",
		"/problems/toString",
		"/problems/__proto__",
	]) {
		it(`answers 404 to ${path}`, async () => {
			assert.equal((await problemOf(await service.fetch(path))).status, 404);
		});
	}

	it("answers 503 with Retry-After while the store is unavailable", async () => {
		const busy = service.with({
			store: {
				...service.services.store,
				append: () =>
					Promise.reject(new StoreUnavailable("The queue is full.", 1.2)),
			},
		});
		const answer = await busy.post("/invoices", DRAFT);
		assert.equal(answer.headers.get("retry-after"), "2");
		const problem = await problemOf(answer);
		assert.equal(problem.type, "/problems/unavailable");
		assert.equal(problem.detail, "The queue is full.");
	});

	it("answers 500 without a word about what failed, which the log has", async () => {
		const broken = service.with({
			store: {
				...service.services.store,
				append: () => Promise.reject(new TypeError("x is not a function")),
			},
		});
		const problem = await problemOf(await broken.post("/invoices", DRAFT));
		assert.equal(problem.type, "/problems/internal");
		assert.ok(!JSON.stringify(problem).includes("not a function"));
		const [failure] = broken.logged.filter(
			({ message }) => message === "failed",
		);
		assert.equal(failure?.error, "TypeError");
		assert.match(String(failure?.stack), /x is not a function/);
		assert.equal(`urn:request:${failure?.requestId}`, problem.instance);
	});

	it("tells of every type of problem what it means", async () => {
		for (const [name, { title, status }] of Object.entries(PROBLEM_TYPES)) {
			const answer = await service.fetch(`/problems/${name}`);
			assert.equal(answer.status, 200);
			const type = (await answer.json()) as Record<string, unknown>;
			assert.equal(type.title, title);
			assert.equal(type.status, status);
			assert.equal(type.type, `/problems/${name}`);
		}
	});

	it("refuses any query parameter where there are none", async () => {
		const answer = await service.post("/invoices?dryRun=true", DRAFT);
		const problem = await problemOf(answer);
		assert.deepEqual(
			problem.violations?.map(({ pointer }) => pointer),
			["/dryRun"],
		);
	});

	it("never fails on what a draft may be turned into", async () => {
		const drafts = goldenDrafts().map(({ draft }) => draft);
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(...drafts),
				fc.array(mutation, { minLength: 1, maxLength: 4 }),
				fc.constantFrom("/invoices", "/invoices/check"),
				async (draft, mutations, path) => {
					const changed = mutations.reduce(mutated, structuredClone(draft));
					const answer = await service.post(path, changed, {
						"Idempotency-Key": "x".repeat(1 + (mutations.length % 3)),
					});
					assert.ok(
						[200, 201, 422].includes(answer.status),
						`${answer.status}: ${await answer.text()}`,
					);
				},
			),
			{ numRuns: 400 },
		);
	});

	it("never fails on what a correction may be turned into", async () => {
		const created = await service.post("/invoices", DRAFT);
		const address = created.headers.get("location");
		const correction = {
			reason: "Kulanz",
			lines: [{ id: "1", quantity: "1" }],
		};
		await fc.assert(
			fc.asyncProperty(
				fc.array(mutation, { minLength: 1, maxLength: 3 }),
				fc.constantFrom("correction", "cancellation"),
				async (mutations, kind) => {
					const changed = mutations.reduce(
						mutated,
						structuredClone(correction),
					);
					const answer = await service.post(`${address}/${kind}`, changed);
					assert.ok(
						[201, 409, 422].includes(answer.status),
						`${answer.status}: ${await answer.text()}`,
					);
				},
			),
			{ numRuns: 150 },
		);
	});
});

interface Mutation {
	/** Chooses the place among all places of the value. */
	place: number;
	change:
		| { kind: "remove" }
		| { kind: "replace"; value: unknown }
		| { kind: "insert"; key: string; value: unknown };
}

/** What drafts are changed into: faults that callers make, and those that only attackers make. */
const strange = fc.oneof(
	fc.constantFrom<unknown>(
		null,
		true,
		0,
		-1,
		1e21,
		"",
		" ",
		"0",
		"-0",
		"-0.00",
		"0.000001",
		"9".repeat(40),
		`1.${"0".repeat(40)}1`,
		"1e5",
		"NaN",
		"١٢",
		"2026-02-30",
		"9999-12-31",
		"__proto__",
		"\u0000",
		"e\u0301",
		"𝕏",
		"\n",
		[],
		{},
		[[]],
		[null],
		{ toString: "x" },
		{ length: 3 },
		"x".repeat(20_000),
		"S",
		"AE",
		"K",
		"O",
		"JPY",
		"381",
		"384",
		"389",
		"smallBusiness",
	),
	fc.jsonValue({ maxDepth: 3 }),
	fc.string({ unit: "binary", maxLength: 20 }).filter(
		(text) =>
			// JSON.stringify writes halves of surrogate pairs, which are refused as 400 elsewhere.
			!/\p{Surrogate}/u.test(text),
	),
);

const mutation: fc.Arbitrary<Mutation> = fc.record({
	place: fc.nat(),
	change: fc.oneof(
		fc.constant({ kind: "remove" } as const),
		fc.record({ kind: fc.constant("replace" as const), value: strange }),
		fc.record({
			kind: fc.constant("insert" as const),
			key: fc.constantFrom(
				"allowances",
				"charges",
				"percent",
				"base",
				"totals",
				"netAmount",
				"precedingInvoices",
				"pricesIncludeVat",
				"specialScheme",
				"constructor",
				"toJSON",
				"x",
			),
			value: strange,
		}),
	),
});

/** Every object and list within a value. */
function containers(value: unknown): (Record<string, unknown> | unknown[])[] {
	if (typeof value !== "object" || value === null) {
		return [];
	}
	return [
		value as Record<string, unknown>,
		...Object.values(value).flatMap(containers),
	];
}

function mutated<Value extends object>(
	value: Value,
	{ place, change }: Mutation,
): Value {
	const all = containers(value);
	const container = all[place % all.length];
	if (container === undefined) {
		return value;
	}
	const keys = Object.keys(container);
	const key = keys[place % Math.max(1, keys.length)] ?? "x";
	if (change.kind === "insert" && !Array.isArray(container)) {
		container[change.key] = change.value;
	} else if (change.kind === "remove" && !Array.isArray(container)) {
		delete container[key];
	} else if (change.kind === "remove" && Array.isArray(container)) {
		container.splice(Number(key), 1);
	} else if (change.kind !== "remove") {
		Object.assign(container, { [key]: change.value });
	}
	return value;
}
