import assert from "node:assert/strict";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { goldenDrafts } from "../golden.ts";
import { openTestService, problemOf, type TestService } from "./service.ts";

const DRAFT = goldenDrafts().find(({ name }) => name === "car-sharing-380")
	?.draft as object;

const KINDERSITZ = {
	reason: "Der Kindersitz war nicht im Fahrzeug.",
	lines: [{ id: "2" }],
};

describe("Corrections of an invoice", () => {
	let service: TestService;
	before(async () => {
		service = await openTestService();
	});
	after(() => service.drop());

	/** Issues an invoice and returns its address. */
	async function issued(): Promise<string> {
		const answer = await service.post("/invoices", DRAFT);
		return answer.headers.get("location") ?? "";
	}

	async function created(answer: Response): Promise<Snapshot> {
		assert.equal(answer.status, 201, await answer.clone().text());
		return (await answer.json()) as Snapshot;
	}

	it("a cancellation takes everything back under a number of its own, and refers to the original", async () => {
		const address = await issued();
		const answer = await service.post(`${address}/cancellation`, {
			reason: "Buchung 4711 wurde nicht angetreten.",
			series: "ST-2026",
		});
		const cancellation = await created(answer);
		assert.equal(cancellation.number, "ST-2026-000001");
		assert.equal(answer.headers.get("location"), "/invoices/ST-2026-000001");
		assert.equal(cancellation.totals.payable, "-175.17");
		assert.deepEqual(cancellation.precedingInvoices, [
			{ number: address.slice("/invoices/".length), date: "2026-11-24" },
		]);
		const pdf = await service.fetch("/invoices/ST-2026-000001.pdf");
		assert.equal(
			pdf.headers.get("content-disposition"),
			'inline; filename="Stornorechnung ST-2026-000001.pdf"',
		);
	});

	it("a cancellation needs no body", async () => {
		const address = await issued();
		const answer = await service.fetch(`${address}/cancellation`, {
			method: "POST",
		});
		assert.equal((await created(answer)).cancellation, true);
	});

	it("an invoice is cancelled once: the second attempt learns by which document", async () => {
		const address = await issued();
		const first = await created(
			await service.post(`${address}/cancellation`, {}),
		);
		for (const [kind, body] of [
			["cancellation", {}],
			["correction", KINDERSITZ],
		] as const) {
			const answer = await service.post(`${address}/${kind}`, body);
			assert.equal(answer.status, 409);
			const problem = await problemOf(answer);
			assert.equal(problem.type, "/problems/cancelled");
			assert.equal(problem.document, `/invoices/${first.number}`);
			assert.ok(problem.detail.includes(first.number));
		}
	});

	it("a corrected invoice is not cancelled, but the rest of it is credited", async () => {
		const address = await issued();
		const correction = await created(
			await service.post(`${address}/correction`, KINDERSITZ),
		);
		assert.equal(correction.totals.payable, "8.93");
		const refused = await service.post(`${address}/cancellation`, {});
		assert.equal(refused.status, 409);
		const problem = await problemOf(refused);
		assert.equal(problem.type, "/problems/corrected");
		assert.equal(problem.document, `/invoices/${correction.number}`);
		const rest = await created(
			await service.post(`${address}/correction`, {
				reason: "Auch die Fahrt entfiel.",
				lines: [{ id: "1" }],
			}),
		);
		assert.equal(rest.totals.payable, "166.24");
	});

	it("corrections never exceed the invoice: a line is credited once", async () => {
		const address = await issued();
		await created(await service.post(`${address}/correction`, KINDERSITZ));
		const problem = await problemOf(
			await service.post(`${address}/correction`, KINDERSITZ),
		);
		assert.equal(problem.type, "/problems/invalid-draft");
		assert.ok(
			problem.violations?.some(
				({ pointer, rule }) =>
					pointer === "/lines/0" && rule === "correction-limit",
			),
		);
	});

	it("of cancellations that race each other one wins", async () => {
		const address = await issued();
		const answers = await Promise.all(
			Array.from({ length: 6 }, () =>
				service.post(`${address}/cancellation`, {}),
			),
		);
		const statuses = answers.map(({ status }) => status).sort();
		assert.deepEqual(statuses, [201, 409, 409, 409, 409, 409]);
	});

	it("of corrections of the same line that race each other one wins, the others are told why", async () => {
		const address = await issued();
		const answers = await Promise.all(
			Array.from({ length: 6 }, () =>
				service.post(`${address}/correction`, KINDERSITZ),
			),
		);
		const statuses = answers.map(({ status }) => status).sort();
		assert.deepEqual(statuses, [201, 422, 422, 422, 422, 422]);
	});

	it("a cancellation and a correction that race each other do not both happen", async () => {
		for (let round = 0; round < 5; round += 1) {
			const address = await issued();
			const answers = await Promise.all([
				service.post(`${address}/correction`, KINDERSITZ),
				service.post(`${address}/cancellation`, {}),
			]);
			const statuses = answers.map(({ status }) => status).sort();
			assert.deepEqual(statuses, [201, 409]);
		}
	});

	it("a retry with the same key gives the same cancellation", async () => {
		const address = await issued();
		const headers = { "Idempotency-Key": "storno-4711" };
		const first = await service.post(`${address}/cancellation`, {}, headers);
		const second = await service.post(`${address}/cancellation`, {}, headers);
		assert.deepEqual([first.status, second.status], [201, 200]);
		assert.equal(await first.text(), await second.text());
	});

	it("a correction is not corrected", async () => {
		const address = await issued();
		const { number } = await created(
			await service.post(`${address}/cancellation`, {}),
		);
		const problem = await problemOf(
			await service.post(`/invoices/${number}/cancellation`, {}),
		);
		assert.equal(problem.status, 422);
		assert.equal(problem.violations?.[0]?.rule, "correction-of-correction");
	});

	it("names every fault of a correction", async () => {
		const address = await issued();
		const problem = await problemOf(
			await service.post(`${address}/correction`, {
				lines: [{ id: "9" }],
				because: "x",
			}),
		);
		assert.deepEqual(problem.violations?.map(({ pointer }) => pointer).sort(), [
			"/because",
			"/reason",
		]);
	});

	it("answers 404 where there is no such invoice", async () => {
		for (const number of ["RE-2026-999999", "nonsense"]) {
			for (const kind of ["cancellation", "correction"]) {
				const answer = await service.post(
					`/invoices/${number}/${kind}`,
					KINDERSITZ,
				);
				assert.equal(answer.status, 404);
			}
		}
	});
});
