import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { openTestService, type TestService } from "./service.ts";

interface Example {
	title: string;
	status: number;
	name: string | undefined;
	method: string;
	target: string;
	headers: [string, string][];
	body: string;
}

/** Reads the requests of an .http file. */
function readExamples(path: string): Example[] {
	const [, ...parts] = readFileSync(path, "utf8").split(/^### /m);
	return parts.map((part) => {
		const [head = "", ...body] = part.trimEnd().split("\n\n");
		const [title = "", ...lines] = head.split("\n");
		const comments = lines.filter((line) => line.startsWith("# "));
		const [request = "", ...headers] = lines.filter(
			(line) => !line.startsWith("# "),
		);
		const [method = "", target = ""] = request.split(" ");
		return {
			title,
			status: Number(comments.find((line) => /^# \d+$/.test(line))?.slice(2)),
			name: comments
				.find((line) => line.startsWith("# @name "))
				?.slice("# @name ".length),
			method,
			target,
			headers: headers.map((line) => {
				const [name = "", value = ""] = line.split(": ");
				return [name, value];
			}),
			body: body.join("\n\n").trim(),
		};
	});
}

describe("The examples of test/http/examples.http", () => {
	const examples = readExamples("test/http/examples.http");
	const answers = new Map<string, Response>();
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	const filled = (text: string) =>
		text
			.replace("{{host}}", "http://127.0.0.1:8000")
			.replace(
				/\{\{(\w+)\.response\.headers\.([\w-]+)\}\}/g,
				(_, name: string, header: string) =>
					answers.get(name)?.headers.get(header) ?? "missing",
			);

	for (const {
		title,
		status,
		name,
		method,
		target,
		headers,
		body,
	} of examples) {
		it(`${title} ${status}`, async () => {
			const answer = await service.fetch(filled(target), {
				method,
				headers: headers.map(([name, value]): [string, string] => [
					name,
					filled(value),
				]),
				...(body === "" ? {} : { body }),
			});
			assert.equal(answer.status, status, await answer.clone().text());
			if (name !== undefined) {
				answers.set(name, answer);
			}
		});
	}

	it("there is one for every route", async () => {
		const { paths } = (await (await service.fetch("/openapi.json")).json()) as {
			paths: Record<string, Record<string, unknown>>;
		};
		for (const [path, item] of Object.entries(paths)) {
			const pattern = new RegExp(
				`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/.]+(\\.\\w+)*?")}(\\?.*)?$`,
			);
			for (const method of Object.keys(item)) {
				assert.ok(
					examples.some(
						(example) =>
							example.method === method.toUpperCase() &&
							pattern.test(
								filled(example.target).replace("http://127.0.0.1:8000", ""),
							),
					),
					`${method} ${path}`,
				);
			}
		}
	});
});
