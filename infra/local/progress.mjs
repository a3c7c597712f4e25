/** Tells people who wait what is going on: a line that spins on a terminal, plain lines elsewhere. */

const QUIET_MS = 1_000; // what is done sooner needs no word
const FRAME_MS = 100;
const PLAIN_REMINDER_MS = 15_000;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * Does the work and, when it takes longer than a second, says what is done and how long it has taken.
 *
 * @template Result
 * @param {string} label what is done, such as "Installing the npm packages"
 * @param {(say: (line: string) => void) => Promise<Result>} work is handed a way to print a line of its own
 * @param {NodeJS.WriteStream} [stream]
 * @returns {Promise<Result>} what the work returns
 */
export async function withProgress(label, work, stream = process.stderr) {
	const startedAt = Date.now();
	const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
	const clear = () => {
		if (stream.isTTY) stream.write("\r\x1b[K");
	};
	let frame = 0;
	let announced = false;
	let remindedAt = startedAt;
	const timer = setInterval(() => {
		const now = Date.now();
		if (now - startedAt < QUIET_MS) return;
		if (stream.isTTY) {
			const spinner = FRAMES[frame++ % FRAMES.length];
			stream.write(`\r\x1b[K${spinner} ${label} (${seconds()})`);
		} else if (!announced) {
			stream.write(`${label} …\n`);
		} else if (now - remindedAt >= PLAIN_REMINDER_MS) {
			remindedAt = now;
			stream.write(`${label}: still at it after ${seconds()}.\n`);
		}
		announced = true;
	}, FRAME_MS);
	try {
		const result = await work((line) => {
			clear();
			stream.write(`${line}\n`);
		});
		clear();
		if (announced) stream.write(`${label}: done in ${seconds()}.\n`);
		return result;
	} catch (error) {
		clear();
		throw error;
	} finally {
		clearInterval(timer);
	}
}
