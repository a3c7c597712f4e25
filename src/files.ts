/** The files that the service reads once, when it starts; each runtime has its own way to them. */

/** An error of a runtime's file system has a POSIX name as `code`, such as "ENOENT". */
export interface Files {
	/** A whole file. */
	readFile(path: string): Promise<Uint8Array>;
	/** What a folder holds, in no particular order. */
	readFolder(path: string): Promise<{ name: string; isFolder: boolean }[]>;
}

const UTF8 = new TextDecoder();

/** A whole file of text in UTF-8. */
export async function readTextFile(
	files: Files,
	path: string,
): Promise<string> {
	return UTF8.decode(await files.readFile(path));
}
