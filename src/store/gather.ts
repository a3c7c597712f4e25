/** Reads that arrive while others are under way go to the database together: a command costs as much for many as for one. */

/** Commands under way at once; one that hangs must not hold up all the others. */
const COMMANDS_MAX = 4;

/** Keys of one command. */
const KEYS_MAX = 32;

interface Waiting<Key, Value> {
	key: Key;
	resolve: (value: Value) => void;
	reject: (error: unknown) => void;
}

/**
 * Makes a read of one key from a read of many, which answers in the keys'
 * order. A read that comes alone is sent at once. Every read is sent after it
 * was asked for, so it sees what was stored before.
 */
export function gatherReads<Key, Value>(
	readMany: (keys: Key[]) => Promise<Value[]>,
): (key: Key) => Promise<Value> {
	const waiting: Waiting<Key, Value>[] = [];
	let commands = 0;

	async function send(): Promise<void> {
		const sent = waiting.splice(0, KEYS_MAX);
		commands += 1;
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
		commands -= 1;
		sendWaiting();
	}

	function sendWaiting(): void {
		while (waiting.length > 0 && commands < COMMANDS_MAX) {
			void send();
		}
	}

	return (key) =>
		new Promise((resolve, reject) => {
			waiting.push({ key, resolve, reject });
			sendWaiting();
		});
}
