/** Register entries that were read before: they never change, so they need not be read again. */
import type { RegisterEntry } from "./store.ts";

/** Entries remembered, about 5 MB; the least recently used are forgotten. */
export const ENTRIES_REMEMBERED_MAX = 10_000;

/**
 * Remembers what `read` finds. What it does not find is asked for again: it
 * may come. Only what the majority has may be read by `read`.
 */
export function rememberEntries(
	read: (number: string) => Promise<RegisterEntry | undefined>,
	most = ENTRIES_REMEMBERED_MAX,
): (number: string) => Promise<RegisterEntry | undefined> {
	const entries = new Map<string, RegisterEntry>();
	return async (number) => {
		const known = entries.get(number);
		const entry = known ?? (await read(number));
		if (entry !== undefined) {
			// Last in the order of insertion: the most recently used.
			entries.delete(number);
			entries.set(number, entry);
			const [oldest] = entries.keys();
			if (entries.size > most && oldest !== undefined) {
				entries.delete(oldest);
			}
		}
		return entry;
	};
}
