/** Runs the local MongoDB server: one node, a replica set of its own, authentication on, data kept. */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Db, MongoClient, MongoServerError } from "mongodb";
import type { MongoInstance } from "mongodb-memory-server-core/lib/util/MongoInstance.js";
import {
	findMongodBinary,
	type MongodBinary,
	type ReportProgress,
	reason,
	requireServerManager,
} from "./mongod-binary.ts";

/** The only address the local server listens on. */
export const LOCAL_HOST = "127.0.0.1";

/** The name of the local replica set. */
export const REPLICA_SET = "local";

const LAUNCH_MS_MAX = 120_000; // recovery after a crash replays the journal first
const PRIMARY_MS_MAX = 60_000;
const POLL_MS = 20;
const KEPT_LOG_LINES = 200;

// An orphan is ended by the manager's watcher within two seconds of its parent's death; it then closes its files.
const PREDECESSOR_MS_MAX = 10_000;
const PREDECESSOR_POLL_MS = 200;

const CACHE_GIB = 1; // mongod would take half of the memory, too much on a developer's machine

// Codes of MongoDB's error_codes.yml.
const UNAUTHORIZED = 13;
const AUTHENTICATION_FAILED = 18;
const ALREADY_INITIALIZED = 23;
const NOT_YET_INITIALIZED = 94;

/** A user of the local server; its password was made at random on the first start. */
export interface Credentials {
	readonly user: string;
	readonly password: string;
}

/** How a local server is to be run. */
export interface MongodOptions {
	/** Where data, key and passwords are kept; created if missing, readable by this user only. */
	readonly dataDirectory: string;
	/** A port to insist on; otherwise the one used last, or a free one. */
	readonly port?: number;
	/** A mongod that is already known; otherwise one is found or fetched. */
	readonly binary?: MongodBinary;
	/** Further arguments of mongod. */
	readonly args?: readonly string[];
	/** How long a predecessor on the same data may take to end, in milliseconds. */
	readonly predecessor_ms_max?: number;
	/** Whether a Ctrl-C in the terminal, or the end of the process group, ends the server too. */
	readonly isInProcessGroup?: boolean;
	readonly onProgress?: ReportProgress;
	/** Is told in a sentence when the server ends without having been asked to. */
	readonly onUnexpectedEnd?: (sentence: string) => void;
}

/** A running local server. */
export interface LocalMongod {
	readonly host: string;
	readonly port: number;
	readonly pid: number;
	readonly binary: MongodBinary;
	/** The administrator's connection string: for set-up, never for serving. */
	readonly uri: string;
	readonly administrator: Credentials;
	/** What the service's own user is to be created with; set-up creates it. */
	readonly service: Credentials;
	/** A connection string for any user whose credentials are kept in `authDatabase`. */
	uriFor(credentials: Credentials, authDatabase: string): string;
	/** Shuts down cleanly, then resolves; nothing of it remains. Safe to call more than once. */
	stop(): Promise<void>;
	/** Ends it as a power cut would (SIGKILL), then resolves. */
	kill(): Promise<void>;
}

/** Thrown when another process serves the same data. */
export class DataInUseError extends Error {
	override name = "DataInUseError";
}

interface Secrets {
	readonly administrator: Credentials;
	readonly service: Credentials;
}

/**
 * Starts the local server and returns once it takes writes. The first start creates the replica set, the
 * administrator and all passwords; later starts find them, also after a crash.
 *
 * @throws DataInUseError when another process serves the same data
 * @throws Error that says what failed and what to do
 */
