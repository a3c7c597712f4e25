/** Ends this process in good order when the npm that runs it was killed, so that nothing is left serving unseen. */

const POLL_MS = 500;

/** Sends this process a SIGTERM once its parent is gone; does nothing where npm did not start it. */
export function followNpm() {
	if (!process.env.npm_lifecycle_event) return;
	const parent = process.ppid;
	const watch = setInterval(() => {
		if (process.ppid === parent) return;
		clearInterval(watch);
		process.kill(process.pid, "SIGTERM");
	}, POLL_MS);
	watch.unref();
}
