/** SHA-256 by the host. */

/** SHA-256 of bytes, as 64 lower-case hexadecimal digits (FIPS 180-4). */
export function sha256Hex(bytes: Uint8Array): string {
	return host.hashHex("sha256", bytes);
}
