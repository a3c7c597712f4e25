/** What we use of pdfkit 0.20.2; its browser build, so that every runtime writes the same bytes. */
declare module "*/pdfkit.browser.mjs" {
	/** An indirect object of the file. */
	export interface PDFReference {
		readonly id: number;
		readonly data: Record<string, unknown>;
		write(chunk: Uint8Array | string): void;
		end(chunk?: Uint8Array | string): void;
	}

	export interface PDFPage {
		readonly dictionary: PDFReference;
		readonly content: PDFReference;
		readonly fonts: Record<string, unknown>;
		readonly xobjects: Record<string, unknown>;
	}

	export interface PDFAnnotationReference {
		readonly annotationRef: PDFReference;
	}

	export interface PDFDocumentOptions {
		pdfVersion: "1.7";
		subset: "PDF/A-3b";
		lang: string;
		displayTitle: boolean;
		compress: boolean;
		bufferPages: boolean;
		autoFirstPage: boolean;
		size: [width: number, height: number];
		margin: number;
		font: null;
	}

	export class PDFDocument {
		constructor(options: PDFDocumentOptions);
		readonly page: PDFPage;
		readonly _root: PDFReference;
		readonly info: Record<string, string | Date>;
		/** Byte offset of each object by id - 1. */
		readonly _offsets: (number | null)[];
		readonly _waiting: number;
		readonly _info: PDFReference;
		ref(data?: unknown): PDFReference;
		addPage(): this;
		switchToPage(index: number): PDFPage;
		link(
			x: number,
			y: number,
			width: number,
			height: number,
			url: string,
			options: {
				/** A String object: pdfkit takes a primitive for a name. */
				Contents: object;
				structParent: { add(reference: PDFAnnotationReference): void };
			},
		): this;
		appendXML(xml: string): void;
		end(): void;
		addContent(operators: string): this;
		_addInfo(): void;
		_addColorOutputIntent(): void;
		_write(data: string | Uint8Array): void;
		_refEnd(reference: PDFReference): void;
		_finalize(): void;
	}
}
