/** Makes TLS connections from inside the engine, all at once, and prints what became of them as JSON. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";
import { connect, type TlsOptions } from "../../src/wasmedge/node/tls.ts";

/** A connection to make, and what to send over it to a server that sends it back. */
export interface Attempt {
	port: number;
	/** 127.0.0.1 where it is left out. */
	host?: string;
	options?: Record<string, unknown>;
	/** Options whose values are files: `ca`, `cert`, `key`. */
	files?: Record<string, string>;
	/** Bytes to send; the answer must be the same. */
	length?: number;
}

/** What became of it. */
export type Outcome =
	| { protocol: string | null; cipher: string | undefined; isEcho: boolean }
	| { error: string; code: unknown };

/** A pattern that is as long as is asked for. */
function pattern(length: number): Uint8Array {
	return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255);
}

async function make(attempt: Attempt): Promise<Outcome> {
	const sent = pattern(attempt.length ?? 100);
	const received = new Uint8Array(sent.length);
	let length = 0;
	return new Promise((resolve) => {
		const refuse = (error: Error) =>
			resolve({
				error: error.message,
				code: (error as { code?: unknown }).code,
			});
		try {
			const socket = connect({
				port: attempt.port,
				host: attempt.host ?? "127.0.0.1",
				...attempt.options,
				...Object.fromEntries(
					Object.entries(attempt.files ?? {}).map(([name, path]) => [
						name,
						host.readFile(path),
					]),
				),
			} as TlsOptions);
			socket.on("error", refuse);
			socket.on("timeout", () => socket.destroy(new Error("timeout")));
			socket.on("close", () => refuse(new Error("closed")));
			socket.once("secureConnect", () => socket.write(sent));
			socket.on("data", (bytes: Uint8Array) => {
				received.set(bytes, length);
				length += bytes.length;
				if (length === sent.length) {
					resolve({
						protocol: socket.getProtocol(),
						cipher: socket.getCipher()?.name,
						isEcho: received.every((byte, at) => byte === sent[at]),
					});
					socket.end();
				}
			});
		} catch (error) {
			refuse(error as Error);
		}
	});
}

async function main(): Promise<void> {
	const attempts: Attempt[] = JSON.parse(
		host.decodeUtf8(host.readFile("/tls/attempts.json"), true),
	);
	const outcomes = await Promise.all(attempts.map(make));
	host.writeText(1, JSON.stringify(outcomes));
	host.exit(0);
}

startLoop((error) => {
	host.writeText(2, `${error}\n`);
	host.exit(1);
});
void main();
