/** The service inside WasmEdge against the same service on Node, in the same run. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { startTestMongod } from "../mongod.ts";
import { openStoreDatabase } from "../store/database.ts";
import { bundleGuest, testEngine } from "../wasm/engine.ts";
import { benchDraft, benchSnapshot } from "./invoices.ts";
import { contest, fire, startProgram } from "./load.ts";
import { median, row } from "./measure.ts";

const WRITERS = 64;
const READERS = 16;
const LINES = 10;
const DIFFERENT = 20;
const READ_DIFFERENT = 500;
const COLD_STARTS = 7;
const NINE_PAGES_LINES = 200;
const POLL_MS = 2;

const FOLDER = resolve(".cache", "bench");
mkdirSync(FOLDER, { recursive: true });

const RUNTIMES = ["wasmedge", "node"] as const;
type RuntimeName = (typeof RUNTIMES)[number];
type Commands = Record<RuntimeName, string[]>;

const run = promisify(execFile);
const children: ChildProcess[] = [];
process.once("SIGTERM", () => process.exit(1));
process.once("SIGINT", () => process.exit(1));
process.on("exit", () => {
	for (const child of children) {
		child.kill("SIGTERM");
	}
});

interface WasmCommand {
	command: string[];
	image: string;
}

/** The launcher's command line, and the folder of the image. */
async function wasmService(): Promise<WasmCommand> {
	const images = join(FOLDER, "images");
	const { stdout } = await run(process.execPath, [
		"--input-type=module",
		"--eval",
		`import { buildWasmService } from ${JSON.stringify(resolve("infra/wasm/service.mjs"))};
		import { launcherCommand } from ${JSON.stringify(resolve("infra/wasm/launcher.mjs"))};
		const { launcher, wasmEdge, engine, application } = await buildWasmService();
		console.log(JSON.stringify(launcherCommand(launcher, wasmEdge, engine, application)));`,
	]);
	await run(process.execPath, ["infra/wasm/image.mjs", "--output", images]);
	return { command: JSON.parse(stdout), image: join(images, "image") };
}

/** Resident MiB of a process and all below it. */
function residentMebibytes(process: number): number {
	const status = readFileSync(`/proc/${process}/status`, "utf8");
	const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
	const below = readdirSync(`/proc/${process}/task`).flatMap((task) =>
		readFileSync(`/proc/${process}/task/${task}/children`, "utf8")
			.split(" ")
			.filter(Boolean)
			.map(Number),
	);
	return below.reduce((sum, child) => sum + residentMebibytes(child), own);
}

async function sizeOf(path: string): Promise<number> {
	const found = await stat(path);
	if (!found.isDirectory()) {
		return found.size;
	}
	const sizes = await Promise.all(
		readdirSync(path).map((name) => sizeOf(join(path, name))),
	);
	return sizes.reduce((sum, size) => sum + size, 0);
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}

/** Milliseconds from the start of a process to its first answer. */
async function coldStart(
	[command = "", ...words]: readonly string[],
	environment: Record<string, string>,
): Promise<number> {
	const port = await freePort();
	const start = performance.now();
	const child = spawn(command, words, {
		env: { ...process.env, ...environment, PORT: String(port) },
		stdio: ["ignore", "ignore", "inherit"],
	});
	children.push(child);
	for (;;) {
		if (child.exitCode !== null) {
			throw new Error(`${command} ended with ${child.exitCode}.`);
		}
		try {
			const answer = await fetch(`http://127.0.0.1:${port}/health/live`);
			await answer.text();
			break;
		} catch {
			await new Promise((settle) => setTimeout(settle, POLL_MS));
		}
	}
	const milliseconds = performance.now() - start;
	child.kill("SIGTERM");
	await once(child, "exit");
	return milliseconds;
}

const wasm = await wasmService();
const commands: Commands = {
	wasmedge: wasm.command,
	node: [process.execPath, "dist/main.js"],
};

// PDFs, in processes of their own
const invoices = {
	"one page": Array.from({ length: DIFFERENT }, (_, seed) =>
		benchSnapshot(LINES, seed),
	),
	"nine pages": [benchSnapshot(NINE_PAGES_LINES, 1)],
};
writeFileSync(join(FOLDER, "invoices.json"), JSON.stringify(invoices));
const engine = await testEngine();
const guest = await bundleGuest("test/bench/pdf-times-wasmedge.ts");
const pdf: Record<RuntimeName, Record<string, number>> = {
	wasmedge: await outputOf(
		engine.run(guest, {
			folders: [
				{ inside: "/app/fonts", outside: resolve("fonts") },
				{ inside: "/bench", outside: FOLDER },
			],
			stdio: ["ignore", "pipe", "inherit"],
		}),
	),
	node: await outputOf(
		spawn(
			process.execPath,
			[process.argv[2] ?? "", join(FOLDER, "invoices.json")],
			{ stdio: ["ignore", "pipe", "inherit"] },
		),
	),
};

