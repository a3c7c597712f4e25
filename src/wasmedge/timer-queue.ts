/** Timers in the order in which they are due: a binary heap from which each can be taken out. */

/** What the queue must know of a timer; the timer's owner reads nothing of it. */
export interface QueuedTimer {
	/** When it is due, on the clock of `host.monotonicNow`. */
	due_ms: number;
	/** Where it stands in the heap; -1 where it does not. */
	place: number;
	/** What it was sorted by: `due_ms`, or an earlier time, where it was put off since. */
	sorted_ms: number;
	/** Breaks ties: the earlier one of two. */
	order: number;
}

export interface TimerQueue<T extends QueuedTimer> {
	/** Queues the timer for its `due_ms`, anew if it is queued already. */
	add(timer: T): void;
	/** Takes it out, if it is queued. */
	remove(timer: T): void;
	/** Takes out the first timer that is due at `now_ms`, or nothing. */
	takeDue(now_ms: number): T | undefined;
	/** When to look for the next one at the earliest; Infinity where there is none. */
	nextDue(): number;
}

/**
 * Opens an empty queue. A timer that is put off (`add` again with a later
 * `due_ms`) moves only when its former time comes: the timeout of a connection
 * is put off at every request, and comes due once in a lifetime.
 */
export function openTimerQueue<T extends QueuedTimer>(): TimerQueue<T> {
	const heap: T[] = [];
	let orders = 0;

	return { add, remove, takeDue, nextDue };

	function add(timer: T): void {
		timer.order = orders++;
		if (timer.place >= 0) {
			if (timer.due_ms >= timer.sorted_ms) {
				return;
			}
			timer.sorted_ms = timer.due_ms;
			rise(timer, timer.place);
			return;
		}
		timer.sorted_ms = timer.due_ms;
		heap.push(timer);
		rise(timer, heap.length - 1);
	}

	function remove(timer: T): void {
		const { place } = timer;
		if (place < 0) {
			return;
		}
		timer.place = -1;
		const last = heap.pop();
		if (last === undefined || last === timer) {
			return;
		}
		settle(last, place);
	}

	function takeDue(now_ms: number): T | undefined {
		for (;;) {
			const first = heap[0];
			if (first === undefined || first.sorted_ms > now_ms) {
				return undefined;
			}
			if (first.due_ms > first.sorted_ms) {
				first.sorted_ms = first.due_ms;
				sink(first, 0);
				continue;
			}
			remove(first);
			return first;
		}
	}

	function nextDue(): number {
		return heap[0]?.sorted_ms ?? Number.POSITIVE_INFINITY;
	}

	/** Puts a timer in at a place that has become free. */
	function settle(timer: T, place: number): void {
		const above = heap[(place - 1) >> 1];
		if (place > 0 && above !== undefined && isBefore(timer, above)) {
			rise(timer, place);
		} else {
			sink(timer, place);
		}
	}

	function rise(timer: T, from: number): void {
		let place = from;
		while (place > 0) {
			const parentPlace = (place - 1) >> 1;
			const parent = heap[parentPlace] as T;
			if (!isBefore(timer, parent)) {
				break;
			}
			heap[place] = parent;
			parent.place = place;
			place = parentPlace;
		}
		heap[place] = timer;
		timer.place = place;
	}

	function sink(timer: T, from: number): void {
		let place = from;
		for (;;) {
			let childPlace = 2 * place + 1;
			let child = heap[childPlace];
			if (child === undefined) {
				break;
			}
			const other = heap[childPlace + 1];
			if (other !== undefined && isBefore(other, child)) {
				childPlace += 1;
				child = other;
			}
			if (!isBefore(child, timer)) {
				break;
			}
			heap[place] = child;
			child.place = place;
			place = childPlace;
		}
		heap[place] = timer;
		timer.place = place;
	}
}

function isBefore(one: QueuedTimer, other: QueuedTimer): boolean {
	return (
		one.sorted_ms < other.sorted_ms ||
		(one.sorted_ms === other.sorted_ms && one.order < other.order)
	);
}
