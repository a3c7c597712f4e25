/** Names that modules.json gives to parts of packages. */

declare module "saslprep:prepare" {
	/** The algorithm of @mongodb-js/saslprep, for any table. */
	export default function prepare(
		codePoints: Record<string, { get(codePoint: number): boolean }>,
		text: string,
		options?: { allowUnassigned?: boolean },
	): string;
}

declare module "bson:library" {
	/** The package bson itself. */
	export * from "bson";
}