export async function startMongod(
	options: MongodOptions,
): Promise<LocalMongod> {
	const report = options.onProgress ?? (() => {});
	const binary = options.binary ?? (await findMongodBinary(report));
	const folder = resolve(options.dataDirectory);
	const files = {
		data: join(folder, "mongod"),
		key: join(folder, "mongod.key"),
		secrets: join(folder, "mongod.json"),
		port: join(folder, "mongod.port"),
		version: join(folder, "mongod.version"),
		log: join(folder, "mongod.log"),
	};
	await mkdir(files.data, { recursive: true, mode: 0o700 });
	await refuseOlderServer(files.version, binary, folder);
	// 512 random bytes are 684 characters; a key file holds up to 1024.
	await writeOnce(files.key, randomBytes(512).toString("base64"));
	await writeOnce(files.secrets, JSON.stringify(newSecrets(), null, "\t"));
	const secrets = await readSecrets(files.secrets);

	const { instance, port, log, ended } = await launch({
		binary,
		folder,
		files,
		report,
		port: options.port,
		args: options.args ?? [],
		predecessor_ms_max: options.predecessor_ms_max ?? PREDECESSOR_MS_MAX,
		isInProcessGroup: options.isInProcessGroup ?? false,
	});
	const pid = instance.mongodProcess?.pid;
	if (pid === undefined) {
		throw new Error(`mongod ended as soon as it was up: ${log.lastFault()}.`);
	}
	let ending = false;
	ended.then(async (how) => {
		if (ending) return;
		const lines = `${log.lines.join("\n")}\n`;
		const written = await writeFile(files.log, lines, { mode: 0o600 }).then(
			() => ` Its last words are in ${files.log}.`,
			() => "",
		);
		options.onUnexpectedEnd?.(
			`The local MongoDB server ended by itself (${how}): ${log.lastFault()}.${written}`,
		);
	});
	try {
		await bringUp(port, secrets, files.secrets);
		await writeFile(files.port, `${port}\n`, { mode: 0o600 });
		await writeFile(files.version, `${binary.version}\n`, { mode: 0o600 });
	} catch (error) {
		ending = true;
		await instance.stop();
		throw error;
	}
	const uriFor = (credentials: Credentials, authDatabase: string) =>
		`mongodb://${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@${LOCAL_HOST}:${port}/?replicaSet=${REPLICA_SET}&authSource=${encodeURIComponent(authDatabase)}`;
	return {
		host: LOCAL_HOST,
		port,
		pid,
		binary,
		uri: uriFor(secrets.administrator, "admin"),
		administrator: secrets.administrator,
		service: secrets.service,
		uriFor,
		async stop() {
			ending = true;
			await instance.stop();
		},
		async kill() {
			ending = true;
			const process_ = instance.mongodProcess;
			if (!process_ || process_.exitCode !== null || process_.signalCode) {
				return;
			}
			const closed = new Promise((settle) => process_.once("close", settle));
			process_.kill("SIGKILL");
			await closed;
			await instance.stop(); // ends the watcher too
		},
	};
}

/** Starts the process; waits for a predecessor that is still closing the same data. */
async function launch(options: {
	binary: MongodBinary;
	folder: string;
	files: { data: string; key: string; port: string };
	report: ReportProgress;
	port: number | undefined;
	args: readonly string[];
	predecessor_ms_max: number;
	isInProcessGroup: boolean;
}): Promise<{
	instance: MongoInstance;
	port: number;
	log: ServerLog;
	/** Resolves when the process has ended, with its signal or exit code. */
	ended: Promise<string>;
}> {
	const { module } =
		requireServerManager<
			typeof import("mongodb-memory-server-core/lib/util/MongoInstance.js")
		>("MongoInstance.js");
	const events = module.MongoInstanceEvents;
	const deadline = Date.now() + options.predecessor_ms_max;
	for (let attempt = 1; ; attempt++) {
		const port = options.port ?? (await preferredPort(options.files.port));
		const log = serverLog();
		const instance = new module.MongoInstance({
			binary: {
				version: options.binary.version,
				systemBinary: options.binary.path,
			},
			// By default of its own session: Ctrl-C in a terminal then reaches the service alone, which
			// finishes what it accepted before it stops the server.
			spawn: { detached: !options.isInProcessGroup },
			instance: {
				port,
				ip: LOCAL_HOST,
				dbPath: options.files.data,
				replSet: REPLICA_SET,
				storageEngine: "wiredTiger",
				auth: true,
				keyfileLocation: options.files.key,
				launchTimeout: LAUNCH_MS_MAX,
				args: [
					"--quiet",
					"--nounixsocket",
					...(options.args.includes("--wiredTigerCacheSizeGB")
						? []
						: ["--wiredTigerCacheSizeGB", String(CACHE_GIB)]),
					...options.args,
				],
			},
		});
		// A replica set's member would be asked to shut down over a connection of its own, which takes five
		// seconds and a stack trace when it is already ending; SIGINT shuts it down as cleanly.
		instance.once(events.instanceLaunched, () => {
			instance.isReplSet = false;
		});
		const ended = new Promise<string>((settle) => {
			instance.once(events.instanceClosed, (code, signal) =>
				settle(signal ?? `exit code ${code}`),
			);
		});
		handOverWholeLines(instance, log);
		try {
			await instance.start();
			return { instance, port, log, ended };
		} catch (error) {
			await instance.stop();
			const why = `${reason(error)} ${log.lastFault()}`;
			const portTaken = /already in use/i.test(why);
			const dataTaken = /DBPathInUse|Unable to lock the lock file/i.test(why);
			if ((dataTaken || portTaken) && Date.now() < deadline) {
				if (attempt === 1) {
					options.report(
						dataTaken
							? `Another MongoDB server holds the data in ${options.folder}; waiting for it to end.`
							: `Port ${port} is taken; waiting for it.`,
					);
				}
				await sleep(PREDECESSOR_POLL_MS);
				continue;
			}
			if (dataTaken) {
				const holder = await readFile(
					join(options.files.data, "mongod.lock"),
					"utf8",
				).catch(() => "");
				throw new DataInUseError(
					`Another MongoDB server${holder.trim() && ` (process ${holder.trim()})`} serves the data in ${options.folder}. Stop the service that started it, or set DATA_DIRECTORY to another folder.`,
				);
			}
			if (portTaken) {
				throw new Error(
					`Port ${port} of ${LOCAL_HOST}, where the local MongoDB server is to listen, is taken by another process. Stop that one, or choose another port.`,
				);
			}
			throw new Error(
				`The local MongoDB server (${options.binary.path}, version ${options.binary.version}) did not start on ${options.folder}: ${log.lastFault() || reason(error)}.`,
				{ cause: error },
			);
		}
	}
}

