/** `fs`: its promises; what would write, or wait, is refused. */
import * as promises from "./fs-promises.ts";

export { promises };

export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };

function refused(call: string): (path: unknown) => never {
	return (path) => {
		throw Object.assign(
			new Error(
				`The sandbox reads files by fs.promises only: ${call} of ${String(path)} is not possible.`,
			),
			{ code: "ENOSYS", syscall: call },
		);
	};
}

export const readFile = refused("readFile");
export const readFileSync = refused("readFileSync");
export const createReadStream = refused("createReadStream");
export const createWriteStream = refused("createWriteStream");
