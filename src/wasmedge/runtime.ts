/** WasmEdge as the runtime of the service. */
import { loadAssets } from "../assets.ts";
import { ConfigurationError } from "../configuration.ts";
import { connectDatabase } from "../database.ts";
import type { ProcessMetric } from "../http/metrics.ts";
import type { Runtime } from "../service.ts";
import { createClock } from "./clock.ts";
import { completeConnectionString } from "./connection-string.ts";
import { nativeDeflate } from "./deflate.ts";
import { FILE_SYSTEM } from "./file-system.ts";
import { startServer } from "./http/server.ts";

/** Where the launcher opens the folder of fonts to the program, read only. */
const ROOT = "/app";

export interface RuntimeOptions {
	/** Is told when the launcher has ended the socket that the service listens on: it is to stop. */
	onListenerEnded: () => void;
	/** Of the processes that share a port, the one that sets up the database and speaks for all; true by default. */
	isFirstWorker?: boolean;
}

export function createRuntime({
	onListenerEnded,
	isFirstWorker = true,
}: RuntimeOptions): Runtime {
	return {
		description: { runtime: "wasmedge", mode: host.mode },
		files: FILE_SYSTEM,
		createClock,
		loadPdfAssets: async ({ furtherTemplates }) => ({
			...(await loadAssets(FILE_SYSTEM, { root: ROOT, furtherTemplates })),
			deflate: nativeDeflate,
		}),
		openDatabase(configuration, options) {
			const { mongodbUri, mongodbSetupUri } = configuration;
			if (mongodbUri === undefined) {
				throw new ConfigurationError(
					"MONGODB_URI is not set, and the sandbox cannot run a server of its own. Set it to a replica set or mongos.",
				);
			}
			return connectDatabase(
				completeConnectionString("MONGODB_URI", mongodbUri),
				{
					...configuration,
					mongodbSetupUri:
						mongodbSetupUri === undefined || !isFirstWorker
							? undefined
							: completeConnectionString("MONGODB_SETUP_URI", mongodbSetupUri),
				},
				options,
			);
		},
		startServer: (app, address, port) =>
			startServer({ fetch: app.fetch, host: address, port, onListenerEnded }),
		newRequestId: () => crypto.randomUUID(),
		processMetrics,
	};
}

function processMetrics(): ProcessMetric[] {
	const { linear, used } = host.memoryUsage();
	return [
		{
			name: "process_cpu_seconds_total",
			help: "CPU time.",
			type: "counter",
			value: host.cpuSeconds(),
		},
		{
			name: "wasm_linear_memory_bytes",
			help: "Linear memory of the sandbox.",
			type: "gauge",
			value: linear,
		},
		{
			name: "wasm_used_memory_bytes",
			help: "Linear memory that JavaScript's values take.",
			type: "gauge",
			value: used,
		},
	];
}
