/** The first PDF of a fresh process as anybody would write it with pdfkit; argument: a snapshot's file. */
import { readFileSync } from "node:fs";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { renderWithPdfkit } from "./pdfkit-invoice.ts";

const [file = ""] = process.argv.slice(2);
await renderWithPdfkit(JSON.parse(readFileSync(file, "utf8")) as Snapshot);
