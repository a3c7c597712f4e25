/** What the web APIs are asked on Node, on ours and in the engine: the same answers have to come out. */

import type { Web, WebCase } from "./web-case.ts";
import { CRYPTO_CASES } from "./web-cases-crypto.ts";
import { FETCH_CASES } from "./web-cases-fetch.ts";
import { TEXT_CASES } from "./web-cases-text.ts";

export const WEB_CASES: Readonly<Record<string, WebCase>> = {
	...TEXT_CASES,
	...FETCH_CASES,
	...CRYPTO_CASES,
};

/** What comes out, written down; of an error its name alone, for messages differ. */
export async function outcomeOf(run: WebCase, web: Web): Promise<string> {
	try {
		return written(await run(web));
	} catch (error) {
		return `throws ${error instanceof Error ? error.name : String(error)}`;
	}
}

function written(value: unknown): string {
	return (
		JSON.stringify(value, (_, each) => {
			if (each instanceof ArrayBuffer) {
				return hexOf(new Uint8Array(each));
			}
			if (ArrayBuffer.isView(each)) {
				const { buffer, byteOffset, byteLength } = each;
				return hexOf(new Uint8Array(buffer, byteOffset, byteLength));
			}
			return each === undefined ? "undefined" : each;
		}) ?? "undefined"
	);
}

function hexOf(bytes: Uint8Array): string {
	return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join(
		"",
	);
}
