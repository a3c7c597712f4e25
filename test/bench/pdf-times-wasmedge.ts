/** Prints the milliseconds a PDF inside WasmEdge; the invoices are /bench/invoices.json. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";
import { createRuntime } from "../../src/wasmedge/runtime.ts";
import { type MeasuredInvoices, measurePdfs } from "./pdf-times.ts";

startLoop();
void createRuntime({ onListenerEnded: () => {} })
	.loadPdfAssets({ furtherTemplates: undefined })
	.then((assets) => {
		const file = host.readFile("/bench/invoices.json");
		const invoices = JSON.parse(
			host.decodeUtf8(file, true),
		) as MeasuredInvoices;
		host.writeText(1, `${JSON.stringify(measurePdfs(assets, invoices))}\n`);
	});
