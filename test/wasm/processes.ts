/** What Linux tells of processes and of their sockets. */
import assert from "node:assert/strict";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const WAIT_MS_MAX = 20_000;
const POLL_MS = 10;

// States of /proc/net/tcp.
const ESTABLISHED = "01";
const LISTENING = "0A";

/** Polls until there is a value; fails when that takes too long. */
export async function eventually<Value>(
	what: string,
	look: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
	const deadline = Date.now() + WAIT_MS_MAX;
	for (;;) {
		const value = await look();
		if (value !== undefined) return value;
		assert.ok(Date.now() < deadline, `There is not ${what} in time.`);
		await sleep(POLL_MS);
	}
}

/** True where there is no such path any more, else undefined. */
export async function isGone(path: string): Promise<true | undefined> {
	return stat(path).then(
		() => undefined,
		() => true,
	);
}

/** A file of a process below /proc, such as "cmdline"; "" where the process has ended. */
export async function ofProcess(
	process: number,
	file: string,
): Promise<string> {
	return readFile(`/proc/${process}/${file}`, "utf8").catch(() => "");
}

/** The processes that a process has started. */
export async function childrenOf(process: number): Promise<number[]> {
	const children = await ofProcess(process, `task/${process}/children`);
	return children.trim().split(" ").filter(Boolean).map(Number);
}

/** The port on 127.0.0.1 on which a process listens, or undefined. */
export async function listeningPort(
	process: number,
): Promise<number | undefined> {
	const folder = `/proc/${process}/fd`;
	const descriptors = await readdir(folder).catch(() => []);
	const targets = await Promise.all(
		descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => "")),
	);
	return (await connections()).find(
		({ state, inode }) =>
			state === LISTENING && targets.includes(`socket:[${inode}]`),
	)?.port;
}

/** How many connections to a port on 127.0.0.1 are open. */
export async function countConnections(port: number): Promise<number> {
	return (await connections()).filter(
		(connection) =>
			connection.state === ESTABLISHED && connection.port === port,
	).length;
}

interface Connection {
	/** The local one. */
	port: number;
	state: string;
	inode: string;
}

async function connections(): Promise<Connection[]> {
	const [, ...lines] = (await readFile("/proc/net/tcp", "utf8"))
		.trimEnd()
		.split("\n");
	return lines.map((line) => {
		const fields = line.trim().split(/\s+/);
		return {
			port: Number.parseInt(fields[1]?.split(":")[1] ?? "", 16),
			state: fields[3] ?? "",
			inode: fields[9] ?? "",
		};
	});
}
