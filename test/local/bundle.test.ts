import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { goldenDrafts } from "../golden.ts";
import { startTestMongod, type TestMongod } from "../mongod.ts";

const run = promisify(execFile);

describe("the bundle", () => {
	let folder: string;
	let mongod: TestMongod;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-bundle-"));
		mongod = await startTestMongod();
		await run("npm", ["run", "--silent", "build", "--", "--silent"]);
		await cp(join("dist", "main.js"), join(folder, "main.js"));
		await cp("fonts", join(folder, "fonts"), { recursive: true });
	});

	after(async () => {
		await mongod?.remove();
		await rm(folder, { recursive: true, force: true });
	});

	it("serves invoices and their PDFs with nothing beside it but the fonts", async () => {
		const service = spawn(process.execPath, ["main.js"], {
			cwd: folder,
			env: {
				PATH: process.env.PATH,
				PORT: "0",
				MONGODB_URI: mongod.uri,
				MONGODB_SETUP_URI: mongod.uri,
			},
			stdio: ["ignore", "pipe", "inherit"],
		});
		const ended = new Promise((resolve) => service.once("exit", resolve));
		try {
			let url: string | undefined;
			for await (const line of createInterface({ input: service.stdout })) {
				const entry = JSON.parse(line) as { message: string; url?: string };
				if (entry.message === "listening") {
					url = entry.url;
					break;
				}
			}
			service.stdout.resume();
			const created = await fetch(`${url}/invoices`, {
				method: "POST",
				headers: { "Content-Type": "application/json" },
				body: JSON.stringify(goldenDrafts()[0]?.draft),
			});
			assert.equal(created.status, 201, await created.text());
			const address = `${url}${created.headers.get("location")}.pdf`;
			const document = await (await fetch(address)).arrayBuffer();
			const head = new TextDecoder().decode(document.slice(0, 5));
			assert.equal(head, "%PDF-");
		} finally {
			service.kill("SIGTERM");
			assert.equal(await ended, 0);
		}
	});
});
