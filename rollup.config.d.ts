import type { OutputOptions, RollupOptions } from "rollup";

export function bundle(
	input: string,
	file: string,
	beside?: readonly string[],
): RollupOptions & { output: OutputOptions };
declare const configuration: RollupOptions;
export default configuration;
