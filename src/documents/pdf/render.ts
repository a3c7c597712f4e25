/** The PDF renderer: from a snapshot to the bytes of its document, always the same ones. */
import type { Snapshot } from "../../invoice/snapshot.ts";
import type { FontName } from "./canvas.ts";
import type { Deflate } from "./deflate.ts";
import { createGlyphCoverage } from "./font.ts";
import { decimalSeparator, sumOf, writeAmount } from "./format.ts";
import { describedBy, layOut } from "./layout.ts";
import { parseMarkup } from "./markup.ts";
import {
	createTemplates,
	type TemplateLibrary,
	type TemplateReference,
} from "./template.ts";
import { createPdfWriter } from "./writer.ts";

/** What documents are made with; read once per process. */
export interface PdfRendererAssets {
	/** TrueType files, as fonts/ has them. */
	readonly fonts: Readonly<Record<FontName, Uint8Array>>;
	readonly templates: TemplateLibrary;
	readonly deflate: Deflate;
}

/** A stored invoice, as far as its document needs it. */
export interface RenderedRecord {
	readonly invoice: Snapshot;
	/** SHA-256 of the snapshot's canonical form: it tells documents apart (/ID). */
	readonly digest: string;
}

export interface RenderOptions {
	/** Another template than the one that the invoice was issued with. */
	readonly template?: TemplateReference;
}

export interface PdfRenderer {
	/**
	 * The document as PDF/A-3. Synchronous and pure: the same record and
	 * template give the same bytes. Throws an Error where the template is
	 * unknown or faulty, or a character has no glyph; `hasTemplate` and
	 * `canPrint` tell before an invoice is issued.
	 */
	render(record: RenderedRecord, options?: RenderOptions): Uint8Array;
	hasTemplate(template: TemplateReference): boolean;
	/** Whether every font has a glyph for the character. */
	canPrint(codePoint: number): boolean;
}

/** Makes a renderer; what is the same for every document is prepared here. */
export function createPdfRenderer(assets: PdfRendererAssets): PdfRenderer {
	const templates = createTemplates(assets.templates);
	const writer = createPdfWriter(assets);
	const coverage = createGlyphCoverage(writer.fonts);
	return {
		render({ invoice, digest }, options = {}) {
			const { currency, language, issuedAt } = invoice;
			const template = options.template ?? invoice.template;
			const document = parseMarkup(templates.markup(invoice, template));
			const canvas = writer.createCanvas({
				title: describedBy(document, "title"),
				author: describedBy(document, "author"),
				subject: describedBy(document, "subject"),
				language,
				createdAt: new Date(issuedAt),
				identity: `${digest} ${template.name}/${template.version}`,
			});
			layOut(document, canvas, {
				decimalSeparator: decimalSeparator(language),
				sum: (values) => writeAmount(sumOf(values), currency, language),
			});
			return canvas.finish();
		},
		hasTemplate: (template) => templates.has(template),
		canPrint: (codePoint) => coverage.has(codePoint),
	};
}
