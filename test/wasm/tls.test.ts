/** TLS from inside the engine: verified servers are spoken to, all others are refused by a sentence. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import {
	type AddressInfo,
	connect,
	createServer,
	type Server,
	type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
	createServer as createTlsServer,
	type SecureVersion,
	type TlsOptions,
} from "node:tls";
import fc from "fast-check";
import type { TestEngine } from "../../infra/wasm/run.d.mts";
import { type Certificate, firstOf, makeCertificate } from "./certificates.ts";
import { bundleGuest, testEngine } from "./engine.ts";
import type { Attempt, Outcome } from "./tls-guest.ts";

const GUEST = "test/wasm/tls-guest.ts";
const NAMES = ["db.example", "*.shard.example", "127.0.0.1", "::1"];
const HALF_A_DAY_MS = 43_200_000;
const VERSIONS: SecureVersion[] = ["TLSv1.2", "TLSv1.3"];
const RECORD_BYTES_MAX = 16_384;
/** More than a server sends until it has sent back a few bytes. */
const HANDSHAKE_BYTES_MAX = 2000;
/** Where a length was changed, both sides wait for each other. */
const WAIT_MS = 200;

/** True for application data alone: no handshake fills a record. */
const isFullRecord = (bytes: Buffer) => bytes.length > RECORD_BYTES_MAX;

const authority = makeCertificate({
	subject: "Authority",
	isAuthority: true,
	keyType: "rsa",
});
const between = makeCertificate({
	subject: "Authority in between",
	isAuthority: true,
	issuer: authority,
});
const stranger = makeCertificate({
	subject: "Another authority",
	isAuthority: true,
});
const issuedBy = (
	issuer: Certificate | undefined,
	options: Partial<Parameters<typeof makeCertificate>[0]> = {},
) =>
	makeCertificate({
		subject: "server",
		names: NAMES,
		...(issuer && { issuer }),
		...options,
	});
const SERVER = issuedBy(authority);
const CLIENT = makeCertificate({
	subject: "client",
	issuer: authority,
	usage: "client",
});

