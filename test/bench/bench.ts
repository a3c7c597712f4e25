/** `npm run bench`: every figure beside its peer's, measured in the same run. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { rollup } from "rollup";
import { bundle } from "../../rollup.config.js";
import { benchSnapshot } from "./invoices.ts";
import { median, row } from "./measure.ts";

const HELP = `npm run bench [-- <part> ...]

Measures the service against its plain limits in the same run and prints the
ratios. Parts: pdf, store, wasm. All of them where none is named.
`;
const FOLDER = join(".cache", "bench");
const FRESH_PROCESSES = 7;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { help: { type: "boolean", short: "h" } },
});
if (values.help) {
	process.stdout.write(HELP);
	process.exit(0);
}
const asked = (part: string) =>
	positionals.length === 0 || positionals.includes(part);

/** The peers, which are measured as their users have them. */
const PEERS = ["autocannon", "mongodb", "pdfkit"];

/** Bundles a part as the service is bundled: what is measured is what is shipped. */
async function bundlePart(part: string): Promise<string> {
	const file = join(FOLDER, `${part}.mjs`);
	const options = bundle(join("test", "bench", `${part}.ts`), file, PEERS);
	const built = await rollup(options);
	await built.write(options.output);
	await built.close();
	return file;
}

let running: ChildProcess | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
	process.on(signal, () => {
		running?.kill(signal);
		process.exitCode = 1;
	});
}

/** Runs a program to its end; resolves to what it printed where `stdout` is "pipe". */
async function run(
	stdout: "inherit" | "pipe",
	command: string,
	...words: string[]
): Promise<string> {
	const child = spawn(command, words, { stdio: ["ignore", stdout, "inherit"] });
	running = child;
	let text = "";
	child.stdout?.on("data", (chunk: Buffer) => {
		text += chunk.toString();
	});
	const [code] = await once(child, "close");
	if (code !== 0) {
		throw new Error(`${words.join(" ")} ended with ${code}.`);
	}
	return text;
}

function show(program: string, ...words: string[]): Promise<string> {
	return run("inherit", process.execPath, program, ...words);
}

function output(program: string): Promise<string> {
	return run("pipe", process.execPath, program);
}

mkdirSync(FOLDER, { recursive: true });
console.log(
	`${"what".padEnd(44)} ${"ours".padStart(20)}   ${"peer".padStart(34)}   ${"ratio".padStart(9)}   target`,
);

if (asked("pdf")) {
	await show(await bundlePart("pdf"));
	const memory = Number(await output(await bundlePart("memory")));
	const theirs = Number(await output(await bundlePart("memory-pdfkit")));
	row(
		"resident memory after 1000 PDFs (share)",
		`${memory} MiB`,
		`pdfkit, fonts by path ${theirs} MiB`,
		memory / theirs,
		{ most: 0.75 },
	);
	const contestants = {
		ours: await bundlePart("first-pdf"),
		pdfkit: await bundlePart("first-pdf-pdfkit"),
	};
	const snapshot = join(FOLDER, "snapshot.json");
	writeFileSync(snapshot, JSON.stringify(benchSnapshot(10, 1)));
	const figures: Record<string, number[]> = {};
	for (let round = 0; round < FRESH_PROCESSES; round += 1) {
		for (const [name, program] of Object.entries(contestants)) {
			const start = performance.now();
			await show(program, snapshot);
			figures[name] = [...(figures[name] ?? []), performance.now() - start];
		}
	}
	const ours = median(figures.ours ?? []);
	const pdfkit = median(figures.pdfkit ?? []);
	row(
		"first PDF of a fresh process (share of its time)",
		`${ours.toFixed(0)} ms`,
		`pdfkit, fonts by path ${pdfkit.toFixed(0)} ms`,
		ours / pdfkit,
		{ most: 1 },
	);
}
if (asked("store")) {
	await run("inherit", "npm", "run", "--silent", "build", "--", "--silent");
	await show(await bundlePart("store"));
}
if (asked("wasm")) {
	await run("inherit", "npm", "run", "--silent", "build", "--", "--silent");
	await show(await bundlePart("runtimes"), await bundlePart("pdf-times-node"));
}
