/** performance of the High Resolution Time standard; QuickJS's own counts its origin from the start of the machine. */
export const performance = {
	/** Milliseconds since `timeOrigin`, on a clock that never goes back. */
	now: () => host.monotonicNow() - started_ms,

	/** When the program began, in milliseconds since 1970. */
	timeOrigin: Date.now(),

	toJSON() {
		return { timeOrigin: this.timeOrigin };
	},
};

const started_ms = host.monotonicNow();
