import assert from "node:assert/strict";
import { canonicalBytes, sha256Hex } from "../../src/invoice/digest.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { goldenDrafts } from "../golden.ts";
import { openTestService, problemOf, type TestService } from "./service.ts";

const drafts = new Map(goldenDrafts().map(({ name, draft }) => [name, draft]));

function draft(name = "car-sharing-380"): Record<string, unknown> {
	return structuredClone(drafts.get(name)) as Record<string, unknown>;
}

describe("POST /invoices", () => {
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	it("answers 201 with the address and the canonical record, whose digest is the entity tag", async () => {
		const answer = await service.post("/invoices", draft());
		assert.equal(answer.status, 201);
		const bytes = new Uint8Array(await answer.arrayBuffer());
		const invoice = JSON.parse(new TextDecoder().decode(bytes)) as Snapshot;
		assert.equal(invoice.number, "RE-2026-000001");
		assert.equal(invoice.totals.payable, "175.17");
		assert.equal(answer.headers.get("location"), "/invoices/RE-2026-000001");
		assert.equal(answer.headers.get("content-type"), "application/json");
		assert.equal(answer.headers.get("etag"), `"${sha256Hex(bytes)}"`);
		const repr = Buffer.from(sha256Hex(bytes), "hex").toString("base64");
		assert.equal(answer.headers.get("repr-digest"), `sha-256=:${repr}:`);
		assert.deepEqual(canonicalBytes(invoice), bytes);
	});

	for (const name of drafts.keys()) {
		it(`stores ${name} and gives the same bytes back, and a PDF`, async () => {
			const created = await service.post("/invoices", draft(name));
			assert.equal(created.status, 201, await created.clone().text());
			const location = created.headers.get("location") ?? "";
			const json = await service.fetch(location);
			assert.equal(json.status, 200);
			assert.equal(await json.text(), await created.text());
			assert.equal(json.headers.get("etag"), created.headers.get("etag"));
			const pdf = await service.fetch(`${location}.pdf`);
			assert.equal(pdf.status, 200);
			assert.equal(pdf.headers.get("content-type"), "application/pdf");
			const bytes = new Uint8Array(await pdf.arrayBuffer());
			assert.equal(new TextDecoder().decode(bytes.subarray(0, 5)), "%PDF-");
		});
	}

	it("names all faults at once, uses no number and stores nothing", async () => {
		const next = async () => {
			const answer = await service.post("/invoices", {
				...draft(),
				series: "FAULTS",
			});
			return ((await answer.json()) as Snapshot).sequence;
		};
		assert.equal(await next(), 1);
		const faulty = {
			...(draft() as { buyer?: object; lines?: object[] }),
			series: "FAULTS",
			colour: "red",
		};
		Object.assign(faulty.buyer ?? {}, { address: { country: "Germany" } });
		Object.assign(faulty.lines?.[1] ?? {}, { price: 7.5 });
		const answer = await service.post("/invoices", faulty);
		assert.equal(answer.status, 422);
		const problem = await problemOf(answer);
		assert.equal(problem.type, "/problems/invalid-draft");
		const pointers = problem.violations?.map(({ pointer }) => pointer) ?? [];
		for (const pointer of [
			"/colour",
			"/buyer/address/country",
			"/buyer/address/city",
			"/lines/1/price",
		]) {
			assert.ok(pointers.includes(pointer), `${pointer} in ${pointers}`);
		}
		const city = problem.violations?.find(
			({ pointer }) => pointer === "/buyer/address/city",
		);
		assert.equal(city?.term, "BT-52");
		assert.match(city?.source ?? "", /§ 14 \(4\)/);
		assert.equal(await next(), 2);
	});

	it("refuses a character that the documents' font lacks, and a template that is not there", async () => {
		const answer = await service.post("/invoices", {
			...draft(),
			template: { name: "leaflet", version: 7 },
			notes: [{ text: "谢谢" }],
		});
		const { violations } = await problemOf(answer);
		assert.deepEqual(
			violations?.map(({ pointer, rule }) => [pointer, rule]).sort(),
			[
				["/notes/0/text", "printable"],
				["/template", "template"],
			],
		);
	});

	it("refuses a correction of an invoice of ours: it has an address of its own", async () => {
		const created = await service.post("/invoices", draft());
		const { number } = (await created.json()) as Snapshot;
		const correction = {
			...draft(),
			type: "381",
			precedingInvoices: [
				{ number: "FREMD-77", date: "2026-11-01" },
				{ number, date: "2026-11-24" },
			],
		};
		const problem = await problemOf(
			await service.post("/invoices", correction),
		);
		assert.deepEqual(
			problem.violations?.map(({ pointer, rule }) => [pointer, rule]),
			[["/precedingInvoices/1/number", "correction-address"]],
		);
		correction.precedingInvoices.pop();
		const foreign = await service.post("/invoices", correction);
		assert.equal(foreign.status, 201, await foreign.clone().text());
	});
});

