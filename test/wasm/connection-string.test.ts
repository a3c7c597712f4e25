import assert from "node:assert/strict";
import { ConfigurationError } from "../../src/configuration.ts";
import { completeConnectionString } from "../../src/wasmedge/connection-string.ts";

describe("Connection strings inside WasmEdge", () => {
	for (const [given, completed] of [
		[
			"mongodb://a:27017,b:27018/?replicaSet=rs0",
			"mongodb://a:27017,b:27018/?replicaSet=rs0",
		],
		["mongodb://a/?tls=false", "mongodb://a/?tls=false"],
		[
			"mongodb://a/?tls=true&tlsCAFile=/etc/own.pem",
			"mongodb://a/?tls=true&tlsCAFile=/etc/own.pem",
		],
		[
			"mongodb://user:p%40ss@a,b/?tls=true",
			"mongodb://user:p%40ss@a,b/?tls=true&tlsCAFile=%2Fetc%2Fssl%2Fcerts%2Fca-certificates.crt",
		],
	] as const) {
		it(`${given} is used as ${given === completed ? "it is" : completed}`, () => {
			assert.equal(completeConnectionString("MONGODB_URI", given), completed);
		});
	}

	for (const [given, sentence] of [
		["mongodb+srv://a/", /^MONGODB_URI .*Write the hosts out/],
		["mongodb://a/?tlsInsecure=true", /^MONGODB_URI has tlsInsecure/],
		[
			"mongodb://a/?tls=true&tlsAllowInvalidHostnames=true",
			/^MONGODB_URI has tlsAllowInvalidHostnames/,
		],
		["mongodb://a/?TLSinsecure=true", /^MONGODB_URI has tlsInsecure/],
	] as const) {
		it(`${given} is refused in a sentence`, () => {
			assert.throws(
				() => completeConnectionString("MONGODB_URI", given),
				(error: Error) =>
					error instanceof ConfigurationError && sentence.test(error.message),
			);
		});
	}
});
