/**
 * Domain names in URLs (UTS #46), in place of the package tr46: ASCII only. The
 * table for all the others would be a fifth of the bundle, for hosts that nobody
 * here has; a URL with such a name is not valid, and is to be written as "xn--…".
 */

const ASCII = /^[\0-\x7f]*$/;

/** The name in lower case; null where it has other characters than ASCII's. */
export function toASCII(name: string): string | null {
	return ASCII.test(name) ? name.toLowerCase() : null;
}
