/** The URL of a request, of its target and Host; only what is unusual is parsed as a URL. */
import { RequestRefused } from "./refusal.ts";

/**
 * A host that a URL has as it stands: lower case, no port or one that is not the
 * scheme's own (80), no address in brackets. As @hono/node-server has it.
 */
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:[1-5][0-9]{3,4}|[6-9][0-9]{3}))?$/;

/** What may stand in a Host (RFC 3986, 3.2.2) and in a port. */
const HOST = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]{1,262}$/;

/** A path and query that a URL has as they stand, but for dot segments. */
const PLAIN_TARGET = /^\/[!$-;=?-[\]_a-z~]*$/;

/** "." or ".." as a whole segment, also where its dots are percent-encoded. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

/** Origins of the hosts that were asked for; a service has few names. */
const origins = new Map<string, string>();
const ORIGINS_MAX = 64;

/** Throws RequestRefused (400) where target or host cannot be read. */
export function requestUrl(target: string, host: string | undefined): string {
	if (host === undefined) {
		throw new RequestRefused(400, "The header field Host is missing.");
	}
	if (target.includes("#")) {
		throw new RequestRefused(
			400,
			"The request's target has a fragment (#); leave it out.",
		);
	}
	if (target.charCodeAt(0) !== 0x2f) {
		return absoluteUrl(target);
	}
	const url = originOf(host) + target;
	if (
		!PLAIN_TARGET.test(target) ||
		((target.includes("/.") || target.includes("/%2")) &&
			DOT_SEGMENT.test(target))
	) {
		return parsed(target, url).href;
	}
	return url;
}

/** RFC 9112, 3.2.2: the target's own host holds, whatever Host says. */
function absoluteUrl(target: string): string {
	if (!/^https?:\/\/[^/]/.test(target)) {
		throw new RequestRefused(
			400,
			'The request\'s target must be a path that begins with "/", or an http or https URL.',
		);
	}
	return parsed(target, target).href;
}

function parsed(target: string, text: string): URL {
	const path = target.split("?", 1)[0] as string;
	const url =
		path.includes("\\") || !URL.canParse(text) ? undefined : new URL(text);
	if (url === undefined || url.username !== "" || url.password !== "") {
		throw new RequestRefused(400, "The request's target cannot be read.");
	}
	return url;
}

function originOf(host: string): string {
	const known = origins.get(host);
	if (known !== undefined) {
		return known;
	}
	const origin = PLAIN_HOST.test(host)
		? `http://${host}`
		: normalizedOrigin(host);
	if (origins.size >= ORIGINS_MAX) {
		origins.clear();
	}
	origins.set(host, origin);
	return origin;
}

function normalizedOrigin(host: string): string {
	const text = `http://${host}`;
	const url = HOST.test(host) && URL.canParse(text) ? new URL(text) : undefined;
	// A host that a URL writes in another way, such as 0X7F.1, is none that a client was given.
	if (
		url === undefined ||
		url.hostname !== host.replace(/:[0-9]*$/, "").toLowerCase()
	) {
		throw new RequestRefused(400, "The header field Host cannot be read.");
	}
	return url.origin;
}
