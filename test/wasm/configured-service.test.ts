import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	exportJWK,
	exportSPKI,
	generateKeyPair,
	type JWTPayload,
	SignJWT,
} from "jose";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { goldenDrafts } from "../golden.ts";
import { type ServiceProcess, startProcess } from "../http/process.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";

const DRAFT = goldenDrafts().find(({ name }) => name === "car-sharing-380")
	?.draft as Record<string, unknown>;

const SECRET = "a-secret-of-more-than-thirty-two-characters";

type SigningKey = Parameters<SignJWT["sign"]>[0];

/** What a token is signed with, and the setting that makes a service take it. */
interface Signing {
	algorithm: "HS256" | "ES256" | "EdDSA";
	key: SigningKey;
	wrongKey: SigningKey;
	keyIdentifier?: string;
	settings: Record<string, string>;
}

describe("the service inside WasmEdge, configured", () => {
	let folder: string;
	let database: StoreDatabase;
	let settings: Record<string, string>;
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-configured-"));
		database = await openStoreDatabase();
		settings = {
			MONGODB_URI: database.serviceUri,
			MONGODB_DATABASE: database.admin.databaseName,
		};
	});
	after(async () => {
		await database.drop();
		await rm(folder, { recursive: true, force: true });
	});

	/** Writes a file for a setting to name. */
	async function written(name: string, text: string): Promise<string> {
		const path = join(folder, name);
		await writeFile(path, text);
		return path;
	}

	describe("tells callers by their tokens", () => {
		const signings: Record<string, () => Promise<Signing>> = {
			"HS256 by JWT_SECRET": async () => ({
				algorithm: "HS256",
				key: new TextEncoder().encode(SECRET),
				wrongKey: new TextEncoder().encode(SECRET.toUpperCase()),
				settings: { JWT_SECRET: SECRET },
			}),
			"ES256 by JWT_PUBLIC_KEY_FILE": async () => {
				const [right, wrong] = await pairs("ES256");
				const pem = await exportSPKI(right.publicKey);
				return {
					algorithm: "ES256",
					key: right.privateKey,
					wrongKey: wrong.privateKey,
					settings: { JWT_PUBLIC_KEY_FILE: await written("key.pem", pem) },
				};
			},
			"EdDSA by JWT_KEYS_FILE": async () => {
				const [right, wrong] = await pairs("EdDSA");
				const kid = "second";
				const keys = [
					{ ...(await exportJWK(wrong.publicKey)), kid: "first" },
					{ ...(await exportJWK(right.publicKey)), kid },
				];
				return {
					algorithm: "EdDSA",
					key: right.privateKey,
					wrongKey: wrong.privateKey,
					keyIdentifier: kid,
					settings: {
						JWT_KEYS_FILE: await written("keys.json", JSON.stringify({ keys })),
					},
				};
			},
		};
		for (const [what, prepare] of Object.entries(signings)) {
			it(what, async () => {
				const signing = await prepare();
				const service = await startProcess(
					{ ...settings, ...signing.settings },
					"wasmedge",
				);
				try {
					await assertTokensAreTold(service, signing);
				} finally {
					assert.equal(await service.end(), 0);
				}
			});
		}
	});

	it("takes the seller of SELLER_FILE, and renders a template of TEMPLATES_DIRECTORY as Node does, byte for byte", async () => {
		const seller = { ...(DRAFT.seller as object), name: "Ruhrflitzer GmbH" };
		const templates = join(folder, "templates");
		await cp("templates/invoice/1", join(templates, "own-invoice", "1"), {
			recursive: true,
		});
		const texts = join(templates, "own-invoice", "1", "texts.de.json");
		const text = await readFile(texts, "utf8");
		await writeFile(texts, text.replace('"Rechnung"', '"Abrechnung"'));
		const configured = {
			...settings,
			SELLER_FILE: await written("seller.json", JSON.stringify(seller)),
			TEMPLATES_DIRECTORY: templates,
		};
		const services = await Promise.all(
			(["wasmedge", "node"] as const).map((runtime) =>
				startProcess(configured, runtime),
			),
		);
		const [service] = services as [ServiceProcess, ServiceProcess];
		try {
			const { seller: _, ...draft } = DRAFT;
			const template = { name: "own-invoice", version: 1 };
			const created = await create(service, { ...draft, template });
			assert.equal(created.status, 201);
			const invoice = (await created.json()) as Snapshot;
			assert.equal(invoice.seller.name, seller.name);
			assert.deepEqual(invoice.template, template);
			const [inWasmEdge, onNode] = await Promise.all(
				services.map(({ url }) => documentOf(url, invoice.number)),
			);
			assert.ok(onNode !== undefined && inWasmEdge?.equals(onNode));
			// PDF metadata is not compressed.
			assert.ok(onNode.includes(`Abrechnung ${invoice.number}`), "own texts");
		} finally {
			const statuses = await Promise.all(services.map((each) => each.end()));
			assert.deepEqual(statuses, [0, 0]);
		}
	});
});

