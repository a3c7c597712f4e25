/** A PDF file in the making: pdfkit's document, with its small objects packed into compressed object streams. */

import { writeLatin1 } from "#latin1";
import { sha256Hex } from "#sha256";
// By its path: the package hides its browser build from Node, and only one build may write our bytes.
import { PDFDocument } from "../../../node_modules/pdfkit/js/pdfkit.browser.mjs";
import type { DocumentProperties } from "./canvas.ts";
import type { Deflate, DeflateEffort } from "./deflate.ts";
import { deflateText } from "./deflate-text.ts";

/** A4 in points: 210 × 297 mm. */
export const PAGE_WIDTH = 595.28;
export const PAGE_HEIGHT = 841.89;

/** Named in the file as what made it. */
const CREATOR = "Rechnungsverwaltung";
const PRODUCER = "PDFKit";

/** Objects per object stream: a reader unpacks a whole stream to get at one. */
const OBJECTS_PER_STREAM_MAX = 255;
/** Hexadecimal digits of 16 bytes (ISO 32000-1, 14.4). */
const FILE_IDENTIFIER_LENGTH = 32;

export interface PdfFile {
	/** pdfkit's part: pages, links, metadata, output intent, attachments. */
	readonly kit: PDFDocument;
	/** Sets a number aside for an object that is written later. */
	reserve(): number;
	/** Writes an object without a stream. */
	object(id: number, body: string): void;
	/** Writes objects that were packed before. */
	packedObjects(packed: PackedObjects): void;
	/** Writes a stream object; the bytes as they are, with what `entries` say of them. */
	stream(id: number, entries: string, bytes: Uint8Array): void;
	/** Closes the file and returns its bytes. */
	finish(): Uint8Array;
}

/** Objects in an object stream; the same for every file where they have the same numbers. */
export interface PackedObjects {
	readonly ids: readonly number[];
	readonly entries: string;
	readonly bytes: Uint8Array;
}

/** Where the objects lie, by their numbers; two arrays, because a document has hundreds. */
interface Places {
	/** An offset in the file, or the number of an object stream. */
	readonly at: number[];
	/** The position in that stream; AT_OFFSET for an offset. */
	readonly index: number[];
}

const AT_OFFSET = -1;

/**
 * Starts a file. pdfkit writes each object as text of its own and a table of
 * their offsets. Tagging gives even a one-page invoice a hundred small
 * objects, so they are caught on their way out and go into object streams
 * (ISO 32000-1, 7.5.7), which PDF/A-3 allows.
 */
export function createPdfFile(
	properties: DocumentProperties,
	deflate: Deflate,
): PdfFile {
	const kit = new PDFDocument({
		pdfVersion: "1.7",
		subset: "PDF/A-3b",
		lang: properties.language,
		displayTitle: true,
		compress: false,
		bufferPages: true,
		autoFirstPage: false,
		size: [PAGE_WIDTH, PAGE_HEIGHT],
		margin: 0,
		font: null,
	});
	// Not among the options: pdfkit would hash them for an /ID that is not ours.
	Object.assign(kit.info, {
		Producer: PRODUCER,
		Creator: CREATOR,
		CreationDate: properties.createdAt,
		ModDate: properties.createdAt,
		Title: properties.title,
		Author: properties.author,
		Subject: properties.subject,
	});
	const identifier = sha256Hex(
		new TextEncoder().encode(properties.identity),
	).slice(0, FILE_IDENTIFIER_LENGTH);

	/** The file so far. Text becomes bytes at the end, in their last place. */
	const chunks: (string | Uint8Array)[] = [];
	let length = 0;
	function append(chunk: string | Uint8Array): void {
		chunks.push(chunk);
		length += chunk.length;
	}
	// The second line marks the file as binary (ISO 32000-1, 7.5.2).
	append("%PDF-1.7\n%\xff\xff\xff\xff\n");

	const places: Places = { at: [], index: [] };
	function placeAtEnd(id: number): void {
		places.at[id] = length;
		places.index[id] = AT_OFFSET;
	}
	let bodies: string[] = [];
	let bodyIds: number[] = [];

	function reserve(): number {
		return kit._offsets.push(null);
	}

	function object(id: number, body: string): void {
		bodyIds.push(id);
		bodies.push(body);
		if (bodies.length === OBJECTS_PER_STREAM_MAX) {
			flushObjects();
		}
	}

	function stream(id: number, entries: string, bytes: Uint8Array): void {
		placeAtEnd(id);
		append(`${id} 0 obj\n<<${entries}/Length ${bytes.length}>>\nstream\n`);
		append(bytes);
		append("\nendstream\nendobj\n");
	}

	function packedObjects(packed: PackedObjects): void {
		const id = reserve();
		for (let index = 0; index < packed.ids.length; index++) {
			const packedId = packed.ids[index] ?? 0;
			places.at[packedId] = id;
			places.index[packedId] = index;
		}
		stream(id, packed.entries, packed.bytes);
	}

	function flushObjects(): void {
		if (bodies.length > 0) {
			packedObjects(packObjects(bodyIds, bodies, deflate, "each"));
			bodies = [];
			bodyIds = [];
		}
	}

	let written: (string | Uint8Array)[] = [];
	kit._write = (data) => {
		written.push(data);
	};
	const referenceEnded = kit._refEnd;
	kit._refEnd = (reference) => {
		const body = written[1];
		if (written.length === 3 && typeof body === "string") {
			object(reference.id, body);
		} else {
			placeAtEnd(reference.id);
			for (const piece of written) {
				append(typeof piece === "string" ? `${piece}\n` : piece);
			}
		}
		written = [];
		referenceEnded.call(kit, reference);
	};
	kit._finalize = () => {};
	kit._addInfo = () => {
		kit.appendXML(describe(properties));
	};

	function writeCrossReferences(): void {
		const id = reserve();
		const start = length;
		placeAtEnd(id);
		const { widths, bytes } = crossReferences(places, id + 1);
		const isLong = bytes.length > CROSS_REFERENCES_PLAIN_MAX;
		stream(
			id,
			`/Type/XRef/W[${widths.join(" ")}]/Size ${id + 1}/Root ${kit._root.id} 0 R/Info ${kit._info.id} 0 R/ID[<${identifier}><${identifier}>]${isLong ? "/Filter/FlateDecode" : ""}`,
			isLong ? deflate(bytes, "each") : bytes,
		);
		append(`startxref\n${start}\n%%EOF\n`);
	}

	return {
		kit,
		reserve,
		object,
		packedObjects,
		stream,
		finish() {
			kit.end();
			if (kit._waiting !== 0) {
				throw new Error(
					`${kit._waiting} objects of the PDF were begun and never ended: each reference needs its end().`,
				);
			}
			flushObjects();
			writeCrossReferences();
			const bytes = new Uint8Array(length);
			let offset = 0;
			for (const chunk of chunks) {
				if (typeof chunk === "string") {
					writeLatin1(bytes, offset, chunk);
				} else {
					bytes.set(chunk, offset);
				}
				offset += chunk.length;
			}
			return bytes;
		},
	};
}

