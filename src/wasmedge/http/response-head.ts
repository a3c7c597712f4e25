/** Writes the head of an answer (RFC 9112, 4 and 5), with the fields that Node's server adds. */
import type { ResponseParts } from "../web/response.ts";

/** How long the connection is kept for the next request, in seconds; longer than the usual 60 s of load balancers, who else would meet a closing one. */
export const KEEP_ALIVE_S = 65;

/**
 * How the client learns where the body ends: by its length in bytes, by its last
 * chunk, by the end of the connection; or there is none, whatever the fields say.
 */
export type BodyEnd = number | "last chunk" | "close" | "no body";

/** RFC 9110, 15, and the registry of status codes. */
const REASONS: Readonly<Record<number, string>> = {
	200: "OK",
	201: "Created",
	202: "Accepted",
	204: "No Content",
	206: "Partial Content",
	301: "Moved Permanently",
	302: "Found",
	303: "See Other",
	304: "Not Modified",
	307: "Temporary Redirect",
	308: "Permanent Redirect",
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	404: "Not Found",
	405: "Method Not Allowed",
	406: "Not Acceptable",
	408: "Request Timeout",
	409: "Conflict",
	410: "Gone",
	412: "Precondition Failed",
	413: "Payload Too Large",
	415: "Unsupported Media Type",
	416: "Range Not Satisfiable",
	417: "Expectation Failed",
	421: "Misdirected Request",
	422: "Unprocessable Entity",
	428: "Precondition Required",
	429: "Too Many Requests",
	431: "Request Header Fields Too Large",
	500: "Internal Server Error",
	501: "Not Implemented",
	502: "Bad Gateway",
	503: "Service Unavailable",
	504: "Gateway Timeout",
	505: "HTTP Version Not Supported",
};

/** The reason phrase of a status; may be empty (RFC 9112, 4). */
export function reasonOf(status: number): string {
	return REASONS[status] ?? "";
}

/** What the app says of a body that is not sent, as to HEAD, is about the one that would be. */
const LENGTH = "content-length";

/** Fields of the connection, which is ours, and not the app's (RFC 9110, 7.6.1); and the time of the answer. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
	"connection",
	"keep-alive",
	"transfer-encoding",
	"date",
]);

/** The head, its blank line included. `isPersistent`: the connection takes a further request. */
export function responseHead(
	{ status, statusText, headers, cookies }: Omit<ResponseParts, "body">,
	bodyEnd: BodyEnd,
	isPersistent: boolean,
): string {
	const reason = statusText === "" ? reasonOf(status) : statusText;
	let head = `HTTP/1.1 ${status} ${reason}\r\n`;
	// Not by an iterator, which would take QuickJS three times as long.
	headers.forEach((value, name) => {
		if (!OWN_FIELDS.has(name) && (name !== LENGTH || bodyEnd === "no body")) {
			head += `${name}: ${value}\r\n`;
		}
	});
	for (let index = 0; index < cookies.length; index += 1) {
		head += `set-cookie: ${cookies[index]}\r\n`;
	}
	head += isPersistent ? persistentFields() : lastFields();
	if (typeof bodyEnd === "number") {
		return `${head}Content-Length: ${bodyEnd}\r\n\r\n`;
	}
	return bodyEnd === "last chunk"
		? `${head}Transfer-Encoding: chunked\r\n\r\n`
		: `${head}\r\n`;
}

/** The second that the fields below were written in. */
let dateSecond = -1;
let persistent = "";
let last = "";

function persistentFields(): string {
	writeDate();
	return persistent;
}

function lastFields(): string {
	writeDate();
	return last;
}

/** Writes the fields that are the same for all answers of a second. */
function writeDate(): void {
	const now_ms = Date.now();
	const second = Math.floor(now_ms / 1000);
	if (second !== dateSecond) {
		dateSecond = second;
		// RFC 9110, 5.6.7 writes a date as toUTCString does.
		const date = `Date: ${new Date(now_ms).toUTCString()}\r\n`;
		persistent = `${date}Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_S}\r\n`;
		last = `${date}Connection: close\r\n`;
	}
}

/** The head's bytes; its characters are bytes, as `Headers` has checked. */
export function headBytes(head: string): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(head.length);
	host.writeLatin1(bytes, 0, head);
	return bytes;
}