describe("POST /invoices/check", () => {
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	it("answers the amounts that the invoice would have, and stores nothing", async () => {
		const checked = await service.post("/invoices/check", draft());
		assert.equal(checked.status, 200);
		const preview = (await checked.json()) as Snapshot;
		const created = await service.post("/invoices", draft());
		const invoice = (await created.json()) as Snapshot;
		assert.equal(invoice.sequence, 1);
		assert.deepEqual(preview.totals, invoice.totals);
		assert.deepEqual(preview.lines, invoice.lines);
		assert.deepEqual(preview.vatBreakdown, invoice.vatBreakdown);
		assert.equal(preview.series, "RE-2026");
		assert.ok(!("number" in preview));
	});

	it("answers the problem that creating would meet", async () => {
		const faulty = { ...draft(), buyer: {} };
		const checked = await problemOf(
			await service.post("/invoices/check", faulty),
		);
		const created = await problemOf(await service.post("/invoices", faulty));
		assert.deepEqual(
			{ ...checked, instance: "" },
			{ ...created, instance: "" },
		);
		assert.equal(checked.status, 422);
	});
});

describe("Idempotency-Key", () => {
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	const key = (value: string) => ({ "Idempotency-Key": value });

	it("gives the first answer again, with 200", async () => {
		const first = await service.post("/invoices", draft(), key("booking-4711"));
		const second = await service.post(
			"/invoices",
			draft(),
			key("booking-4711"),
		);
		assert.deepEqual([first.status, second.status], [201, 200]);
		assert.equal(await first.text(), await second.text());
		for (const name of ["etag", "location", "repr-digest", "content-type"]) {
			assert.equal(second.headers.get(name), first.headers.get(name), name);
		}
	});

	it("means the body's content: the order of its members does not matter", async () => {
		const first = await service.post("/invoices", draft(), key("order"));
		const reversed = Object.fromEntries(Object.entries(draft()).reverse());
		const second = await service.post("/invoices", reversed, key("order"));
		assert.equal(second.status, 200);
		assert.equal(await first.text(), await second.text());
	});

	it("is refused for another body, and names the invoice", async () => {
		const first = await service.post("/invoices", draft(), key("reused"));
		const other = { ...draft(), notes: [{ text: "Danke." }] };
		const second = await service.post("/invoices", other, key("reused"));
		assert.equal(second.status, 422);
		const problem = await problemOf(second);
		assert.equal(problem.type, "/problems/idempotency-key-reused");
		assert.equal(problem.document, first.headers.get("location"));
	});

	it("is refused for another address", async () => {
		const first = await service.post("/invoices", draft(), key("address"));
		const address = `${first.headers.get("location")}/cancellation`;
		const problem = await problemOf(
			await service.post(address, draft(), key("address")),
		);
		assert.equal(problem.type, "/problems/idempotency-key-reused");
	});

	it("gives one invoice when retries race each other", async () => {
		const answers = await Promise.all(
			Array.from({ length: 8 }, () =>
				service.post("/invoices", draft(), key("race")),
			),
		);
		const statuses = answers.map(({ status }) => status).sort();
		assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
		const texts = await Promise.all(answers.map((answer) => answer.text()));
		assert.equal(new Set(texts).size, 1);
	});

	it("answers a replay although today's checks would refuse the draft", async () => {
		await service.post("/invoices", draft(), key("stricter"));
		const stricter = service.with({
			renderer: { ...service.services.renderer, hasTemplate: () => false },
		});
		const refused = await stricter.post("/invoices", draft(), key("new"));
		assert.equal(refused.status, 422);
		const replayed = await stricter.post("/invoices", draft(), key("stricter"));
		assert.equal(replayed.status, 200);
	});

	for (const [what, value] of [
		["empty", ""],
		["with a space", "a b"],
		["too long", "x".repeat(256)],
		["not ASCII", "ä"],
	] as const) {
		it(`is refused where it is ${what}`, async () => {
			const problem = await problemOf(
				await service.post("/invoices", draft(), key(value)),
			);
			assert.equal(problem.type, "/problems/invalid-header");
			assert.equal(problem.status, 400);
		});
	}
});

