/** Certificates and keys for tests of TLS, made on the spot: X.509 v3 (RFC 5280) in DER, signed by node:crypto. */
import {
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
	randomBytes,
	sign,
} from "node:crypto";
import { isIP } from "node:net";

export interface Certificate {
	/** PEM: the certificate, and after it those of its issuers without the root. */
	chain: string;
	/** PEM, PKCS #8. */
	privateKey: string;
	subject: string;
	key: KeyObject;
}

export interface CertificateOptions {
	subject: string;
	/** Without one it signs itself. */
	issuer?: Certificate;
	/** Whether it may sign others. */
	isAuthority?: boolean;
	/** Host names and IP addresses. */
	names?: string[];
	validFrom?: Date;
	validTo?: Date;
	keyType?: "ec" | "rsa" | "rsa-1024";
	/** What its key is for; a server, where nothing is said. */
	usage?: "server" | "client";
}

const DAY_MS = 86_400_000;

/** Makes a certificate with a key of its own, valid from yesterday until tomorrow where nothing else is said. */
export function makeCertificate(options: CertificateOptions): Certificate {
	const key = makeKey(options.keyType ?? "ec");
	const issuer = options.issuer;
	const signingKey = issuer?.key ?? key;
	const algorithm = signatureAlgorithm(signingKey);
	const content = sequence(
		explicit(0, integer(Buffer.from([2]))), // v3
		integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
		algorithm,
		distinguishedName(issuer?.subject ?? options.subject),
		sequence(
			time(options.validFrom ?? new Date(Date.now() - DAY_MS)),
			time(options.validTo ?? new Date(Date.now() + DAY_MS)),
		),
		distinguishedName(options.subject),
		createPublicKey(key).export({ type: "spki", format: "der" }),
		explicit(3, sequence(...extensions(options))),
	);
	const signature = sign("sha256", content, signingKey);
	const certificate = sequence(content, algorithm, bitString(signature));
	return {
		chain: pem(certificate) + (issuer?.chain ?? ""),
		privateKey: key.export({ type: "pkcs8", format: "pem" }) as string,
		subject: options.subject,
		key,
	};
}

/** The first certificate of a chain. */
export function firstOf({ chain }: Certificate): string {
	return chain.slice(0, chain.indexOf("-----END") + 26);
}

function makeKey(type: "ec" | "rsa" | "rsa-1024"): KeyObject {
	if (type === "ec") {
		return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
	}
	const modulusLength = type === "rsa" ? 2048 : 1024;
	return generateKeyPairSync("rsa", { modulusLength }).privateKey;
}

function extensions({ isAuthority, names, usage }: CertificateOptions) {
	const list = [
		extension("2.5.29.19", true, sequence(...(isAuthority ? [boolean()] : []))),
	];
	if (isAuthority) {
		list.push(extension("2.5.29.15", true, tagged(0x03, "0106"))); // keyCertSign, cRLSign
	} else {
		const purpose = usage === "client" ? 2 : 1;
		list.push(
			extension(
				"2.5.29.37",
				false,
				sequence(objectIdentifier(`1.3.6.1.5.5.7.3.${purpose}`)),
			),
		);
	}
	if (names !== undefined) {
		list.push(extension("2.5.29.17", false, sequence(...names.map(nameOf))));
	}
	return list;
}

function nameOf(name: string): Buffer {
	if (isIP(name) === 4) {
		return tagged(0x87, Buffer.from(name.split(".").map(Number)));
	}
	if (name === "::1") {
		return tagged(0x87, `${"00".repeat(15)}01`);
	}
	return tagged(0x82, Buffer.from(name));
}

function extension(id: string, isCritical: boolean, content: Buffer): Buffer {
	return sequence(
		objectIdentifier(id),
		...(isCritical ? [boolean()] : []),
		tagged(0x04, content),
	);
}

function signatureAlgorithm(key: KeyObject): Buffer {
	return key.asymmetricKeyType === "ec"
		? sequence(objectIdentifier("1.2.840.10045.4.3.2"))
		: sequence(objectIdentifier("1.2.840.113549.1.1.11"), tagged(0x05, ""));
}

function distinguishedName(commonName: string): Buffer {
	return sequence(
		tagged(
			0x31,
			sequence(
				objectIdentifier("2.5.4.3"),
				tagged(0x0c, Buffer.from(commonName)),
			),
		),
	);
}

function pem(der: Buffer): string {
	const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
	return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

// DER (X.690)

function tagged(tag: number, content: Buffer | string): Buffer {
	const bytes =
		typeof content === "string" ? Buffer.from(content, "hex") : content;
	const length =
		bytes.length < 128
			? [bytes.length]
			: [0x82, bytes.length >> 8, bytes.length & 255];
	return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

function sequence(...parts: Buffer[]): Buffer {
	return tagged(0x30, Buffer.concat(parts));
}

function explicit(number: number, content: Buffer): Buffer {
	return tagged(0xa0 + number, content);
}

function integer(bytes: Buffer): Buffer {
	return tagged(0x02, bytes);
}

function boolean(): Buffer {
	return tagged(0x01, "ff");
}

function bitString(bytes: Buffer): Buffer {
	return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function time(date: Date): Buffer {
	const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
	return tagged(0x18, Buffer.from(digits)); // GeneralizedTime
}

function objectIdentifier(text: string): Buffer {
	const [first = 0, second = 0, ...others] = text.split(".").map(Number);
	const bytes = [first * 40 + second];
	for (const number of others) {
		const groups = [number & 127];
		for (let rest = number >> 7; rest > 0; rest >>= 7) {
			groups.unshift((rest & 127) | 128);
		}
		bytes.push(...groups);
	}
	return tagged(0x06, Buffer.from(bytes));
}
