/**
 * A program that remembers a bounded number of things and makes garbage in
 * cycles all the while, as a service does; then it tells how much memory it
 * has taken in the middle and at the end.
 */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";

const TURNS = 3000;
const GARBAGE_PER_TURN = 1000;
const KEPT_PER_TURN = 10;
const KEPT_MAX = 10_000;

const kept: object[] = [];
/** What must not be optimized away. */
Object.assign(globalThis, { kept });

let turns = 0;
let places = 0;
const linear: number[] = [];

function turn(): void {
	for (let count = 0; count < GARBAGE_PER_TURN; count += 1) {
		const one: { other?: object } = {};
		one.other = { one };
		if (count % (GARBAGE_PER_TURN / KEPT_PER_TURN) === 0) {
			kept[places % KEPT_MAX] = { number: places };
			places += 1;
		}
	}
	turns += 1;
	if (turns % (TURNS / 4) === 0) {
		linear.push(host.memoryUsage().linear);
	}
	if (turns < TURNS) {
		setImmediate(turn);
	} else {
		host.writeText(1, JSON.stringify(linear));
	}
}

startLoop();
setImmediate(turn);
