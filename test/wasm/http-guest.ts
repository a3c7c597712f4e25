/**
 * A small app behind the HTTP server, for the engine: prints a line of JSON when it
 * listens, another for what happens to its streams, and ends by
 * GET /end, or when the socket that it was handed ends.
 */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { Hono } from "hono";
import {
	type RunningServer,
	startServer,
} from "../../src/wasmedge/http/server.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";

/** A line of its output. */
export type HttpLine =
	| { event: "listening"; url: string }
	| { event: "cancelled"; chunks: number; reason: string }
	| { event: "failed"; message: string }
	| { event: "closed" };

const print = (line: HttpLine) =>
	host.writeText(1, `${JSON.stringify(line)}\n`);

const CHUNK = new Uint8Array(16 * 1024).fill(0x78);

const app = new Hono();

app.get("/json", (context) => context.json({ hello: "world" }));

app.post("/echo", async ({ req }) => new Response(await req.text()));

app.post("/length", async ({ req }) => {
	let length = 0;
	const { body } = req.raw;
	if (body !== null) {
		for (const reader = body.getReader(); ; ) {
			const { done, value } = await reader.read();
			if (done) {
				break;
			}
			length += value.length;
		}
	}
	return new Response(String(length));
});

app.post("/refuse", () => new Response("no", { status: 413 }));

app.get("/stream/:count", ({ req }) => {
	const count = Number(req.param("count"));
	let chunks = 0;
	const stream = new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				if (chunks === count) {
					controller.close();
					return;
				}
				if (chunks % 64 === 63) {
					// As a database would, it lets others have their turn.
					await new Promise((resolve) => setTimeout(resolve, 1));
				}
				chunks += 1;
				controller.enqueue(CHUNK);
			},
			cancel(reason) {
				print({ event: "cancelled", chunks, reason: String(reason) });
			},
		},
		{ highWaterMark: 0 },
	);
	return new Response(stream);
});

app.get("/memory", (context) => {
	host.collectGarbage();
	return context.json({
		...host.memoryUsage(),
		connections: server?.connectionCount(),
	});
});

app.get("/slow", async () => {
	await new Promise((resolve) => setTimeout(resolve, 300));
	return new Response("slow");
});

app.get("/throw", () => {
	throw new Error("The handler fails.");
});

app.get("/end", () => {
	end();
	return new Response("ending");
});

function end(): void {
	void server?.close().then(() => {
		print({ event: "closed" });
		host.exit(0);
	});
}

app.onError((error) => {
	throw error;
});

let server: RunningServer | undefined;

startLoop();
void startServer({
	fetch: app.fetch,
	host: "127.0.0.1",
	port: Number(host.environment().PORT ?? "0"),
	onListenerEnded: end,
	onFailure: (error) => print({ event: "failed", message: String(error) }),
	connectionsMax: Number(host.environment().CONNECTIONS_MAX ?? "10000"),
}).then((started) => {
	server = started;
	print({ event: "listening", url: started.url });
});
