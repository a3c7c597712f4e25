/** The bundle: one file for Node that needs no node_modules beside it. */
import { builtinModules } from "node:module";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import esbuild from "rollup-plugin-esbuild";

/** The driver tries these and does without: authentication and compression that we do not offer. */
const OPTIONAL = [
	"@aws-sdk/credential-providers",
	"@mongodb-js/zstd",
	"gcp-metadata",
	"kerberos",
	"mongodb-client-encryption",
	"snappy",
	"socks",
];

/** Runs a MongoDB of its own for the quick start; a deployment has MONGODB_URI and never loads it. */
const QUICK_START = ["mongodb-memory-server-core"];

const allowed = new Set([
	...builtinModules,
	...builtinModules.map((name) => `node:${name}`),
	...OPTIONAL,
	...QUICK_START,
]);

/** What libraries do and bundles take well. */
const HARMLESS = new Set([
	"CIRCULAR_DEPENDENCY",
	"INVALID_ANNOTATION",
	"THIS_IS_UNDEFINED",
]);

/** @type {import("rollup").RollupOptions} */
export default {
	input: "src/node/main.ts",
	output: {
		file: "dist/main.js",
		format: "es",
		inlineDynamicImports: true,
		sourcemap: true,
	},
	external: (id) =>
		allowed.has(id) || QUICK_START.some((name) => id.startsWith(`${name}/`)),
	plugins: [
		nodeResolve({ preferBuiltins: true, exportConditions: ["node"] }),
		commonjs({ ignoreTryCatch: (id) => OPTIONAL.includes(id) }),
		json(),
		esbuild({ target: "es2023", sourceMap: true }),
	],
	onwarn(warning, warn) {
		// An import that is not found would fail in the middle of the night; here it fails the build.
		if (warning.code === "UNRESOLVED_IMPORT") {
			throw new Error(
				`${warning.exporter} is imported by ${warning.id} and cannot be found.`,
			);
		}
		if (!HARMLESS.has(warning.code)) {
			warn(warning);
		}
	},
};
