import type { ChildProcess, StdioOptions } from "node:child_process";

export interface RunOptions {
	args?: string[];
	env?: Record<string, string>;
	folders?: { inside: string; outside: string }[];
	memoryPagesMax?: number;
	stdio?: StdioOptions;
}

export interface TestEngine {
	run(file: string, options?: RunOptions): ChildProcess;
	engine: { engine: string; wasm: string; key: string };
}

export function engineForTests(options?: object): Promise<TestEngine>;