/** How pdfkit's data points at an object that we write. */
export function reference(id: number): object {
	return {
		// Anything but a plain object is written as its text.
		[Symbol.toStringTag]: "Reference",
		toString: () => `${id} 0 R`,
	};
}

/** A text string (ISO 32000-1, 7.9.2.2). */
export function textString(text: string): string {
	if (/^[\x20-\x7e]*$/.test(text)) {
		return `(${text.replace(/[\\()]/g, "\\$&")})`;
	}
	let hex = "<feff";
	for (let at = 0; at < text.length; at++) {
		hex += text.charCodeAt(at).toString(16).padStart(4, "0");
	}
	return `${hex}>`;
}

/** Packs objects without streams into an object stream (ISO 32000-1, 7.5.7). */
export function packObjects(
	ids: readonly number[],
	bodies: readonly string[],
	deflate: Deflate,
	effort: DeflateEffort,
): PackedObjects {
	let index = "";
	let offset = 0;
	for (let at = 0; at < bodies.length; at++) {
		index += `${ids[at]} ${offset} `;
		offset += (bodies[at]?.length ?? 0) + 1;
	}
	return {
		ids,
		entries: `/Type/ObjStm/N ${bodies.length}/First ${index.length}/Filter/FlateDecode`,
		bytes: deflateText(`${index}${bodies.join("\n")}`, deflate, effort),
	};
}

/** Shorter ones are written as they are: compressing would save 200 bytes and take a twentieth of the document's time. */
const CROSS_REFERENCES_PLAIN_MAX = 1024;

const TYPE_FREE = 0;
const TYPE_OFFSET = 1;
const TYPE_PACKED = 2;
const LAST_GENERATION = 0xff;

/** The rows of the cross-reference stream (ISO 32000-1, 7.5.8.3), no wider than they must be. */
function crossReferences(
	{ at, index }: Places,
	size: number,
): { widths: [number, number, number]; bytes: Uint8Array } {
	let most = 0;
	for (let id = 1; id < size; id++) {
		const place = at[id];
		if (place === undefined) {
			throw new Error(
				`Object ${id} of the PDF was reserved and never written: write it, or write "null".`,
			);
		}
		if (place > most) {
			most = place;
		}
	}
	const placeWidth = bytesFor(most);
	const indexWidth = 1;
	const bytes = new Uint8Array(size * (1 + placeWidth + indexWidth));
	let next = 0;
	/** Most significant byte first. */
	function write(value: number, width: number): void {
		for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) {
			bytes[next++] = value >> shift;
		}
	}
	write(TYPE_FREE, 1);
	write(0, placeWidth);
	write(LAST_GENERATION, indexWidth);
	for (let id = 1; id < size; id++) {
		const position = index[id] ?? AT_OFFSET;
		const isPacked = position !== AT_OFFSET;
		bytes[next++] = isPacked ? TYPE_PACKED : TYPE_OFFSET;
		write(at[id] ?? 0, placeWidth);
		// An object stream holds no more objects than a byte counts.
		bytes[next++] = isPacked ? position : 0;
	}
	return { widths: [1, placeWidth, indexWidth], bytes };
}

function bytesFor(value: number): number {
	return value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x1000000 ? 3 : 4;
}

/** The XMP description; pdfkit's own does not escape "&" and "<". */
function describe(properties: DocumentProperties): string {
	const time = `${properties.createdAt.toISOString().slice(0, 19)}Z`;
	return `<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<xmp:CreateDate>${time}</xmp:CreateDate>
<xmp:ModifyDate>${time}</xmp:ModifyDate>
<xmp:CreatorTool>${CREATOR}</xmp:CreatorTool>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(properties.title)}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>${escapeXml(properties.author)}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(properties.subject)}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>${escapeXml(properties.language)}</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>${PRODUCER}</pdf:Producer>
</rdf:Description>`;
}

function escapeXml(text: string): string {
	return text
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;");
}
