/** Request bodies: JSON, bounded while it arrives, whatever its headers say. */
import { parseJson } from "./json.ts";
import { Problem } from "./problem.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** "application/json", with charset utf-8 at most. */
const JSON_MEDIA_TYPE =
	/^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?;?$/i;

/**
 * Reads the request's JSON body. `otherwise` stands for a body that is not
 * there. Throws the problems 400, 413 and 415.
 */
export async function readJsonBody(
	request: Request,
	bytesMax: number,
	otherwise?: unknown,
): Promise<unknown> {
	const { headers } = request;
	const bytes = await readBytes(request, bytesMax).catch(refuseIncomplete);
	if (bytes.length === 0 && otherwise !== undefined) {
		return otherwise;
	}
	const encoding = headers.get("content-encoding");
	if (encoding !== null && encoding.toLowerCase() !== "identity") {
		throw new Problem(
			"unsupported-media-type",
			"The body is compressed (Content-Encoding); send it as it is.",
			{ headers: { "Accept-Encoding": "identity" } },
		);
	}
	if (!JSON_MEDIA_TYPE.test(headers.get("content-type") ?? "")) {
		throw new Problem(
			"unsupported-media-type",
			'The body must be JSON in UTF-8: send it with "Content-Type: application/json".',
			{ headers: { "Accept-Post": "application/json" } },
		);
	}
	let text: string;
	try {
		text = UTF8.decode(bytes);
	} catch {
		throw new Problem(
			"malformed-body",
			"The body is not valid UTF-8 (RFC 8259, 8.1).",
		);
	}
	const result = parseJson(text);
	if (!result.ok) {
		const { message, line, column } = result.fault;
		throw new Problem(
			"malformed-body",
			`In line ${line}, column ${column} of the body: ${message}`,
		);
	}
	return result.value;
}

/** A body that cannot be read to its end is the client's fault, who has left; nobody reads this answer. */
function refuseIncomplete(error: unknown): never {
	if (error instanceof Problem) {
		throw error;
	}
	throw new Problem("malformed-body", "The body ended before its end.");
}

async function readBytes(
	request: Request,
	bytesMax: number,
): Promise<Uint8Array> {
	const announced = request.headers.get("content-length");
	if (announced !== null && Number(announced) > bytesMax) {
		throw tooLarge(bytesMax);
	}
	if (announced !== null) {
		// The server holds the client to the length that it announced: nothing longer is read.
		const bytes = new Uint8Array(await request.arrayBuffer());
		if (bytes.length > bytesMax) {
			throw tooLarge(bytesMax);
		}
		return bytes;
	}
	return request.body === null
		? new Uint8Array(0)
		: await readStream(request.body, bytesMax);
}

async function readStream(
	body: ReadableStream<Uint8Array>,
	bytesMax: number,
): Promise<Uint8Array> {
	const reader = body.getReader();
	const chunks: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) {
			break;
		}
		length += value.length;
		if (length > bytesMax) {
			await reader.cancel();
			throw tooLarge(bytesMax);
		}
		chunks.push(value);
	}
	const bytes = new Uint8Array(length);
	let at = 0;
	for (const chunk of chunks) {
		bytes.set(chunk, at);
		at += chunk.length;
	}
	return bytes;
}

function tooLarge(bytesMax: number): Problem {
	return new Problem(
		"body-too-large",
		`The body has more than ${bytesMax} bytes. Split the invoice, or have BODY_BYTES_MAX raised.`,
	);
}
