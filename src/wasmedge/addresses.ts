/** Addresses of names: asked of the host rarely, since its resolver stops everything until it has an answer. */

/** How long an answer is remembered: a pool opens its connections together. */
const REMEMBERED_MS = 10_000;

/** Names that are remembered; a connection string has a few. */
const NAMES_MAX = 64;

export interface NetworkAddress {
	family: 4 | 6;
	/** "127.0.0.1", "::1" */
	address: string;
}

const remembered = new Map<
	string,
	{ addresses: readonly NetworkAddress[]; until_ms: number }
>();

const IPV4 =
	/^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;
const IPV6_GROUPS = 8;

/** The family of a literal address; 0 where the text is none, but perhaps a name. A zone ("%eth0") is not supported. */
export function literalFamily(text: string): 0 | 4 | 6 {
	if (IPV4.test(text)) {
		return 4;
	}
	return isIpv6(text) ? 6 : 0;
}

function isIpv6(text: string): boolean {
	if (!text.includes(":")) {
		return false;
	}
	let rest = text;
	let counted = 0;
	const dotted = text.slice(text.lastIndexOf(":") + 1);
	if (dotted.includes(".")) {
		if (!IPV4.test(dotted)) {
			return false;
		}
		// The last two groups, written as an IPv4 address.
		rest = `${text.slice(0, text.length - dotted.length)}0`;
		counted = 1;
	}
	const parts = rest.split("::");
	const groups = parts.flatMap((part) => (part === "" ? [] : part.split(":")));
	const count = groups.length + counted;
	return (
		groups.every((group) => IPV6_GROUP.test(group)) &&
		(parts.length === 2
			? count < IPV6_GROUPS
			: parts.length === 1 && count === IPV6_GROUPS)
	);
}

/**
 * The addresses of a name, in the resolver's order but alternating between the
 * families (RFC 8305, 4); a literal address is its own. Stops the loop while the
 * resolver is at work.
 *
 * @throws HostError where the resolver knows no such name, or does not answer
 */
export function addressesOf(name: string): readonly NetworkAddress[] {
	const family = literalFamily(name);
	if (family !== 0) {
		return [{ family, address: name }];
	}
	const now_ms = host.monotonicNow();
	const known = remembered.get(name);
	if (known !== undefined && known.until_ms > now_ms) {
		return known.addresses;
	}
	const addresses = alternating(host.resolve(name));
	if (remembered.size >= NAMES_MAX) {
		remembered.clear();
	}
	remembered.set(name, { addresses, until_ms: now_ms + REMEMBERED_MS });
	return addresses;
}

/** Makes the next connection ask anew: none of the addresses answered. */
export function forgetAddresses(name: string): void {
	remembered.delete(name);
}

function alternating(found: readonly NetworkAddress[]): NetworkAddress[] {
	const first = found[0]?.family;
	const mine = found.filter(({ family }) => family === first);
	const others = found.filter(({ family }) => family !== first);
	const ordered: NetworkAddress[] = [];
	for (let index = 0; index < found.length; index += 1) {
		ordered.push(...mine.slice(index, index + 1));
		ordered.push(...others.slice(index, index + 1));
	}
	return ordered;
}
