import type { OutputOptions, RollupOptions } from "rollup";

type Bundle = RollupOptions & { output: OutputOptions };

export function bundle(
	input: string,
	file: string,
	beside?: readonly string[],
): Bundle;
export function wasmBundle(input: string, file: string): Bundle;
declare const configuration: Bundle[];
export default configuration;
