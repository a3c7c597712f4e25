/** The configuration: one table of every variable, from which the service, its messages and its documentation are made. */
import { CURRENCY_MINOR_UNITS } from "./invoice/codes.ts";
import {
	LANGUAGES,
	SERIES_PATTERN,
	TEMPLATE_NAME_PATTERN,
} from "./invoice/draft.ts";
import { seriesOf } from "./invoice/number.ts";

/** One variable of the environment. */
export interface Setting<Value> {
	/** Its name in the environment. */
	name: string;
	/** What it means, in a sentence or two, for the table of the README. */
	meaning: string;
	/** As it would be written in the environment; absent where there is none. */
	default?: string;
	/** Its value is never shown. */
	secret?: true;
	/** Throws a TypeError whose message goes on after the variable's name: "must be …". */
	read(text: string | undefined): Value;
}

type Parse<Value> = (text: string) => Value;

function setting<Value>(
	name: string,
	defaultText: string,
	parse: Parse<Value>,
	meaning: string,
): Setting<Value> {
	return {
		name,
		meaning,
		default: defaultText,
		read: (text) => parse(text ?? defaultText),
	};
}

function optional<Value>(
	name: string,
	parse: Parse<Value>,
	meaning: string,
): Setting<Value | undefined> {
	return {
		name,
		meaning,
		read: (text) => (text === undefined ? undefined : parse(text)),
	};
}

function secret<Value>(setting: Setting<Value>): Setting<Value> {
	return { ...setting, secret: true };
}

const anyText: Parse<string> = (text) => text;

function matching(pattern: RegExp, predicate: string): Parse<string> {
	return (text) => {
		if (!pattern.test(text)) {
			throw new TypeError(predicate);
		}
		return text;
	};
}

function wholeNumber(least: number, most: number): Parse<number> {
	return (text) => {
		const value = Number(text);
		if (!/^[0-9]{1,15}$/.test(text) || value < least || value > most) {
			throw new TypeError(`must be a whole number from ${least} to ${most}`);
		}
		return value;
	};
}

function oneOf<const Values extends readonly string[]>(
	...values: Values
): Parse<Values[number]> {
	return (text) => {
		if (!values.includes(text)) {
			throw new TypeError(`must be one of ${values.join(", ")}`);
		}
		return text;
	};
}

function series(text: string): string {
	if (!SERIES_PATTERN.test(seriesOf(text, "2026-01-01"))) {
		throw new TypeError(
			'must be 1 to 24 capital letters, digits and hyphens; "{year}" in it becomes the year of the issue date, as in "RE-{year}"',
		);
	}
	return text;
}

function currency(text: string): string {
	if (!CURRENCY_MINOR_UNITS.has(text)) {
		throw new TypeError('must be a currency code of ISO 4217, such as "EUR"');
	}
	return text;
}

function template(text: string): { name: string; version: number } {
	const [, name, version] = /^(.+)\/([1-9][0-9]{0,3})$/.exec(text) ?? [];
	if (name === undefined || !TEMPLATE_NAME_PATTERN.test(name)) {
		throw new TypeError(
			'must be a template\'s name and version, such as "invoice/1"',
		);
	}
	return { name, version: Number(version) };
}

/** RFC 7518, 3.2: an HS256 key has at least the 32 bytes of its hash. */
const JWT_SECRET_LENGTH_MIN = 32;

function jwtSecret(text: string): string {
	if (text.length < JWT_SECRET_LENGTH_MIN) {
		throw new TypeError(
			`must have at least ${JWT_SECRET_LENGTH_MIN} characters (RFC 7518, 3.2); make one with "openssl rand -base64 32"`,
		);
	}
	return text;
}

const mongodbUri = matching(
	/^mongodb(\+srv)?:\/\/\S+$/,
	'must be a connection string that begins with "mongodb://" or "mongodb+srv://"',
);

const MEBIBYTE = 1_048_576;