/** A right and a wrong pair of keys. */
function pairs(algorithm: "ES256" | "EdDSA") {
	const pair = () => generateKeyPair(algorithm, { extractable: true });
	return Promise.all([pair(), pair()]);
}

function create(
	{ url }: ServiceProcess,
	draft: object,
	headers: Record<string, string> = {},
): Promise<Response> {
	return fetch(`${url}/invoices`, {
		method: "POST",
		headers: { "Content-Type": "application/json", ...headers },
		body: JSON.stringify(draft),
	});
}

async function documentOf(url: string, number: string): Promise<Buffer> {
	const answer = await fetch(`${url}/invoices/${number}.pdf`);
	const bytes = Buffer.from(await answer.arrayBuffer());
	assert.equal(answer.status, 200, bytes.toString());
	assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
	return bytes;
}

async function assertTokensAreTold(
	service: ServiceProcess,
	{ algorithm, key, wrongKey, keyIdentifier }: Signing,
): Promise<void> {
	const bearer = async (claims: JWTPayload, by = key) => {
		const token = await new SignJWT({ sub: "booking", ...claims })
			.setProtectedHeader({
				alg: algorithm,
				...(keyIdentifier === undefined ? {} : { kid: keyIdentifier }),
			})
			.setExpirationTime("1h")
			.sign(by);
		return { Authorization: `Bearer ${token}` };
	};
	const writes = { scope: "invoices:write" };
	const created = await create(service, DRAFT, await bearer(writes));
	assert.equal(created.status, 201);
	const { number } = (await created.json()) as Snapshot;
	const forged = await create(service, DRAFT, await bearer(writes, wrongKey));
	assert.equal(forged.status, 401);
	assert.match(forged.headers.get("www-authenticate") ?? "", /invalid_token/);

	const paths = {
		one: `/invoices/${number}`,
		own: "/customers/anna.schmidt/invoices",
		all: "/invoices?from=2026-11-01&to=2026-11-30",
	};
	const cases: [string, Record<string, string>, Record<string, number>][] = [
		[
			"a service that reads",
			await bearer({ scope: "invoices:read" }),
			{ one: 200, own: 200, all: 200 },
		],
		[
			"the customer",
			await bearer({ loginName: "anna.schmidt" }),
			{ one: 200, own: 200, all: 403 },
		],
		[
			"another customer",
			await bearer({ loginName: "eve" }),
			{ one: 404, own: 404, all: 403 },
		],
		["nobody", {}, { one: 401, own: 401, all: 401 }],
		[
			"a forger",
			await bearer({ scope: "invoices:read" }, wrongKey),
			{ one: 401, own: 401, all: 401 },
		],
	];
	for (const [who, headers, expected] of cases) {
		const statuses: Record<string, number> = {};
		for (const [name, path] of Object.entries(paths)) {
			const answer = await fetch(`${service.url}${path}`, { headers });
			statuses[name] = answer.status;
			await answer.arrayBuffer();
		}
		assert.deepEqual(statuses, expected, who);
	}
}
