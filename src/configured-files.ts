/** Files that the configuration names: the seller's profile, and the keys of bearer tokens. */
import { type Configuration, ConfigurationError } from "./configuration.ts";
import { type Files, readTextFile } from "./files.ts";
import { keySet, publicKey, secretKey, type TokenKey } from "./http/token.ts";
import { type Seller, SellerSchema } from "./invoice/draft.ts";
import { parseShape } from "./invoice/shape.ts";

/** The seller of drafts that name none; undefined where no file is configured. Throws a ConfigurationError. */
export async function readSeller(
	{ sellerFile }: Configuration,
	files: Files,
): Promise<Seller | undefined> {
	if (sellerFile === undefined) {
		return undefined;
	}
	const text = await readConfigured(files, "SELLER_FILE", sellerFile);
	let input: unknown;
	try {
		input = JSON.parse(text);
	} catch (error) {
		throw new ConfigurationError(
			`SELLER_FILE: ${sellerFile} is not JSON: ${error instanceof Error ? error.message : error}.`,
		);
	}
	const { value, violations } = parseShape(SellerSchema, input);
	if (value === undefined || violations.length > 0) {
		throw new ConfigurationError(
			violations
				.map(
					({ pointer, message }) =>
						`SELLER_FILE: in ${sellerFile}${pointer === "" ? "" : ` at ${pointer}`}: ${message}`,
				)
				.join("\n"),
		);
	}
	return value;
}

/** What tokens are verified with; undefined where no key is configured. Throws a ConfigurationError. */
export async function readTokenKey(
	{ jwtSecret, jwtPublicKeyFile, jwtKeysFile }: Configuration,
	files: Files,
): Promise<TokenKey | undefined> {
	if (jwtSecret !== undefined) {
		return secretKey(jwtSecret);
	}
	if (jwtPublicKeyFile !== undefined) {
		return await keyFrom(
			files,
			"JWT_PUBLIC_KEY_FILE",
			jwtPublicKeyFile,
			publicKey,
		);
	}
	if (jwtKeysFile !== undefined) {
		return await keyFrom(files, "JWT_KEYS_FILE", jwtKeysFile, keySet);
	}
	return undefined;
}

async function keyFrom(
	files: Files,
	variable: string,
	path: string,
	parse: (text: string) => TokenKey | Promise<TokenKey>,
): Promise<TokenKey> {
	const text = await readConfigured(files, variable, path);
	try {
		return await parse(text);
	} catch (error) {
		if (!(error instanceof TypeError)) {
			throw error;
		}
		throw new ConfigurationError(`${variable}: ${path} ${error.message}.`);
	}
}

async function readConfigured(
	files: Files,
	variable: string,
	path: string,
): Promise<string> {
	try {
		return await readTextFile(files, path);
	} catch (error) {
		throw new ConfigurationError(
			`${variable}: ${path} cannot be read (${(error as { code?: string }).code}).`,
		);
	}
}
