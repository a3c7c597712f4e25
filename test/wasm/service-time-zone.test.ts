/** The issue date inside WasmEdge, which has no time zones of its own: the day in TIME_ZONE, as Node reckons it. */
import assert from "node:assert/strict";
import { CAR_SHARING_DRAFT } from "../../src/http/examples.ts";
import type { Snapshot } from "../../src/invoice/snapshot.ts";
import { openStoreDatabase, type StoreDatabase } from "../store/database.ts";
import { buildWasmService, launchService } from "./launched-service.ts";

/** These two are 25 hours apart: there is no moment at which both have the same day. */
const ZONES = ["Pacific/Kiritimati", "Pacific/Pago_Pago"];

describe("the service inside WasmEdge in its time zone", function () {
	this.timeout(60_000);

	let database: StoreDatabase;
	before(async function () {
		this.timeout(600_000);
		await buildWasmService();
		database = await openStoreDatabase();
	});
	after(() => database.drop());

	it("dates an invoice that names no day by TIME_ZONE", async () => {
		const dayIn = (timeZone: string) =>
			new Intl.DateTimeFormat("sv-SE", { timeZone }).format(new Date());
		const { issueDate: _, ...draft } = CAR_SHARING_DRAFT;
		const delivery = { period: { start: "2020-01-01", end: "2020-01-31" } };
		const days: string[] = [];
		for (const timeZone of ZONES) {
			const service = await launchService({
				MONGODB_URI: database.serviceUri,
				MONGODB_DATABASE: database.admin.databaseName,
				TIME_ZONE: timeZone,
			});
			const before = dayIn(timeZone);
			const answer = await fetch(`${service.url}/invoices/check`, {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify({ ...draft, delivery }),
			});
			const { issueDate } = (await answer.json()) as Snapshot;
			// Midnight may have been between the two.
			assert.ok([before, dayIn(timeZone)].includes(issueDate), issueDate);
			days.push(issueDate);
			assert.equal(await service.end(), 0);
		}
		assert.notEqual(days[0], days[1]);
	});
});
