/** The preopened folders, as the service reads them. */
import type { Files } from "../files.ts";

export const FILE_SYSTEM: Files = {
	readFile: async (path) => host.readFile(path),
	readFolder: async (path) => host.readFolder(path),
};
