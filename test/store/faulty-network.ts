/** A network between the service and a real server that loses, delays and cuts, as a seeded schedule says. */
import { connect, createServer, type Socket } from "node:net";

/** A source of numbers from 0 to 1 that a seed determines (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** How likely each fault is, for every message it may happen to. */
export interface FaultRates {
	/** The connection is cut before the message reaches the server. */
	lost: number;
	/** The connection is cut when the server has the message, so that its answer is lost. */
	unanswered: number;
	/** The connection is cut for the client; the server gets the message some time later. */
	late: number;
	/** The message takes longer. */
	delayed: number;
	/** All connections are cut and none can be made for a while; the server gets the message before, later, or never. */
	parted: number;
}

export interface FaultyNetwork {
	port: number;
	/** Faults that have happened, by kind. */
	faults: Record<keyof FaultRates, number>;
	/** No more faults from now on. */
	calm(): void;
	close(): Promise<void>;
}

/** Longest delay of a message, in milliseconds. */
const DELAY_MS_MAX = 60;

/** Longest time for which the network is parted, in milliseconds. */
const PARTED_MS_MAX = 600;

/** A commit is what most depends on: faults are this much likelier for it. */
const COMMIT_FACTOR = 4;

// Command names stand in the messages as text. Faults of handshakes and heartbeats would test the driver, not us.
const COMMIT = Buffer.from("commitTransaction");
const OURS = ["insert", "find", "abortTransaction"].map((name) =>
	Buffer.from(name),
);

/** Starts the network in front of a server on this machine. End it with `close`. */
export async function startFaultyNetwork(
	serverPort: number,
	rates: FaultRates,
	random: () => number,
): Promise<FaultyNetwork> {
	const faults = { lost: 0, unanswered: 0, late: 0, delayed: 0, parted: 0 };
	const sockets = new Set<Socket>();
	const clients = new Set<Socket>();
	let calm = false;
	let partedUntil_ms = 0;

	const fault = (message: Buffer): keyof FaultRates | undefined => {
		const factor = message.includes(COMMIT)
			? COMMIT_FACTOR
			: OURS.some((name) => message.includes(name))
				? 1
				: 0;
		let roll = random();
		if (calm || factor === 0) {
			return undefined;
		}
		for (const kind of Object.keys(rates) as (keyof FaultRates)[]) {
			roll -= rates[kind] * factor;
			if (roll < 0) {
				return kind;
			}
		}
		return undefined;
	};

	const server = createServer((client) => {
		if (performance.now() < partedUntil_ms) {
			client.destroy();
			return;
		}
		clients.add(client);
		client.on("close", () => clients.delete(client));
		const upstream = connect(serverPort, "127.0.0.1");
		for (const socket of [client, upstream]) {
			sockets.add(socket);
			socket.setNoDelay(true);
			// A cut is what is wanted; both ends see it as a closed connection.
			socket.on("error", () => {});
			socket.on("close", () => sockets.delete(socket));
		}
		// What is delayed keeps its order.
		let before = Promise.resolve();
		client.on("data", (message) => {
			const kind = fault(message);
			if (kind !== undefined) {
				faults[kind] += 1;
			}
			let delay_ms =
				kind === "delayed" || kind === "late" ? random() * DELAY_MS_MAX : 0;
			let delivered = kind !== "lost";
			if (kind === "lost" || kind === "late" || kind === "unanswered") {
				client.destroy();
			}
			if (kind === "parted") {
				const parted_ms = random() * PARTED_MS_MAX;
				partedUntil_ms = performance.now() + parted_ms;
				delivered = random() < 0.7;
				delay_ms = random() < 0.5 ? 0 : random() * 2 * parted_ms;
				for (const each of clients) {
					each.destroy();
				}
			}
			before = before.then(async () => {
				if (delay_ms > 0) {
					await new Promise((resolve) => setTimeout(resolve, delay_ms));
				}
				if (delivered) {
					upstream.write(message);
				} else {
					upstream.destroy();
				}
			});
		});
		client.on("close", () => {
			void before.then(() => upstream.end());
		});
		upstream.on("data", (message) => client.write(message));
		upstream.on("close", () => client.destroy());
	});
	await new Promise<void>((resolve) => {
		server.listen(0, "127.0.0.1", resolve);
	});
	const address = server.address();
	if (address === null || typeof address === "string") {
		throw new Error("The network has no port.");
	}
	return {
		port: address.port,
		faults,
		calm() {
			calm = true;
		},
		async close() {
			const closed = new Promise((resolve) => server.close(resolve));
			for (const socket of sockets) {
				socket.destroy();
			}
			await closed;
		},
	};
}
