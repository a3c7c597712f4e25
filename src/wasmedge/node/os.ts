/** `os`: what the driver tells the server about where it runs. */

export const EOL = "\n";

export function platform(): string {
	return "wasi";
}

export function type(): string {
	return "WasmEdge";
}

export function arch(): string {
	return "wasm32";
}

/** Of the JavaScript engine: WasmEdge does not tell its own. */
export function release(): string {
	return `QuickJS ${host.versions.quickjs ?? "of unknown version"}`;
}

export function endianness(): "LE" {
	return "LE";
}

export function hostname(): string {
	return "localhost";
}
