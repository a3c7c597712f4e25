import assert from "node:assert/strict";
import {
	CAR_SHARING_DRAFT,
	CORRECTION,
	CRAFTSMAN_DRAFT,
} from "../../src/http/examples.ts";
import { createLog } from "../../src/http/log.ts";
import {
	CheckedDraftSchema,
	InvoiceListSchema,
	InvoiceSchema,
	ProblemSchema,
} from "../../src/http/schemas.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import { goldenDrafts, goldenSnapshots } from "../golden.ts";
import { RUNTIME } from "../runtime.ts";
import { openTestService, problemOf, type TestService } from "./service.ts";

interface Description {
	openapi: string;
	paths: Record<string, Record<string, Operation>>;
	components: { schemas: Record<string, { properties?: object }> };
}

interface Operation {
	operationId: string;
	parameters: { name: string; in: string; schema: object; required: boolean }[];
	requestBody?: {
		content: Record<string, { example: unknown; schema: { $ref: string } }>;
	};
	responses: Record<string, unknown>;
	security?: unknown[];
}

describe("Operation", () => {
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	async function description(): Promise<Description> {
		const answer = await service.fetch("/openapi.json");
		return (await answer.json()) as Description;
	}

	describe("the OpenAPI document", () => {
		it("is valid OpenAPI 3.1", async () => {
			// It reads files that lie beside it, so it must stay outside of the tests' bundle.
			const name = "@seriousme/openapi-schema-validator";
			const { Validator } = (await import(
				name
			)) as typeof import("@seriousme/openapi-schema-validator");
			const validator = new Validator();
			const result = await validator.validate(
				(await description()) as unknown as Record<string, unknown>,
			);
			assert.ok(result.valid, JSON.stringify(result.errors, null, "\t"));
			assert.equal(validator.version, "3.1");
		});

		it("refers to nothing that is not there, and has nothing that nobody refers to", async () => {
			const document = await description();
			const text = JSON.stringify(document);
			const used = new Set(
				[...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
					([, name]) => name,
				),
			);
			const there = Object.keys(document.components.schemas);
			assert.deepEqual([...used].sort(), there.sort());
			assert.ok(!text.includes('"$id"'));
		});

		it("has every address and method that is answered", async () => {
			const { paths } = await description();
			for (const [path, item] of Object.entries(paths)) {
				const concrete = path
					.replace("{number}", "RE-2026-000001")
					.replace("{loginName}", "anna.schmidt")
					.replace("{name}", "internal");
				const options = await service.fetch(concrete, { method: "OPTIONS" });
				const allowed = (options.headers.get("allow") ?? "").split(", ");
				assert.deepEqual(
					allowed.filter((method) => !["HEAD", "OPTIONS"].includes(method)),
					Object.keys(item).map((method) => method.toUpperCase()),
					path,
				);
			}
			assert.ok(paths["/invoices/{number}.pdf"]?.get);
			assert.deepEqual(
				paths["/invoices"]?.get?.parameters.map(({ name, required }) => [
					name,
					required,
				]),
				[
					["from", true],
					["to", true],
					["series", false],
					["limit", false],
					["after", false],
				],
			);
		});

		it("has examples that the service takes", async () => {
			const { paths } = await description();
			const created = await service.post("/invoices", CAR_SHARING_DRAFT);
			const other = await service.post("/invoices", CAR_SHARING_DRAFT);
			const numbers = [created, other].map((answer) =>
				answer.headers.get("location")?.slice("/invoices/".length),
			);
			let examples = 0;
			for (const [path, item] of Object.entries(paths)) {
				const content = item.post?.requestBody?.content["application/json"];
				if (content !== undefined) {
					const number = path.endsWith("/correction") ? numbers[0] : numbers[1];
					const answer = await service.post(
						path.replace("{number}", number ?? ""),
						content.example,
					);
					assert.ok(answer.ok, `${path}: ${await answer.text()}`);
					examples += 1;
				}
			}
			assert.equal(examples, 4);
		});

		it("is answered with an entity tag, and 304", async () => {
			const answer = await service.fetch("/openapi.json");
			const entityTag = answer.headers.get("etag") ?? "";
			assert.match(entityTag, /^"[0-9a-f]{64}"$/);
			const again = await service.fetch("/openapi.json", {
				headers: { "If-None-Match": entityTag },
			});
			assert.equal(again.status, 304);
		});

		it("describes the scopes, and which routes are public", async () => {
			const { paths } = await description();
			assert.deepEqual(paths["/invoices"]?.post?.security, [
				{ bearer: ["invoices:write"] },
			]);
			assert.deepEqual(paths["/health/live"]?.get?.security, []);
		});
	});

	describe("what is answered has the described shape", () => {
		for (const { name, snapshot } of goldenSnapshots()) {
			it(`the invoice ${name}`, () => {
				const { error } = InvoiceSchema.safeParse(snapshot);
				assert.equal(error, undefined);
			});
		}

		it("checks, lists and problems", async () => {
			for (const { draft } of goldenDrafts()) {
				const checked = await service.post("/invoices/check", draft);
				CheckedDraftSchema.parse(await checked.json());
			}
			await service.post("/invoices", CAR_SHARING_DRAFT);
			const list = await service.fetch(
				"/invoices?from=2026-11-01&to=2026-12-31",
			);
			InvoiceListSchema.parse(await list.json());
			for (const answer of [
				await service.post("/invoices", {}),
				await service.fetch("/nowhere"),
				await service.fetch("/invoices"),
			]) {
				ProblemSchema.parse(await answer.json());
			}
		});
	});

	it("its examples are golden drafts", () => {
		const golden = new Map(
			goldenDrafts().map(({ name, draft }) => [name, draft]),
		);
		assert.deepEqual(CAR_SHARING_DRAFT, golden.get("car-sharing-380"));
		assert.deepEqual(
			CRAFTSMAN_DRAFT,
			golden.get("craftsman-reverse-charge-380"),
		);
		assert.ok(CORRECTION.lines.length > 0);
	});

	describe("health", () => {
		it("is live and ready", async () => {
			const live = await service.fetch("/health/live");
			assert.equal(live.status, 200);
			assert.deepEqual(await live.json(), { status: "ok" });
			const ready = await service.fetch("/health/ready");
			assert.equal(ready.status, 200);
			assert.deepEqual(await ready.json(), {
				status: "ok",
				runtime: RUNTIME,
				...(RUNTIME === "wasmedge" ? { mode: "aot" } : {}),
			});
		});

		it("is not ready, but live, without a database; and says why", async () => {
			const alone = service.with({
				store: {
					...service.services.store,
					ready: () =>
						Promise.reject(
							new StoreUnavailable("The database has no primary.", 5),
						),
				},
			});
			const answer = await alone.fetch("/health/ready");
			assert.equal(answer.status, 503);
			assert.equal(answer.headers.get("retry-after"), "5");
			const problem = await problemOf(answer);
			assert.equal(problem.detail, "The database has no primary.");
			assert.equal((await alone.fetch("/health/live")).status, 200);
		});

		it("tells nothing of an unexpected fault but to the log", async () => {
			const broken = service.with({
				store: {
					...service.services.store,
					ready: () => Promise.reject(new Error("mongodb://user:secret@host")),
				},
			});
			const answer = await broken.fetch("/health/ready");
			assert.equal(answer.status, 503);
			assert.ok(!(await answer.text()).includes("secret"));
		});

		it("is not ready while it shuts down, and closes its connections", async () => {
			const closing = service.with({ isClosing: () => true });
			const answer = await closing.fetch("/health/ready");
			assert.equal(answer.status, 503);
			assert.equal(answer.headers.get("connection"), "close");
			assert.equal((await closing.fetch("/health/live")).status, 200);
		});
	});

	describe("metrics", () => {
		it("count requests by route, documents and renderings", async () => {
			const fresh = service.with({
				processMetrics: () => [
					{
						name: "process_open_fds",
						help: "Open files.",
						type: "gauge",
						value: 12,
					},
				],
			});
			const created = await fresh.post("/invoices", CAR_SHARING_DRAFT);
			await fresh.post("/invoices", {});
			await fresh.fetch(`${created.headers.get("location")}.pdf`);
			await fresh.fetch("/customers/anna.schmidt/invoices");
			await fresh.fetch("/wp-login.php");
			await fresh.fetch("/invoices", { method: "BREW" });
			const answer = await fresh.fetch("/metrics");
			assert.equal(
				answer.headers.get("content-type"),
				"text/plain; version=0.0.4; charset=utf-8",
			);
			const text = await answer.text();
			for (const line of [
				'http_requests_total{method="POST",route="/invoices",status="201"} 1',
				'http_requests_total{method="POST",route="/invoices",status="422"} 1',
				'http_requests_total{method="GET",route="/invoices/{number}.pdf",status="200"} 1',
				'http_requests_total{method="GET",route="/customers/{loginName}/invoices",status="200"} 1',
				'http_requests_total{method="GET",route="none",status="404"} 1',
				'http_requests_total{method="other",route="/invoices",status="405"} 1',
				'http_request_duration_seconds_bucket{method="POST",route="/invoices",le="+Inf"} 2',
				'http_request_duration_seconds_count{method="POST",route="/invoices"} 2',
				'invoices_created_total{type="380"} 1',
				"pdf_render_duration_seconds_count 1",
				"store_queue_waiting 0",
				"process_open_fds 12",
			]) {
				assert.ok(text.split("\n").includes(line), `${line}\nin\n${text}`);
			}
			assert.ok(!text.includes("anna.schmidt") && !text.includes("wp-login"));
			for (const line of text.trim().split("\n")) {
				assert.match(
					line,
					/^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+-]+)$/,
				);
			}
		});
	});

	describe("request ids and the log", () => {
		it("a sane X-Request-Id is kept, answered, logged and named by problems", async () => {
			const fresh = service.with({});
			const answer = await fresh.fetch("/nowhere", {
				headers: { "X-Request-Id": "portal-7f3a.2" },
			});
			assert.equal(answer.headers.get("x-request-id"), "portal-7f3a.2");
			const problem = await problemOf(answer);
			assert.equal(problem.instance, "urn:request:portal-7f3a.2");
			assert.equal(fresh.logged[0]?.requestId, "portal-7f3a.2");
		});

		for (const id of ["", "a b", "x".repeat(129), "{}", "ü"]) {
			it(`X-Request-Id "${id.slice(0, 20)}" is replaced by one of ours`, async () => {
				const answer = await service.fetch("/health/live", {
					headers: { "X-Request-Id": id },
				});
				assert.match(answer.headers.get("x-request-id") ?? "", /^test-\d+$/);
			});
		}

		it("tells route and status of every request, and nothing about people", async () => {
			const lines: string[] = [];
			const logging = service.with({
				log: createLog(
					"debug",
					(line) => lines.push(line),
					() => new Date(),
				),
			});
			const created = await logging.post(
				"/invoices",
				{ ...CAR_SHARING_DRAFT, series: "GEHEIM" },
				{ "Idempotency-Key": "key-of-anna", Authorization: "Bearer abc" },
			);
			await logging.fetch(`${created.headers.get("location")}.pdf`);
			await logging.fetch("/customers/anna.schmidt/invoices?limit=7");
			await logging.post("/invoices", { loginName: "anna.schmidt" });
			assert.equal(lines.length, 4);
			for (const line of lines) {
				const entry = JSON.parse(line) as Record<string, unknown>;
				assert.deepEqual(Object.keys(entry), [
					"time",
					"level",
					"message",
					"requestId",
					"method",
					"route",
					"status",
					"duration_ms",
				]);
			}
			const all = lines.join("\n");
			for (const personal of [
				"anna",
				"Schmidt",
				"GEHEIM",
				"abc",
				"limit",
				"Bochum",
			]) {
				assert.ok(!all.includes(personal), personal);
			}
		});

		it("keeps to its level", () => {
			const lines: string[] = [];
			const log = createLog(
				"warn",
				(line) => lines.push(line),
				() => new Date(0),
			);
			log("info", "one");
			log("warn", "two");
			log("error", "three", { status: 500 });
			assert.deepEqual(lines, [
				'{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"two"}',
				'{"time":"1970-01-01T00:00:00.000Z","level":"error","message":"three","status":500}',
			]);
		});
	});
});
