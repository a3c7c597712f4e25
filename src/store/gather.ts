/** Reads that arrive while another is under way go to the database together: a command costs as much for many as for one. */

/** A command that takes longer holds up nobody else. */
const SLOW_MS = 25;

/** Slow commands at once; while there are so many, reads wait. */
const SLOW_COMMANDS_MAX = 16;

/** Keys of one command. */
const KEYS_MAX = 32;

interface Waiting<Key, Value> {
	key: Key;
	resolve: (value: Value) => void;
	reject: (error: unknown) => void;
}

/**
 * Makes a read of one key from a read of many, which answers in the keys'
 * order. A read that comes alone is sent at once; those that come meanwhile
 * follow in one command when it is answered, or slow. Every read is sent after
 * it was asked for, so it sees what was stored before.
 */
export function gatherReads<Key, Value>(
	readMany: (keys: Key[]) => Promise<Value[]>,
): (key: Key) => Promise<Value> {
	let waiting: Waiting<Key, Value>[] = [];
	let isUnderWay = false;
	let slowCommands = 0;

	async function send(): Promise<void> {
		const sent = waiting.slice(0, KEYS_MAX);
		waiting = waiting.slice(KEYS_MAX);
		isUnderWay = true;
		let isSlow = false;
		const slow = setTimeout(() => {
			isSlow = true;
			slowCommands += 1;
			isUnderWay = false;
			sendWaiting();
		}, SLOW_MS);
		try {
			const values = await readMany(sent.map(({ key }) => key));
			for (const [at, { resolve }] of sent.entries()) {
				resolve(values[at] as Value);
			}
		} catch (error) {
			for (const { reject } of sent) {
				reject(error);
			}
		}
		clearTimeout(slow);
		if (isSlow) {
			slowCommands -= 1;
		} else {
			isUnderWay = false;
		}
		sendWaiting();
	}

	function sendWaiting(): void {
		if (waiting.length > 0 && !isUnderWay && slowCommands < SLOW_COMMANDS_MAX) {
			void send();
		}
	}

	return (key) =>
		new Promise((resolve, reject) => {
			waiting.push({ key, resolve, reject });
			sendWaiting();
		});
}
