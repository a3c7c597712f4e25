/** `npm run audit`: proves the stored series complete and unaltered, or names each document that is not. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MongoClient } from "mongodb";
import {
	type Configuration,
	ConfigurationError,
	readConfiguration,
} from "../configuration.ts";
import {
	auditKeys,
	auditSeries,
	type Checkpoint,
	listSeries,
	parseCheckpoint,
} from "../store/audit.ts";
import { type Collections, collectionsOf } from "../store/collections.ts";
import { CLIENT_OPTIONS } from "../store/connect.ts";
import { LOCAL_HOST, startMongod } from "./mongod.ts";

const HELP = `npm run audit -- [options]

Walks every series in the order of its numbers and checks that none is missing,
that each invoice is the one that was hashed, and that each entry is linked to
the one before it. Prints one line for each fault.

  --series SERIES          audit this series only; may be given several times
  --checkpoint FILE        compare with the checkpoints that an earlier audit saved:
                           only so a tail that was cut off is found
  --save-checkpoint FILE   write the checkpoints of a faultless audit; keep the file
                           where nobody who can write to the database can change it
  --help                   print this

It reads MONGODB_URI, MONGODB_DATABASE and DATA_DIRECTORY as the service does, and
may run beside it. Exit status: 0 no fault, 1 faults, 2 the audit could not be run.
`;

const NO_FAULTS = 0;
const FAULTS = 1;
const NOT_RUN = 2;

/** Time between two lines of progress. */
const PROGRESS_MS = 1000;

/** A local server that runs answers at once. */
const LOCAL_SELECTION_MS_MAX = 2000;

interface Arguments {
	series: string[];
	checkpointFile?: string;
	saveFile?: string;
}

process.exitCode = await main();

async function main(): Promise<number> {
	try {
		const wanted = readArguments();
		if (wanted === undefined) {
			process.stdout.write(HELP);
			return NO_FAULTS;
		}
		const checkpoints =
			wanted.checkpointFile === undefined
				? []
				: await readCheckpoints(wanted.checkpointFile);
		const configuration = readConfiguration(process.env);
		const database = await openDatabase(configuration);
		try {
			return await audit(
				collectionsOf(database.client.db(configuration.mongodbDatabase)),
				wanted,
				checkpoints,
			);
		} finally {
			await database.stop();
		}
	} catch (error) {
		process.stderr.write(
			`The audit could not be run: ${error instanceof Error ? error.message : error}\n`,
		);
		return NOT_RUN;
	}
}

/** Throws a ConfigurationError; undefined where help is asked for. */
function readArguments(): Arguments | undefined {
	try {
		const { values } = parseArgs({
			options: {
				help: { type: "boolean", short: "h" },
				series: { type: "string", multiple: true },
				checkpoint: { type: "string" },
				"save-checkpoint": { type: "string" },
			},
		});
		return values.help
			? undefined
			: {
					series: values.series ?? [],
					checkpointFile: values.checkpoint,
					saveFile: values["save-checkpoint"],
				};
	} catch (error) {
		if (error instanceof TypeError) {
			throw new ConfigurationError(`${error.message} See --help.`);
		}
		throw error;
	}
}

async function readCheckpoints(file: string): Promise<Checkpoint[]> {
	try {
		const list: unknown = JSON.parse(await readFile(file, "utf8"));
		if (!Array.isArray(list)) {
			throw new TypeError("it must be a list of checkpoints.");
		}
		return list.map(parseCheckpoint);
	} catch (error) {
		throw new ConfigurationError(
			`${file} cannot be used as --checkpoint: ${error instanceof Error ? error.message : error}`,
		);
	}
}

