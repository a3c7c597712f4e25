/** The local MongoDB server keeps its data, its address and its locks whatever happens to it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	chmod,
	mkdtemp,
	readFile,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { DataInUseError, startMongod } from "../../src/node/mongod.ts";
import { findMongodBinary } from "../../src/node/mongod-binary.ts";
import { startTestMongod, type TestMongod } from "../mongod.ts";

const INVOICE = { number: "RE-2026-000001", loginName: "anna.schmidt" };

async function withClient<Result>(
	uri: string,
	work: (client: MongoClient) => Promise<Result>,
): Promise<Result> {
	const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
	try {
		return await work(client);
	} finally {
		await client.close();
	}
}

const insertInvoice = (uri: string, invoice: { number: string }) =>
	withClient(uri, (client) =>
		client
			.db("invoicing")
			.collection("invoices")
			.insertOne({ ...invoice }, { writeConcern: { w: "majority", j: true } }),
	);

const numbersIn = (uri: string) =>
	withClient(uri, async (client) => {
		const invoices = client.db("invoicing").collection("invoices").find();
		return (await invoices.toArray()).map((invoice) => invoice.number);
	});

describe("the local MongoDB server", function () {
	this.timeout(30_000);
	let mongod: TestMongod;

	before(async () => {
		mongod = await startTestMongod();
		await insertInvoice(mongod.uri, INVOICE);
		await withClient(mongod.uri, (client) =>
			client.db("invoicing").command({
				createUser: mongod.service.user,
				pwd: mongod.service.password,
				roles: [{ role: "read", db: "invoicing" }],
			}),
		);
	});
	after(() => mongod?.remove());

	it("keeps its data and its address over a restart", async () => {
		await mongod.stop();
		const again = await startTestMongod({
			dataDirectory: mongod.dataDirectory,
		});
		assert.equal(again.uri, mongod.uri);
		assert.deepEqual(await numbersIn(again.uri), [INVOICE.number]);
		mongod = again;
	});

	it("lets the service's user in by its password only, and to its rights only", async () => {
		const { service, host, port } = mongod;
		const uri = mongod.uriFor(service, "invoicing");
		assert.deepEqual(await numbersIn(uri), [INVOICE.number]);
		await assert.rejects(
			insertInvoice(uri, { number: "RE-2026-000002" }),
			/not authorized/,
		);
		const guess = { user: service.user, password: "geheim" };
		await assert.rejects(
			numbersIn(mongod.uriFor(guess, "invoicing")),
			/Authentication failed/,
		);
		await assert.rejects(
			numbersIn(`mongodb://${host}:${port}/?replicaSet=local`),
			/requires authentication/,
		);
	});

	it("keeps its key and passwords to the user who started it", async () => {
		for (const name of ["mongod.json", "mongod.key"]) {
			const { mode } = await stat(join(mongod.dataDirectory, name));
			assert.equal((mode & 0o777).toString(8), "600", name);
		}
	});

	it("starts after a crash, in spite of the lock it left, with all that it had confirmed", async () => {
		await insertInvoice(mongod.uri, { number: "RE-2026-000002" });
		await mongod.kill();
		const lock = join(mongod.dataDirectory, "mongod", "mongod.lock");
		assert.match(await readFile(lock, "utf8"), new RegExp(`^${mongod.pid}\\s`));
		mongod = await mongod.restart();
		assert.deepEqual(await numbersIn(mongod.uri), [
			INVOICE.number,
			"RE-2026-000002",
		]);
	});

	it("refuses a second server on the same data, in a sentence, and goes on undisturbed", async () => {
		await assert.rejects(
			startTestMongod({
				dataDirectory: mongod.dataDirectory,
				predecessor_ms_max: 0,
			}),
			(error: Error) => {
				assert.ok(error instanceof DataInUseError);
				assert.match(
					error.message,
					new RegExp(
						`^Another MongoDB server \\(process ${mongod.pid}\\) serves the data in .+\\. Stop .+\\.$`,
					),
				);
				return true;
			},
		);
		assert.equal((await numbersIn(mongod.uri)).length, 2);
	});

	it("moves to another port when its own is taken, and takes writes there", async () => {
		await mongod.stop();
		const squatter = createServer((socket) => socket.destroy()).listen(
			mongod.port,
			mongod.host,
		);
		await once(squatter, "listening");
		try {
			const moved = await startTestMongod({
				dataDirectory: mongod.dataDirectory,
			});
			assert.notEqual(moved.port, mongod.port);
			await insertInvoice(moved.uri, { number: "RE-2026-000003" });
			mongod = moved;
		} finally {
			squatter.close();
		}
	});

	it("says when it ends without having been asked to", async () => {
		await mongod.stop();
		const said = new Promise<string>((settle) => {
			startTestMongod({
				dataDirectory: mongod.dataDirectory,
				onUnexpectedEnd: settle,
			}).then((started) => {
				mongod = started;
				process.kill(started.pid, "SIGKILL");
			});
		});
		assert.match(await said, /ended by itself \(SIGKILL\): .+mongod\.log\.$/);
		mongod = await mongod.restart();
	});

	it("refuses passwords that do not belong to the data, in a sentence", async () => {
		await mongod.stop();
		const path = join(mongod.dataDirectory, "mongod.json");
		const right = await readFile(path, "utf8");
		const wrong = right.replace(mongod.administrator.password, "geheim");
		await writeFile(path, wrong);
		await assert.rejects(
			mongod.restart(),
			/refuses the administrator's password of .+mongod\.json\. Bring back/,
		);
		await writeFile(path, right);
		mongod = await mongod.restart();
	});

	it("finishes a first start that was cut off before it had an administrator", async () => {
		await withClient(mongod.uri, async (client) => {
			await client.db("invoicing").command({ dropAllUsersFromDatabase: 1 });
			await client.db("admin").command({ dropAllUsersFromDatabase: 1 });
		});
		await mongod.kill();
		mongod = await mongod.restart();
		assert.equal((await numbersIn(mongod.uri)).length, 3);
	});

	it("ends with a service that was killed, and serves the next one that starts at once", async () => {
		const dataDirectory = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-"));
		const program = `
			import { startMongod } from "./src/node/mongod.ts";
			const mongod = await startMongod({ dataDirectory: process.argv[1] });
			console.log(mongod.uri);
			setInterval(() => {}, 1000);`;
		const service = spawn(
			process.execPath,
			[
				...["--import", "tsx", "--input-type", "module"],
				...["--eval", program, dataDirectory],
			],
			{ stdio: ["ignore", "pipe", "inherit"] },
		);
		try {
			const [uri] = await once(service.stdout, "data");
			await insertInvoice(String(uri).trim(), INVOICE);
			service.kill("SIGKILL");
			const next = await startMongod({ dataDirectory });
			assert.deepEqual(await numbersIn(next.uri), [INVOICE.number]);
			await next.stop();
		} finally {
			service.kill("SIGKILL");
			await rm(dataDirectory, { recursive: true, force: true });
		}
	});
});

describe("the search for a mongod", () => {
	let folder: string;
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-"));
	});
	after(() => rm(folder, { recursive: true, force: true }));

	const program = async (name: string, script: string) => {
		const path = join(folder, name);
		await writeFile(path, `#!/bin/sh\n${script}\n`);
		await chmod(path, 0o755);
		return path;
	};

	it("takes MONGOD_BINARY before the one on PATH", async () => {
		const configured = await program("mine", 'echo "db version v8.0.4"');
		await program("mongod", 'echo "db version v7.0.28"');
		const environment = { PATH: folder, MONGOD_BINARY: configured };
		assert.deepEqual(await findMongodBinary(assert.fail, environment), {
			path: configured,
			version: "8.0.4",
			source: "MONGOD_BINARY",
		});
		assert.deepEqual(await findMongodBinary(assert.fail, { PATH: folder }), {
			path: join(folder, "mongod"),
			version: "7.0.28",
			source: "PATH",
		});
	});

	const UNUSABLE: readonly [what: string, script: string, why: RegExp][] = [
		["too old", 'echo "db version v4.4.29"', /version 4\.4\.29, older than 6/],
		["no mongod", 'echo "hello"', /is not a mongod/],
		[
			"without a library it needs",
			'echo "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file or directory" >&2; exit 127',
			/system library libcurl\.so\.4.+apt-get install libcurl4/,
		],
	];
	for (const [what, script, why] of UNUSABLE) {
		it(`refuses a MONGOD_BINARY that is ${what}, and takes no other instead`, async () => {
			const configured = await program("configured", script);
			await assert.rejects(
				findMongodBinary(() => {}, { MONGOD_BINARY: configured }),
				(error: Error) => {
					assert.match(error.message, /^MONGOD_BINARY is .+ Set it to .+\.$/);
					assert.match(error.message, why);
					return true;
				},
			);
		});
	}
});
