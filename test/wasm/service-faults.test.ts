/** Faults of our own inside WasmEdge: what fails answers 500 or is told, and the process lives. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import { eventually } from "./processes.ts";

describe("the service inside WasmEdge, where its own code fails", function () {
	this.timeout(60_000);

	let database: StoreDatabase;
	let child: ChildProcess;
	let url: string;
	let said = "";
	const log: Record<string, unknown>[] = [];

	before(async function () {
		this.timeout(600_000);
		database = await openStoreDatabase();
		const { run } = await testEngine();
		child = run(await bundleGuest("test/wasm/fault-guest.ts"), {
			env: {
				PORT: "0",
				MONGODB_URI: database.serviceUri,
				MONGODB_DATABASE: database.admin.databaseName,
			},
			folders: [{ inside: "/app/fonts", outside: "fonts" }],
			stdio: ["ignore", "pipe", "pipe"],
		});
		child.stderr?.on("data", (chunk) => {
			said += chunk;
		});
		createInterface({ input: child.stdout as NodeJS.ReadableStream }).on(
			"line",
			(line) => log.push(JSON.parse(line) as Record<string, unknown>),
		);
		url = await eventually("a service that listens", () => {
			assert.equal(child.exitCode, null, said);
			return log.find(({ message }) => message === "listening")?.url as
				| string
				| undefined;
		});
	});

	after(async () => {
		const ended = once(child, "exit");
		child.kill("SIGKILL");
		await ended;
		await database.drop();
	});

	it("answers 500 to what fails before a handler, and tells it", async () => {
		const answer = await fetch(`${url}/health/live`);
		assert.equal(answer.status, 500);
		assert.ok(!(await answer.text()).includes("thrown before the handler"));
		await eventually(
			"a word of it",
			() => said.includes("thrown before the handler") || undefined,
		);
		assert.equal((await fetch(`${url}/health/live`)).status, 200);
	});

	it("answers 500 to what a handler throws, and logs it under the request's id", async () => {
		const answer = await fetch(`${url}/metrics`);
		assert.equal(answer.status, 500);
		assert.equal(
			answer.headers.get("content-type"),
			"application/problem+json",
		);
		const text = await answer.text();
		assert.ok(!text.includes("thrown in a handler"), text);
		const line = await eventually("a line of the log", () =>
			log.find(({ message }) => message === "failed"),
		);
		assert.match(JSON.stringify(line), /thrown in a handler/);
		assert.equal(line.requestId, answer.headers.get("x-request-id"));
	});

	for (const fault of [
		"thrown in a timer",
		"thrown in an immediate",
		"thrown in a microtask",
		"a rejection that nobody handles",
		"undefined",
	]) {
		it(`tells what belongs to no request, and lives: ${fault}`, async () => {
			said = "";
			const answer = await fetch(`${url}/metrics`);
			assert.equal(answer.status, 200);
			await eventually("a word of it", () =>
				/^An error that nobody has caught: /m.test(said) && said.includes(fault)
					? true
					: undefined,
			);
			assert.equal((await fetch(`${url}/health/ready`)).status, 200);
			assert.equal(child.exitCode, null);
		});
	}
});
