/** Node as the runtime of the service. */
import { randomUUID } from "node:crypto";
import type { ProcessMetric } from "../http/metrics.ts";
import type { Runtime } from "../service.ts";
import { loadPdfAssets } from "./assets.ts";
import { createClock } from "./clock.ts";
import { openDatabase } from "./database.ts";
import { FILE_SYSTEM } from "./file-system.ts";
import { startServer } from "./server.ts";

export const NODE: Runtime = {
	description: { runtime: "node" },
	files: FILE_SYSTEM,
	createClock,
	loadPdfAssets,
	openDatabase,
	startServer,
	newRequestId: randomUUID,
	processMetrics,
};

function processMetrics(): ProcessMetric[] {
	const { user, system } = process.cpuUsage();
	return [
		{
			name: "process_cpu_seconds_total",
			help: "CPU time.",
			type: "counter",
			value: (user + system) / 1e6,
		},
		{
			name: "process_resident_memory_bytes",
			help: "Resident memory.",
			type: "gauge",
			value: process.memoryUsage.rss(),
		},
	];
}
