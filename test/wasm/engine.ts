/** The engine for tests, and programs of theirs bundled for it as the service is bundled. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { TestEngine } from "../../infra/wasm/run.d.mts";

/**
 * The engine without a bundle, built where it is missing. The build's scripts
 * are loaded when the tests run, not bundled into them: they look for files beside them.
 */
export async function testEngine(): Promise<TestEngine> {
	const script = pathToFileURL(resolve("infra", "wasm", "run.mjs")).href;
	const { engineForTests } = (await import(
		script
	)) as typeof import("../../infra/wasm/run.d.mts");
	return engineForTests();
}

const bundled = new Map<string, Promise<string>>();

/** A program of test/wasm as one script for the engine; its path. */
export function bundleGuest(input: string): Promise<string> {
	let script = bundled.get(input);
	if (script === undefined) {
		script = bundleInto(input, guestFolder());
		bundled.set(input, script);
	}
	return script;
}

let folder: string | undefined;

function guestFolder(): string {
	if (folder === undefined) {
		const made = mkdtempSync(join(tmpdir(), "rechnungsverwaltung-guest-"));
		process.once("exit", () => rmSync(made, { recursive: true, force: true }));
		folder = made;
	}
	return folder;
}

async function bundleInto(input: string, into: string): Promise<string> {
	const file = join(into, basename(input).replace(/\.ts$/, ".js"));
	await promisify(execFile)(process.execPath, [
		join("infra", "wasm", "application.mjs"),
		file,
		input,
	]);
	return file;
}
