/** pdfkit's memory for a thousand invoices; run by bench.ts as a bundle of its own. */
import { printMemory } from "./memory-of.ts";
import { renderWithPdfkit } from "./pdfkit-invoice.ts";

await printMemory(renderWithPdfkit);
