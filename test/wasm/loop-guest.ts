/** Programs for the event loop inside the engine; the variable JOB says which one is to run. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { queueTick, startLoop } from "../../src/wasmedge/loop.ts";
import { connect } from "../../src/wasmedge/node/net.ts";
import { type RandomProgram, runLoopCases, runProgram } from "./loop-cases.ts";

/** What the guest is to do. */
export type LoopJob =
	| { kind: "cases"; programs: RandomProgram[][] }
	/** Leaves timers that shall not keep it alive, and throws where nobody catches. */
	| { kind: "end" }
	/** Talks to servers of the test on this machine. */
	| {
			kind: "sockets";
			echoPort: number;
			closedPort: number;
			resetPort: number;
			bytes: number;
	  };

export interface LoopOutcome {
	cases: Record<string, string[]>;
	orders: string[];
}

export interface SocketOutcome {
	/** Everything came back, in order. */
	isEchoed: boolean;
	/** The writer was asked to wait, and was told to go on. */
	drains: number;
	refused: { code: string; message: string };
	reset: { code: string; events: string[] };
	unknown: { code: string; message: string };
	/** Times that a timer of a few milliseconds ran while a socket was never idle. */
	timerRuns: number;
	timedOut: boolean;
}

const job = JSON.parse(host.environment().JOB ?? "") as LoopJob;
const print = (value: unknown) =>
	host.writeText(1, `${JSON.stringify(value)}\n`);

if (job.kind === "end") {
	end();
} else {
	startLoop((error) => {
		print(String(error));
		host.exit(1);
	});
	void (job.kind === "cases" ? cases(job) : sockets(job)).then(print);
}

async function cases({
	programs,
}: LoopJob & { kind: "cases" }): Promise<LoopOutcome> {
	const orders: string[] = [];
	for (const program of programs) {
		orders.push(await runProgram(program, queueTick));
	}
	return { cases: await runLoopCases(queueTick), orders };
}

function end(): void {
	const caught: string[] = [];
	startLoop((error) => caught.push((error as Error).message));
	setTimeout(() => print("never: it was not to be waited for"), 60_000).unref();
	setInterval(() => {}, 10).unref();
	setImmediate(() => print("never: it was not to be waited for")).unref();
	queueTick(() => {
		throw new Error("of a tick");
	});
	setTimeout(() => {
		throw new Error("of a timer");
	}, 1);
	setTimeout(() => {
		void Promise.reject(new Error("of a promise"));
	}, 5);
	setTimeout(() => {
		setImmediate(() => {
			throw new Error("of an immediate");
		});
	}, 10);
	setTimeout(() => print(caught), 50);
}

async function sockets(
	job: LoopJob & { kind: "sockets" },
): Promise<SocketOutcome> {
	return {
		...(await echo(job.echoPort, job.bytes)),
		refused: await failure("127.0.0.1", job.closedPort),
		unknown: await failure("no-such-name.invalid", job.closedPort),
		reset: await reset(job.resetPort),
		timerRuns: await busy(job.echoPort),
		timedOut: await idle(job.echoPort),
	};
}

/** Sends a pattern and compares what comes back. */
function echo(
	port: number,
	bytes: number,
): Promise<Pick<SocketOutcome, "isEchoed" | "drains">> {
	const CHUNK = 100_003;
	return new Promise((resolve, reject) => {
		let sent = 0;
		let received = 0;
		let isEchoed = true;
		let drains = 0;
		const patternAt = (position: number) => (position * 31 + 7) % 251;
		const socket = connect({ host: "127.0.0.1", port });
		const fill = () => {
			while (sent < bytes) {
				const chunk = new Uint8Array(Math.min(CHUNK, bytes - sent));
				for (let index = 0; index < chunk.length; index += 1) {
					chunk[index] = patternAt(sent + index);
				}
				sent += chunk.length;
				if (!socket.write(chunk)) {
					return;
				}
			}
			socket.end();
		};
		socket.on("drain", () => {
			drains += 1;
			fill();
		});
		socket.on("data", (chunk: Uint8Array) => {
			for (let index = 0; index < chunk.length; index += 1009) {
				isEchoed &&= chunk[index] === patternAt(received + index);
			}
			received += chunk.length;
			if (received % 7 === 0) {
				// The peer has to wait now and then.
				socket.pause();
				setTimeout(() => socket.resume(), 1);
			}
		});
		socket.on("error", reject);
		socket.on("close", () =>
			resolve({ isEchoed: isEchoed && received === bytes, drains }),
		);
		fill();
	});
}

function failure(
	name: string,
	port: number,
): Promise<{ code: string; message: string }> {
	return new Promise((resolve) => {
		const socket = connect({ host: name, port });
		let error = { code: "none", message: "" };
		socket.on("error", (raised: Error & { code: string }) => {
			error = { code: raised.code, message: raised.message };
		});
		socket.on("close", () => resolve(error));
	});
}

/** The server resets the connection once it has read something. */
function reset(port: number): Promise<SocketOutcome["reset"]> {
	return new Promise((resolve) => {
		const events: string[] = [];
		let code = "none";
		const socket = connect({ host: "127.0.0.1", port });
		socket.on("connect", () => {
			events.push("connect");
			socket.write("hello");
		});
		socket.on("data", () => events.push("data"));
		socket.on("error", (error: Error & { code: string }) => {
			events.push("error");
			code = error.code;
		});
		socket.on("close", () => {
			events.push("close");
			resolve({ code, events });
		});
	});
}

/** Keeps a socket ready all the time, until a timer has run often enough. */
function busy(port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		let runs = 0;
		const socket = connect({ host: "127.0.0.1", port });
		socket.on("data", (chunk: Uint8Array) => socket.write(chunk));
		socket.on("error", reject);
		const interval = setInterval(() => {
			runs += 1;
			if (runs === 20) {
				clearInterval(interval);
				socket.destroy();
			}
		}, 2);
		socket.on("close", () => resolve(runs));
		socket.write(new Uint8Array(64));
	});
}

/** Nothing is said for a while. */
function idle(port: number): Promise<boolean> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: "127.0.0.1", port });
		socket.setTimeout(30);
		socket.on("timeout", () => {
			resolve(true);
			socket.destroy();
		});
		socket.on("error", reject);
		socket.on("data", () => {});
	});
}
