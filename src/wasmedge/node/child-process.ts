/** `child_process`: there are no processes to start in the sandbox. */

export function spawn(program: string): never {
	throw new Error(
		`The sandbox starts no programs, so ${program} cannot be run.`,
	);
}
