/** The engine's cryptography gives what its standards and Node's own give. */
import assert from "node:assert/strict";
import {
	createHash,
	createHmac,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
	pbkdf2Sync,
	sign,
} from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import type { TestEngine } from "../../infra/wasm/run.d.mts";
import type { HostAnswer, HostCall } from "./crypto-guest.ts";
import { bundleGuest, testEngine } from "./engine.ts";

const HASHES = ["md5", "sha1", "sha256", "sha384", "sha512"] as const;

/** RFC 8410: what stands before the 32 bytes of a key. */
const ED25519_PRIVATE = "302e020100300506032b657004220420";

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const utf8 = (value: string) => ({ hex: hexOf(Buffer.from(value)) });
const bytes = (value: Uint8Array) => ({ hex: hexOf(value) });
const flipped = (value: Uint8Array, bit: number) => {
	const copy = Uint8Array.from(value);
	const at = Math.floor(bit / 8) % copy.length;
	copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
	return copy;
};

function ed25519Key(seed: Uint8Array): KeyObject {
	return createPrivateKey({
		key: Buffer.concat([Buffer.from(ED25519_PRIVATE, "hex"), seed]),
		format: "der",
		type: "pkcs8",
	});
}

const rawEd25519 = (key: KeyObject) =>
	createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);

/** The uncompressed point. */
const rawP256 = (key: KeyObject) =>
	createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-65);

const signP256 = (key: KeyObject, message: Uint8Array) =>
	sign("sha256", message, { key, dsaEncoding: "ieee-p1363" });

