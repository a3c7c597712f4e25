/** The line that `npm test` ends with counts what the runners really reported. */
import assert from "node:assert/strict";
import {
	closingLine,
	isGreen,
	outcomeOf,
	sumOf,
} from "../../infra/local/outcome.ts";

const CASES: readonly {
	what: string;
	output: string;
	status: number | null;
	line: string;
	green: boolean;
}[] = [
	{
		what: "a suite that passes",
		output:
			"  store\n    ✔ numbers are gapless (12ms)\n\n\n  41 passing (3s)\n",
		status: 0,
		line: "41 passed, 0 failed",
		green: true,
	},
	{
		what: "colours around the counts",
		output:
			"\u001b[92m \u001b[0m\u001b[32m 7 passing\u001b[0m\u001b[90m (3s)\u001b[0m\n\u001b[36m \u001b[0m\u001b[36m 2 pending\u001b[0m\n✔ Tests passed.\n",
		status: 0,
		line: "7 passed, 0 failed, 2 skipped",
		green: true,
	},
	{
		what: "failed tests",
		output:
			"  39 passing (1m)\n  1 pending\n  2 failing\n\n  1) store\n       5 failing over\n",
		status: 2,
		line: "39 passed, 2 failed, 1 skipped",
		green: false,
	},
	{
		what: "failed tests behind a status of 0",
		output: "  1 passing (5ms)\n  1 failing\n",
		status: 0,
		line: "1 passed, 1 failed",
		green: false,
	},
	{
		what: "titles and logs that read like counts",
		output:
			"    ✔ 3 passing cars\n  900 passing (the toll gate)\n  4 passing (9ms)\n",
		status: 0,
		line: "4 passed, 0 failed",
		green: true,
	},
	{
		what: "a suite that did not compile",
		output: '✘ [ERROR] Could not resolve "./nothing.ts"\n',
		status: 1,
		line: "0 passed, 1 failed",
		green: false,
	},
	{
		what: "a suite that a signal ended before its counts",
		output: "    ✔ starts\n",
		status: null,
		line: "0 passed, 1 failed",
		green: false,
	},
	{
		what: "a suite that crashed after its counts",
		output: "  8 passing (1s)\n",
		status: 134,
		line: "8 passed, 1 failed",
		green: false,
	},
	{
		what: "a suite in which no test ran",
		output: "\n  0 passing (1ms)\n",
		status: 0,
		line: "0 passed, 1 failed",
		green: false,
	},
	{
		what: "a suite of skipped tests only",
		output: "  0 passing (1ms)\n  3 pending\n",
		status: 0,
		line: "0 passed, 0 failed, 3 skipped",
		green: false,
	},
];

describe("the closing line of a test run", () => {
	for (const { what, output, status, line, green } of CASES) {
		it(`counts ${what}: ${line}`, () => {
			const outcome = outcomeOf(output, status);
			assert.equal(closingLine(outcome), line);
			assert.equal(isGreen(outcome), green);
		});
	}

	it("adds up the suites, and is red when none ran", () => {
		const suites = [
			outcomeOf("  3 passing (1s)\n  1 pending\n", 0),
			outcomeOf("  4 passing (1s)\n  2 failing\n", 2),
		];
		assert.equal(closingLine(sumOf(suites)), "7 passed, 2 failed, 1 skipped");
		assert.equal(isGreen(sumOf([])), false);
	});
});
