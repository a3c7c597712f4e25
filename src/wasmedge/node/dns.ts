/** `dns` for the MongoDB driver: addresses of names. Records of other kinds cannot be asked for. */
import { addressesOf } from "../addresses.ts";
import { queueTick } from "../loop.ts";

interface LookupOptions {
	all?: boolean;
	family?: 0 | 4 | 6 | "IPv4" | "IPv6";
}

interface LookupAddress {
	address: string;
	family: number;
}

type LookupCallback = (
	error: Error | null,
	address?: string | LookupAddress[],
	family?: number,
) => void;

/** The first address of a name, or all of them. */
export function lookup(
	name: string,
	options: LookupOptions | LookupCallback,
	callback?: LookupCallback,
): void {
	const done = typeof options === "function" ? options : callback;
	if (done === undefined) {
		throw new TypeError("A lookup calls back; it was given no function.");
	}
	const wanted = typeof options === "function" ? {} : options;
	queueTick(() => {
		let found: LookupAddress[];
		try {
			found = find(name, wanted);
		} catch (error) {
			done(error as Error);
			return;
		}
		if (wanted.all) {
			done(null, found);
		} else {
			const [first] = found;
			done(null, first?.address, first?.family);
		}
	});
}

function find(name: string, { family = 0 }: LookupOptions): LookupAddress[] {
	const number =
		family === "IPv4" ? 4 : family === "IPv6" ? 6 : (family as number);
	const found = addressesOf(name).filter(
		(address) => number === 0 || address.family === number,
	);
	if (found.length === 0) {
		throw Object.assign(
			new Error(`getaddrinfo ENOTFOUND ${name}: the name has no such address.`),
			{ code: "ENOTFOUND", syscall: "getaddrinfo", hostname: name },
		);
	}
	return found.map((address) => ({
		address: address.address,
		family: address.family,
	}));
}

function unsupported(kind: string): (name: string) => Promise<never> {
	return async (name) => {
		throw Object.assign(
			new Error(
				`WasmEdge resolves addresses only, so the ${kind} records of ${name} cannot be read. Use mongodb://host1,host2/ with the hosts' own names instead of mongodb+srv://.`,
			),
			{ code: "ENOTIMP", syscall: `query${kind}`, hostname: name },
		);
	};
}

const resolveSrv = unsupported("SRV");
const resolveTxt = unsupported("TXT");
const resolveCname = unsupported("CNAME");
const resolvePtr = unsupported("PTR");

export const promises = {
	async lookup(name: string, options: LookupOptions = {}) {
		const found = find(name, options);
		return options.all ? found : found[0];
	},
	resolve: (name: string, kind: string) => unsupported(kind)(name),
	resolveSrv,
	resolveTxt,
	resolveCname,
	resolvePtr,
};
