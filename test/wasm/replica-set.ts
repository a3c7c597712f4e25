/** A replica set of three real servers with authentication, whose primary can be killed or stepped down. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { findMongodBinary } from "../../src/node/mongod-binary.ts";
import { eventually } from "./processes.ts";

const HOST = "127.0.0.1";
const NAME = "three";
const MEMBERS = 3;
const ADMINISTRATOR = { user: "administrator", password: "only-for-tests" };

// Elections within a second or two instead of ten.
const ELECTION = { electionTimeoutMillis: 1000, heartbeatIntervalMillis: 200 };

/** Seconds in which a primary that stepped down may not be elected again. */
const STEPPED_DOWN_S = 20;

export interface ReplicaSet {
	/** The administrator's connection string, with all members as seeds. */
	readonly uri: string;
	/** SIGKILL for the primary. */
	killPrimary(): Promise<void>;
	/** Has the primary hand over to another member; resolves when there is another. */
	stepDownPrimary(): Promise<void>;
	/** Ends all members and removes their data. */
	remove(): Promise<void>;
}

interface Member {
	readonly port: number;
	readonly child: ChildProcess;
}

/** Starts three members and resolves when one of them is primary. End it with `remove`. */
export async function startReplicaSet(): Promise<ReplicaSet> {
	const folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-set-"));
	const members = await startMembers(folder);
	const endMembers = () => {
		for (const { child } of members) {
			child.kill("SIGKILL");
		}
	};
	process.once("exit", endMembers);
	await initiate(members);
	const uri = `mongodb://${ADMINISTRATOR.user}:${ADMINISTRATOR.password}@${hostsOf(members)}/?replicaSet=${NAME}`;
	const client = await MongoClient.connect(uri);

	const primary = async (): Promise<Member> => {
		const hello = await client.db("admin").command({ hello: 1 });
		const found = members.find(({ port }) => hello.me === `${HOST}:${port}`);
		if (found === undefined || hello.isWritablePrimary !== true) {
			throw new Error(`${hello.me} is no primary of this set.`);
		}
		return found;
	};
	return {
		uri,
		async killPrimary() {
			const { child } = await primary();
			const exited = once(child, "exit");
			child.kill("SIGKILL");
			await exited;
		},
		async stepDownPrimary() {
			const before = await primary();
			await client.db("admin").command({ replSetStepDown: STEPPED_DOWN_S });
			await eventually("another primary", async () =>
				(await primary().catch(() => before)) === before ? undefined : true,
			);
		},
		async remove() {
			await client.close();
			endMembers();
			await Promise.all(
				members.map(async ({ child }) => {
					if (child.exitCode === null && child.signalCode === null) {
						await once(child, "exit");
					}
				}),
			);
			process.off("exit", endMembers);
			await rm(folder, { recursive: true, force: true });
		},
	};
}

async function startMembers(folder: string): Promise<Member[]> {
	const { path } = await findMongodBinary();
	const keyFile = join(folder, "key");
	await writeFile(keyFile, randomBytes(512).toString("base64"), {
		mode: 0o600,
	});
	return Promise.all(
		Array.from({ length: MEMBERS }, async () => {
			const port = await freePort();
			const data = join(folder, String(port));
			await mkdir(data);
			const child = spawn(
				path,
				[
					...["--replSet", NAME, "--keyFile", keyFile],
					...["--bind_ip", HOST, "--port", String(port)],
					...["--dbpath", data, "--nounixsocket", "--quiet"],
					...["--wiredTigerCacheSizeGB", "0.25"],
					...["--setParameter", "diagnosticDataCollectionEnabled=false"],
				],
				{ stdio: "ignore" },
			);
			return { port, child };
		}),
	);
}

/** Without a user yet, servers let their own machine make the set and the first one. */
async function initiate(members: readonly Member[]): Promise<void> {
	const ports = members.map(({ port }) => port);
	const direct = (port: number) => `${HOST}:${port}/?directConnection=true`;
	// A server refuses to make a set of others that do not answer yet.
	for (const port of ports.slice(1)) {
		await connected(direct(port), async () => {});
	}
	await connected(direct(ports[0] as number), async (client) => {
		await client.db("admin").command({
			replSetInitiate: {
				_id: NAME,
				members: ports.map((port, _id) => ({ _id, host: `${HOST}:${port}` })),
				settings: ELECTION,
			},
		});
	});
	await connected(`${hostsOf(members)}/?replicaSet=${NAME}`, async (client) => {
		await client.db("admin").command({
			createUser: ADMINISTRATOR.user,
			pwd: ADMINISTRATOR.password,
			roles: ["root"],
		});
	});
}

/** Lends a connection, as soon as there is one. */
async function connected(
	address: string,
	work: (client: MongoClient) => Promise<void>,
): Promise<void> {
	const client = await MongoClient.connect(`mongodb://${address}`);
	try {
		await work(client);
	} finally {
		await client.close();
	}
}

function hostsOf(members: readonly Member[]): string {
	return members.map(({ port }) => `${HOST}:${port}`).join(",");
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, HOST);
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}
