/** Which runtime the service under test runs in: Node, or WasmEdge where TEST_RUNTIME says so. */

const RUNTIMES = ["node", "wasmedge"] as const;

export type TestRuntime = (typeof RUNTIMES)[number];

export const RUNTIME: TestRuntime = readRuntime(
	process.env.TEST_RUNTIME ?? "node",
);

function readRuntime(text: string): TestRuntime {
	const found = RUNTIMES.find((runtime) => runtime === text);
	if (found === undefined) {
		throw new Error(
			`TEST_RUNTIME must be one of ${RUNTIMES.join(", ")}; it is "${text}".`,
		);
	}
	return found;
}
