/** What the HTTP side is handed: the store, the renderer, time, the log. It has no globals and no I/O of its own. */

import type { PdfRenderer } from "../documents/pdf/render.ts";
import type { CheckContext } from "../invoice/check.ts";
import type { InvoiceStore } from "../store/store.ts";
import type { VerifyToken } from "./caller.ts";
import type { Log } from "./log.ts";
import type { ProcessMetric } from "./metrics.ts";

/** Time as the service knows it. */
export interface Clock {
	now(): Date;
	/** The calendar day in the configured time zone, "2026-11-24". */
	today(): string;
}

export interface RuntimeDescription {
	runtime: "node" | "wasmedge";
	/** How WasmEdge runs the module. */
	mode?: "aot" | "interpreter";
}

export interface Services {
	store: InvoiceStore;
	renderer: PdfRenderer;
	clock: Clock;
	log: Log;
	/** Absent where no key is configured: then everyone may do everything. */
	verifyToken?: VerifyToken;
	/** What drafts leave open. */
	defaults: Omit<CheckContext, "today" | "canPrint" | "hasTemplate">;
	/** Longest request body in bytes. */
	bodyBytesMax: number;
	/** Of this software, "0.1.0". */
	version: string;
	/** What the service runs in, as readiness tells. */
	runtime: RuntimeDescription;
	/** Whether the service can be reached from this machine only. */
	loopback: boolean;
	/** A new identifier for a request that brings none. */
	newRequestId(): string;
	/** Whether the service has begun to shut down. */
	isClosing(): boolean;
	/** Figures of the process, for the metrics. */
	processMetrics?(): ProcessMetric[];
}
