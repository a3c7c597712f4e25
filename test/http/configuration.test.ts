import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import {
	ConfigurationError,
	configurationTable,
	isLoopback,
	readConfiguration,
	SETTINGS,
} from "../../src/configuration.ts";

describe("The configuration", () => {
	it("has a default for whatever can have one", () => {
		const configuration = readConfiguration({});
		assert.equal(configuration.port, 8000);
		assert.equal(configuration.host, "127.0.0.1");
		assert.equal(configuration.series, "RE-{year}");
		assert.deepEqual(configuration.template, { name: "invoice", version: 1 });
		assert.equal(configuration.mongodbUri, undefined);
	});

	it("takes an empty variable for one that is not set", () => {
		assert.equal(readConfiguration({ PORT: " ", JWT_SECRET: "" }).port, 8000);
	});

	const key = { JWT_SECRET: "x".repeat(32) };

	for (const [environment, ...sentences] of [
		[
			{ PORT: "80a" },
			/^PORT must be a whole number from 0 to 65535; it is "80a"\.$/,
		],
		[{ PORT: "65536" }, /^PORT must be/],
		[{ PORT: "-1" }, /^PORT must be/],
		[{ HOST: "a b" }, /^HOST must be a host name/],
		[
			{ HOST: "0.0.0.0" },
			/^HOST is "0\.0\.0\.0", which others can reach.*Set JWT_SECRET/,
		],
		[{ HOST: "invoices.example" }, /which others can reach/],
		[{ MONGODB_URI: "localhost:27017" }, /^MONGODB_URI must be a connection/],
		[
			{ MONGODB_SETUP_URI: "mongodb://a" },
			/^MONGODB_SETUP_URI is set without MONGODB_URI/,
		],
		[{ MONGODB_DATABASE: "a.b" }, /^MONGODB_DATABASE must have/],
		[{ SERIES: "re-{year}" }, /^SERIES must be 1 to 24 capital letters/],
		[{ SERIES: "RE-{month}" }, /^SERIES must be/],
		[{ TIME_ZONE: "Europe/../etc" }, /^TIME_ZONE must be a time zone/],
		[{ DOCUMENT_LANGUAGE: "fr" }, /^DOCUMENT_LANGUAGE must be one of de, en/],
		[{ CURRENCY: "EURO" }, /^CURRENCY must be a currency code/],
		[
			{ TEMPLATE: "invoice" },
			/^TEMPLATE must be a template's name and version/,
		],
		[{ TEMPLATE: "Invoice/0" }, /^TEMPLATE must be/],
		[{ BODY_BYTES_MAX: "10" }, /^BODY_BYTES_MAX must be a whole number/],
		[{ JWT_SECRET: "short" }, /^JWT_SECRET must have at least 32 characters/],
		[{ ...key, JWT_KEYS_FILE: "k" }, /exclude each other/],
		[{ LOG_LEVEL: "loud" }, /^LOG_LEVEL must be one of debug, info/],
		[{ PORT: "x", CURRENCY: "y" }, /^PORT must/, /^CURRENCY must/],
	] as const) {
		it(`refuses ${JSON.stringify(environment)} and names the variable`, () => {
			assert.throws(
				() => readConfiguration(environment),
				(error: unknown) => {
					assert.ok(error instanceof ConfigurationError);
					const lines = error.message.split("\n");
					assert.equal(lines.length, sentences.length, error.message);
					for (const [index, sentence] of sentences.entries()) {
						assert.match(lines[index] ?? "", sentence);
					}
					return true;
				},
			);
		});
	}

	it("never shows a secret in an error", () => {
		for (const name of ["JWT_SECRET", "MONGODB_URI", "MONGODB_SETUP_URI"]) {
			assert.throws(
				() => readConfiguration({ [name]: "hunter2" }),
				(error: Error) => !error.message.includes("hunter2"),
			);
		}
	});

	it("lets others reach the service where a key is configured", () => {
		assert.equal(
			readConfiguration({ ...key, HOST: "0.0.0.0" }).host,
			"0.0.0.0",
		);
	});

	for (const [host, expected] of [
		["127.0.0.1", true],
		["127.8.8.8", true],
		["::1", true],
		["localhost", true],
		["0.0.0.0", false],
		["::", false],
		["10.0.0.1", false],
		["127.0.0.1.example", false],
		["localhost.example", false],
	] as const) {
		it(`${host} is ${expected ? "" : "not "}of this machine only`, () => {
			assert.equal(isLoopback(host), expected);
		});
	}

	it("is documented in the README, variable by variable (UPDATE_GOLDEN=1 writes the table)", () => {
		const path = "README.md";
		const readme = readFileSync(path, "utf8");
		const block = /<!-- configuration -->\n[\s\S]*<!-- \/configuration -->/;
		const written = `<!-- configuration -->\n${configurationTable()}\n<!-- /configuration -->`;
		assert.match(readme, block);
		if (process.env.UPDATE_GOLDEN === "1") {
			writeFileSync(
				path,
				readme.replace(block, () => written),
			);
			return;
		}
		// Without the padding of the table.
		const plain = (text: string) =>
			text.replace(/ *\| */g, "|").replace(/-{3,}/g, "---");
		assert.equal(plain(block.exec(readme)?.[0] ?? ""), plain(written));
	});

	it("names each variable once", () => {
		const names = Object.values(SETTINGS).map(({ name }) => name);
		assert.equal(new Set(names).size, names.length);
	});
});
