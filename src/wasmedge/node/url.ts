/** `url`: the global URL, by import. */
const { URL, URLSearchParams } = globalThis;

export { URL, URLSearchParams };

/** The name as DNS knows it; "" where it is none. */
export function domainToASCII(name: string): string {
	try {
		return new URL(`http://${name}`).hostname;
	} catch {
		return "";
	}
}
