/**
 * Reads the head of an HTTP/1.1 request (RFC 9112), and strictly: what two readers
 * could understand in two ways is refused, so that no request is smuggled past a
 * proxy. Bytes in, a head or a refusal out.
 *
 * What looks at every byte runs natively: the search for the blank line, decoding,
 * regular expressions; and lines that were read before are not read again.
 */
import { RequestRefused } from "./refusal.ts";
import { requestUrl } from "./request-url.ts";

/** Longest head in bytes, the blank line included; Node's limit. */
export const HEAD_BYTES_MAX = 16 * 1024;

/** Most header fields of a request, and most trailer fields. */
export const FIELDS_MAX = 100;

/** Length of a body in bytes, or that it says itself where it ends (RFC 9112, 6). */
export type Framing = number | "chunked";

export interface RequestHead {
	/** "GET" */
	method: string;
	/** Absolute and well formed */
	url: string;
	/** By name in lower case; fields of one name are joined by ", ", Cookie by "; ". */
	headers: Map<string, string>;
	framing: Framing;
	/** Of HTTP/1.0, which knows no chunks and no interim answers */
	isOld: boolean;
	/** Whether the client takes further answers on this connection (RFC 9112, 9.3) */
	isPersistent: boolean;
	/** Whether it holds its body back until it is told to send it (RFC 9110, 10.1.1) */
	expectsContinue: boolean;
}