async function outputOf(child: ChildProcess): Promise<Record<string, number>> {
	children.push(child);
	let text = "";
	child.stdout?.on("data", (chunk: Buffer) => {
		text += chunk.toString();
	});
	await once(child, "close");
	return JSON.parse(text) as Record<string, number>;
}

for (const what of ["one page", "nine pages"]) {
	const ours = pdf.wasmedge[what] ?? Number.NaN;
	const theirs = pdf.node[what] ?? Number.NaN;
	row(
		`PDF, ${what}, in WasmEdge (share of Node's speed)`,
		`${ours.toFixed(2)} ms`,
		`Node ${theirs.toFixed(2)} ms`,
		theirs / ours,
		{ least: 0.35 },
	);
}

const mongod = await startTestMongod();
process.env.TEST_MONGODB_URI = mongod.uri;
const database = await openStoreDatabase();
try {
	const environment = {
		MONGODB_URI: database.serviceUri,
		MONGODB_DATABASE: database.admin.databaseName,
	};
	const starts: Record<RuntimeName, number[]> = { wasmedge: [], node: [] };
	for (let count = 0; count < COLD_STARTS; count += 1) {
		for (const name of RUNTIMES) {
			starts[name].push(await coldStart(commands[name], environment));
		}
	}
	row(
		"cold start to the first answer (share of Node's)",
		`${median(starts.wasmedge).toFixed(0)} ms`,
		`Node ${median(starts.node).toFixed(0)} ms`,
		median(starts.wasmedge) / median(starts.node),
		{ most: 0.5 },
	);

	const services = {
		wasmedge: await startProgram(commands.wasmedge, environment),
		node: await startProgram(commands.node, environment),
	};
	children.push(services.wasmedge.child, services.node.child);
	for (const { child } of Object.values(services)) {
		child.stdout?.resume();
	}
	const inTurn = (options: (url: string) => Parameters<typeof fire>[0]) =>
		contest({
			wasmedge: () => fire(options(services.wasmedge.url)),
			node: () => fire(options(services.node.url)),
		});
	const body = JSON.stringify(benchDraft(LINES, 1));
	const creates = await inTurn((url) => ({
		url: `${url}/invoices`,
		connections: WRITERS,
		method: "POST",
		headers: { "content-type": "application/json" },
		body,
	}));
	row(
		`creates/s, HTTP, ${WRITERS} clients, in WasmEdge`,
		creates.wasmedge.perSecond.toFixed(0),
		`Node ${creates.node.perSecond.toFixed(0)}`,
		creates.wasmedge.perSecond / creates.node.perSecond,
		{ least: 0.5 },
	);
	const numbers = await database.collections.invoices
		.find({}, { projection: { number: 1 } })
		.limit(READ_DIFFERENT)
		.toArray();
	const requests = numbers.map(({ number }) => ({
		path: `/invoices/${number}.json`,
	}));
	const reads = await inTurn((url) => ({
		url,
		connections: READERS,
		requests,
	}));
	row(
		`JSON reads/s, HTTP, ${READERS} clients, in WasmEdge`,
		reads.wasmedge.perSecond.toFixed(0),
		`Node ${reads.node.perSecond.toFixed(0)}`,
		reads.wasmedge.perSecond / reads.node.perSecond,
		{ least: 0.5 },
	);
	const documents = await inTurn((url) => ({
		url,
		connections: 1,
		requests: requests.map(({ path }) => ({
			path: path.replace(/json$/, "pdf"),
		})),
	}));
	row(
		"PDFs/s, HTTP, 1 client, in WasmEdge",
		documents.wasmedge.perSecond.toFixed(0),
		`Node ${documents.node.perSecond.toFixed(0)}`,
		documents.wasmedge.perSecond / documents.node.perSecond,
		{ least: 0.35 },
	);
	const memory = {
		wasmedge: residentMebibytes(services.wasmedge.child.pid ?? 0),
		node: residentMebibytes(services.node.child.pid ?? 0),
	};
	row(
		"resident memory after all that (share of Node's)",
		`${memory.wasmedge.toFixed(0)} MiB`,
		`Node ${memory.node.toFixed(0)} MiB`,
		memory.wasmedge / memory.node,
		{ most: 0.5 },
	);
	const image = {
		wasmedge: (await sizeOf(wasm.image)) / 2 ** 20,
		node:
			((await sizeOf(process.execPath)) +
				(await sizeOf("dist/main.js")) +
				(await sizeOf("fonts"))) /
			2 ** 20,
	};
	row(
		"image (share of Node's program, bundle and fonts)",
		`${image.wasmedge.toFixed(0)} MiB`,
		`${image.node.toFixed(0)} MiB`,
		image.wasmedge / image.node,
	);
} finally {
	for (const child of children) {
		child.kill("SIGTERM");
	}
	await database.drop();
	await mongod.remove();
}
