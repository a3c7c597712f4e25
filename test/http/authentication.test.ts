import assert from "node:assert/strict";
import {
	exportJWK,
	exportSPKI,
	type GenerateKeyPairResult,
	generateKeyPair,
	type JWTPayload,
	SignJWT,
	UnsecuredJWT,
} from "jose";
import {
	createTokenVerifier,
	keySet,
	publicKey,
	secretKey,
	type TokenKey,
} from "../../src/http/token.ts";
import { goldenDrafts } from "../golden.ts";
import { openTestService, problemOf, type TestService } from "./service.ts";

const DRAFT = goldenDrafts().find(({ name }) => name === "car-sharing-380")
	?.draft as object;

const SECRET = "a-secret-of-more-than-thirty-two-characters";
const BYTES = new TextEncoder().encode(SECRET);
const HOUR_S = 3600;

function token(
	claims: JWTPayload,
	sign: {
		alg?: string;
		key?: Parameters<SignJWT["sign"]>[0];
		kid?: string;
	} = {},
): Promise<string> {
	const now_s = Math.floor(Date.now() / 1000);
	const complete = { sub: "booking", exp: now_s + HOUR_S, ...claims };
	const { alg = "HS256", key = BYTES, kid } = sign;
	return new SignJWT(complete)
		.setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
		.sign(key);
}

const bearer = async (
	claims: JWTPayload,
	sign?: Parameters<typeof token>[1],
) => ({ Authorization: `Bearer ${await token(claims, sign)}` });

