/** The event loop inside the engine keeps Node's order, lives through errors, and its sockets theirs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import * as fc from "fast-check";
import {
	openTimerQueue,
	type QueuedTimer,
} from "../../src/wasmedge/timer-queue.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import { type RandomProgram, runLoopCases, runProgram } from "./loop-cases.ts";
import type { LoopJob, LoopOutcome, SocketOutcome } from "./loop-guest.ts";

const PROGRAMS = 300;

/** A machine that has no engine yet builds it; a busy one takes long. */
const BUILD_MS_MAX = 600_000;
const ECHOED_BYTES = 4_000_000;

/** Runs the guest to its end; returns its last line. */
async function runGuest(file: string, job: LoopJob): Promise<unknown> {
	const { run } = await testEngine();
	const child = run(file, {
		env: { JOB: JSON.stringify(job) },
		stdio: ["ignore", "pipe", "inherit"],
	});
	let output = "";
	child.stdout?.on("data", (chunk: Buffer) => {
		output += chunk.toString();
	});
	const [status] = await once(child, "close");
	assert.equal(status, 0, output);
	return JSON.parse(output.trim().split("\n").at(-1) ?? "");
}

const program: fc.Arbitrary<RandomProgram[]> = fc.letrec<{
	parts: RandomProgram[];
	part: RandomProgram;
}>((tie) => ({
	parts: fc.array(tie("part"), { maxLength: 4, depthIdentifier: "program" }),
	part: fc.record({
		by: fc.constantFrom("tick", "microtask", "promise", "await", "immediate"),
		nested: fc.oneof(
			{ maxDepth: 3, depthIdentifier: "program" },
			fc.constant([]),
			tie("parts"),
		),
	}) as fc.Arbitrary<RandomProgram>,
})).parts;

describe("the event loop inside the engine", () => {
	let file: string;

	before(async function () {
		this.timeout(BUILD_MS_MAX);
		await testEngine();
		file = await bundleGuest("test/wasm/loop-guest.ts");
	});

	it("runs callbacks in the order in which Node runs them", async () => {
		const programs = fc.sample(program, PROGRAMS);
		const ours = (await runGuest(file, {
			kind: "cases",
			programs,
		})) as LoopOutcome;
		const nodes: string[] = [];
		for (const each of programs) {
			nodes.push(await runProgram(each, process.nextTick));
		}
		assert.deepEqual(ours.cases, await runLoopCases(process.nextTick));
		for (const [index, order] of nodes.entries()) {
			assert.equal(
				ours.orders[index],
				order,
				JSON.stringify(programs[index], null, "\t"),
			);
		}
	});

	it("tells of errors that nobody catches, goes on, and ends when only what need not be waited for is left", async () => {
		assert.deepEqual(await runGuest(file, { kind: "end" }), [
			"of a tick",
			"of a timer",
			"of a promise",
			"of an immediate",
		]);
	});

	it("sends, receives, waits and fails over sockets as Node does", async () => {
		const echo = createServer((socket) => {
			socket.pipe(socket);
			socket.on("error", () => {});
		});
		const reset = createServer((socket) => {
			socket.once("data", () => socket.resetAndDestroy());
			socket.on("error", () => {});
		});
		const closed = createServer();
		const servers = [echo, reset, closed];
		const [echoPort, resetPort, closedPort] = (await Promise.all(
			servers.map(listen),
		)) as [number, number, number];
		await close(closed);
		try {
			const outcome = (await runGuest(file, {
				kind: "sockets",
				echoPort,
				resetPort,
				closedPort,
				bytes: ECHOED_BYTES,
			})) as SocketOutcome;
			assert.equal(outcome.isEchoed, true);
			assert.ok(outcome.drains > 0, "the writer had to wait");
			assert.equal(outcome.refused.code, "ECONNREFUSED");
			assert.match(outcome.refused.message, /127\.0\.0\.1/);
			assert.equal(outcome.unknown.code, "ENOTFOUND");
			assert.match(outcome.unknown.message, /no-such-name\.invalid/);
			assert.deepEqual(outcome.reset, {
				code: "ECONNRESET",
				events: ["connect", "error", "close"],
			});
			assert.equal(outcome.timerRuns, 20);
			assert.equal(outcome.timedOut, true);
		} finally {
			await Promise.all([echo, reset].map(close));
		}
	});
});

describe("the queue of timers", () => {
	it("gives each timer when it is due, in order, however they are put off and taken out", () => {
		const command = fc.record({
			timer: fc.nat(11),
			action: fc.constantFrom("add", "add", "remove", "take"),
			delay: fc.nat(40),
		});
		fc.assert(
			fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
				const queue = openTimerQueue<QueuedTimer & { id: number }>();
				const timers = Array.from({ length: 12 }, (_, id) => ({
					id,
					due_ms: 0,
					place: -1,
					sorted_ms: 0,
					order: 0,
				}));
				/** What is queued, by id: when it is due, and in which order it was added. */
				const model = new Map<number, { due_ms: number; order: number }>();
				let now_ms = 0;
				let order = 0;
				for (const { timer, action, delay } of commands) {
					const chosen = timers[timer] as (typeof timers)[number];
					if (action === "add") {
						chosen.due_ms = now_ms + delay;
						queue.add(chosen);
						model.set(timer, { due_ms: chosen.due_ms, order: order++ });
					} else if (action === "remove") {
						queue.remove(chosen);
						model.delete(timer);
					} else {
						now_ms += delay;
						const due = [...model]
							.filter(([, { due_ms }]) => due_ms <= now_ms)
							.sort(([, a], [, b]) => a.due_ms - b.due_ms || a.order - b.order);
						const taken: number[] = [];
						for (
							let next = queue.takeDue(now_ms);
							next !== undefined;
							next = queue.takeDue(now_ms)
						) {
							taken.push(next.id);
							model.delete(next.id);
						}
						assert.deepEqual(
							taken,
							due.map(([id]) => id),
						);
					}
					const earliest = Math.min(
						...[...model.values()].map(({ due_ms }) => due_ms),
					);
					assert.ok(queue.nextDue() <= earliest);
				}
			}),
		);
	});
});

async function listen(server: Server): Promise<number> {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
	});
}
