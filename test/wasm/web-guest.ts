/** Asks the web APIs of the engine all cases, and prints what comes out: an object by their names, in JSON. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";
import type { Web } from "./web-case.ts";
import { outcomeOf, WEB_CASES } from "./web-cases.ts";

startLoop((error) => {
	host.writeText(2, `${error}\n`);
	host.exit(1);
});
void answer();

async function answer(): Promise<void> {
	const outcomes: Record<string, string> = {};
	for (const [name, run] of Object.entries(WEB_CASES)) {
		outcomes[name] = await outcomeOf(run, globalThis as unknown as Web);
	}
	host.writeText(1, JSON.stringify(outcomes));
	host.exit(0);
}
