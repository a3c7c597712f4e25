/** Bearer tokens: JWTs (RFC 7519) signed with a configured key, whose kind alone decides the algorithm. */
import {
	type CryptoKey,
	createLocalJWKSet,
	errors,
	importJWK,
	importSPKI,
	type JWK,
	type JWTPayload,
	type JWTVerifyGetKey,
	jwtVerify,
} from "jose";
import {
	type Caller,
	InvalidToken,
	SCOPES,
	type VerifyToken,
} from "./caller.ts";

/** Verified tokens that are remembered, so that not every request costs a signature check. */
const REMEMBERED_TOKENS_MAX = 1000;

/** Seconds by which the clocks of issuer and service may differ. */
const CLOCK_TOLERANCE_S = 5;

/** Key of tokens: what it verifies with, and the algorithms that it is for. */
export interface TokenKey {
	algorithms: string[];
	key: CryptoKey | Uint8Array | JWTVerifyGetKey;
}

/** A shared secret: HS256 and nothing else. */
export function secretKey(secret: string): TokenKey {
	return { algorithms: ["HS256"], key: new TextEncoder().encode(secret) };
}

/**
 * A public key as PEM (SubjectPublicKeyInfo) or JWK: ES256 for P-256, EdDSA for
 * Ed25519. Throws a TypeError that goes on after the file's name.
 */
export async function publicKey(text: string): Promise<TokenKey> {
	if (text.trimStart().startsWith("{")) {
		const jwk = parseJson(text) as JWK;
		const algorithms = algorithmsOf(jwk);
		return {
			algorithms,
			key: await importKey(() => importJWK(jwk, algorithms[0])),
		};
	}
	for (const algorithm of ["ES256", "EdDSA"]) {
		try {
			return {
				algorithms: algorithmsNamed(algorithm),
				key: await importSPKI(text, algorithm),
			};
		} catch {
			// It is a key of the other kind, or none at all, which is said below.
		}
	}
	throw new TypeError(
		'must hold a public key on P-256 or Ed25519, as JWK or as PEM ("-----BEGIN PUBLIC KEY-----")',
	);
}

/** Several public keys as a JWK Set (RFC 7517, 5); a token's `kid` chooses. Throws as `publicKey`. */
export function keySet(text: string): TokenKey {
	const set = parseJson(text) as { keys?: JWK[] };
	if (!Array.isArray(set.keys) || set.keys.length === 0) {
		throw new TypeError('must hold a JWK Set: {"keys": [ … ]}');
	}
	return {
		algorithms: [...new Set(set.keys.flatMap(algorithmsOf))],
		key: createLocalJWKSet({ keys: set.keys }),
	};
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new TypeError("must be JSON");
	}
}

async function importKey<Key>(load: () => Promise<Key>): Promise<Key> {
	try {
		return await load();
	} catch (error) {
		throw new TypeError(
			`must hold a key that can be used: ${error instanceof Error ? error.message : error}`,
		);
	}
}

function algorithmsOf(jwk: JWK): string[] {
	if (jwk.d !== undefined || jwk.k !== undefined) {
		throw new TypeError(
			"must hold public keys only; it has a private or secret one",
		);
	}
	if (jwk.kty === "EC" && jwk.crv === "P-256") {
		return algorithmsNamed("ES256");
	}
	if (jwk.kty === "OKP" && jwk.crv === "Ed25519") {
		return algorithmsNamed("EdDSA");
	}
	throw new TypeError("must hold keys on P-256 or Ed25519 only");
}

/** RFC 9864 names EdDSA on Ed25519 anew; both names mean the same. */
function algorithmsNamed(algorithm: string): string[] {
	return algorithm === "EdDSA" ? ["EdDSA", "Ed25519"] : [algorithm];
}

export interface TokenOptions {
	key: TokenKey;
	issuer?: string | undefined;
	audience?: string | undefined;
	now: () => Date;
}

/** Makes the check of bearer tokens; it remembers what it has verified until that expires. */
export function createTokenVerifier(options: TokenOptions): VerifyToken {
	const { key, algorithms } = options.key;
	const remembered = new Map<string, { caller: Caller; expires: number }>();
	return async (token) => {
		const now = options.now();
		const known = remembered.get(token);
		if (known !== undefined && now.getTime() / 1000 < known.expires) {
			return known.caller;
		}
		const payload = await verify(token, key, {
			algorithms,
			currentDate: now,
			clockTolerance: CLOCK_TOLERANCE_S,
			requiredClaims: ["sub", "exp"],
			...(options.issuer === undefined ? {} : { issuer: options.issuer }),
			...(options.audience === undefined ? {} : { audience: options.audience }),
		});
		const caller = callerOf(payload);
		remembered.delete(token);
		const [oldest] = remembered.keys();
		if (oldest !== undefined && remembered.size >= REMEMBERED_TOKENS_MAX) {
			remembered.delete(oldest);
		}
		remembered.set(token, {
			caller,
			expires: (payload.exp ?? 0) + CLOCK_TOLERANCE_S,
		});
		return caller;
	};
}

async function verify(
	token: string,
	key: TokenKey["key"],
	options: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload> {
	try {
		const { payload } =
			typeof key === "function"
				? await jwtVerify(token, key, options)
				: await jwtVerify(token, key, options);
		return payload;
	} catch (error) {
		if (error instanceof errors.JOSEError) {
			throw new InvalidToken(refusal(error));
		}
		throw error;
	}
}

/** Why a token is refused; its content is not repeated. */
function refusal(error: errors.JOSEError): string {
	if (error instanceof errors.JWTExpired) {
		return "The token has expired.";
	}
	if (error instanceof errors.JWTClaimValidationFailed) {
		return error.reason === "missing"
			? `The token has no "${error.claim}" claim.`
			: `The token's "${error.claim}" claim is not accepted.`;
	}
	if (error instanceof errors.JWSSignatureVerificationFailed) {
		return "The token's signature does not match the configured key.";
	}
	if (error instanceof errors.JOSEAlgNotAllowed) {
		return "The token is signed with another algorithm than the configured key's.";
	}
	if (error instanceof errors.JWKSMultipleMatchingKeys) {
		return 'The token has no "kid", which chooses among the configured keys.';
	}
	if (error instanceof errors.JWKSNoMatchingKey) {
		return "The token is signed with none of the configured keys.";
	}
	return "The token is not a signed JWT.";
}

function callerOf(payload: JWTPayload): Caller {
	const { sub, scope, loginName } = payload;
	if (typeof sub !== "string" || sub === "") {
		throw new InvalidToken('The token\'s "sub" claim must be text.');
	}
	const scopes = new Set(
		typeof scope === "string" ? scope.split(" ").filter(Boolean) : [],
	);
	const isService = Object.keys(SCOPES).some((each) => scopes.has(each));
	if (isService || loginName === undefined) {
		return { subject: sub, scopes };
	}
	if (typeof loginName !== "string" || loginName === "") {
		throw new InvalidToken('The token\'s "loginName" claim must be text.');
	}
	return { subject: sub, scopes, loginName: loginName.normalize("NFC") };
}