/** A head, and where in the bytes it ended. */
export interface FoundHead {
	head: RequestHead;
	end: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** Ends a head. */
const BLANK_LINE = new Uint8Array([CR, LF, CR, LF]);
const LINE_FEED = new Uint8Array([LF]);

/** RFC 9112, 3: method, target and version, parted by one space each. */
const REQUEST_LINE = /^[A-Z]+ [\x21-\x7e]+ HTTP\/[0-9]\.[0-9]$/;

/** Of a request line: " HTTP/1.1" */
const VERSION_LENGTH = 9;

/** RFC 9112, 5: name, colon, value; not folded, no control characters. */
const FIELD_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

/** RFC 9110, 5.1 */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110, 8.6; fifteen digits are exact as a number. */
const LENGTH = /^[0-9]{1,15}$/;

/** The others, CONNECT among them, are answered 501 (RFC 9110, 9.1). */
const METHODS: ReadonlySet<string> = new Set(
	"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE".split(" "),
);

/** Fields that say where a request goes and ends: two of them are two meanings. */
const SINGLE_FIELDS: ReadonlySet<string> = new Set([
	"host",
	"content-length",
	"transfer-encoding",
	"expect",
]);

interface Field {
	/** In lower case */
	name: string;
	value: string;
}

/** Field lines that were read before: clients send the same ones again and again. */
const knownFields = new Map<string, Field>();
const KNOWN_FIELDS_MAX = 512;
const KNOWN_FIELD_LENGTH_MAX = 1024;

/**
 * Reads the head that begins at `start`. Returns undefined where more bytes are
 * needed. Throws RequestRefused as soon as it is sure that no head will come of them.
 */
export function readHead(
	bytes: Uint8Array,
	start: number,
): FoundHead | undefined {
	const first = skipEmptyLine(bytes, start);
	if (first === undefined) {
		return undefined;
	}
	const blank = host.findBytes(bytes, BLANK_LINE, first);
	if (blank < 0 || blank + BLANK_LINE.length - first > HEAD_BYTES_MAX) {
		refuseEarly(bytes, first);
		return undefined;
	}
	return {
		head: parseHead(host.decodeLatin1(bytes.subarray(first, blank + 2))),
		end: blank + BLANK_LINE.length,
	};
}

/** One empty line may stand before a request (RFC 9112, 2.2); undefined where that is not known yet. */
function skipEmptyLine(bytes: Uint8Array, start: number): number | undefined {
	if (bytes[start] !== CR) {
		return start;
	}
	if (start + 1 === bytes.length) {
		return undefined;
	}
	return bytes[start + 1] === LF ? start + 2 : start;
}

/** What is no head although its end has not come, or cannot be one any more. */
function refuseEarly(bytes: Uint8Array, first: number): void {
	const initial = bytes[first];
	if (initial !== undefined && !(initial >= 0x41 && initial <= 0x5a)) {
		throw new RequestRefused(
			400,
			"The request does not begin with a method in capital letters.",
		);
	}
	const lineFeed = host.findBytes(bytes, LINE_FEED, first);
	if (lineFeed >= 0 && bytes[lineFeed - 1] !== CR) {
		throw new RequestRefused(
			400,
			"A line of the request's head ends with LF alone; it must end with CR LF.",
		);
	}
	if (bytes.length - first > HEAD_BYTES_MAX) {
		throw new RequestRefused(
			431,
			`The request's head has more than ${HEAD_BYTES_MAX} bytes.`,
		);
	}
}

/** Parses request line and fields, each line with its CR LF. */
function parseHead(text: string): RequestHead {
	const lines = text.split("\r\n");
	const line = lines[0] as string;
	if (!REQUEST_LINE.test(line)) {
		throw new RequestRefused(
			400,
			'The request line must be method, target and version, parted by one space each, such as "GET /invoices HTTP/1.1".',
		);
	}
	const isOld = line.endsWith("/1.0");
	if (!isOld && !line.endsWith("/1.1")) {
		throw new RequestRefused(
			505,
			`The server speaks HTTP/1.1 and HTTP/1.0, not HTTP/${line.slice(-3)}.`,
		);
	}
	const methodEnd = line.indexOf(" ");
	const method = line.slice(0, methodEnd);
	if (!METHODS.has(method)) {
		throw new RequestRefused(
			501,
			`The server does not know the method ${method.slice(0, 32)}.`,
		);
	}
	const headers = readFields(lines);
	return {
		method,
		url: requestUrl(
			line.slice(methodEnd + 1, -VERSION_LENGTH),
			headers.get("host"),
		),
		headers,
		framing: framingOf(headers, isOld),
		isOld,
		isPersistent: isPersistent(headers.get("connection"), isOld),
		expectsContinue: expectsContinue(headers.get("expect"), isOld),
	};
}

/** The fields of a head's lines, of which the first is the request line, and the last what stands behind the last line's end: nothing. */
function readFields(lines: readonly string[]): Map<string, string> {
	const end = lines.length - 1;
	if (end - 1 > FIELDS_MAX) {
		throw new RequestRefused(
			431,
			`The request has more than ${FIELDS_MAX} header fields.`,
		);
	}
	const headers = new Map<string, string>();
	for (let index = 1; index < end; index += 1) {
		const line = lines[index] as string;
		const { name, value } = knownFields.get(line) ?? readField(line);
		const before = headers.get(name);
		if (before === undefined) {
			headers.set(name, value);
		} else if (SINGLE_FIELDS.has(name)) {
			throw new RequestRefused(
				400,
				`The header field ${name} is there twice; which one holds?`,
			);
		} else {
			headers.set(name, before + (name === "cookie" ? "; " : ", ") + value);
		}
	}
	return headers;
}

function readField(line: string): Field {
	if (!FIELD_LINE.test(line)) {
		throw new RequestRefused(400, faultIn(line));
	}
	const colon = line.indexOf(":");
	const field = {
		name: line.slice(0, colon).toLowerCase(),
		value: trimmed(line, colon + 1),
	};
	if (line.length <= KNOWN_FIELD_LENGTH_MAX) {
		if (knownFields.size >= KNOWN_FIELDS_MAX) {
			knownFields.clear();
		}
		knownFields.set(line, field);
	}
	return field;
}

/** The line from `start` on without spaces and tabs around it. `trim` would take off U+00A0 too. */
function trimmed(line: string, start: number): string {
	let end = line.length;
	while (start < end && isBlank(line.charCodeAt(start))) {
		start += 1;
	}
	while (start < end && isBlank(line.charCodeAt(end - 1))) {
		end -= 1;
	}
	return line.slice(start, end);
}

function isBlank(code: number): boolean {
	return code === 0x20 || code === 0x09;
}

/** Says what is wrong with a line that is no field. */
function faultIn(line: string): string {
	const colon = line.indexOf(":");
	if (line.startsWith(" ") || line.startsWith("\t")) {
		return "A header field is folded over two lines; write it in one.";
	}
	if (colon >= 0 && /[\t ]$/.test(line.slice(0, colon))) {
		return "There is white space between a header field's name and its colon.";
	}
	return NAME.test(line.slice(0, Math.max(0, colon)))
		? "A header field's value holds a control character: NUL, or CR or LF alone."
		: "A line of the head is no header field: a name, a colon and a value.";
}

/** How long the body is (RFC 9112, 6.3), or the refusal of what says it in two ways. */
function framingOf(headers: Map<string, string>, isOld: boolean): Framing {
	const encoding = headers.get("transfer-encoding");
	const length = headers.get("content-length");
	if (encoding === undefined) {
		if (length === undefined) {
			return 0;
		}
		if (!LENGTH.test(length)) {
			throw new RequestRefused(
				400,
				"Content-Length must be the body's length in bytes, in decimal digits.",
			);
		}
		return Number(length);
	}
	if (length !== undefined) {
		throw new RequestRefused(
			400,
			"The request has both Content-Length and Transfer-Encoding; send one of them.",
		);
	}
	if (isOld) {
		throw new RequestRefused(
			400,
			"HTTP/1.0 knows no Transfer-Encoding; send Content-Length.",
		);
	}
	const codings = encoding.toLowerCase().split(/[\t ]*,[\t ]*/);
	if (
		codings.at(-1) !== "chunked" ||
		codings.indexOf("chunked") !== codings.length - 1
	) {
		throw new RequestRefused(
			400,
			"The last transfer coding, and only the last, must be chunked: else nobody knows where the body ends.",
		);
	}
	if (codings.length > 1) {
		throw new RequestRefused(
			501,
			"The server knows no transfer coding but chunked.",
		);
	}
	return "chunked";
}

function isPersistent(connection: string | undefined, isOld: boolean): boolean {
	// What nearly all clients send needs no splitting.
	if (connection === undefined) {
		return !isOld;
	}
	if (connection === "keep-alive") {
		return true;
	}
	const options = connection.toLowerCase().split(/[\t ]*,[\t ]*/);
	return (
		!options.includes("close") && (!isOld || options.includes("keep-alive"))
	);
}

function expectsContinue(expect: string | undefined, isOld: boolean): boolean {
	if (expect === undefined || isOld) {
		return false;
	}
	if (expect.toLowerCase() !== "100-continue") {
		throw new RequestRefused(
			417,
			"The server can meet no expectation but 100-continue.",
		);
	}
	return true;
}
