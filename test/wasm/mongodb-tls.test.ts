/** The MongoDB driver inside the engine speaks TLS to a server that takes nothing else. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { MongoClient } from "mongodb";
import type { TestEngine } from "../../infra/wasm/run.d.mts";
import { startTestMongod, type TestMongod } from "../mongod.ts";
import { makeCertificate } from "./certificates.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import type { MongodbOutcome } from "./mongodb-tls-guest.ts";

const GUEST = "test/wasm/mongodb-tls-guest.ts";

describe("MongoDB over TLS from inside the engine", function () {
	this.timeout(60_000);

	let folder: string;
	let mongod: TestMongod;
	let run: TestEngine["run"];

	before(async function () {
		this.timeout(600_000); // the engine may have to be built, mongod fetched
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-tls-"));
		const authority = makeCertificate({
			subject: "Authority",
			isAuthority: true,
		});
		const stranger = makeCertificate({
			subject: "Another authority",
			isAuthority: true,
		});
		const server = makeCertificate({
			subject: "mongod",
			issuer: authority,
			names: ["127.0.0.1"],
			keyType: "rsa",
		});
		const client = makeCertificate({
			subject: "service",
			issuer: authority,
			usage: "client",
		});
		const files = {
			"authority.pem": authority.chain,
			"stranger.pem": stranger.chain,
			"server.pem": server.chain + server.privateKey,
			"client.pem": client.privateKey + client.chain,
		};
		for (const [name, content] of Object.entries(files)) {
			await writeFile(join(folder, name), content, { mode: 0o600 });
		}
		mongod = await startTestMongod({
			args: [
				...["--tlsMode", "preferTLS"],
				...["--tlsCertificateKeyFile", join(folder, "server.pem")],
				...["--tlsCAFile", join(folder, "authority.pem")],
			],
		});
		await requireTls(mongod.uri);
		({ run } = await testEngine());
		await bundleGuest(GUEST);
	});

	after(async () => {
		await mongod?.remove();
		await rm(folder, { recursive: true, force: true });
	});

	/** It is set up without TLS; from here on it takes nothing else. */
	async function requireTls(uri: string): Promise<void> {
		const client = new MongoClient(uri);
		await client
			.db("admin")
			.command({ setParameter: 1, tlsMode: "requireTLS" });
		await client.close();
	}

	async function outcomeWith(
		options: Record<string, string>,
	): Promise<MongodbOutcome> {
		const parameters = new URLSearchParams(options);
		const child = run(await bundleGuest(GUEST), {
			env: { MONGODB_URI: `${mongod.uri}&${parameters}` },
			folders: [{ inside: "/tls", outside: folder }],
			stdio: ["ignore", "pipe", "inherit"],
		});
		return JSON.parse(await text(child.stdout as NodeJS.ReadableStream));
	}

	async function assertRefused(
		options: Record<string, string>,
		sentence: RegExp,
	): Promise<void> {
		const outcome = await outcomeWith(options);
		assert.match("error" in outcome ? outcome.error : "", sentence);
	}

	const OPTIONS = {
		tls: "true",
		tlsCAFile: "/tls/authority.pem",
		tlsCertificateKeyFile: "/tls/client.pem",
	};

	it("writes and reads as a user that SCRAM has let in", async () => {
		assert.deepEqual(await outcomeWith(OPTIONS), {
			written: 20,
			read: 20,
			user: mongod.administrator.user,
		});
	});

	it("is refused without TLS, and without the client certificate", async () => {
		assert.ok("error" in (await outcomeWith({})));
		await assertRefused({ tls: "true", tlsCAFile: OPTIONS.tlsCAFile }, /./);
	});

	it("refuses a server of another authority, or without a CA file", async () => {
		await assertRefused(
			{ ...OPTIONS, tlsCAFile: "/tls/stranger.pem" },
			/is not signed by an authority of the CA file/,
		);
		await assertRefused({ tls: "true" }, /by tlsCAFile/);
	});

	it("refuses to verify less", async () => {
		for (const option of [
			"tlsInsecure",
			"tlsAllowInvalidCertificates",
			"tlsAllowInvalidHostnames",
		]) {
			await assertRefused({ ...OPTIONS, [option]: "true" }, /always verified/);
		}
	});
});