describe("GET /invoices/{number}", () => {
	let service: TestService;
	let location: string;
	let entityTag: string;
	before(async () => {
		service = await openTestService();
		const created = await service.post("/invoices", draft());
		location = created.headers.get("location") ?? "";
		entityTag = created.headers.get("etag") ?? "";
	});
	after(() => service.drop());

	for (const [accept, suffix, type] of [
		[undefined, "", "application/json"],
		["*/*", "", "application/json"],
		["application/*", "", "application/json"],
		["application/pdf", "", "application/pdf"],
		["application/pdf, application/json;q=0.9", "", "application/pdf"],
		["application/json;q=0.5, application/pdf;q=0.6", "", "application/pdf"],
		["application/json;q=0, */*;q=0.1", "", "application/pdf"],
		["text/html, application/xhtml+xml, */*;q=0.8", "", "application/json"],
		["application/pdf", ".json", "application/json"],
		["text/html", ".pdf", "application/pdf"],
		["application/pdf;q=1.5", "", "application/pdf"],
	] as const) {
		it(`answers ${type} to ${suffix === "" ? "" : `${suffix} with `}Accept: ${accept ?? "nothing"}`, async () => {
			const answer = await service.fetch(location + suffix, {
				headers: accept === undefined ? {} : { Accept: accept },
			});
			assert.equal(answer.status, 200);
			assert.equal(answer.headers.get("content-type"), type);
			assert.equal(
				answer.headers.get("vary"),
				suffix === "" ? "Accept, Authorization" : "Authorization",
			);
			assert.equal(
				answer.headers.get("content-location"),
				suffix === ""
					? `${location}.${type === "application/pdf" ? "pdf" : "json"}`
					: null,
			);
			assert.equal(
				answer.headers.get("cache-control"),
				"private, immutable, max-age=31536000",
			);
		});
	}

	for (const accept of [
		"text/html",
		"application/xml, image/*",
		"application/json;q=0, application/pdf;q=0",
	]) {
		it(`answers 406 with what there is to Accept: ${accept}`, async () => {
			const problem = await problemOf(
				await service.fetch(location, { headers: { Accept: accept } }),
			);
			assert.equal(problem.status, 406);
			assert.match(problem.detail, /application\/json, application\/pdf/);
		});
	}

	it("names the file of the PDF after title and number", async () => {
		const answer = await service.fetch(`${location}.pdf`);
		assert.equal(
			answer.headers.get("content-disposition"),
			'inline; filename="Rechnung RE-2026-000001.pdf"',
		);
	});

	it("answers 304 to a matching If-None-Match, for each representation its own", async () => {
		const pdf = await service.fetch(`${location}.pdf`, { method: "HEAD" });
		const pdfTag = pdf.headers.get("etag") ?? "";
		assert.match(pdfTag, /^"[0-9a-f]{64}"$/);
		assert.notEqual(pdfTag, entityTag);
		for (const [suffix, ifNoneMatch, status] of [
			[".json", entityTag, 304],
			[".json", `W/${entityTag}`, 304],
			[".json", `"other", ${entityTag}`, 304],
			[".json", "*", 304],
			[".json", pdfTag, 200],
			[".json", entityTag.replaceAll('"', ""), 200],
			[".pdf", pdfTag, 304],
			[".pdf", entityTag, 200],
		] as const) {
			const answer = await service.fetch(location + suffix, {
				headers: { "If-None-Match": ifNoneMatch },
			});
			assert.equal(answer.status, status, `${suffix} ${ifNoneMatch}`);
			assert.equal(
				answer.headers.get("etag"),
				suffix === ".pdf" ? pdfTag : entityTag,
			);
			assert.equal(
				answer.headers.get("cache-control"),
				"private, immutable, max-age=31536000",
			);
			if (status === 304) {
				assert.equal(await answer.text(), "");
			}
		}
	});

	it("answers 412 to an If-Match that does not match", async () => {
		for (const [ifMatch, status] of [
			[entityTag, 200],
			["*", 200],
			[`W/${entityTag}`, 412],
			['"other"', 412],
		] as const) {
			const answer = await service.fetch(location, {
				headers: { "If-Match": ifMatch },
			});
			assert.equal(answer.status, status, ifMatch);
		}
	});

	it("reads no snapshot and renders nothing for 304 and HEAD", async () => {
		const refuse = () => {
			throw new Error("must not be called");
		};
		const lean = service.with({
			store: { ...service.services.store, findInvoice: refuse },
			renderer: { ...service.services.renderer, render: refuse },
		});
		for (const suffix of [".json", ".pdf"]) {
			const head = await lean.fetch(location + suffix, { method: "HEAD" });
			assert.equal(head.status, 200);
			assert.equal(await head.text(), "");
			const notModified = await lean.fetch(location + suffix, {
				headers: { "If-None-Match": head.headers.get("etag") ?? "" },
			});
			assert.equal(notModified.status, 304);
			const get = await lean.fetch(location + suffix);
			assert.equal(get.status, 500);
		}
	});

	it("answers HEAD with the header fields of GET", async () => {
		for (const suffix of ["", ".json", ".pdf"]) {
			const get = await service.fetch(location + suffix);
			const head = await service.fetch(location + suffix, { method: "HEAD" });
			assert.equal(head.status, get.status);
			for (const name of ["content-type", "etag", "cache-control", "vary"]) {
				assert.equal(head.headers.get(name), get.headers.get(name), name);
			}
		}
	});

	it("answers 404 to numbers that are none, and to those that nobody has", async () => {
		for (const number of [
			"RE-2026-000002",
			"RE-2026-1",
			"re-2026-000001",
			"RE-2026-000001.xml",
			"RE-2026-000001.json.pdf",
			"..%2f..%2fetc%2fpasswd",
			"%00",
			"%",
		]) {
			const problem = await problemOf(
				await service.fetch(`/invoices/${number}`),
			);
			assert.equal(problem.status, 404, number);
		}
	});

	it("renders with another template when asked, under another entity tag", async () => {
		const own = await service.fetch(`${location}.pdf`);
		const asked = await service.fetch(`${location}.pdf?template=invoice/1`);
		assert.equal(asked.status, 200);
		assert.notEqual(asked.headers.get("etag"), own.headers.get("etag"));
		const negotiated = await service.fetch(`${location}?template=invoice/1`);
		assert.equal(negotiated.headers.get("content-type"), "application/pdf");
		assert.equal(
			negotiated.headers.get("content-location"),
			`${location}.pdf?template=invoice/1`,
		);
		for (const [path, pointer] of [
			[`${location}.pdf?template=leaflet/1`, "/template"],
			[`${location}.pdf?template=invoice`, "/template"],
			[`${location}.json?template=invoice/1`, "/template"],
			[`${location}.pdf?copy=yes`, "/copy"],
			[`${location}.pdf?template=invoice/1&template=invoice/1`, "/template"],
		] as const) {
			const problem = await problemOf(await service.fetch(path));
			assert.equal(problem.type, "/problems/invalid-query");
			assert.deepEqual(
				problem.violations?.map((violation) => violation.pointer),
				[pointer],
				path,
			);
		}
	});
});

