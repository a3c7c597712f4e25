/** Putting our web APIs where programs look for them. */

/** Defines each as a property of the global object, as the web's own are: writable, but not listed. */
export function defineGlobals(values: Readonly<Record<string, unknown>>): void {
	for (const [name, value] of Object.entries(values)) {
		Object.defineProperty(globalThis, name, {
			value,
			writable: true,
			enumerable: false,
			configurable: true,
		});
	}
}
