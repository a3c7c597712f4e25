/** Requests as our parser, and as Node's, takes them out of the bytes of one connection. */
import "./node-host.ts";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { createBodyDecoder } from "../../src/wasmedge/http/body.ts";
import { readHead } from "../../src/wasmedge/http/parser.ts";
import { RequestRefused } from "../../src/wasmedge/http/refusal.ts";

export interface ReadRequest {
	method: string;
	url: string;
	headers: Record<string, string>;
	body: string;
}

export interface Reading {
	requests: ReadRequest[];
	/** Status of the refusal that ended the connection. */
	refused?: number;
	/** What the refusal says. */
	detail?: string;
}

/** Latin1 text as bytes. */
export function bytesOf(text: string): Uint8Array {
	return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Hands the pieces to our parser as they would arrive. */
export function readRequests(pieces: readonly Uint8Array[]): Reading {
	const requests: ReadRequest[] = [];
	let held = new Uint8Array(0);
	const arrived = [...pieces];
	/** False where nothing more comes. */
	const receive = () => {
		const piece = arrived.shift();
		if (piece !== undefined) {
			held = new Uint8Array(Buffer.concat([held, piece]));
		}
		return piece !== undefined;
	};
	try {
		for (;;) {
			const found = held.length === 0 ? undefined : readHead(held, 0);
			if (found === undefined) {
				if (!receive()) {
					return { requests };
				}
				continue;
			}
			const { head, end } = found;
			held = held.slice(end);
			const decoder = createBodyDecoder(head.framing);
			let body = "";
			while (!decoder.isDone) {
				const decoded = decoder.decode(held, 0);
				body += Buffer.from(decoded.body).toString("latin1");
				held = held.slice(decoded.end);
				if (!decoder.isDone && !receive()) {
					return { requests };
				}
			}
			const { method, url, headers } = head;
			requests.push({
				method,
				url,
				headers: Object.fromEntries(headers),
				body,
			});
			if (!head.isPersistent) {
				return { requests };
			}
		}
	} catch (error) {
		if (!(error instanceof RequestRefused)) {
			throw error;
		}
		return { requests, refused: error.status, detail: error.message };
	}
}

/** Node's server, which notes what it reads. */
export interface NodeReader {
	read(bytes: Uint8Array): Promise<ReadRequest[]>;
	close(): void;
}

export async function openNodeReader(): Promise<NodeReader> {
	let requests: ReadRequest[] = [];
	const server: Server & { httpAllowHalfOpen?: boolean } = createServer(
		{ insecureHTTPParser: false },
		(message, answer) => {
			const body: Buffer[] = [];
			message.on("data", (chunk: Buffer) => body.push(chunk));
			message.on("end", () => {
				requests.push(describeRequest(message, Buffer.concat(body)));
				answer.end();
			});
		},
	);
	// Answers what has come although the client has ended.
	server.httpAllowHalfOpen = true;
	server.on("checkExpectation", (message, answer) =>
		server.emit("request", message, answer),
	);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return {
		async read(bytes) {
			requests = [];
			const socket = connect(port, "127.0.0.1");
			socket.on("error", () => {});
			socket.resume();
			socket.end(bytes);
			await once(socket, "close");
			return requests;
		},
		close: () => server.close(),
	};
}

function describeRequest(message: IncomingMessage, body: Buffer): ReadRequest {
	const headers: Record<string, string> = {};
	for (let index = 0; index < message.rawHeaders.length; index += 2) {
		const name = (message.rawHeaders[index] as string).toLowerCase();
		const value = (message.rawHeaders[index + 1] as string).replace(
			/^[\t ]+|[\t ]+$/g,
			"",
		);
		const joint = name === "cookie" ? "; " : ", ";
		headers[name] =
			name in headers ? `${headers[name]}${joint}${value}` : value;
	}
	const target = message.url ?? "";
	return {
		method: message.method ?? "",
		url: target.startsWith("/") ? `http://${headers.host}${target}` : target,
		headers,
		body: body.toString("latin1"),
	};
}