/** Every variable that the service reads, in the order of the documentation. */
export const SETTINGS = {
	port: setting(
		"PORT",
		"8000",
		wholeNumber(0, 65_535),
		"Port to listen on; 0 takes a free one.",
	),
	host: setting(
		"HOST",
		"127.0.0.1",
		matching(/^[A-Za-z0-9.:-]+$/, "must be a host name or an IP address"),
		"Address to listen on. Without a JWT key it must be of this machine's own (127.0.0.1, ::1, localhost).",
	),
	mongodbUri: secret(
		optional(
			"MONGODB_URI",
			mongodbUri,
			"MongoDB to store in: a replica set or mongos, with a user that may find and insert. Without it a local server is run, its data under `DATA_DIRECTORY`.",
		),
	),
	mongodbSetupUri: secret(
		optional(
			"MONGODB_SETUP_URI",
			mongodbUri,
			"An administrator's connection string: where it is given, collections, indexes and the service's role are set up at start. Without it the service only looks whether they are there.",
		),
	),
	mongodbDatabase: setting(
		"MONGODB_DATABASE",
		"rechnungsverwaltung",
		matching(
			/^[A-Za-z0-9_-]{1,38}$/,
			"must have 1 to 38 letters, digits, hyphens and underscores",
		),
		"Name of the database.",
	),
	mongodBinary: optional(
		"MONGOD_BINARY",
		anyText,
		"The `mongod` to run where `MONGODB_URI` is not set; otherwise one is looked for, or fetched.",
	),
	dataDirectory: setting(
		"DATA_DIRECTORY",
		".data",
		anyText,
		"Folder of the local MongoDB server's data.",
	),
	series: setting(
		"SERIES",
		"RE-{year}",
		series,
		"Number range of drafts that name none; `{year}` is the year of the issue date.",
	),
	timeZone: setting(
		"TIME_ZONE",
		"Europe/Berlin",
		matching(
			/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+){0,2}$/,
			'must be a time zone of the IANA database, such as "Europe/Berlin"',
		),
		"Time zone whose calendar day is the issue date of drafts that name none.",
	),
	// Not LANGUAGE: GNU gettext's variable of that name is set on many machines.
	language: setting(
		"DOCUMENT_LANGUAGE",
		"de",
		oneOf(...LANGUAGES),
		"Language of drafts that name none: de or en.",
	),
	currency: setting(
		"CURRENCY",
		"EUR",
		currency,
		"Currency of drafts that name none, ISO 4217.",
	),
	sellerFile: optional(
		"SELLER_FILE",
		anyText,
		"JSON file with the `seller` of drafts that name none.",
	),
	template: setting(
		"TEMPLATE",
		"invoice/1",
		template,
		"Template and version of drafts that name none.",
	),
	templatesDirectory: optional(
		"TEMPLATES_DIRECTORY",
		anyText,
		"Folder of further templates, beside the ones that are built in.",
	),
	bodyBytesMax: setting(
		"BODY_BYTES_MAX",
		String(4 * MEBIBYTE),
		wholeNumber(1024, 16 * MEBIBYTE),
		"Longest request body in bytes; a longer one is answered 413.",
	),
	jwtSecret: secret(
		optional(
			"JWT_SECRET",
			jwtSecret,
			"Secret of bearer tokens signed with HS256, at least 32 characters. Set one of `JWT_SECRET`, `JWT_PUBLIC_KEY_FILE` and `JWT_KEYS_FILE`; without any the service answers everyone, and listens on this machine only.",
		),
	),
	jwtPublicKeyFile: optional(
		"JWT_PUBLIC_KEY_FILE",
		anyText,
		"File with the public key of bearer tokens, as PEM or JWK: P-256 (ES256) or Ed25519 (EdDSA).",
	),
	jwtKeysFile: optional(
		"JWT_KEYS_FILE",
		anyText,
		"File with several such public keys as a JWK Set; a token's `kid` chooses.",
	),
	jwtIssuer: optional(
		"JWT_ISSUER",
		anyText,
		"The only `iss` that tokens may have; any where it is not set.",
	),
	jwtAudience: optional(
		"JWT_AUDIENCE",
		anyText,
		"What a token's `aud` must contain; not looked at where it is not set.",
	),
	logLevel: setting(
		"LOG_LEVEL",
		"info",
		oneOf("debug", "info", "warn", "error", "silent"),
		"Least level of the log: debug, info, warn, error, silent.",
	),
} as const;

type SettingKey = keyof typeof SETTINGS;

/** Every setting, read and checked. */
export type Configuration = {
	readonly [Key in SettingKey]: ReturnType<(typeof SETTINGS)[Key]["read"]>;
};

/** The configuration is wrong; the message names each variable and says what to do. */
export class ConfigurationError extends Error {
	override readonly name = "ConfigurationError";
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
	return /^(localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/**
 * Reads the settings from the variables of an environment; an empty one counts
 * as not set. Throws a ConfigurationError that names all faults at once.
 */
export function readConfiguration(
	environment: Readonly<Record<string, string | undefined>>,
): Configuration {
	const faults: string[] = [];
	const values: Partial<Record<SettingKey, unknown>> = {};
	for (const key of Object.keys(SETTINGS) as SettingKey[]) {
		const { name, read, secret } = SETTINGS[key] as Setting<unknown>;
		const text = environment[name]?.trim() || undefined;
		try {
			values[key] = read(text);
		} catch (error) {
			if (!(error instanceof TypeError)) {
				throw error;
			}
			faults.push(
				`${name} ${error.message}${secret ? "" : `; it is ${JSON.stringify(text)}`}.`,
			);
		}
	}
	const configuration = values as Configuration;
	if (faults.length === 0) {
		faults.push(...contradictions(configuration));
	}
	if (faults.length > 0) {
		throw new ConfigurationError(faults.join("\n"));
	}
	return configuration;
}

function contradictions(configuration: Configuration): string[] {
	const { host, jwtSecret, jwtPublicKeyFile, jwtKeysFile } = configuration;
	const keys = [jwtSecret, jwtPublicKeyFile, jwtKeysFile].filter(
		(key) => key !== undefined,
	).length;
	const faults: string[] = [];
	if (keys > 1) {
		faults.push(
			"JWT_SECRET, JWT_PUBLIC_KEY_FILE and JWT_KEYS_FILE exclude each other; set one of them.",
		);
	}
	if (keys === 0 && !isLoopback(host)) {
		faults.push(
			`HOST is "${host}", which others can reach, and there is no key to tell callers apart. Set JWT_SECRET, JWT_PUBLIC_KEY_FILE or JWT_KEYS_FILE, or leave HOST at 127.0.0.1.`,
		);
	}
	if (
		configuration.mongodbSetupUri !== undefined &&
		configuration.mongodbUri === undefined
	) {
		faults.push(
			"MONGODB_SETUP_URI is set without MONGODB_URI; the local server needs neither.",
		);
	}
	return faults;
}

/** The table of the README, in Markdown. */
export function configurationTable(): string {
	const rows = Object.values(SETTINGS).map(
		(setting: Setting<unknown>) =>
			`| \`${setting.name}\` | ${setting.default === undefined ? "" : `\`${setting.default}\``} | ${setting.meaning} |`,
	);
	return ["| variable | default | meaning |", "|---|---|---|", ...rows].join(
		"\n",
	);
}
