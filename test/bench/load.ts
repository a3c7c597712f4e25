/** Load on the store and on servers: rounds in turn, and what each contestant did a second. */
import { type ChildProcess, spawn } from "node:child_process";
import autocannon from "autocannon";
import { median, percentile } from "./measure.ts";

const ROUND_MS = 3_000;
const ROUNDS = 3;

export interface Rate {
	perSecond: number;
	p99: number;
}

/** Lets `clients` work side by side for a round. */
export async function rate(
	clients: number,
	work: (turn: number) => Promise<unknown>,
): Promise<Rate> {
	const milliseconds: number[] = [];
	let turns = 0;
	const start = performance.now();
	await Promise.all(
		Array.from({ length: clients }, async () => {
			while (performance.now() - start < ROUND_MS) {
				const before = performance.now();
				turns += 1;
				await work(turns);
				milliseconds.push(performance.now() - before);
			}
		}),
	);
	return {
		perSecond: (milliseconds.length * 1000) / (performance.now() - start),
		p99: percentile(milliseconds, 0.99),
	};
}

/** Runs the contestants in turn, some rounds, and gives each one's median round. */
export async function contest<Name extends string>(
	contestants: Record<Name, () => Promise<Rate>>,
): Promise<Record<Name, Rate>> {
	const rounds = new Map<string, Rate[]>();
	for (let round = 0; round <= ROUNDS; round += 1) {
		for (const [name, run] of Object.entries<() => Promise<Rate>>(
			contestants,
		)) {
			const figure = await run();
			// The first round warms up.
			if (round > 0) {
				rounds.set(name, [...(rounds.get(name) ?? []), figure]);
			}
		}
	}
	return Object.fromEntries(
		[...rounds].map(([name, figures]) => [
			name,
			{
				perSecond: median(figures.map((figure) => figure.perSecond)),
				p99: median(figures.map((figure) => figure.p99)),
			},
		]),
	) as Record<Name, Rate>;
}

/** Loads an HTTP server for a round; fails where an answer is no success. */
export async function fire(options: autocannon.Options): Promise<Rate> {
	const result = await autocannon({ duration: ROUND_MS / 1000, ...options });
	if (result.errors > 0 || result.non2xx - result["3xx"] > 0) {
		throw new Error(
			`${options.url}: ${result.errors} errors, ${result.non2xx} answers that are no success.`,
		);
	}
	return {
		perSecond: result.requests.total / result.duration,
		p99: result.latency.p99,
	};
}

/** Starts a program that serves, on a database that is set up; resolves to its address. */
export async function startProgram(
	[command = "", ...words]: readonly string[],
	environment: Record<string, string>,
): Promise<{ url: string; child: ChildProcess }> {
	const child = spawn(command, words, {
		env: {
			...process.env,
			PORT: "0",
			HOST: "127.0.0.1",
			...environment,
		},
		stdio: ["ignore", "pipe", "inherit"],
	});
	const url = await new Promise<string>((resolve, reject) => {
		let text = "";
		child.stdout?.on("data", (chunk: Buffer) => {
			if (text.length > 10_000) return;
			text += chunk.toString();
			const match = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
			if (match !== null) {
				resolve(match[0]);
			}
		});
		child.on("exit", () =>
			reject(new Error("The service ended before it listened.")),
		);
	});
	return { url, child };
}
