/** Measuring: interleaved rounds, medians, and the ratio of a figure to its peer's in the same run. */

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
	const sorted = figures.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The figure below which `share` (0 … 1) of all lie. */
export function percentile(figures: readonly number[], share: number): number {
	const sorted = figures.toSorted((a, b) => a - b);
	return (
		sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ??
		Number.NaN
	);
}

/**
 * Runs every contestant once a round, in turn, so that a noisy machine is
 * noisy for all of them; resolves to each one's median milliseconds a call.
 */
export async function race(
	contestants: Readonly<
		Record<string, { calls: number; run: (call: number) => unknown }>
	>,
	rounds: number,
): Promise<Record<string, number>> {
	const figures: Record<string, number[]> = {};
	for (let round = 0; round <= rounds; round += 1) {
		for (const [name, { calls, run }] of Object.entries(contestants)) {
			const start = performance.now();
			for (let call = 0; call < calls; call += 1) {
				await run(round * calls + call);
			}
			const milliseconds = (performance.now() - start) / calls;
			// The first round warms up.
			if (round > 0) {
				figures[name] = [...(figures[name] ?? []), milliseconds];
			}
		}
	}
	return Object.fromEntries(
		Object.entries(figures).map(([name, each]) => [name, median(each)]),
	);
}

/** Prints one row: what, our figure, the peer's, their ratio, and the target where there is one. */
export function row(
	what: string,
	ours: string,
	peer: string,
	ratio: number,
	target?: { least?: number; most?: number },
): void {
	const met =
		target === undefined
			? ""
			: target.least !== undefined
				? `${ratio >= target.least ? "reached" : "MISSED"}: ≥ ${target.least}×`
				: `${ratio <= (target.most ?? Number.NaN) ? "reached" : "MISSED"}: ≤ ${target.most}×`;
	console.log(
		`${what.padEnd(44)} ${ours.padStart(20)}   ${peer.padStart(34)}   ${`${ratio.toFixed(2)}×`.padStart(9)}   ${met}`,
	);
}
