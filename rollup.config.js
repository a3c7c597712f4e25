/** The bundles: one file each for Node and for WasmEdge that needs no node_modules beside it. */
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import esbuild from "rollup-plugin-esbuild";
import { cutTimeZoneData } from "./infra/wasm/time-zones.mjs";
import nodeModules from "./src/wasmedge/node/modules.json" with {
	type: "json",
};

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
const QUICK_START = "mongodb-memory-server-core";

const BUILT_IN = new Set([
	...builtinModules,
	...builtinModules.map((name) => `node:${name}`),
]);

/** What libraries do and bundles take well. */
const HARMLESS = new Set([
	"CIRCULAR_DEPENDENCY",
	"INVALID_ANNOTATION",
	"THIS_IS_UNDEFINED",
]);

/** Shaping, line breaking, PNG and encryption of pdfkit: we do the first three ourselves, and never the last. */
const UNUSED_BY_PDFKIT = new Set([
	"@noble/ciphers/aes",
	"fontkit",
	"linebreak",
	"png-js",
]);
const UNUSED_PREFIX = "\0unused:";

/** Leaves those parts out: loading them costs a tenth of a second at every start. */
const withoutUnusedParts = {
	name: "without-unused-parts",
	resolveId(id, importer) {
		return importer?.endsWith("pdfkit.browser.mjs") && UNUSED_BY_PDFKIT.has(id)
			? UNUSED_PREFIX + id
			: null;
	},
	load(id) {
		if (!id.startsWith(UNUSED_PREFIX)) {
			return null;
		}
		const name = id.slice(UNUSED_PREFIX.length);
		return `
			function unused() {
				throw new Error("The bundle has no ${name}: no document of ours needs it.");
			}
			export { unused as default, unused as create, unused as cbc, unused as ecb };
		`;
	},
};

const OWN_TEMPLATES = "/src/own-templates.ts";

/** Writes our own templates into the bundle, compiled: a start need not do it. */
const precompiledTemplates = {
	name: "precompiled-templates",
	async load(id) {
		if (!id.endsWith(OWN_TEMPLATES)) {
			return null;
		}
		const { register } = await import("tsx/esm/api");
		const unregister = register();
		const { precompileTemplates } = await import(
			"./src/documents/pdf/template-files.ts"
		);
		const { FILE_SYSTEM } = await import("./src/node/file-system.ts");
		const source = await precompileTemplates(FILE_SYSTEM, "templates");
		await unregister();
		return `export async function loadOwnTemplates() { return ${source}; }`;
	},
};

/** Size of the bundle for WasmEdge, in bytes; what makes it larger has to be worth its start-up. */
const WASM_BUNDLE_BYTES_MAX = 1_500_000;

/** Fails the build where the bundle has outgrown its budget. */
const sizeBudget = {
	name: "size-budget",
	generateBundle(_, files) {
		for (const { fileName, code } of Object.values(files)) {
			if (code !== undefined && code.length > WASM_BUNDLE_BYTES_MAX) {
				throw new Error(
					`${fileName} has ${code.length} bytes, more than the ${WASM_BUNDLE_BYTES_MAX} of its budget. Find out what has come in, or raise the budget with a reason.`,
				);
			}
		}
	},
};

/** What the sandbox has of Node, and in its place: modules of ours, or one that says what is missing. */
const WASM_MODULES = new URL("./src/wasmedge/node/", import.meta.url);

/**
 * Gives libraries our stand-ins for Node's modules, and for packages that they
 * try and do without: those say that they are missing.
 */
const nodeModulesOfWasmEdge = {
	name: "node-modules-of-wasmedge",
	/** A script has no address; libraries that look for files beside them find none. */
	resolveImportMeta: (property) =>
		property === "url" ? '"file:///"' : undefined,
	async resolveId(id, importer) {
		const name = id.startsWith("node:") ? id.slice("node:".length) : id;
		const replaced = nodeModules[name];
		if (replaced !== undefined) {
			return fileURLToPath(new URL(replaced, WASM_MODULES));
		}
		if (BUILT_IN.has(id) && !(await this.resolve(id, importer))) {
			throw new Error(
				`${importer} imports ${id}, which the sandbox does not have; src/wasmedge/node/modules.json lists what it has.`,
			);
		}
		return null;
	},
};

/** An import that is not found would fail in the middle of the night; here it fails the build. */
function refuseUnresolved(warning, warn) {
	if (warning.code === "UNRESOLVED_IMPORT") {
		throw new Error(
			`${warning.exporter} is imported by ${warning.id} and cannot be found.`,
		);
	}
	if (!HARMLESS.has(warning.code)) {
		warn(warning);
	}
}

/**
 * How a program for Node becomes one file.
 *
 * @param {string} input
 * @param {string} file
 * @param {readonly string[]} [beside] packages that are left in node_modules
 * @returns {import("rollup").RollupOptions & { output: import("rollup").OutputOptions }}
 */
export function bundle(input, file, beside = []) {
	const external = [...OPTIONAL, QUICK_START, ...beside];
	return {
		input,
		output: {
			file,
			format: "es",
			inlineDynamicImports: true,
			sourcemap: true,
		},
		external: (id) =>
			BUILT_IN.has(id) ||
			external.some((name) => id === name || id.startsWith(`${name}/`)),
		plugins: [
			withoutUnusedParts,
			precompiledTemplates,
			nodeResolve({ preferBuiltins: true, exportConditions: ["node"] }),
			commonjs({ ignoreTryCatch: (id) => OPTIONAL.includes(id) }),
			json(),
			esbuild({ target: "es2023", sourceMap: true }),
		],
		onwarn: refuseUnresolved,
	};
}

/**
 * How a program becomes one script for QuickJS inside WasmEdge, with nothing outside of it but the global `host`.
 *
 * @param {string} input
 * @param {string} file
 * @returns {import("rollup").RollupOptions & { output: import("rollup").OutputOptions }}
 */
export function wasmBundle(input, file) {
	return {
		input,
		output: { file, format: "iife", inlineDynamicImports: true },
		plugins: [
			withoutUnusedParts,
			precompiledTemplates,
			nodeModulesOfWasmEdge,
			nodeResolve({
				browser: true,
				preferBuiltins: false,
				exportConditions: ["wasmedge", "browser"],
			}),
			commonjs({ ignoreTryCatch: false, strictRequires: true }),
			cutTimeZoneData,
			json(),
			esbuild({ target: "es2023", minify: true }),
			sizeBudget,
		],
		onwarn: refuseUnresolved,
	};
}

export default [
	bundle("src/node/main.ts", "dist/main.js"),
	wasmBundle("src/wasmedge/main.ts", "dist/wasm/service.js"),
];
