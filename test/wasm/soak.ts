/** A long mixed load on the service, as many callers at once would make it: every answer is checked, and memory is watched. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { goldenDrafts } from "../golden.ts";
import { seededRandom } from "../store/faulty-network.ts";
import { type LaunchedService, metricsOf } from "./launched-service.ts";
import { ofProcess } from "./processes.ts";

/** What the service under this load is to be configured with: some bodies are longer. */
export const SOAK_BODY_BYTES_MAX = 512 * 1024;

/** Callers at once; each waits for its answer. */
const CALLERS = 24;

/** Memory is read so often a run. */
const SAMPLES = 400;

/** Progress is told so often a run. */
const REPORTS = 20;

/** Lines of a draft that is large, but not too large. */
const MANY_LINES = 300;

/** An answer that has not come by then never will. */
const ANSWER_MS_MAX = 60_000;

/** A connection that idles is used again for so long; the service closes it after 65 s, also when a request is just on its way. */
const REUSE_MS_MAX = 60_000;

const SERIES = ["RE-2026", "GS-2026"];

const MEBIBYTE = 1_048_576;

/** Bytes of one process at one moment. */
export interface MemorySample {
	requests: number;
	resident: number;
	/** Linear memory of the sandbox; it never shrinks. */
	linear: number;
	/** What JavaScript's values take, garbage included. */
	used: number;
}

export interface SoakOptions {
	requests: number;
	seed: number;
	/** Is told now and then: how many requests are done, and the memory at this moment. */
	onProgress?: (requests: number, memory: MemorySample) => void;
}

export interface SoakResult {
	/** Requests by kind and outcome: "read PDF 200". */
	outcomes: Map<string, number>;
	/** Answers that were wrong, as sentences. */
	faults: string[];
	samples: MemorySample[];
	/** Every invoice that was answered. */
	answered: { number: string; digest: string }[];
}

interface Answer {
	status: number;
	headers: IncomingHttpHeaders;
	body: Buffer;
}

interface Sent {
	method?: string;
	headers?: Record<string, string>;
	body?: string;
}

/** What one caller may do in one turn; the outcome is counted. */
type Action = (caller: Caller) => Promise<void>;

interface Caller {
	random: () => number;
	/** Over a connection that is kept, or one of its own. */
	send(path: string, sent?: Sent): Promise<Answer>;
	/** Counts the answer, and notes a fault where the status is another one. */
	expect(kind: string, answer: Answer, ...statuses: number[]): boolean;
	fail(sentence: string): void;
}

const sha256 = (bytes: Buffer) =>
	createHash("sha256").update(bytes).digest("hex");

/** Sends `requests` requests, bounded in number at once, and checks each answer. */
export async function soak(
	service: LaunchedService,
	{ requests, seed, onProgress = () => {} }: SoakOptions,
): Promise<SoakResult> {
	const keptAlive = new Agent({
		keepAlive: true,
		maxSockets: CALLERS,
		timeout: REUSE_MS_MAX,
	});
	const outcomes = new Map<string, number>();
	const faults: string[] = [];
	const samples: MemorySample[] = [];
	const invoices = createBook();
	const actions = createActions(service.port, invoices);
	const [worker = 0] = await service.workers();
	let begun = 0;
	let done = 0;

	const count = (outcome: string) =>
		outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);

	async function sample(): Promise<MemorySample> {
		const status = await ofProcess(worker, "status");
		const figures = await metricsOf(service.url);
		return {
			requests: done,
			resident: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024,
			linear: figures.wasm_linear_memory_bytes ?? 0,
			used: figures.wasm_used_memory_bytes ?? 0,
		};
	}

	async function watchMemory(): Promise<void> {
		if (done >= ((samples.length + 1) * requests) / SAMPLES) {
			const place = samples.push({
				requests: done,
				resident: 0,
				linear: 0,
				used: 0,
			});
			const memory = await sample();
			samples[place - 1] = memory;
			if (place % (SAMPLES / REPORTS) === 0) onProgress(done, memory);
		}
	}

	async function call(turn: number): Promise<void> {
		const random = seededRandom(seed + turn);
		const isKept = random() < 0.8;
		const caller: Caller = {
			random,
			async send(path, sent) {
				begun += 1;
				const answer = await exchange(
					service.port,
					isKept ? keptAlive : false,
					path,
					sent,
				);
				done += 1;
				return answer;
			},
			expect(kind, answer, ...statuses) {
				count(`${kind} ${answer.status}`);
				const isExpected = statuses.includes(answer.status);
				if (!isExpected) {
					this.fail(
						`${kind}: ${answer.status} instead of ${statuses.join(" or ")}: ${answer.body.toString("latin1", 0, 300)}`,
					);
				}
				return isExpected;
			},
			fail: (sentence) => faults.push(`turn ${turn}: ${sentence}`),
		};
		const { kind, act } = actions.choose(random());
		try {
			await act(caller);
		} catch (error) {
			caller.fail(`${kind}: ${error}`);
		}
	}

	let turn = 0;
	await Promise.all(
		Array.from({ length: CALLERS }, async () => {
			while (begun < requests) {
				turn += 1;
				await call(turn);
				await watchMemory();
			}
		}),
	);
	keptAlive.destroy();
	return { outcomes, faults, samples, answered: invoices.all() };
}

