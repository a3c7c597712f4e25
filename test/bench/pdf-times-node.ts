/** Prints Node's milliseconds a PDF; argument: the file of the invoices. */
import { readFileSync } from "node:fs";
import { loadPdfAssets } from "../../src/node/assets.ts";
import { type MeasuredInvoices, measurePdfs } from "./pdf-times.ts";

const [file = ""] = process.argv.slice(2);
const invoices = JSON.parse(readFileSync(file, "utf8")) as MeasuredInvoices;
console.log(JSON.stringify(measurePdfs(await loadPdfAssets(), invoices)));