describe("TLS from inside the engine", function () {
	this.timeout(60_000);

	let folder: string;
	let run: TestEngine["run"];
	const servers: Server[] = [];

	before(async function () {
		this.timeout(600_000); // the engine may have to be built
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-tls-"));
		const files = {
			"authority.pem": authority.chain,
			"stranger.pem": stranger.chain,
			"both.pem": stranger.chain + authority.chain,
			"between.pem": firstOf(between),
			"client.pem": CLIENT.privateKey + CLIENT.chain,
			"other-key.pem": SERVER.privateKey,
			"nothing.pem": "This is no certificate.\n",
		};
		for (const [name, content] of Object.entries(files)) {
			await writeFile(join(folder, name), content);
		}
		({ run } = await testEngine());
		await bundleGuest(GUEST);
	});

	after(async () => {
		for (const server of servers) {
			server.close();
		}
		await rm(folder, { recursive: true, force: true });
	});

	async function listen(server: Server): Promise<number> {
		servers.push(server);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		return (server.address() as AddressInfo).port;
	}

	/** A server that sends back what it gets; its port. */
	function startServer(
		certificate: Certificate,
		options: TlsOptions = {},
	): Promise<number> {
		return listen(
			createTlsServer(
				{ cert: certificate.chain, key: certificate.privateKey, ...options },
				(socket) => {
					socket.on("error", () => {}); // refused certificates end connections
					socket.pipe(socket);
				},
			),
		);
	}

	/** Stands between; `change` says what comes of the bytes that the server sends. Null ends the connection. */
	function startProxy(
		port: number,
		change: (bytes: Buffer, sentBefore: number) => Buffer | null,
	): Promise<number> {
		return listen(
			createServer((client: Socket) => {
				const server = connect(port, "127.0.0.1");
				let sent = 0;
				client.on("error", () => {}).on("close", () => server.destroy());
				server.on("error", () => {}).on("close", () => client.end());
				client.pipe(server);
				server.on("data", (bytes) => {
					const changed = change(bytes, sent);
					sent += bytes.length;
					if (changed === null) {
						client.end();
					} else {
						client.write(changed);
					}
				});
			}),
		);
	}

	async function outcomes(attempts: Attempt[]): Promise<Outcome[]> {
		await writeFile(join(folder, "attempts.json"), JSON.stringify(attempts));
		const child = run(await bundleGuest(GUEST), {
			folders: [{ inside: "/tls", outside: folder }],
			stdio: ["ignore", "pipe", "inherit"],
		});
		return JSON.parse(await text(child.stdout as NodeJS.ReadableStream));
	}

	async function outcomeOf(attempt: Attempt): Promise<Outcome> {
		const [outcome] = await outcomes([attempt]);
		assert.ok(outcome);
		return outcome;
	}

	const attemptAt = (
		port: number,
		servername = "db.example",
		files: Record<string, string> = { ca: "/tls/authority.pem" },
	): Attempt => ({ port, options: { servername }, files });

	async function assertRefused(
		attempt: Attempt,
		sentence: string | RegExp,
	): Promise<void> {
		const outcome = await outcomeOf(attempt);
		const error = "error" in outcome ? outcome.error : JSON.stringify(outcome);
		if (typeof sentence === "string") {
			assert.equal(error, sentence);
		} else {
			assert.match(error, sentence);
		}
	}

	for (const version of VERSIONS) {
		const only = { minVersion: version, maxVersion: version };

		describe(version, () => {
			it("speaks to a server whose authority is in the CA file", async () => {
				const port = await startServer(SERVER, only);
				const [byName, bySubdomain, byAddress, among] = await outcomes([
					attemptAt(port),
					attemptAt(port, "a.shard.example"),
					{ port, files: { ca: "/tls/authority.pem" } },
					attemptAt(port, "db.example", { ca: "/tls/both.pem" }),
				]);
				for (const outcome of [byName, bySubdomain, byAddress, among]) {
					assert.ok(outcome && "protocol" in outcome, JSON.stringify(outcome));
					assert.equal(outcome.protocol, version);
					assert.equal(outcome.isEcho, true);
				}
			});

			it("speaks to servers with an RSA key, and with a chain of authorities", async () => {
				const rsa = issuedBy(between, { keyType: "rsa" });
				const port = await startServer(rsa, only);
				assert.ok("protocol" in (await outcomeOf(attemptAt(port))));
			});

			it("agrees upon each cipher that it offers", async () => {
				const suites =
					version === "TLSv1.3"
						? [
								"TLS_CHACHA20_POLY1305_SHA256",
								"TLS_AES_128_GCM_SHA256",
								"TLS_AES_256_GCM_SHA384",
							]
						: [
								"ECDHE-ECDSA-CHACHA20-POLY1305",
								"ECDHE-ECDSA-AES128-GCM-SHA256",
								"ECDHE-ECDSA-AES256-GCM-SHA384",
							];
				const ports = await Promise.all(
					suites.map((ciphers) => startServer(SERVER, { ...only, ciphers })),
				);
				const agreed = (
					await outcomes(ports.map((port) => attemptAt(port)))
				).map((outcome) =>
					"cipher" in outcome ? outcome.cipher : outcome.error,
				);
				assert.deepEqual(
					agreed,
					version === "TLSv1.3"
						? suites
						: [
								"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
								"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
								"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
							],
				);
			});

			it("carries megabytes and single bytes both ways", async () => {
				const port = await startServer(SERVER, only);
				const lengths = [
					1,
					RECORD_BYTES_MAX - 1,
					RECORD_BYTES_MAX,
					RECORD_BYTES_MAX + 1,
					3_000_000,
				];
				const given = await outcomes(
					lengths.map((length) => ({ ...attemptAt(port), length })),
				);
				assert.deepEqual(
					given.map((outcome) => "isEcho" in outcome && outcome.isEcho),
					lengths.map(() => true),
				);
			});

			it("refuses a server of another authority", async () => {
				const port = await startServer(SERVER, only);
				await assertRefused(
					attemptAt(port, "db.example", { ca: "/tls/stranger.pem" }),
					"The server's certificate is not signed by an authority of the CA file.",
				);
			});

			it("refuses a certificate that signs itself", async () => {
				const port = await startServer(issuedBy(undefined), only);
				await assertRefused(
					attemptAt(port),
					"The server's certificate is not signed by an authority of the CA file.",
				);
			});

			it("refuses a chain whose middle is no authority", async () => {
				const pretender = issuedBy(SERVER);
				const port = await startServer(pretender, only);
				await assertRefused(
					attemptAt(port),
					"The server's certificate is not signed by an authority of the CA file.",
				);
			});

			it("refuses a certificate that has expired, or is not yet valid", async () => {
				const expired = issuedBy(authority, {
					validTo: new Date(Date.now() - HALF_A_DAY_MS),
				});
				await assertRefused(
					attemptAt(await startServer(expired, only)),
					/^The server's certificate has expired: it was valid until 20\d\d-.+Z\.$/,
				);
				const early = issuedBy(authority, {
					validFrom: new Date(Date.now() + HALF_A_DAY_MS),
				});
				await assertRefused(
					attemptAt(await startServer(early, only)),
					/^The server's certificate is not yet valid: it will be from 20\d\d-.+Z on\. /,
				);
			});

			it("refuses a certificate of another name or address", async () => {
				const port = await startServer(SERVER, only);
				const names = "'db.example', '*.shard.example', '127.0.0.1', '::1'";
				for (const name of [
					"other.example",
					"shard.example",
					"a.b.shard.example",
					"127.0.0.2",
					"::2",
				]) {
					await assertRefused(
						attemptAt(port, name),
						`The server's certificate is for ${names}, not for '${name}'.`,
					);
				}
			});

			it("takes no name of a certificate for an address", async () => {
				const named = issuedBy(authority, { names: ["localhost"] });
				const port = await startServer(named, only);
				await assertRefused(
					attemptAt(port, "127.0.0.1"),
					"The server's certificate is for 'localhost', not for '127.0.0.1'.",
				);
			});

			it("refuses a key that is too weak, and a certificate made for clients", async () => {
				const weak = issuedBy(authority, { keyType: "rsa-1024" });
				const ciphers = "DEFAULT@SECLEVEL=0";
				await assertRefused(
					attemptAt(await startServer(weak, { ...only, ciphers })),
					/^The server's certificate is too weak: /,
				);
				const client = issuedBy(authority, { usage: "client" });
				await assertRefused(
					attemptAt(await startServer(client, only)),
					/^The server's certificate is not made for TLS servers/,
				);
			});

			it("shows a client certificate where the server wants one", async () => {
				const port = await startServer(SERVER, {
					...only,
					ca: authority.chain,
					requestCert: true,
				});
				const both = {
					ca: "/tls/authority.pem",
					cert: "/tls/client.pem",
					key: "/tls/client.pem",
				};
				assert.ok(
					"protocol" in (await outcomeOf(attemptAt(port, "db.example", both))),
				);
				await assertRefused(
					attemptAt(port),
					/^The server ended the TLS session by alert \d+: it .*wants a client certificate\.$/,
				);
			});

			it("refuses a record that was changed on its way", async () => {
				const port = await startServer(SERVER, only);
				const forging = await startProxy(port, (bytes) => {
					if (isFullRecord(bytes)) {
						bytes[RECORD_BYTES_MAX] = (bytes[RECORD_BYTES_MAX] ?? 0) ^ 1;
					}
					return bytes;
				});
				await assertRefused(
					{ ...attemptAt(forging), length: 1_000_000 },
					"A TLS record was forged or damaged on its way.",
				);
			});

			it("hands nothing on that was changed, whichever byte it is", async function () {
				this.timeout(120_000);
				const port = await startServer(SERVER, only);
				let refusals = 0;
				await fc.assert(
					fc.asyncProperty(
						fc.array(
							fc.record({
								at: fc.nat({ max: HANDSHAKE_BYTES_MAX }),
								mask: fc.integer({ min: 1, max: 255 }),
							}),
							{ minLength: 1, maxLength: 20 },
						),
						async (all) => {
							const ports = await Promise.all(
								all.map(({ at, mask }) =>
									startProxy(port, (bytes, before) => {
										const place = at - before;
										if (place >= 0 && place < bytes.length) {
											bytes[place] = (bytes[place] ?? 0) ^ mask;
										}
										return bytes;
									}),
								),
							);
							const options = { servername: "db.example", timeout: WAIT_MS };
							for (const outcome of await outcomes(
								ports.map((port) => ({ ...attemptAt(port), options })),
							)) {
								assert.ok(
									"error" in outcome || outcome.isEcho,
									JSON.stringify(outcome),
								);
								refusals += "error" in outcome ? 1 : 0;
							}
						},
					),
					{ numRuns: 12 },
				);
				assert.ok(refusals > 0);
			});

			it("tells an end that the server did not announce", async () => {
				const port = await startServer(SERVER, only);
				const early = await startProxy(port, () => null);
				await assertRefused(
					attemptAt(early),
					"The server ended the connection before it was secured by TLS.",
				);
				const late = await startProxy(port, (bytes) =>
					isFullRecord(bytes) ? null : bytes,
				);
				await assertRefused(
					{ ...attemptAt(late), length: 1_000_000 },
					"The server broke the TLS connection off without ending it.",
				);
			});
		});
	}

	it("secures a hundred connections at once", async () => {
		const port = await startServer(SERVER);
		const given = await outcomes(
			Array.from({ length: 100 }, () => attemptAt(port)),
		);
		assert.deepEqual(
			given.filter((outcome) => !("isEcho" in outcome && outcome.isEcho)),
			[],
		);
	});

	it("speaks no TLS 1.1, and none to a server without TLS", async () => {
		const old = await startServer(SERVER, {
			minVersion: "TLSv1.1",
			maxVersion: "TLSv1.1",
			ciphers: "DEFAULT@SECLEVEL=0",
		});
		await assertRefused(attemptAt(old), /TLS 1\.2/);
		const plain = await listen(
			createServer((socket) => {
				socket.on("error", () => {});
				socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
			}),
		);
		await assertRefused(
			attemptAt(plain),
			"What the server sends is no TLS. Does it expect TLS at this port?",
		);
	});

	it("refuses whatever would verify less, or is not supported", async () => {
		const refused: [options: Record<string, unknown>, sentence: RegExp][] = [
			[{ rejectUnauthorized: false }, /^A MongoDB server is always verified/],
			[{ checkServerIdentity: true }, /^The name in a MongoDB server's cert/],
			[{ passphrase: "secret" }, /^An encrypted private key cannot be read/],
			[{ crl: "list" }, /^Lists of revoked certificates are not supported/],
			[{ ciphers: "NULL" }, /^Ciphers cannot be chosen/],
			[{ servername: "db example" }, /^serverName 'db example' is neither/],
		];
		const given = await outcomes(
			refused.map(([options]) => ({ ...attemptAt(1), options })),
		);
		for (const [index, [, sentence]] of refused.entries()) {
			const outcome = given[index];
			assert.match(
				outcome && "error" in outcome ? outcome.error : "",
				sentence,
			);
		}
	});

	it("says which file is missing or wrong", async () => {
		const ca = "/tls/authority.pem";
		await assertRefused({ port: 1 }, /by tlsCAFile\.$/);
		await assertRefused(
			attemptAt(1, "db.example", { ca: "/tls/nothing.pem" }),
			/^authorities has no certificate that can be read\./,
		);
		await assertRefused(
			attemptAt(1, "db.example", { ca, cert: "/tls/client.pem" }),
			"certificate and privateKey are given both or not at all.",
		);
		await assertRefused(
			attemptAt(1, "db.example", {
				ca,
				cert: "/tls/client.pem",
				key: "/tls/nothing.pem",
			}),
			/^privateKey cannot be read/,
		);
		await assertRefused(
			attemptAt(1, "db.example", {
				ca,
				cert: "/tls/client.pem",
				key: "/tls/other-key.pem",
			}),
			"privateKey does not belong to the first certificate of certificate.",
		);
	});
});