/** What was answered so far, to be read again. */
interface Book {
	add(number: string, digest: string): void;
	/** One of them, or undefined where there is none yet. */
	pick(random: () => number): { number: string; digest: string } | undefined;
	digestOf(number: string): string | undefined;
	/** The digest of the PDF that was answered first; later ones must be the same. */
	pdf: Map<string, string>;
	all(): { number: string; digest: string }[];
}

function createBook(): Book {
	const numbers: string[] = [];
	const digests = new Map<string, string>();
	return {
		add(number, digest) {
			if (!digests.has(number)) numbers.push(number);
			digests.set(number, digest);
		},
		pick(random) {
			const number = numbers[Math.floor(random() * numbers.length)];
			return number === undefined
				? undefined
				: { number, digest: digests.get(number) ?? "" };
		},
		digestOf: (number) => digests.get(number),
		pdf: new Map(),
		all: () => [...digests].map(([number, digest]) => ({ number, digest })),
	};
}

function createActions(port: number, invoices: Book) {
	const drafts = goldenDrafts().map(
		({ draft }) => draft as Record<string, unknown>,
	);
	const [simple = {}] = drafts;
	const line = (simple.lines as object[])[0];
	const oneOf = <Item>(random: () => number, items: readonly Item[]) =>
		items[Math.floor(random() * items.length)] as Item;
	const draftOf = (random: () => number) =>
		JSON.stringify({
			...oneOf(random, drafts),
			series: oneOf(random, SERIES),
			loginName: `customer-${Math.floor(random() * 50)}`,
		});
	const json = (body: string, more: Record<string, string> = {}): Sent => ({
		method: "POST",
		headers: { "content-type": "application/json", ...more },
		body,
	});
	const newKey = (random: () => number) =>
		Array.from({ length: 4 }, () => random().toString(36).slice(2)).join("");

	/** Notes an invoice that was answered; its number. */
	function note({ fail }: Caller, answer: Answer): string {
		const { number } = JSON.parse(answer.body.toString()) as { number: string };
		const digest = sha256(answer.body);
		if (answer.headers.etag !== `"${digest}"`) {
			fail(`${number} was answered with another entity tag than its digest.`);
		}
		const before = invoices.digestOf(number);
		if (before !== undefined && before !== digest) {
			fail(`${number} was answered twice, and differently.`);
		}
		if (before !== undefined && answer.status === 201) {
			fail(`${number} was given twice.`);
		}
		invoices.add(number, digest);
		return number;
	}

	/** Sends a request so far, or whole, and leaves without waiting for the answer. */
	async function leave(text: string): Promise<void> {
		const socket = connect(port, "127.0.0.1");
		socket.on("error", () => {}); // the service may end it first
		await once(socket, "connect");
		await new Promise<void>((settle) => socket.write(text, () => settle()));
		socket.destroy();
		await once(socket, "close");
	}

	const head = (method: string, path: string, fields = "") =>
		`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
	const createHead = (length: number, fields = "") =>
		head(
			"POST",
			"/invoices",
			`Content-Type: application/json\r\nContent-Length: ${length}\r\n${fields}`,
		);

	const reads: [
		weight: number,
		kind: string,
		read: (
			caller: Caller,
			invoice: { number: string; digest: string },
		) => Promise<void>,
	][] = [
		[
			18,
			"read JSON",
			async (caller, { number, digest }) => {
				const answer = await caller.send(`/invoices/${number}.json`);
				if (
					caller.expect("read JSON", answer, 200) &&
					sha256(answer.body) !== digest
				) {
					caller.fail(`${number} is not what was answered.`);
				}
			},
		],
		[
			12,
			"read PDF",
			async (caller, { number }) => {
				const answer = await caller.send(`/invoices/${number}.pdf`);
				if (!caller.expect("read PDF", answer, 200)) return;
				if (answer.body.toString("latin1", 0, 5) !== "%PDF-") {
					caller.fail(`${number} is no PDF.`);
				}
				const digest = sha256(answer.body);
				if ((invoices.pdf.get(number) ?? digest) !== digest) {
					caller.fail(`The PDF of ${number} has changed.`);
				}
				invoices.pdf.set(number, digest);
			},
		],
		[
			8,
			"not modified",
			async (caller, { number, digest }) => {
				const answer = await caller.send(`/invoices/${number}.json`, {
					headers: { "if-none-match": `"${digest}"` },
				});
				caller.expect("not modified", answer, 304);
			},
		],
		[
			3,
			"HEAD",
			async (caller, { number }) => {
				const suffix = oneOf(caller.random, ["json", "pdf"]);
				const answer = await caller.send(`/invoices/${number}.${suffix}`, {
					method: "HEAD",
				});
				if (caller.expect("HEAD", answer, 200) && answer.body.length > 0) {
					caller.fail("HEAD was answered with a body.");
				}
			},
		],
		[
			4,
			"leave in the middle of an answer",
			async (caller, { number }) => {
				const suffix = oneOf(caller.random, ["json", "pdf"]);
				await leave(head("GET", `/invoices/${number}.${suffix}`));
			},
		],
	];

	const actions: [weight: number, kind: string, act: Action][] = [
		[
			20,
			"create",
			async (caller) => {
				const answer = await caller.send(
					"/invoices",
					json(draftOf(caller.random)),
				);
				if (caller.expect("create", answer, 201)) note(caller, answer);
			},
		],
		[
			6,
			"create with a key, and again",
			async (caller) => {
				const key = { "idempotency-key": newKey(caller.random) };
				const body = draftOf(caller.random);
				const first = await caller.send("/invoices", json(body, key));
				if (!caller.expect("create with a key", first, 201)) return;
				const number = note(caller, first);
				const again = await caller.send("/invoices", json(body, key));
				if (
					caller.expect("create again", again, 200) &&
					note(caller, again) !== number
				) {
					caller.fail(`A retry of ${number} got another number.`);
				}
				if (caller.random() < 0.3) {
					const other = await caller.send(
						"/invoices",
						json(JSON.stringify({ ...simple, loginName: "other" }), key),
					);
					caller.expect("key used for another request", other, 422);
				}
			},
		],
		[
			3,
			"create twice at once",
			async (caller) => {
				const sent = json(draftOf(caller.random), {
					"idempotency-key": newKey(caller.random),
				});
				const both = await Promise.all([
					caller.send("/invoices", sent),
					caller.send("/invoices", sent),
				]);
				const numbers = both
					.sort((a, b) => b.status - a.status)
					.filter((each) => caller.expect("create at once", each, 200, 201))
					.map((each) => note(caller, each));
				if (new Set(numbers).size > 1) {
					caller.fail(`One key got ${numbers.join(" and ")}.`);
				}
			},
		],
		[
			4,
			"create, leave, and ask again",
			async (caller) => {
				const key = newKey(caller.random);
				const body = draftOf(caller.random);
				const length = Buffer.byteLength(body);
				await leave(createHead(length, `Idempotency-Key: ${key}\r\n`) + body);
				const answer = await caller.send(
					"/invoices",
					json(body, { "idempotency-key": key }),
				);
				if (caller.expect("create after leaving", answer, 200, 201)) {
					note(caller, answer);
				}
			},
		],
		[
			3,
			"leave in the middle of a request",
			async (caller) => {
				const body = draftOf(caller.random);
				const whole = createHead(Buffer.byteLength(body)) + body;
				await leave(
					whole.slice(0, Math.floor(caller.random() * (whole.length - 100))),
				);
			},
		],
		[
			1,
			"large",
			async (caller) => {
				const draft = {
					...simple,
					allowances: [],
					charges: [],
					payment: undefined,
					series: "LARGE",
					lines: Array.from({ length: MANY_LINES }, () => line),
				};
				const answer = await caller.send(
					"/invoices",
					json(JSON.stringify(draft)),
				);
				if (caller.expect("create large", answer, 201)) note(caller, answer);
			},
		],
		[
			1,
			"too large",
			async (caller) => {
				const answer = await caller.send(
					"/invoices",
					json(`"${"x".repeat(SOAK_BODY_BYTES_MAX)}"`),
				);
				caller.expect("too large", answer, 413);
			},
		],
		[
			4,
			"no JSON",
			async (caller) => {
				const text = draftOf(caller.random);
				const body = oneOf(caller.random, [
					text.slice(0, text.length / 2),
					`${text}}`,
					'{"lines":[],"lines":[]}',
					'"\\ud800"',
					"[".repeat(20_000),
				]);
				caller.expect(
					"no JSON",
					await caller.send("/invoices", json(body)),
					400,
				);
			},
		],
		[
			4,
			"unlawful",
			async (caller) => {
				const { buyer: _, ...draft } = simple;
				const answer = await caller.send(
					oneOf(caller.random, ["/invoices", "/invoices/check"]),
					json(JSON.stringify({ ...draft, currency: "XXQ", unheardOf: 1 })),
				);
				caller.expect("unlawful", answer, 422);
			},
		],
		[
			4,
			"refused",
			async (caller) => {
				const [path, status, sent] = oneOf<[string, number, Sent?]>(
					caller.random,
					[
						["/nowhere", 404],
						["/invoices/RE-2026-999999.json", 404],
						["/invoices?from=2026-01-01", 400],
						["/invoices", 405, { method: "DELETE" }],
						["/invoices", 415, { method: "POST", body: "lines" }],
						["/health/live", 421, { headers: { host: "example.com" } }],
					],
				);
				caller.expect("refused", await caller.send(path, sent), status);
			},
		],
		[
			5,
			"list",
			async (caller) => {
				const customer = Math.floor(caller.random() * 50);
				const answer = await caller.send(
					oneOf(caller.random, [
						`/customers/customer-${customer}/invoices?limit=20`,
						"/invoices?from=2026-01-01&to=2026-12-31&limit=20",
					]),
				);
				if (!caller.expect("list", answer, 200)) return;
				const { invoices: listed } = JSON.parse(answer.body.toString()) as {
					invoices: { number: string }[];
				};
				if (
					listed.length > 20 ||
					new Set(listed.map(({ number }) => number)).size < listed.length
				) {
					caller.fail("A list is longer than asked for, or names one twice.");
				}
			},
		],
		[
			2,
			"ask for health",
			async (caller) => {
				const path = oneOf(caller.random, [
					"/health/live",
					"/health/ready",
					"/openapi.json",
				]);
				caller.expect("ask for health", await caller.send(path), 200);
			},
		],
		...reads.map(([weight, kind, read]): [number, string, Action] => [
			weight,
			kind,
			async (caller) => {
				const invoice = invoices.pick(caller.random);
				if (invoice !== undefined) await read(caller, invoice);
			},
		]),
	];
	const total = actions.reduce((sum, [weight]) => sum + weight, 0);
	return {
		/** One of them, by chance and weight; `at` is from 0 to 1. */
		choose(at: number): { kind: string; act: Action } {
			let left = at * total;
			for (const [weight, kind, act] of actions) {
				left -= weight;
				if (left < 0) return { kind, act };
			}
			throw new RangeError(`There is no action at ${at}.`);
		},
	};
}

/** Sends one request and resolves with its whole answer; rejects where the connection ends before. */
export function exchange(
	port: number,
	agent: Agent | false,
	path: string,
	{ method = "GET", headers = {}, body }: Sent = {},
): Promise<Answer> {
	return new Promise((settle, fail) => {
		const outgoing = request(
			{
				host: "127.0.0.1",
				port,
				agent,
				path,
				method,
				timeout: ANSWER_MS_MAX,
				headers:
					body === undefined
						? headers
						: { ...headers, "content-length": Buffer.byteLength(body) },
			},
			(incoming) => {
				const chunks: Buffer[] = [];
				incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
				incoming.once("error", fail);
				incoming.once("end", () =>
					settle({
						status: incoming.statusCode ?? 0,
						headers: incoming.headers,
						body: Buffer.concat(chunks),
					}),
				);
			},
		);
		outgoing.once("timeout", () =>
			outgoing.destroy(new Error(`No answer within ${ANSWER_MS_MAX} ms.`)),
		);
		outgoing.once("error", fail);
		outgoing.end(body);
	});
}

/** Bytes that may be kept of each request, for what fragmentation does to memory. */
const BYTES_PER_REQUEST_MAX = 32;

/** What memory may go up and down by, whatever the length of the run. */
const SWING_BYTES_MAX = 6 * MEBIBYTE;

/** Sentences on memory that goes on growing in the last half of a run; none where it stays. */
export function growthFaults(samples: readonly MemorySample[]): string[] {
	const half = samples.slice(samples.length / 2);
	const [first, last] = [half[0], half.at(-1)];
	if (first === undefined || last === undefined) {
		throw new Error("There are no samples of memory.");
	}
	const requests = last.requests - first.requests;
	const most = SWING_BYTES_MAX + requests * BYTES_PER_REQUEST_MAX;
	const quarter = Math.ceil(half.length / 2);
	// What is used rises and falls with each collection; what it falls to is what is kept.
	const floor = (part: readonly MemorySample[]) =>
		Math.min(...part.map(({ used }) => used));
	const growth = {
		resident: last.resident - first.resident,
		linear: last.linear - first.linear,
		used: floor(half.slice(quarter)) - floor(half.slice(0, quarter)),
	};
	return Object.entries(growth)
		.filter(([, bytes]) => bytes > most)
		.map(
			([name, bytes]) =>
				`Memory (${name}) grew by ${(bytes / MEBIBYTE).toFixed(1)} MiB within the last ${requests} requests; at most ${(most / MEBIBYTE).toFixed(1)} MiB may be.`,
		);
}
