/** Small programs whose order of events is Node's, run by Node and inside the engine alike. */

/** What a program may call; timers and promises are the global ones. */
export interface LoopCaseTools {
	log(event: string): void;
	nextTick(callback: () => void): void;
}

type LoopCase = (tools: LoopCaseTools) => Promise<void>;

/** Resolves once all that is due within `milliseconds` has run. */
function over(milliseconds = 0): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Calls back on a turn of its own, after a few rounds of immediates. */
function quiet(): Promise<void> {
	return new Promise((resolve) => {
		let rounds = 0;
		const next = () => {
			rounds += 1;
			if (rounds < 8) {
				setImmediate(next);
			} else {
				resolve();
			}
		};
		setImmediate(next);
	});
}

function mixed({ log, nextTick }: LoopCaseTools): void {
	setImmediate(() => log("immediate"));
	void Promise.resolve().then(() => {
		log("promise");
		nextTick(() => log("tick of a promise"));
		queueMicrotask(() => log("microtask of a promise"));
	});
	queueMicrotask(() => log("microtask"));
	nextTick(() => {
		log("tick");
		nextTick(() => log("tick of a tick"));
		void Promise.resolve().then(() => log("promise of a tick"));
	});
	log("at once");
}

export const LOOP_CASES: Record<string, LoopCase> = {
	"ticks come before promises, promises before immediates, from a timer":
		async (tools) => {
			await new Promise<void>((resolve) =>
				setTimeout(() => {
					mixed(tools);
					resolve(quiet());
				}, 1),
			);
		},
	"and from an immediate": async (tools) => {
		await new Promise<void>((resolve) =>
			setImmediate(() => {
				mixed(tools);
				resolve(quiet());
			}),
		);
	},
	"and from a promise": async (tools) => {
		await quiet();
		mixed(tools);
		await quiet();
	},
	"each timer's promises settle before the next timer": async ({ log }) => {
		for (const name of ["first", "second", "third"]) {
			setTimeout(async () => {
				log(name);
				await null;
				log(`${name} after a promise`);
				await null;
				log(`${name} after two`);
			}, 5);
		}
		await over(20);
	},
	"timers run by when they are due, then by when they were set": async ({
		log,
	}) => {
		setTimeout(() => log("30"), 30);
		setTimeout(() => log("10"), 10);
		setTimeout(() => log("20"), 20);
		setTimeout(() => log("10 again"), 10);
		await over(60);
	},
	"an odd delay is one of a millisecond": async ({ log }) => {
		for (const delay of [0, -1, Number.NaN, "0", undefined, 1.7]) {
			setTimeout(() => log(String(delay)), delay as number);
		}
		await over(20);
	},
	"an immediate of an immediate waits for the next round": async ({ log }) => {
		setImmediate(() => {
			log("one");
			setImmediate(() => log("three"));
		});
		setImmediate(() => log("two"));
		await quiet();
	},
	"what is cleared does not run, even when it is due already": async ({
		log,
	}) => {
		const immediates = [
			setImmediate(() => {
				log("immediate");
				clearImmediate(immediates[1]);
			}),
			setImmediate(() => log("never")),
		];
		const timers = [
			setTimeout(() => {
				log("timer");
				clearTimeout(timers[1]);
			}, 3),
			setTimeout(() => log("never"), 3),
		];
		const blocked = performance.now() + 10;
		while (performance.now() < blocked) {
			// Both come due.
		}
		await over(30);
	},
	"timers are cleared by object, number and text": async ({ log }) => {
		clearTimeout(setTimeout(() => log("never"), 1));
		clearTimeout(+setTimeout(() => log("never"), 1));
		clearTimeout(`${+setTimeout(() => log("never"), 1)}`);
		clearTimeout(undefined);
		clearInterval(setInterval(() => log("never"), 1));
		await over(20);
		log("end");
	},
	"an interval repeats until it is cleared": async ({ log }) => {
		let times = 0;
		await new Promise<void>((resolve) => {
			const interval = setInterval(
				(text: string) => {
					times += 1;
					log(`${text} ${times}`);
					if (times === 3) {
						clearInterval(interval);
						resolve();
					}
				},
				2,
				"time",
			);
		});
		await over(10);
	},
	"a refreshed timer runs later, or again": async ({ log }) => {
		const late = setTimeout(() => log("put off"), 40);
		setTimeout(() => {
			late.refresh();
			log("refreshed");
		}, 20);
		setTimeout(() => log("between"), 50);
		let runs = 0;
		const again = setTimeout(() => {
			runs += 1;
			log(`run ${runs}`);
			if (runs < 3) {
				again.refresh();
			}
		}, 5);
		await over(90);
		clearTimeout(again);
		again.refresh();
		await over(20);
	},
	"arguments are passed on": async ({ log }) => {
		setTimeout((...values) => log(values.join()), 1, 1, 2, 3);
		await over(10);
		setImmediate((...values) => log(values.join()), 4, 5);
		await quiet();
	},
	"a timer says whether it keeps the program alive": async ({ log }) => {
		const timer = setTimeout(() => log("never"), 1000);
		log(String(timer.hasRef()));
		log(String(timer.unref().hasRef()));
		log(String(timer.ref().hasRef()));
		clearTimeout(timer);
		const immediate = setImmediate(() => log("ran"));
		log(String(immediate.hasRef()));
		await quiet();
	},
	"rejections go to whoever waits": async ({ log }) => {
		try {
			await new Promise((_, reject) =>
				setTimeout(() => reject(new Error("late")), 1),
			);
		} catch (error) {
			log((error as Error).message);
		}
	},
};

/** A program made by chance: what a callback queues, and by which means. */
export interface RandomProgram {
	by: "tick" | "microtask" | "promise" | "await" | "immediate";
	nested: RandomProgram[];
}

/** Runs programs one after the other; returns the order in which their callbacks ran. */
export async function runProgram(
	program: readonly RandomProgram[],
	nextTick: (callback: () => void) => void,
): Promise<string> {
	const order: string[] = [];
	const queue = (parts: readonly RandomProgram[], path: string): void => {
		for (const [index, part] of parts.entries()) {
			const name = `${path}${index}`;
			const run = () => {
				order.push(name);
				queue(part.nested, `${name}.`);
			};
			switch (part.by) {
				case "tick":
					nextTick(run);
					break;
				case "microtask":
					queueMicrotask(run);
					break;
				case "promise":
					void Promise.resolve().then(run);
					break;
				case "await":
					void (async () => {
						await null;
						run();
					})();
					break;
				case "immediate":
					setImmediate(run);
					break;
			}
		}
	};
	await new Promise<void>((resolve) => setImmediate(resolve));
	await new Promise<void>((resolve) =>
		setImmediate(() => {
			queue(program, "");
			resolve(quiet());
		}),
	);
	return order.join(" ");
}

/** Every case's events, by name. */
export async function runLoopCases(
	nextTick: (callback: () => void) => void,
): Promise<Record<string, string[]>> {
	const results: Record<string, string[]> = {};
	for (const [name, run] of Object.entries(LOOP_CASES)) {
		const events: string[] = [];
		await run({ log: (event) => events.push(event), nextTick });
		results[name] = events;
	}
	return results;
}