describe("Authentication", () => {
	let open: TestService;
	let service: ReturnType<TestService["with"]>;
	let location: string;
	let ecKeys: GenerateKeyPairResult;
	let edKeys: GenerateKeyPairResult;

	const verifying = (
		key: TokenKey,
		more: { issuer?: string; audience?: string; now?: () => Date } = {},
	) =>
		open.with({
			verifyToken: createTokenVerifier({ key, now: () => new Date(), ...more }),
		});

	before(async () => {
		open = await openTestService();
		service = verifying(secretKey(SECRET));
		const created = await open.post("/invoices", DRAFT);
		location = created.headers.get("location") ?? "";
		ecKeys = await generateKeyPair("ES256", { extractable: true });
		edKeys = await generateKeyPair("EdDSA", { extractable: true });
	});
	after(() => open.drop());

	const get = (path: string, headers: Record<string, string>) =>
		service.fetch(path, { headers });

	describe("who may do what", () => {
		const own = "/customers/anna.schmidt/invoices";
		const list = "/invoices?from=2026-11-01&to=2026-11-30";
		const cases: [
			string,
			JWTPayload,
			Record<string, number | [number, string]>,
		][] = [
			[
				"a service that writes",
				{ scope: "invoices:write" },
				{ create: 201, check: 200, read: 403, pdf: 403, own: 403, list: 403 },
			],
			[
				"a service that reads",
				{ scope: "invoices:read" },
				{ create: 403, check: 403, read: 200, pdf: 200, own: 200, list: 200 },
			],
			[
				"a service that does both",
				{ scope: "openid invoices:read invoices:write" },
				{ create: 201, check: 200, read: 200, pdf: 200, own: 200, list: 200 },
			],
			[
				"the customer",
				{ sub: "anna", loginName: "anna.schmidt", scope: "openid" },
				{ create: 403, check: 403, read: 200, pdf: 200, own: 200, list: 403 },
			],
			[
				"another customer",
				{ sub: "eve", loginName: "eve" },
				{ create: 403, check: 403, read: 404, pdf: 404, own: 404, list: 403 },
			],
			[
				"a service that has a login name by mistake",
				{ loginName: "eve", scope: "invoices:read" },
				{ create: 403, check: 403, read: 200, pdf: 200, own: 200, list: 200 },
			],
			[
				"a token for something else",
				{ scope: "openid" },
				{ create: 403, check: 403, read: 403, pdf: 403, own: 403, list: 403 },
			],
		];
		for (const [who, claims, expected] of cases) {
			it(`${who}: ${JSON.stringify(expected)}`, async () => {
				const headers = await bearer(claims);
				const answers = {
					create: await service.post("/invoices", DRAFT, headers),
					check: await service.post("/invoices/check", DRAFT, headers),
					read: await get(location, headers),
					pdf: await get(`${location}.pdf`, headers),
					own: await get(own, headers),
					list: await get(list, headers),
				};
				assert.deepEqual(
					Object.fromEntries(
						Object.entries(answers).map(([name, { status }]) => [name, status]),
					),
					expected,
				);
				for (const answer of Object.values(answers)) {
					if (answer.status === 403) {
						assert.match(
							answer.headers.get("www-authenticate") ?? "",
							/^Bearer realm="invoices", error="insufficient_scope", scope="invoices:(read|write)"$/,
						);
						await problemOf(answer);
					}
				}
			});
		}

		it("another customer's invoice looks exactly like one that is not there", async () => {
			const headers = await bearer({ loginName: "eve" });
			const others = await problemOf(await get(location, headers));
			const missing = await problemOf(
				await get("/invoices/RE-2026-999999", headers),
			);
			assert.deepEqual(
				{ ...others, instance: "" },
				{ ...missing, instance: "" },
			);
		});

		it("nobody learns by If-None-Match or HEAD what is another's", async () => {
			const headers = await bearer({ loginName: "eve" });
			const known = await open.fetch(location, { method: "HEAD" });
			const entityTag = known.headers.get("etag") ?? "";
			const asked = await get(location, {
				...headers,
				"If-None-Match": entityTag,
			});
			assert.equal(asked.status, 404);
			const head = await service.fetch(location, { method: "HEAD", headers });
			assert.equal(head.status, 404);
		});

		it("health, problems and the description are open to all, metrics on this machine only", async () => {
			for (const path of [
				"/health/live",
				"/health/ready",
				"/openapi.json",
				"/problems/forbidden",
				"/metrics",
			]) {
				assert.equal((await get(path, {})).status, 200, path);
			}
			const reachable = open.with({
				loopback: false,
				verifyToken: createTokenVerifier({
					key: secretKey(SECRET),
					now: () => new Date(),
				}),
			});
			assert.equal((await reachable.fetch("/metrics")).status, 401);
			for (const [scope, status] of [
				["invoices:read", 403],
				["metrics:read", 200],
			] as const) {
				const headers = await bearer({ scope });
				const answer = await reachable.fetch("/metrics", { headers });
				assert.equal(answer.status, status);
			}
		});
	});

	it("idempotency keys of two services never meet", async () => {
		const answers = await Promise.all(
			["booking", "workshop"].map(async (sub) =>
				service.post("/invoices", DRAFT, {
					...(await bearer({ sub, scope: "invoices:write" })),
					"Idempotency-Key": "1",
				}),
			),
		);
		assert.deepEqual(
			answers.map(({ status }) => status),
			[201, 201],
		);
	});

	describe("a token that proves nothing is answered 401 and told why", () => {
		const read = { scope: "invoices:read" };
		const past = Math.floor(Date.now() / 1000) - HOUR_S;
		const cases: [string, () => Promise<string> | string, RegExp][] = [
			["no token at all", () => "", /no Authorization/],
			["another scheme", () => "Basic YTpi", /must be "Bearer"/],
			["no JWT", () => "Bearer abc", /not a signed JWT/],
			["too long", () => `Bearer ${"a".repeat(9000)}`, /at most 8192/],
			[
				"expired",
				async () => `Bearer ${await token({ ...read, exp: past })}`,
				/has expired/,
			],
			[
				"without an end",
				async () =>
					`Bearer ${await new SignJWT({ sub: "a", ...read }).setProtectedHeader({ alg: "HS256" }).sign(BYTES)}`,
				/no "exp" claim/,
			],
			[
				"without a subject",
				async () =>
					`Bearer ${await new SignJWT(read).setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h").sign(BYTES)}`,
				/no "sub" claim/,
			],
			[
				"not valid yet",
				async () =>
					`Bearer ${await token({ ...read, nbf: past + 2 * HOUR_S })}`,
				/"nbf" claim/,
			],
			[
				"signed with another secret",
				async () =>
					`Bearer ${await token(read, { key: new TextEncoder().encode(SECRET.toUpperCase()) })}`,
				/signature does not match/,
			],
			[
				"unsigned",
				() =>
					`Bearer ${new UnsecuredJWT({ sub: "a", ...read }).setExpirationTime("1h").encode()}`,
				/another algorithm|not a signed JWT/,
			],
			[
				"signed with another algorithm",
				async () => `Bearer ${await token(read, { alg: "HS384" })}`,
				/another algorithm/,
			],
			[
				"with its payload altered",
				async () => {
					const [header, , signature] = (await token(read)).split(".");
					const payload = Buffer.from(
						JSON.stringify({ sub: "root", exp: 9e9, ...read }),
					).toString("base64url");
					return `Bearer ${header}.${payload}.${signature}`;
				},
				/signature does not match/,
			],
		];
		for (const [what, authorization, detail] of cases) {
			it(what, async () => {
				const value = await authorization();
				const answer = await get(
					location,
					value === "" ? {} : { Authorization: value },
				);
				assert.equal(answer.status, 401);
				const challenge = answer.headers.get("www-authenticate") ?? "";
				assert.match(challenge, /^Bearer realm="invoices"/);
				assert.equal(challenge.includes("invalid_token"), value !== "");
				assert.match((await problemOf(answer)).detail, detail);
			});
		}
	});

	it("a public key's text is no secret: the key decides the algorithm", async () => {
		const pem = await exportSPKI(ecKeys.publicKey);
		const guarded = verifying(await publicKey(pem));
		const forged = await bearer(
			{ scope: "invoices:read" },
			{ key: new TextEncoder().encode(pem) },
		);
		assert.equal(
			(await guarded.fetch(location, { headers: forged })).status,
			401,
		);
	});

	it("takes ES256 and EdDSA by PEM, by JWK, and by a set of keys", async () => {
		const claims = { scope: "invoices:read" };
		const ec = { alg: "ES256", key: ecKeys.privateKey, kid: "ec" };
		const ed = { alg: "EdDSA", key: edKeys.privateKey, kid: "ed" };
		const ecJwk = { ...(await exportJWK(ecKeys.publicKey)), kid: "ec" };
		const edJwk = { ...(await exportJWK(edKeys.publicKey)), kid: "ed" };
		const both = keySet(JSON.stringify({ keys: [ecJwk, edJwk] }));
		const matrix: [string, TokenKey, number, number][] = [
			[
				"PEM on P-256",
				await publicKey(await exportSPKI(ecKeys.publicKey)),
				200,
				401,
			],
			[
				"PEM on Ed25519",
				await publicKey(await exportSPKI(edKeys.publicKey)),
				401,
				200,
			],
			["JWK on P-256", await publicKey(JSON.stringify(ecJwk)), 200, 401],
			["JWK on Ed25519", await publicKey(JSON.stringify(edJwk)), 401, 200],
			["a set of both", both, 200, 200],
			["a set of one", keySet(JSON.stringify({ keys: [edJwk] })), 401, 200],
		];
		for (const [what, key, ecStatus, edStatus] of matrix) {
			const guarded = verifying(key);
			const statuses = [];
			for (const sign of [ec, ed]) {
				const headers = await bearer(claims, sign);
				statuses.push((await guarded.fetch(location, { headers })).status);
			}
			assert.deepEqual(statuses, [ecStatus, edStatus], what);
		}
		const twins = keySet(
			JSON.stringify({ keys: [ecJwk, { ...ecJwk, kid: "twin" }] }),
		);
		const nameless = await bearer(claims, { ...ec, kid: undefined });
		const ambiguous = await verifying(twins).fetch(location, {
			headers: nameless,
		});
		assert.match((await problemOf(ambiguous)).detail, /has no "kid"/);
		const other = await bearer(claims, { ...ec, kid: "unknown" });
		const answer = await verifying(both).fetch(location, { headers: other });
		assert.match(
			(await problemOf(answer)).detail,
			/none of the configured keys/,
		);
	});

	it("refuses keys that are none, private ones, and secrets among public keys", async () => {
		const rsa = await generateKeyPair("RS256", { extractable: true });
		const privateJwk = JSON.stringify(await exportJWK(ecKeys.privateKey));
		for (const text of [
			"",
			"{",
			"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
			await exportSPKI(rsa.publicKey),
			JSON.stringify(await exportJWK(rsa.publicKey)),
			privateJwk,
			'{"kty":"oct","k":"c2VjcmV0"}',
			'{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}',
		]) {
			await assert.rejects(publicKey(text), TypeError, text.slice(0, 40));
		}
		for (const text of ["", "[]", '{"keys":[]}', `{"keys":[${privateJwk}]}`]) {
			assert.throws(() => keySet(text), TypeError, text.slice(0, 40));
		}
	});

	it("holds tokens to the configured issuer and audience", async () => {
		const guarded = verifying(secretKey(SECRET), {
			issuer: "https://login.stadtflitzer.example",
			audience: "invoices",
		});
		const right = {
			iss: "https://login.stadtflitzer.example",
			aud: ["invoices", "portal"],
			scope: "invoices:read",
		};
		for (const [claims, status] of [
			[right, 200],
			[{ ...right, iss: "https://evil.example" }, 401],
			[{ ...right, iss: undefined }, 401],
			[{ ...right, aud: "portal" }, 401],
			[{ ...right, aud: undefined }, 401],
		] as const) {
			const headers = await bearer(claims as JWTPayload);
			const answer = await guarded.fetch(location, { headers });
			assert.equal(answer.status, status, JSON.stringify(claims));
		}
	});

	it("a token that was verified before is refused once it has expired", async () => {
		let now = new Date();
		const guarded = verifying(secretKey(SECRET), { now: () => now });
		const exp = Math.floor(now.getTime() / 1000) + 60;
		const headers = await bearer({ scope: "invoices:read", exp });
		for (const [seconds, status] of [
			[0, 200],
			[1, 200],
			[59, 200],
			[66, 401],
		] as const) {
			now = new Date((exp - 60 + seconds) * 1000);
			const answer = await guarded.fetch(location, { headers });
			assert.equal(answer.status, status, `after ${seconds} s`);
		}
	});

	it("remembers a bounded number of tokens, and forgets none that it needs", async () => {
		const verify = createTokenVerifier({
			key: secretKey(SECRET),
			now: () => new Date(),
		});
		const tokens = await Promise.all(
			Array.from({ length: 1200 }, (_, index) => token({ sub: `s${index}` })),
		);
		for (const [index, each] of tokens.entries()) {
			assert.equal((await verify(each)).subject, `s${index}`);
		}
		for (const index of [0, 600, 1199]) {
			assert.equal((await verify(tokens[index] ?? "")).subject, `s${index}`);
		}
	});

	describe("without a key", () => {
		for (const [host, status] of [
			["localhost:8000", 200],
			["127.0.0.1:8000", 200],
			["127.1.2.3", 200],
			["[::1]:8000", 200],
			["LOCALHOST", 200],
			["evil.example:8000", 421],
			["localhost.evil.example", 421],
			["127.0.0.1.evil.example", 421],
			["192.168.1.7:8000", 421],
		] as const) {
			it(`answers ${status} to a request for ${host}, so that no web page gets in by a name of its own`, async () => {
				const answer = await open.fetch(location, { headers: { Host: host } });
				assert.equal(answer.status, status);
			});
		}
	});

	it("with a key any host name will do", async () => {
		const headers = {
			...(await bearer({ scope: "invoices:read" })),
			Host: "invoices.stadtflitzer.example",
		};
		assert.equal((await get(location, headers)).status, 200);
	});
});