/** Published vectors: their source, the call and its result. */
const VECTORS: [source: string, call: HostCall, result: unknown][] = [
	[
		"RFC 1321, A.5",
		{ name: "hashHex", args: ["md5", utf8("abc")] },
		"900150983cd24fb0d6963f7d28e17f72",
	],
	[
		"FIPS 180-4, SHA-1",
		{ name: "hashHex", args: ["sha1", utf8("abc")] },
		"a9993e364706816aba3e25717850c26c9cd0d89d",
	],
	[
		"FIPS 180-4, SHA-256",
		{ name: "hash", args: ["sha256", utf8("abc")] },
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	],
	[
		"FIPS 180-4, SHA-384",
		{ name: "hash", args: ["sha384", utf8("abc")] },
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
	],
	[
		"FIPS 180-4, SHA-512",
		{ name: "hash", args: ["sha512", utf8("abc")] },
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	],
	[
		"RFC 4231, case 2",
		{
			name: "hmac",
			args: ["sha256", utf8("Jefe"), utf8("what do ya want for nothing?")],
		},
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	],
	[
		"RFC 6070, case 2",
		{ name: "pbkdf2", args: ["sha1", utf8("password"), utf8("salt"), 2, 20] },
		"ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
	],
	[
		"RFC 7914, 11",
		{ name: "pbkdf2", args: ["sha256", utf8("passwd"), utf8("salt"), 1, 64] },
		"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
			"49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
	],
	[
		"RFC 8032, 7.1, test 2: the public key",
		{
			name: "publicKeyEd25519",
			args: [
				{
					hex: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
				},
			],
		},
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	],
	[
		"RFC 8032, 7.1, test 2: the signature",
		{
			name: "signEd25519",
			args: [
				{
					hex: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
				},
				{ hex: "72" },
			],
		},
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
			"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	],
	[
		"RFC 7515, A.3",
		{
			name: "verifyP256",
			args: [
				bytes(
					Buffer.concat([
						Buffer.from([4]),
						Buffer.from(
							"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
							"base64url",
						),
						Buffer.from(
							"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
							"base64url",
						),
					]),
				),
				bytes(
					Buffer.from(
						"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
						"base64url",
					),
				),
				utf8(
					"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
				),
			],
		},
		true,
	],
	[
		"A neutral element as public key, which any message fits",
		{
			name: "verifyEd25519",
			args: [
				{ hex: `01${"00".repeat(31)}` },
				{ hex: `01${"00".repeat(63)}` },
				utf8("any"),
			],
		},
		false,
	],
	[
		"A point beside P-256",
		{
			name: "verifyP256",
			args: [
				{ hex: `04${"01".repeat(64)}` },
				{ hex: "01".repeat(64) },
				utf8("any"),
			],
		},
		false,
	],
	[
		"A signature that is too short",
		{
			name: "verifyEd25519",
			args: [{ hex: "11".repeat(32) }, { hex: "" }, utf8("any")],
		},
		false,
	],
	[
		"Bytes of other lengths",
		{ name: "equalBytes", args: [utf8("abc"), utf8("ab")] },
		false,
	],
];

/** What is refused, and how. */
const REFUSALS: [call: HostCall, error: string][] = [
	[
		{ name: "hash", args: ["sha3", utf8("")] },
		'TypeError: name does not know "sha3".',
	],
	[
		{ name: "hash", args: ["sha256", "text"] },
		"TypeError: bytes must be a Uint8Array.",
	],
	[
		{ name: "hmac", args: ["sha256", utf8("")] },
		"TypeError: bytes must be a Uint8Array.",
	],
	[
		{ name: "signEd25519", args: [utf8("short"), utf8("")] },
		"RangeError: seed has 5 bytes instead of 32.",
	],
	[
		{ name: "verifyEd25519", args: [utf8("short"), utf8(""), utf8("")] },
		"RangeError: publicKey has 5 bytes instead of 32.",
	],
	[
		{ name: "verifyP256", args: [utf8("short"), utf8(""), utf8("")] },
		"RangeError: publicKey has 5 bytes instead of 65.",
	],
];

describe("the engine's cryptography", function () {
	this.timeout(60_000);

	let folder: string;
	let run: TestEngine["run"];

	before(async function () {
		this.timeout(600_000); // the engine may have to be built
		folder = await mkdtemp(join(tmpdir(), "rechnungsverwaltung-crypto-"));
		({ run } = await testEngine());
		await bundleGuest("test/wasm/crypto-guest.ts");
	});

	after(() => rm(folder, { recursive: true, force: true }));

	async function answers(calls: HostCall[]): Promise<HostAnswer[]> {
		await writeFile(join(folder, "calls.json"), JSON.stringify(calls));
		const child = run(await bundleGuest("test/wasm/crypto-guest.ts"), {
			folders: [{ inside: "/calls", outside: folder }],
			stdio: ["ignore", "pipe", "inherit"],
		});
		return JSON.parse(await text(child.stdout as NodeJS.ReadableStream));
	}

	async function assertAnswers(cases: [HostCall, unknown][]): Promise<void> {
		assert.deepEqual(
			await answers(cases.map(([call]) => call)),
			cases.map(([, result]) => ({ result })),
		);
	}

	it("gives what the standards publish", async () => {
		const given = await answers(VECTORS.map(([, call]) => call));
		assert.deepEqual(
			given.map((answer, at) => [VECTORS[at]?.[0], answer]),
			VECTORS.map(([source, , result]) => [source, { result }]),
		);
	});

	it("refuses wrong arguments by a sentence", async () => {
		assert.deepEqual(
			await answers(REFUSALS.map(([call]) => call)),
			REFUSALS.map(([, error]) => ({ error })),
		);
	});

	it("refuses iterations and lengths beyond its limits", async () => {
		const derive = (iterations: number, length: number): HostCall => ({
			name: "pbkdf2",
			args: ["sha1", utf8("p"), utf8("s"), iterations, length],
		});
		const given = await answers([
			derive(0, 20),
			derive(1.5, 20),
			derive(10_000_001, 20),
			derive(1, 1025),
		]);
		for (const answer of given) {
			assert.match("error" in answer ? answer.error : "", /^RangeError: .+\.$/);
		}
	});

	const anyHash = fc.constantFrom(...HASHES);
	// Around the blocks of 64 and 128 bytes, and far beyond.
	const anyBytes = fc.oneof(
		fc.uint8Array({ maxLength: 300 }),
		fc.uint8Array({ minLength: 4000, maxLength: 9000, size: "max" }),
	);
	const anyBit = fc.nat({ max: 511 });

	function agrees<T>(
		name: string,
		anyCase: fc.Arbitrary<T>,
		casesOf: (value: T) => [HostCall, unknown][],
	): void {
		it(name, async function () {
			this.timeout(120_000);
			await fc.assert(
				fc.asyncProperty(
					fc.array(anyCase, { minLength: 1, maxLength: 40 }),
					(values) => assertAnswers(values.flatMap(casesOf)),
				),
				{ numRuns: 15 },
			);
		});
	}

	agrees(
		"hashes as Node does",
		fc.tuple(anyHash, anyBytes),
		([hash, message]) => {
			const digest = createHash(hash).update(message).digest("hex");
			const args = [hash, bytes(message)];
			return [
				[{ name: "hash", args }, digest],
				[{ name: "hashHex", args }, digest],
			];
		},
	);

	agrees(
		"authenticates messages as Node does",
		fc.tuple(anyHash, anyBytes, anyBytes),
		([hash, key, message]) => [
			[
				{ name: "hmac", args: [hash, bytes(key), bytes(message)] },
				createHmac(hash, key).update(message).digest("hex"),
			],
		],
	);

	agrees(
		"derives keys as Node does",
		fc.tuple(
			anyHash,
			anyBytes,
			fc.uint8Array({ maxLength: 200 }),
			fc.integer({ min: 1, max: 40 }),
			fc.integer({ min: 0, max: 200 }),
		),
		([hash, password, salt, iterations, length]) => [
			[
				{
					name: "pbkdf2",
					args: [hash, bytes(password), bytes(salt), iterations, length],
				},
				hexOf(pbkdf2Sync(password, salt, iterations, length, hash)),
			],
		],
	);

	agrees(
		"compares bytes",
		fc.tuple(fc.uint8Array({ minLength: 1 }), anyBit),
		([value, bit]) => [
			[{ name: "equalBytes", args: [bytes(value), bytes(value)] }, true],
			[
				{
					name: "equalBytes",
					args: [bytes(value), bytes(flipped(value, bit))],
				},
				false,
			],
		],
	);

	agrees(
		"signs by Ed25519 as Node does, and no changed bit is accepted",
		fc.tuple(
			fc.uint8Array({ minLength: 32, maxLength: 32 }),
			fc.uint8Array({ minLength: 1, maxLength: 300 }),
			anyBit,
		),
		([seed, message, bit]) => {
			const key = ed25519Key(seed);
			const publicKey = rawEd25519(key);
			const signature = sign(null, message, key);
			const verify = (...args: Uint8Array[]): HostCall => ({
				name: "verifyEd25519",
				args: args.map(bytes),
			});
			return [
				[{ name: "publicKeyEd25519", args: [bytes(seed)] }, hexOf(publicKey)],
				[
					{ name: "signEd25519", args: [bytes(seed), bytes(message)] },
					hexOf(signature),
				],
				[verify(publicKey, signature, message), true],
				[verify(flipped(publicKey, bit), signature, message), false],
				[verify(publicKey, flipped(signature, bit), message), false],
				[verify(publicKey, signature, flipped(message, bit)), false],
			];
		},
	);

	const p256Keys = Array.from(
		{ length: 5 },
		() => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
	);

	agrees(
		"verifies what Node signs by P-256, and no changed bit is accepted",
		fc.tuple(
			fc.constantFrom(...p256Keys),
			fc.uint8Array({ minLength: 1, maxLength: 300 }),
			anyBit,
		),
		([key, message, bit]) => {
			const publicKey = rawP256(key);
			const signature = signP256(key, message);
			const verify = (...args: Uint8Array[]): HostCall => ({
				name: "verifyP256",
				args: args.map(bytes),
			});
			return [
				[verify(publicKey, signature, message), true],
				[verify(flipped(publicKey, bit), signature, message), false],
				[verify(publicKey, flipped(signature, bit), message), false],
				[verify(publicKey, signature, flipped(message, bit)), false],
			];
		},
	);
});
