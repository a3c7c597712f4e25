/** Node's file system, as the service reads it. */
import { readdir, readFile } from "node:fs/promises";
import type { Files } from "../files.ts";

export const FILE_SYSTEM: Files = {
	async readFile(path) {
		return new Uint8Array(await readFile(path));
	},
	async readFolder(path) {
		const entries = await readdir(path, { withFileTypes: true });
		return entries.map((entry) => ({
			name: entry.name,
			isFolder: entry.isDirectory(),
		}));
	},
};
