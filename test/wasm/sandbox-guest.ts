/** What a program inside tries that it must not, and its faults: each by a request, below the launcher. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { startServer } from "../../src/wasmedge/http/server.ts";
import { startLoop } from "../../src/wasmedge/loop.ts";

/** The file's text, or the error's code. */
function read(path: string): string {
	return attempt(() => host.decodeUtf8(host.readFile(path), false));
}

function list(path: string): string {
	return attempt(() =>
		host
			.readFolder(path)
			.map(({ name }) => name)
			.sort()
			.join(" "),
	);
}

function attempt(action: () => string): string {
	try {
		return action();
	} catch (error) {
		return (error as HostError).code ?? String(error);
	}
}

const ACTIONS: Record<string, (path: string) => unknown> = {
	"/environment": () => host.environment(),
	"/functions": () => ({
		host: Object.getOwnPropertyNames(host),
		global: globalNames(),
	}),
	"/read": read,
	"/list": list,
	"/throw": () => {
		throw new Error("The handler fails.");
	},
	"/throw-later": async () => {
		await new Promise((settle) => setTimeout(settle, 1));
		throw new Error("The handler fails later.");
	},
	"/timer": () => {
		setTimeout(() => {
			throw new Error("The timer fails.");
		}, 1);
	},
	"/rejection": () => {
		setTimeout(() => {
			void Promise.reject(new Error("Nobody handles it."));
		}, 1);
	},
};

/** Of every global object, for one that would reach out of the sandbox. */
function globalNames(): string[] {
	return Object.getOwnPropertyNames(globalThis);
}

startLoop();
void startServer({
	async fetch({ url }) {
		const { pathname, searchParams } = new URL(url);
		const answer = await ACTIONS[pathname]?.(searchParams.get("path") ?? "");
		return Response.json(answer ?? "done");
	},
	host: "127.0.0.1",
	port: 0,
	onListenerEnded: () => host.exit(0),
});
