/** A question to the web APIs, and tables of them. */

/** The globals that are compared. */
export type Web = Pick<
	typeof globalThis,
	| "AbortController"
	| "AbortSignal"
	| "atob"
	| "btoa"
	| "crypto"
	| "DOMException"
	| "Event"
	| "EventTarget"
	| "Headers"
	| "performance"
	| "ReadableStream"
	| "Request"
	| "Response"
	| "structuredClone"
	| "TextDecoder"
	| "TextEncoder"
	| "TransformStream"
	| "URL"
	| "URLSearchParams"
	| "WritableStream"
>;

/** Answers something that can be written down, or throws. */
export type WebCase = (web: Web) => unknown;

/** The cases of a table: a name and its inputs side by side. */
export function tabled<Input>(
	inputs: Readonly<Record<string, Input>>,
	run: (web: Web, input: Input) => unknown,
): Record<string, WebCase> {
	return Object.fromEntries(
		Object.entries(inputs).map(([name, input]) => [
			name,
			(web: Web) => run(web, input),
		]),
	);
}

/** A table where the input is its own name. */
export function listed(
	title: string,
	inputs: readonly string[],
	run: (web: Web, input: string) => unknown,
): Record<string, WebCase> {
	return tabled(
		Object.fromEntries(
			inputs.map((input) => [`${title} ${JSON.stringify(input)}`, input]),
		),
		run,
	);
}
