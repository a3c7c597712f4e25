/** MongoDB's connection strings in the sandbox: what it cannot do is refused at start, not at the first connection. */
import { ConnectionString } from "mongodb-connection-string-url";
import { ConfigurationError } from "../configuration.ts";

/** Where the launcher puts the system's certificates for a connection string that asks for TLS and names none. */
const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/** Options that would let anybody be the server. */
const INSECURE = [
	"tlsInsecure",
	"tlsAllowInvalidCertificates",
	"tlsAllowInvalidHostnames",
] as const;

/**
 * The connection string, with the system's authorities where TLS is asked for
 * and none are named. Throws a ConfigurationError that begins with the variable's name.
 */
export function completeConnectionString(
	variable: string,
	uri: string,
): string {
	if (uri.startsWith("mongodb+srv:")) {
		throw new ConfigurationError(
			`${variable} begins with "mongodb+srv://", and the sandbox cannot ask for SRV records. Write the hosts out: mongodb://host1,host2/.`,
		);
	}
	const parsed = parse(variable, uri);
	const options = parsed.searchParams;
	for (const name of INSECURE) {
		if (options.get(name) === "true") {
			throw new ConfigurationError(
				`${variable} has ${name}, and the sandbox verifies every server. Leave it out, and name the file of the server's authority by tlsCAFile.`,
			);
		}
	}
	const hasTls = options.get("tls") === "true" || options.get("ssl") === "true";
	if (hasTls && !options.has("tlsCAFile")) {
		options.set("tlsCAFile", SYSTEM_AUTHORITIES);
		return parsed.toString();
	}
	return uri;
}

function parse(variable: string, uri: string): ConnectionString {
	try {
		return new ConnectionString(uri);
	} catch (error) {
		throw new ConfigurationError(
			`${variable} cannot be read as a connection string: ${error instanceof Error ? error.message : error}.`,
		);
	}
}
