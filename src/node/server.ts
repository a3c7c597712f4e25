/** The HTTP server of the Node service: bounded in time and size, and ended without losing what it accepted. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { Problem, problemText } from "../http/problem.ts";
import type { RunningServer } from "../service.ts";

/** Bounds of a connection, in milliseconds. */
const TIMEOUTS = {
	/** For a request's header fields: whoever sends them slower holds a connection for nothing. */
	headersTimeout: 10_000,
	/** For a whole request. */
	requestTimeout: 60_000,
	/** For the next request of a connection; longer than the usual 60 s of load balancers, who else would meet a closing one. */
	keepAliveTimeout: 65_000,
	/** How often the bounds are looked at. */
	connectionsCheckingInterval: 5000,
} as const;

/** What was accepted may take this long to be answered when the service ends, in milliseconds. */
const CLOSE_MS_MAX = 30_000;

/** Listens; rejects where the address cannot be had. */
export async function startServer(
	app: Hono,
	host: string,
	port: number,
): Promise<RunningServer> {
	const server = createServer(
		TIMEOUTS,
		getRequestListener(app.fetch, {
			errorHandler: () => badRequest(),
		}),
	);
	const closeUnused = trackConnections(server);
	await listen(server, host, port);
	const { address, family, port: taken } = server.address() as AddressInfo;
	return {
		url: `http://${family === "IPv6" ? `[${address}]` : address}:${taken}`,
		close: () => close(server, closeUnused),
	};
}

/** What never becomes a request: a target or Host that is none. */
function badRequest(): Response {
	return new Response(
		problemText(
			new Problem(
				"invalid-header",
				"The request's target or Host header field cannot be read.",
			),
			"none",
		),
		{ status: 400, headers: { "Content-Type": "application/problem+json" } },
	);
}

function listen(server: Server, host: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, host, () => {
			server.off("error", reject);
			resolve();
		});
	});
}

/**
 * Keeps count of the requests of each connection. Returns what closes those
 * without one, now and whenever one ends: Node's own `closeIdleConnections`
 * leaves those that have not sent anything yet.
 */
function trackConnections(server: Server): () => void {
	const requests = new Map<Socket, number>();
	let closing = false;
	const settle = (socket: Socket) => {
		if (closing && requests.get(socket) === 0) {
			socket.end(() => socket.destroy());
		}
	};
	const count = (socket: Socket, difference: 1 | -1) =>
		requests.set(socket, (requests.get(socket) ?? 0) + difference);
	server.on("connection", (socket) => {
		requests.set(socket, 0);
		socket.once("close", () => requests.delete(socket));
	});
	server.prependListener("request", ({ socket }, response) => {
		count(socket, 1);
		response.once("close", () => {
			if (requests.has(socket)) {
				count(socket, -1);
				settle(socket);
			}
		});
	});
	return () => {
		closing = true;
		for (const socket of requests.keys()) {
			settle(socket);
		}
	};
}

function close(server: Server, closeUnused: () => void): Promise<void> {
	return new Promise((resolve) => {
		const late = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
		server.close(() => {
			clearTimeout(late);
			resolve();
		});
		closeUnused();
	});
}
