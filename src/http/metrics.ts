/** Metrics in the text format of Prometheus (version 0.0.4), counted here and held in memory. */
import type { DocumentType } from "../invoice/codes.ts";

/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS_S = [
	0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** A figure that the process knows of itself. */
export interface ProcessMetric {
	name: string;
	help: string;
	type: "counter" | "gauge";
	value: number;
}

interface Histogram {
	/** One count a bucket, not cumulative, and one for what is longer. */
	counts: number[];
	sum_s: number;
}

export interface Metrics {
	requestFinished(
		method: string,
		route: string,
		status: number,
		duration_ms: number,
	): void;
	invoiceCreated(type: DocumentType): void;
	documentRendered(duration_ms: number): void;
	/** The exposition; `queue` and `process` are read at this moment. */
	text(
		queue: { waiting: number; inFlight: number },
		process: readonly ProcessMetric[],
	): string;
}

/** Makes the counters of one process. Their labels are routes, never paths, so that their number is bounded. */
export function createMetrics(): Metrics {
	const requests = new Map<string, number>();
	const durations = new Map<string, Histogram>();
	const created = new Map<string, number>();
	const rendered = newHistogram();
	return {
		requestFinished(method, route, status, duration_ms) {
			const labels = `method="${method}",route="${route}"`;
			increment(requests, `${labels},status="${status}"`);
			let histogram = durations.get(labels);
			if (histogram === undefined) {
				histogram = newHistogram();
				durations.set(labels, histogram);
			}
			observe(histogram, duration_ms);
		},
		invoiceCreated: (type) => increment(created, `type="${type}"`),
		documentRendered: (duration_ms) => observe(rendered, duration_ms),
		text: (queue, process) =>
			[
				...heading("http_requests_total", "counter", "Requests answered."),
				...counterLines("http_requests_total", requests),
				...heading(
					"http_request_duration_seconds",
					"histogram",
					"Time from a request's headers to its answer.",
				),
				...[...durations].flatMap(([labels, histogram]) =>
					histogramLines("http_request_duration_seconds", labels, histogram),
				),
				...heading(
					"invoices_created_total",
					"counter",
					"Documents stored, by UNTDID 1001 type.",
				),
				...counterLines("invoices_created_total", created),
				...heading(
					"pdf_render_duration_seconds",
					"histogram",
					"Time to render a PDF.",
				),
				...histogramLines("pdf_render_duration_seconds", "", rendered),
				...heading(
					"store_queue_waiting",
					"gauge",
					"Drafts that wait for a transaction.",
				),
				`store_queue_waiting ${queue.waiting}`,
				...heading(
					"store_queue_in_flight",
					"gauge",
					"Drafts in the transaction that is running.",
				),
				`store_queue_in_flight ${queue.inFlight}`,
				...process.flatMap(({ name, help, type, value }) => [
					...heading(name, type, help),
					`${name} ${value}`,
				]),
				"",
			].join("\n"),
	};
}

function newHistogram(): Histogram {
	return { counts: new Array(BUCKETS_S.length + 1).fill(0), sum_s: 0 };
}

function observe(histogram: Histogram, duration_ms: number): void {
	const duration_s = duration_ms / 1000;
	const bucket = BUCKETS_S.findIndex((bound) => duration_s <= bound);
	const index = bucket === -1 ? BUCKETS_S.length : bucket;
	histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
	histogram.sum_s += duration_s;
}

function increment(counter: Map<string, number>, labels: string): void {
	counter.set(labels, (counter.get(labels) ?? 0) + 1);
}

function heading(name: string, type: string, help: string): string[] {
	return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function counterLines(name: string, counter: Map<string, number>): string[] {
	return [...counter].map(([labels, value]) => `${name}{${labels}} ${value}`);
}

function histogramLines(
	name: string,
	labels: string,
	{ counts, sum_s }: Histogram,
): string[] {
	const joined = labels === "" ? "" : `${labels},`;
	const braced = labels === "" ? "" : `{${labels}}`;
	let total = 0;
	const lines = [...BUCKETS_S, "+Inf"].map((bound, index) => {
		total += counts[index] ?? 0;
		return `${name}_bucket{${joined}le="${bound}"} ${total}`;
	});
	return [
		...lines,
		`${name}_sum${braced} ${sum_s}`,
		`${name}_count${braced} ${total}`,
	];
}