async function audit(
	collections: Collections,
	wanted: Arguments,
	kept: readonly Checkpoint[],
): Promise<number> {
	const list =
		wanted.series.length > 0
			? wanted.series
			: [
					...new Set([
						...(await listSeries(collections)),
						// A series that is gone altogether.
						...kept.map(({ series }) => series),
					]),
				].sort();
	const checkpoints: Checkpoint[] = [];
	let faults = 0;
	for (const series of list) {
		const checkpoint = kept.find((each) => each.series === series);
		const walk = auditSeries(collections, series, {
			...(checkpoint === undefined ? {} : { checkpoint }),
			onProgress: progress(series),
		});
		let step = await walk.next();
		let found = 0;
		for (; !step.done; step = await walk.next()) {
			found += 1;
			process.stdout.write(`${step.value.kind}: ${step.value.message}\n`);
		}
		faults += found;
		const { entries, checkpoint: head } = step.value;
		if (head !== undefined) {
			checkpoints.push(head);
		}
		process.stdout.write(
			`${series}: ${entries} ${entries === 1 ? "invoice" : "invoices"}${head === undefined ? "" : `, the last is ${head.number}`}; ${found === 0 ? "no fault" : `${found} ${found === 1 ? "fault" : "faults"}`}${checkpoint === undefined ? "" : `; compared with the checkpoint at ${checkpoint.number}`}.\n`,
		);
	}
	if (wanted.series.length === 0) {
		for await (const { kind, message } of auditKeys(collections)) {
			faults += 1;
			process.stdout.write(`${kind}: ${message}\n`);
		}
	}
	if (wanted.saveFile !== undefined) {
		if (faults > 0) {
			process.stdout.write(
				`${wanted.saveFile} was not written: a checkpoint is taken of a faultless store only.\n`,
			);
		} else {
			await writeFile(
				wanted.saveFile,
				`${JSON.stringify(checkpoints, null, "\t")}\n`,
			);
		}
	}
	return faults === 0 ? NO_FAULTS : FAULTS;
}

function progress(series: string): (checked: number) => void {
	let next_ms = performance.now() + PROGRESS_MS;
	return (checked) => {
		if (performance.now() >= next_ms) {
			next_ms = performance.now() + PROGRESS_MS;
			process.stderr.write(`${series}: ${checked} invoices checked …\n`);
		}
	};
}

interface AuditedDatabase {
	client: MongoClient;
	stop(): Promise<void>;
}

/** The configured database, or the local server: the running service's, else one that is run for the audit. */
async function openDatabase(
	configuration: Configuration,
): Promise<AuditedDatabase> {
	if (configuration.mongodbUri !== undefined) {
		return connect(configuration.mongodbUri);
	}
	const running = await runningServer(configuration);
	if (running !== undefined) {
		return running;
	}
	const mongod = await startMongod({
		dataDirectory: configuration.dataDirectory,
		onProgress: (sentence) => process.stderr.write(`${sentence}\n`),
	});
	const database = connect(
		mongod.uriFor(mongod.service, configuration.mongodbDatabase),
	);
	return {
		client: database.client,
		async stop() {
			await database.stop();
			await mongod.stop();
		},
	};
}

function connect(uri: string, selection_ms_max?: number): AuditedDatabase {
	const client = new MongoClient(uri, {
		...CLIENT_OPTIONS,
		...(selection_ms_max === undefined
			? {}
			: { serverSelectionTimeoutMS: selection_ms_max }),
	});
	return { client, stop: () => client.close() };
}

/** The server that a running quick start has on its data, found by the files that it keeps there. */
async function runningServer({
	dataDirectory,
	mongodbDatabase,
}: Configuration): Promise<AuditedDatabase | undefined> {
	const read = (file: string) => readFile(join(dataDirectory, file), "utf8");
	let uri: URL;
	try {
		const { service } = JSON.parse(await read("mongod.json")) as {
			service: { user: string; password: string };
		};
		uri = new URL(
			`mongodb://${LOCAL_HOST}:${Number(await read("mongod.port"))}`,
		);
		uri.username = service.user;
		uri.password = service.password;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") {
			return undefined;
		}
		throw error;
	}
	uri.pathname = "/";
	uri.searchParams.set("directConnection", "true");
	uri.searchParams.set("authSource", mongodbDatabase);
	const database = connect(uri.href, LOCAL_SELECTION_MS_MAX);
	try {
		await database.client.db(mongodbDatabase).command({ hello: 1 });
		return database;
	} catch {
		// Nobody listens there, or another server does: then one is started on the data, which says so if it cannot.
		await database.stop();
		return undefined;
	}
}
