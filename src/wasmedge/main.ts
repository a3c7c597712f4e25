/** The program inside WasmEdge: starts the service from the environment's variables; its launcher ends it. */
import "./web/install.ts";
import "./timers.ts";
import { ConfigurationError, readConfiguration } from "../configuration.ts";
import { loadExamples, quickStartText, WITHOUT_KEY } from "../quick-start.ts";
import { type RunningService, startService } from "../service.ts";
import { SetUpRefused } from "../store/setup.ts";
import { flushLines, writeLine } from "./lines.ts";
import { startLoop } from "./loop.ts";
import { createRuntime } from "./runtime.ts";

/** Exit status where the service cannot start or go on. */
const FAILED = 1;

/** Exit status where the configuration has to be mended first: a supervisor need not try again. */
const MISCONFIGURED = 78; // EX_CONFIG of sysexits.h

/** Of the processes that share a port, the one that speaks for all. */
const FIRST_WORKER = "0";

const say = (sentence: string) => host.writeText(2, `${sentence}\n`);

let running: RunningService | undefined;
let ending: number | undefined;

startLoop((error) => {
	// A handler's error is answered 500 where it is thrown; what comes to here belongs to no request, and the service goes on.
	say(`An error that nobody has caught: ${sentenceOf(error)}`);
});
void main();

async function main(): Promise<void> {
	try {
		const environment = host.environment();
		refuseInterpreter(environment);
		const isFirstWorker = (environment.WORKER ?? FIRST_WORKER) === FIRST_WORKER;
		running = await startService(
			readConfiguration(environment),
			createRuntime({ onListenerEnded: () => end(0), isFirstWorker }),
			{ write: writeLine, say, onFailure: fail },
		);
		if (ending !== undefined) {
			await stop(ending);
		} else if (isFirstWorker) {
			await tell(running, environment.QUICK_START === "1");
		}
	} catch (error) {
		say(sentenceOf(error));
		await stop(error instanceof ConfigurationError ? MISCONFIGURED : FAILED);
	}
}

/** Interpreted, WasmEdge takes fifty times as long for everything: nobody wants that, but it is easily had. */
function refuseInterpreter(environment: Record<string, string>): void {
	if (host.mode !== "aot" && environment.ALLOW_INTERPRETER !== "1") {
		throw new ConfigurationError(
			"WasmEdge interprets the module, which is far too slow to serve. Compile it (wasmedge compile), run what comes out, and give WasmEdge 0.15 or later --run-mode=aot; ALLOW_INTERPRETER=1 starts it nevertheless.",
		);
	}
}

async function tell(
	{ url, services }: RunningService,
	isQuickStart: boolean,
): Promise<void> {
	const hasKey = services.verifyToken !== undefined;
	services.log("info", "listening", {
		url,
		authentication: hasKey,
		mode: host.mode,
	});
	if (isQuickStart) {
		const number = await loadExamples(services);
		writeLine(quickStartText(url, number, hasKey));
	} else if (!hasKey) {
		services.log("warn", WITHOUT_KEY);
	}
}

function fail(sentence: string): void {
	say(sentence);
	end(FAILED);
}

/** Ends the program when all that was accepted is answered. */
function end(status: number): void {
	if (ending !== undefined) {
		return;
	}
	ending = status;
	if (running !== undefined) {
		void stop(status);
	}
}

async function stop(status: number): Promise<void> {
	try {
		await running?.stop();
	} catch (error) {
		say(sentenceOf(error));
		status = FAILED;
	}
	flushLines();
	host.exit(status);
}

/** What an operator can mend is told in a sentence; anything else with the place in the code. */
function sentenceOf(error: unknown): string {
	if (error instanceof ConfigurationError || error instanceof SetUpRefused) {
		return error.message;
	}
	return error instanceof Error
		? `${error.name}: ${error.message}\n${error.stack ?? ""}`.trimEnd()
		: String(error);
}