interface ServerLog {
	readonly lines: string[];
	/** The last error that mongod logged, or its last line. */
	lastFault(): string;
}

function serverLog(): ServerLog {
	const lines: string[] = [];
	return {
		lines,
		lastFault() {
			const entries = lines.map(parseLogLine);
			const fault = entries.findLast(
				(entry) => entry.severity === "F" || entry.severity === "E",
			);
			return (fault ?? entries.at(-1))?.text ?? "";
		},
	};
}

/** A line of mongod's structured log as text; a line that is not JSON is text already. */
function parseLogLine(line: string): { severity: string; text: string } {
	try {
		const entry = JSON.parse(line) as {
			s?: string;
			msg?: string;
			attr?: { error?: unknown };
		};
		const detail = entry.attr?.error;
		const text = detail
			? `${entry.msg}: ${typeof detail === "string" ? detail : JSON.stringify(detail)}`
			: (entry.msg ?? line);
		return { severity: entry.s ?? "", text };
	} catch {
		return { severity: "", text: line };
	}
}

/**
 * The manager parses what arrives on the pipe as one JSON line and throws out of the stream's handler
 * when several arrive together; so it is handed one whole line at a time.
 */
function handOverWholeLines(instance: MongoInstance, log: ServerLog): void {
	const handle = instance.stdoutHandler.bind(instance);
	let rest = "";
	instance.stdoutHandler = (chunk) => {
		const lines = (rest + chunk.toString()).split("\n");
		rest = lines.pop() ?? "";
		for (const line of lines) {
			log.lines.push(line);
			if (log.lines.length > KEPT_LOG_LINES) log.lines.shift();
			handle(line);
		}
	};
	const handleComplaint = instance.stderrHandler.bind(instance);
	instance.stderrHandler = (chunk) => {
		log.lines.push(chunk.toString().trim());
		handleComplaint(chunk);
	};
}

/** From a server that listens to a primary that knows its administrator, whatever was there before. */
async function bringUp(
	port: number,
	secrets: Secrets,
	secretsFile: string,
): Promise<void> {
	const host = `${LOCAL_HOST}:${port}`;
	const known = await asAdministrator(port, secrets, async (admin) => {
		await followPort(admin, host);
		await waitForPrimary(admin, host);
	});
	if (known) return;
	// No such user yet: the server lets one who connects from this machine create the first one.
	await withClient(`mongodb://${host}/`, async (admin) => {
		await initiate(admin, host);
		await waitForPrimary(admin, host);
		await admin
			.command({
				createUser: secrets.administrator.user,
				pwd: secrets.administrator.password,
				roles: ["root"],
				writeConcern: { w: "majority", j: true },
			})
			.catch((error: unknown) => {
				if (!hasCode(error, UNAUTHORIZED)) throw error;
				throw new Error(
					`The local MongoDB server refuses the administrator's password of ${secretsFile}. Bring back the file that belongs to this data, or move the data away to start anew.`,
				);
			});
	});
	const created = await asAdministrator(port, secrets, (admin) =>
		waitForPrimary(admin, host),
	);
	if (!created) {
		throw new Error(
			"The local MongoDB server forgot the administrator that it had just confirmed.",
		);
	}
}

/** Runs the work as administrator; false when the server does not know that user with that password. */
async function asAdministrator(
	port: number,
	secrets: Secrets,
	work: (admin: Db) => Promise<void>,
): Promise<boolean> {
	const { user, password } = secrets.administrator;
	try {
		await withClient(
			`mongodb://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${LOCAL_HOST}:${port}/?authSource=admin`,
			async (admin) => {
				await admin.command({ ping: 1 });
				await work(admin);
			},
		);
		return true;
	} catch (error) {
		if (hasCode(error, AUTHENTICATION_FAILED)) return false;
		throw error;
	}
}

async function withClient(
	uri: string,
	work: (admin: Db) => Promise<void>,
): Promise<void> {
	const client = new MongoClient(uri, { directConnection: true });
	try {
		await work(client.db("admin"));
	} finally {
		await client.close();
	}
}

