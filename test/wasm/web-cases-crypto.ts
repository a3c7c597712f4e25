/** Digests, HMAC, PBKDF2, signatures and random values, and the keys for them. */
import { listed, type Web, type WebCase } from "./web-case.ts";

const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "sha-256"];

const MESSAGE = Uint8Array.from("invoice 2026-0001", (each) =>
	each.charCodeAt(0),
);

/** RFC 7515, A.3 and RFC 8037, A.1: the public keys, and signatures of MESSAGE made with their private ones. */
const P256 = {
	kty: "EC",
	crv: "P-256",
	x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
	y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
};
const ED25519 = {
	kty: "OKP",
	crv: "Ed25519",
	x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
const P256_SIGNATURE =
	"KWsNIOD-WtLPd9FVZptXzg2SVoKjY6YPVXphxP39gO1n_w_gh8cApXdpWAFt-GerxM32D45u1UzaxcO38BHO3A";
const ED25519_SIGNATURE =
	"gr3tw0ELiaLOOTu1GDRe6W8oq9MaxTkk297n6QNddp9K8-btdNndGyrTOWKkN5_3lRCVIKVHdBnMeOBNOXF3AA";

const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const ES256 = { name: "ECDSA", hash: "SHA-256" };

function bytesOf(web: Web, base64url: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(
		web.atob(base64url.replaceAll("-", "+").replaceAll("_", "/")),
		(each) => each.charCodeAt(0),
	);
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const hex = (text: string) =>
	Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** The two keys in every format. */
const KEYS: Readonly<
	Record<
		string,
		(web: Web) => [format: string, key: unknown, algorithm: unknown]
	>
> = {
	"P-256 as JWK": () => ["jwk", P256, ECDSA],
	"P-256 as JWK for signatures": () => [
		"jwk",
		{ ...P256, use: "sig", key_ops: ["verify"], alg: "ES256" },
		ECDSA,
	],
	"P-256 as JWK for encryption": () => ["jwk", { ...P256, use: "enc" }, ECDSA],
	"P-256 as JWK without y": () => ["jwk", { ...P256, y: undefined }, ECDSA],
	"P-256 as JWK with a short x": () => ["jwk", { ...P256, x: "AAAA" }, ECDSA],
	"P-256 beside the curve": () => ["jwk", { ...P256, x: P256.y }, ECDSA],
	"P-256 with Ed25519's type": () => ["jwk", { ...P256, kty: "OKP" }, ECDSA],
	"P-256 raw": (web) => [
		"raw",
		joined(hex("04"), bytesOf(web, P256.x), bytesOf(web, P256.y)),
		ECDSA,
	],
	"P-256 raw and short": (web) => [
		"raw",
		joined(hex("04"), bytesOf(web, P256.x)),
		ECDSA,
	],
	"P-256 as SPKI": (web) => [
		"spki",
		joined(
			hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
			bytesOf(web, P256.x),
			bytesOf(web, P256.y),
		),
		ECDSA,
	],
	"Ed25519 as JWK": () => ["jwk", ED25519, "Ed25519"],
	"Ed25519 raw": (web) => ["raw", bytesOf(web, ED25519.x), { name: "Ed25519" }],
	"Ed25519 raw and short": () => ["raw", hex("0102"), "Ed25519"],
	"Ed25519 as SPKI": (web) => [
		"spki",
		joined(hex("302a300506032b6570032100"), bytesOf(web, ED25519.x)),
		"Ed25519",
	],
	"Ed25519's SPKI for ECDSA": (web) => [
		"spki",
		joined(hex("302a300506032b6570032100"), bytesOf(web, ED25519.x)),
		ECDSA,
	],
	"rubbish as SPKI": () => ["spki", hex("3003020101"), "Ed25519"],
};

async function verifications(
	web: Web,
	format: string,
	data: unknown,
	algorithm: unknown,
) {
	const key = await web.crypto.subtle.importKey(
		format as "raw",
		data as Uint8Array<ArrayBuffer>,
		algorithm as "Ed25519",
		true,
		["verify"],
	);
	const isEcdsa = key.algorithm.name === "ECDSA";
	const signature = bytesOf(web, isEcdsa ? P256_SIGNATURE : ED25519_SIGNATURE);
	const verify = (given: Uint8Array<ArrayBuffer>, message = MESSAGE) =>
		web.crypto.subtle.verify(isEcdsa ? ES256 : "Ed25519", key, given, message);
	const forged = Uint8Array.from(signature);
	forged[5] = (forged[5] as number) ^ 1;
	return [
		key.type,
		key.algorithm,
		key.usages,
		key.extractable,
		await verify(signature),
		await verify(forged),
		await verify(signature, MESSAGE.subarray(1)),
		await verify(signature.subarray(1)),
		await verify(new Uint8Array(0)),
		await verify(new Uint8Array(64)),
		await verify(new Uint8Array(64).fill(0xff)),
	];
}

const keys: Record<string, WebCase> = {};
for (const [name, make] of Object.entries(KEYS)) {
	keys[`checks signatures with ${name}`] = (web) =>
		verifications(web, ...make(web));
	keys[`refuses to sign with ${name}`] = (web) => {
		const [format, data, algorithm] = make(web);
		return web.crypto.subtle
			.importKey(
				format as "raw",
				data as Uint8Array<ArrayBuffer>,
				algorithm as "Ed25519",
				true,
				["sign"],
			)
			.then(
				() => "accepted",
				// Which of two faults is told first differs.
				({ name }: Error) => /^(?:Syntax|Data)Error$/.test(name),
			);
	};
}

async function hmacKey(
	web: Web,
	hash: string,
	usages: KeyUsage[] = ["sign", "verify"],
	length = 20,
) {
	return await web.crypto.subtle.importKey(
		"raw",
		new Uint8Array(length).fill(0x0b),
		{ name: "HMAC", hash },
		false,
		usages,
	);
}

type KeyUsage = "sign" | "verify" | "deriveBits" | "encrypt";

const BIT_LENGTHS = ["256", "8", "0", "7", "-8"];

export const CRYPTO_CASES: Readonly<Record<string, WebCase>> = {
	...listed("digests by", [...HASHES, "MD5", ""], async (web, name) => [
		await web.crypto.subtle.digest(name, MESSAGE),
		await web.crypto.subtle.digest({ name }, MESSAGE.buffer),
		await web.crypto.subtle.digest(name, new DataView(MESSAGE.buffer, 2, 3)),
	]),
	...listed("signs by HMAC with", HASHES, async (web, hash) => {
		const key = await hmacKey(web, hash);
		const signature = await web.crypto.subtle.sign("HMAC", key, MESSAGE);
		const forged = new Uint8Array(signature.slice(0));
		forged[0] = (forged[0] as number) ^ 1;
		const verify = (given: ArrayBuffer | Uint8Array<ArrayBuffer>) =>
			web.crypto.subtle.verify({ name: "hmac" }, key, given, MESSAGE);
		return [
			signature,
			key.type,
			key.algorithm,
			[...key.usages].sort(),
			key.extractable,
			await verify(signature),
			await verify(forged),
			await verify(signature.slice(1)),
			await verify(new ArrayBuffer(0)),
		];
	}),
	"has no HMAC key without bytes": (web) =>
		hmacKey(web, "SHA-256", ["sign"], 0),
	"has no HMAC key without a use": (web) => hmacKey(web, "SHA-256", []),
	"has no HMAC key for deriving": (web) =>
		hmacKey(web, "SHA-256", ["deriveBits"]),
	"does not sign with a key for checking": async (web) =>
		web.crypto.subtle.sign(
			"HMAC",
			await hmacKey(web, "SHA-256", ["verify"]),
			MESSAGE,
		),
	"does not give out what is not extractable": async (web) =>
		web.crypto.subtle
			.exportKey("raw", await hmacKey(web, "SHA-256"))
			// Node calls it InvalidAccessException.
			.catch(({ name }: Error) => name.startsWith("InvalidAccess")),
	...listed("derives by PBKDF2 with", HASHES, async (web, hash) => {
		const key = await web.crypto.subtle.importKey(
			"raw",
			MESSAGE,
			"PBKDF2",
			false,
			["deriveBits"],
		);
		return web.crypto.subtle.deriveBits(
			{
				name: "PBKDF2",
				hash: { name: hash },
				salt: hex("0102"),
				iterations: 3,
			},
			key,
			520,
		);
	}),
	...listed("derives bits:", BIT_LENGTHS, async (web, length) => {
		const key = await web.crypto.subtle.importKey(
			"raw",
			MESSAGE,
			{ name: "PBKDF2" },
			false,
			["deriveBits"],
		);
		const bits = await web.crypto.subtle.deriveBits(
			{ name: "PBKDF2", hash: "SHA-1", salt: hex("01"), iterations: 1 },
			key,
			Number(length),
		);
		return bits.byteLength === 0 ? "nothing" : bits;
	}),
	"does not derive in no iteration": async (web) => {
		const key = await web.crypto.subtle.importKey(
			"raw",
			MESSAGE,
			"PBKDF2",
			false,
			["deriveBits"],
		);
		return web.crypto.subtle.deriveBits(
			{ name: "PBKDF2", hash: "SHA-1", salt: hex("01"), iterations: 0 },
			key,
			8,
		);
	},
	"has no password that can be extracted": (web) =>
		web.crypto.subtle.importKey("raw", MESSAGE, "PBKDF2", true, ["deriveBits"]),
	"knows no algorithm of another name": (web) =>
		web.crypto.subtle.importKey("raw", MESSAGE, "ROT13", true, ["verify"]),
	...keys,

	"fills arrays with random values": (web) => {
		const values = new Uint32Array(64);
		const same = web.crypto.getRandomValues(values) === values;
		const part = new Uint8Array(8);
		web.crypto.getRandomValues(part.subarray(2, 6));
		return [
			same,
			new Set(values).size > 60,
			[...part.subarray(0, 2), ...part.subarray(6)],
		];
	},
	"fills no array of floats": (web) =>
		web.crypto.getRandomValues(new Float64Array(2) as never),
	"fills no list": (web) => web.crypto.getRandomValues([1, 2] as never),
	"fills 65536 bytes at most": (web) => {
		web.crypto.getRandomValues(new Uint8Array(65_536));
		return web.crypto.getRandomValues(new Uint8Array(65_537));
	},
	"names things at random": (web) => [
		/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(
			web.crypto.randomUUID(),
		),
		new Set([web.crypto.randomUUID(), web.crypto.randomUUID()]).size,
	],
	"counts time from a moment in the past": (web) => {
		const { timeOrigin } = web.performance;
		const earlier_ms = web.performance.now();
		const now = timeOrigin + web.performance.now();
		return [
			Math.abs(now - Date.now()) < 60_000,
			earlier_ms <= web.performance.now(),
		];
	},
};
