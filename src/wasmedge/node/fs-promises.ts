/** `fs/promises`: reading what lies in the preopened folders. */

type Encoding = "utf8" | "utf-8";

export async function readFile(
	path: string,
	options?: Encoding | { encoding?: Encoding | null },
): Promise<Uint8Array<ArrayBuffer> | string> {
	const bytes = host.readFile(path);
	const encoding = typeof options === "string" ? options : options?.encoding;
	return encoding ? host.decodeUtf8(bytes, false) : bytes;
}

export async function readdir(path: string): Promise<string[]> {
	return host.readFolder(path).map(({ name }) => name);
}

/** Rejects where the file cannot be read. */
export async function access(path: string): Promise<void> {
	host.readFile(path);
}

function refused(call: string): (path: unknown) => Promise<never> {
	return async (path) => {
		throw Object.assign(
			new Error(
				`The sandbox only reads files: ${call} of ${String(path)} is not possible.`,
			),
			{ code: "EROFS", syscall: call },
		);
	};
}

export const writeFile = refused("writeFile");
export const mkdir = refused("mkdir");
export const unlink = refused("unlink");
export const rm = refused("rm");
export const stat = refused("stat");