describe("Lists of invoices", () => {
	let service: TestService;
	const numbers: string[] = [];
	before(async () => {
		service = await openTestService();
		for (let day = 1; day <= 7; day += 1) {
			const answer = await service.post("/invoices", {
				...draft(),
				issueDate: `2026-12-0${day}`,
				loginName: day % 2 === 0 ? "anna.schmidt" : "jörg/müller",
			});
			assert.equal(answer.status, 201, await answer.clone().text());
			numbers.push(((await answer.json()) as Snapshot).number);
		}
	});
	after(() => service.drop());

	async function pages(path: string): Promise<string[][]> {
		const all: string[][] = [];
		let next: string | undefined = path;
		while (next !== undefined) {
			const answer = await service.fetch(next);
			assert.equal(answer.status, 200, next);
			const text = await answer.text();
			const { invoices } = JSON.parse(text) as { invoices: Snapshot[] };
			assert.ok(
				invoices.every((invoice) =>
					text.includes(new TextDecoder().decode(canonicalBytes(invoice))),
				),
				"the canonical texts are in the list as they are",
			);
			all.push(invoices.map(({ number }) => number));
			const link = answer.headers.get("link");
			next = link?.match(/^<([^>]+)>; rel="next"$/)?.[1];
			assert.equal(link === null, next === undefined);
		}
		return all;
	}

	it("lists a customer's invoices, newest first, in pages", async () => {
		const own = numbers.filter((_, index) => index % 2 === 0).reverse();
		const path = `/customers/${encodeURIComponent("jörg/müller")}/invoices`;
		assert.deepEqual(await pages(path), [own]);
		assert.deepEqual(await pages(`${path}?limit=3`), [
			own.slice(0, 3),
			own.slice(3),
		]);
	});

	it("finds a customer whose name arrives in another Unicode form", async () => {
		const decomposed = encodeURIComponent("jörg/müller".normalize("NFD"));
		const [page] = await pages(`/customers/${decomposed}/invoices`);
		assert.equal(page?.length, 4);
	});

	it("lists nothing for a customer without invoices", async () => {
		assert.deepEqual(await pages("/customers/nobody/invoices"), [[]]);
	});

	it("lists by issue date, both ends included, in pages", async () => {
		const path = "/invoices?from=2026-12-02&to=2026-12-06";
		assert.deepEqual((await pages(path)).flat(), numbers.slice(1, 6));
		assert.deepEqual(
			(await pages(`${path}&limit=2&series=RE-2026`)).map(
				(page) => page.length,
			),
			[2, 2, 1],
		);
		assert.deepEqual(await pages(`${path}&series=OTHER`), [[]]);
	});

	for (const [path, ...pointers] of [
		["/invoices", "/from", "/to"],
		["/invoices?from=2026-12-01", "/to"],
		["/invoices?from=2026-02-30&to=2026-12-01", "/from"],
		["/invoices?from=2026-12-02&to=2026-12-01", "/to"],
		["/invoices?from=2026-12-01&to=2026-12-02&limit=0", "/limit"],
		["/invoices?from=2026-12-01&to=2026-12-02&limit=101", "/limit"],
		["/invoices?from=2026-12-01&to=2026-12-02&limit=ten", "/limit"],
		["/invoices?from=2026-12-01&to=2026-12-02&after=nonsense", "/after"],
		["/invoices?from=2026-12-01&to=2026-12-02&sort=asc", "/sort"],
		["/customers/anna.schmidt/invoices?from=2026-12-01", "/from"],
		["/customers/anna.schmidt/invoices?after=%7B%7D", "/after"],
	] as const) {
		it(`refuses ${path} and names ${pointers.join(", ")}`, async () => {
			const problem = await problemOf(await service.fetch(path));
			assert.equal(problem.type, "/problems/invalid-query");
			assert.deepEqual(
				problem.violations?.map(({ pointer }) => pointer).sort(),
				pointers,
			);
		});
	}
});
