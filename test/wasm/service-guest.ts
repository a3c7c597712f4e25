/** The service as tests drive it inside WasmEdge: the real one, but for its day and its version. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { readConfiguration } from "../../src/configuration.ts";
import { startService } from "../../src/service.ts";
import { flushLines, writeLine } from "../../src/wasmedge/lines.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";
import { createRuntime } from "../../src/wasmedge/runtime.ts";

const say = (sentence: string) => host.writeText(2, `${sentence}\n`);

let requests = 0;

startLoop((error) =>
	say(`${error} ${error instanceof Error ? error.stack : ""}`),
);
void main();

async function main(): Promise<void> {
	const environment = host.environment();
	const runtime = createRuntime({ onListenerEnded: () => host.exit(0) });
	try {
		const { url, services } = await startService(
			readConfiguration(environment),
			{
				...runtime,
				newRequestId() {
					requests += 1;
					return `test-${requests}`;
				},
				createClock: (timeZone) => ({
					...runtime.createClock(timeZone),
					today: () => environment.TEST_TODAY ?? "",
				}),
			},
			{ write: writeLine, say, onFailure: say },
		);
		services.version = "0.0.0-test";
		services.log("info", "listening", { url });
	} catch (error) {
		say(String(error));
		flushLines();
		host.exit(1);
	}
}
