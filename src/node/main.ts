/** The program: starts the service from the environment's variables, and ends it on SIGINT or SIGTERM. */
import { ConfigurationError, readConfiguration } from "../configuration.ts";
import { loadExamples, quickStartText, WITHOUT_KEY } from "../quick-start.ts";
import { type RunningService, startService } from "../service.ts";
import { SetUpRefused } from "../store/setup.ts";
import { createLineWriter } from "./lines.ts";
import { DataInUseError } from "./mongod.ts";
import { NODE } from "./runtime.ts";

/** Exit status where the service cannot start or go on. */
const FAILED = 1;

const write = createLineWriter(process.stdout);
// Where nobody reads the log any more there is nothing to tell it to; the service goes on.
process.stdout.on("error", () => {});

let running: RunningService | undefined;
let ending = false;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
	process.on(signal, () => end(0));
}

try {
	running = await startService(readConfiguration(process.env), NODE, {
		write,
		say: (sentence) => process.stderr.write(`${sentence}\n`),
		onFailure(sentence) {
			process.stderr.write(`${sentence}\n`);
			end(FAILED);
		},
	});
	if (ending) {
		await stop();
	} else {
		await tell(running);
	}
} catch (error) {
	process.stderr.write(`${sentenceOf(error)}\n`);
	await running?.stop();
	process.exit(FAILED);
}

async function tell({
	url,
	services,
	isQuickStart,
}: RunningService): Promise<void> {
	const hasKey = services.verifyToken !== undefined;
	services.log("info", "listening", { url, authentication: hasKey });
	if (isQuickStart) {
		const number = await loadExamples(services);
		write(quickStartText(url, number, hasKey));
	} else if (!hasKey) {
		services.log("warn", WITHOUT_KEY);
	}
}

/** Ends the program when all that was accepted is answered; a second signal changes nothing. */
function end(status: number): void {
	if (ending) {
		return;
	}
	ending = true;
	process.exitCode = status;
	if (running !== undefined) {
		void stop();
	}
}

async function stop(): Promise<void> {
	try {
		await running?.stop();
		process.exit();
	} catch (error) {
		process.stderr.write(`${sentenceOf(error)}\n`);
		process.exit(FAILED);
	}
}

/** What an operator can mend is told in a sentence; anything else with the place in the code. */
function sentenceOf(error: unknown): string {
	if (
		error instanceof ConfigurationError ||
		error instanceof DataInUseError ||
		error instanceof SetUpRefused
	) {
		return error.message;
	}
	return error instanceof Error
		? (error.stack ?? error.message)
		: String(error);
}
