/** Sends what `app.request` takes over a real connection, with no header field that the test does not name. */
import { type IncomingMessage, request as send } from "node:http";
import { Readable } from "node:stream";

/** Statuses whose answers have no body (RFC 9110, 15). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

/** The answer of the service that listens on `url`; `path` as `app.request` takes it. */
export async function requestOverHttp(
	url: string,
	path: string,
	init: RequestInit = {},
): Promise<Response> {
	const described = new Request(`http://localhost${path}`, {
		...init,
		...(init.body instanceof ReadableStream ? { duplex: "half" } : {}),
	} as RequestInit);
	const { hostname, port } = new URL(url);
	const headers: [string, string][] = [...described.headers];
	const isStream = init.body instanceof ReadableStream;
	const body = isStream
		? undefined
		: new Uint8Array(await described.arrayBuffer());
	if (body !== undefined && body.length > 0) {
		headers.push(["Content-Length", String(body.length)]);
	}
	if (!described.headers.has("host")) {
		headers.push(["Host", "localhost"]);
	}
	const message = await new Promise<IncomingMessage>((resolve, reject) => {
		const outgoing = send({
			host: hostname,
			port,
			method: described.method,
			path,
			headers: headers.flat(),
			agent: false,
		});
		outgoing.once("response", resolve);
		outgoing.once("error", reject);
		if (isStream) {
			Readable.fromWeb(described.body as never).pipe(outgoing);
		} else {
			outgoing.end(body);
		}
	});
	const answered = new Headers();
	for (let at = 0; at < message.rawHeaders.length; at += 2) {
		const name = message.rawHeaders[at] ?? "";
		if (!OF_THE_CONNECTION.has(name.toLowerCase())) {
			answered.append(name, message.rawHeaders[at + 1] ?? "");
		}
	}
	const status = message.statusCode ?? 0;
	const chunks: Buffer[] = await message.toArray();
	return new Response(
		WITHOUT_BODY.has(status) || described.method === "HEAD"
			? null
			: Buffer.concat(chunks),
		{ status, headers: answered },
	);
}

/** What a server adds for the connection, and an app's own answer does not have. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
	"connection",
	"content-length",
	"date",
	"keep-alive",
	"transfer-encoding",
]);
