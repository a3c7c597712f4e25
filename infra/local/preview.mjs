/** `npm run preview`: draws an example again whenever a template changes. */
import { parseArgs } from "node:util";
import { followNpm } from "./follow-npm.mjs";
import { installPackages, ROOT } from "./install.mjs";

const HELP = `npm run preview -- [<file.json>] [--template <name>/<version>] [--once] [--help]

Draws an invoice as PDF, and as PNG where pdftoppm is installed, into .data/preview,
and again on every change below templates/ or of the file. What is wrong with a
template is printed with its position; the next change is tried afresh.

  <file.json>   a snapshot as GET /invoices/{number} answers it, or a golden record
                (test/golden/records/car-sharing-380.json)
  --template    draw it with another template or version
  --once        draw once and end; fails where the template does

  TEMPLATES_DIRECTORY   a directory of further templates to read and watch
`;

const DEFAULT_FILE = "test/golden/records/car-sharing-380.json";

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		help: { type: "boolean", short: "h" },
		once: { type: "boolean" },
		template: { type: "string" },
	},
});
if (values.help) {
	process.stdout.write(HELP);
	process.exit(0);
}
process.chdir(ROOT);
followNpm();
try {
	await installPackages();
	(await import("tsx/esm/api")).register();
	const { startPreview } = await import("../../src/node/preview.ts");
	const [file = DEFAULT_FILE] = positionals;
	const preview = await startPreview({
		root: ROOT,
		file,
		template: values.template,
		furtherTemplates: process.env.TEMPLATES_DIRECTORY,
		directory: ".data/preview",
		say: (line) => console.log(line),
	});
	if (values.once) {
		preview.stop();
		process.exitCode = preview.succeeded() ? 0 : 1;
	} else {
		console.log("Watching. Ctrl-C ends it.");
		process.once("SIGINT", () => preview.stop());
		process.once("SIGTERM", () => preview.stop());
	}
} catch (error) {
	console.error(error.message);
	process.exitCode = 1;
}