async function initiate(admin: Db, host: string): Promise<void> {
	try {
		await admin.command({
			replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] },
		});
	} catch (error) {
		// A first start that was cut off after this step.
		if (!hasCode(error, ALREADY_INITIALIZED) && !hasCode(error, UNAUTHORIZED)) {
			throw error;
		}
	}
}

/** The replica set remembers its member's port; where that had to change, the set is told so. */
async function followPort(admin: Db, host: string): Promise<void> {
	const config = await replicaSetConfig(admin, host);
	const [member] = config.members;
	if (!member || member.host === host) return;
	await admin.command({
		replSetReconfig: {
			...config,
			version: config.version + 1,
			members: [{ ...member, host }],
		},
		force: true,
	});
}

interface ReplicaSetConfig {
	readonly version: number;
	readonly members: readonly { readonly host: string }[];
}

/** The stored configuration; mongod listens before it has read it, while it asks its former address who is there. */
async function replicaSetConfig(
	admin: Db,
	host: string,
): Promise<ReplicaSetConfig> {
	const deadline = Date.now() + PRIMARY_MS_MAX;
	for (;;) {
		try {
			const answer = await admin.command({ replSetGetConfig: 1 });
			return answer.config as ReplicaSetConfig;
		} catch (error) {
			if (!hasCode(error, NOT_YET_INITIALIZED)) throw error;
			if (Date.now() > deadline) {
				throw new Error(
					`The local MongoDB server at ${host} has users but no replica set. Move its data away to start anew.`,
					{ cause: error },
				);
			}
			await sleep(POLL_MS);
		}
	}
}

async function waitForPrimary(admin: Db, host: string): Promise<void> {
	const deadline = Date.now() + PRIMARY_MS_MAX;
	for (;;) {
		const hello = await admin.command({ hello: 1 });
		if (hello.isWritablePrimary === true && hello.me === host) return;
		if (Date.now() > deadline) {
			throw new Error(
				`The local MongoDB server at ${host} did not become primary within ${PRIMARY_MS_MAX / 1000} seconds.`,
			);
		}
		await sleep(POLL_MS);
	}
}

function hasCode(error: unknown, code: number): boolean {
	return error instanceof MongoServerError && error.code === code;
}

/** The port used last, if it is free, so that connection strings stay valid; else one that is free. */
async function preferredPort(portFile: string): Promise<number> {
	const remembered = Number(await readFile(portFile, "utf8").catch(() => ""));
	if (remembered > 0 && (await freePort(remembered))) return remembered;
	const port = await freePort(0);
	if (!port) throw new Error(`No port of ${LOCAL_HOST} is free.`);
	return port;
}

/** The port if it is free (0: any that is), else undefined. */
function freePort(port: number): Promise<number | undefined> {
	return new Promise((settle) => {
		const probe = createServer();
		probe.once("error", () => settle(undefined));
		probe.listen(port, LOCAL_HOST, () => {
			const address = probe.address();
			probe.close(() =>
				settle(
					typeof address === "object" && address ? address.port : undefined,
				),
			);
		});
	});
}

function newSecrets(): Secrets {
	const password = () => randomBytes(24).toString("base64url");
	return {
		administrator: { user: "administrator", password: password() },
		service: { user: "service", password: password() },
	};
}

async function readSecrets(path: string): Promise<Secrets> {
	const secrets = JSON.parse(await readFile(path, "utf8")) as Partial<Secrets>;
	const { administrator, service } = secrets;
	if (!administrator?.password || !service?.password) {
		throw new Error(
			`${path} lacks the passwords of the local MongoDB server. Bring back the file that belongs to this data, or move the data away to start anew.`,
		);
	}
	return { administrator, service };
}

/** Creates a file that only this user reads, whole or not at all; one that exists is left as it is. */
async function writeOnce(path: string, content: string): Promise<void> {
	const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
	const file = await open(draft, "wx", 0o600);
	try {
		await file.writeFile(content);
		await file.sync();
	} finally {
		await file.close();
	}
	try {
		await link(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	} finally {
		await rm(draft);
	}
}

/** Data that a newer server wrote cannot be read by an older one; said before mongod says it obscurely. */
async function refuseOlderServer(
	versionFile: string,
	binary: MongodBinary,
	folder: string,
): Promise<void> {
	const written = (await readFile(versionFile, "utf8").catch(() => "")).trim();
	if (Number.parseInt(written, 10) > Number.parseInt(binary.version, 10)) {
		throw new Error(
			`The data in ${folder} was written by MongoDB ${written}, and ${binary.path} is ${binary.version}. Set MONGOD_BINARY to a mongod of version ${written} or later.`,
		);
	}
}
