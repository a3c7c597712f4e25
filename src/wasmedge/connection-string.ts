/** MongoDB's connection strings in the sandbox: what it cannot do is refused at start, not at the first connection. */
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
	const isOn = optionsOf(uri);
	for (const name of INSECURE) {
		if (isOn(name)) {
			throw new ConfigurationError(
				`${variable} has ${name}, and the sandbox verifies every server. Leave it out, and name the file of the server's authority by tlsCAFile.`,
			);
		}
	}
	const needsAuthorities =
		(isOn("tls") || isOn("ssl")) && !isOn("tlsCAFile", ANY);
	return needsAuthorities
		? `${uri}&tlsCAFile=${encodeURIComponent(SYSTEM_AUTHORITIES)}`
		: uri;
}

const ANY = /./;

/** Whether an option of the connection string has a value like this; the names' case does not matter. */
function optionsOf(uri: string): (name: string, value?: RegExp) => boolean {
	const at = uri.indexOf("?");
	const options = [...new URLSearchParams(at < 0 ? "" : uri.slice(at + 1))];
	return (name, value = /^true$/) =>
		options.some(
			([each, text]) =>
				each.toLowerCase() === name.toLowerCase() && value.test(text),
		);
}
