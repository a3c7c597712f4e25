/** The program inside WasmEdge: starts the service from the environment's variables; its launcher ends it. */
import "./web/install.ts";
import "./timers.ts";
import { ConfigurationError, readConfiguration } from "../configuration.ts";
import { type RunningService, startService } from "../service.ts";
import { SetUpRefused } from "../store/setup.ts";
import { flushLines, writeLine } from "./lines.ts";
import { startLoop } from "./loop.ts";
import { createRuntime } from "./runtime.ts";

/** Exit status where the service cannot start or go on. */
const FAILED = 1;

/** Exit status where the configuration has to be mended first: a supervisor need not try again. */
const MISCONFIGURED = 78; // EX_CONFIG of sysexits.h

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
		const configuration = readConfiguration(host.environment());
		running = await startService(
			configuration,
			createRuntime({ onListenerEnded: () => end(0) }),
			{ write: writeLine, say, onFailure: (sentence) => fail(sentence) },
		);
		if (ending !== undefined) {
			await stop(ending);
			return;
		}
		const { services, url } = running;
		const hasKey = services.verifyToken !== undefined;
		services.log("info", "listening", {
			url,
			authentication: hasKey,
			mode: host.mode,
		});
		if (!hasKey) {
			services.log(
				"warn",
				"No key is configured: everyone on this machine may do everything, and nobody else is answered.",
			);
		}
	} catch (error) {
		say(sentenceOf(error));
		await stop(error instanceof ConfigurationError ? MISCONFIGURED : FAILED);
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
