/** `npm run bench`: every figure beside its peer's, measured in the same run. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { benchSnapshot } from "./invoices.ts";
import { median, row } from "./measure.ts";

const HELP = `npm run bench [-- <part> ...]

Measures the service against its plain limits in the same run and prints the
ratios. Parts: pdf, store. Both where none is named.
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

/** Bundles a part as the service is bundled: what is measured is what is shipped. */
async function bundle(part: string): Promise<string> {
	const outfile = join(FOLDER, `${part}.mjs`);
	await build({
		entryPoints: [join("test", "bench", `${part}.ts`)],
		outfile,
		bundle: true,
		splitting: false,
		platform: "node",
		format: "esm",
		target: "es2023",
		external: [
			"pdfkit",
			"mongodb-memory-server-core",
			"autocannon",
			"mongodb",
			"fontkit",
		],
		logLevel: "error",
		banner: {
			js: 'import * as bundledModule from "node:module"; const require = bundledModule.createRequire(import.meta.url);',
		},
	});
	return outfile;
}

function run(...command: string[]): void {
	execFileSync(process.execPath, command, { stdio: "inherit" });
}

mkdirSync(FOLDER, { recursive: true });
console.log(
	`${"what".padEnd(44)} ${"ours".padStart(20)}   ${"peer".padStart(34)}   ${"ratio".padStart(9)}   target`,
);

if (asked("pdf")) {
	run("--expose-gc", await bundle("pdf"));
	const first = await bundle("first-pdf");
	const snapshot = join(FOLDER, "snapshot.json");
	writeFileSync(snapshot, JSON.stringify(benchSnapshot(10, 1)));
	const figures: Record<string, number[]> = { ours: [], pdfkit: [] };
	for (let round = 0; round < FRESH_PROCESSES; round += 1) {
		for (const whose of Object.keys(figures)) {
			const start = performance.now();
			run(first, whose, snapshot);
			figures[whose]?.push(performance.now() - start);
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
	execFileSync("npm", ["run", "--silent", "build", "--", "--silent"], {
		stdio: "inherit",
	});
	run(await bundle("store"));
}
