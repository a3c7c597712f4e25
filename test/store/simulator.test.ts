import assert from "node:assert/strict";
import { MongoClient } from "mongodb";
import { CLIENT_OPTIONS, openStore } from "../../src/store/connect.ts";
import {
	type AppendRequest,
	type AppendResult,
	type InvoiceStore,
	type StoredInvoice,
	StoreUnavailable,
} from "../../src/store/store.ts";
import { openStoreDatabase, type StoreDatabase } from "./database.ts";
import { checkedDraft, requestDigest } from "./drafts.ts";
import {
	type FaultyNetwork,
	seededRandom,
	startFaultyNetwork,
} from "./faulty-network.ts";
import { assertSound } from "./sound.ts";

/** Set SIMULATOR_SEED to repeat a schedule, SIMULATOR_ROUNDS to try more of them. */
const SEED = Number(
	process.env.SIMULATOR_SEED ?? Math.floor(Math.random() * 2 ** 31),
);
const ROUNDS = Number(process.env.SIMULATOR_ROUNDS ?? 1);

const CALLERS = 10;
const REQUESTS_PER_CALLER = 6;
const SERIES = ["RE-2026", "GS-2026"];
const RATES = {
	lost: 0.01,
	unanswered: 0.02,
	late: 0.01,
	delayed: 0.02,
	parted: 0.02,
};
const CLOCK_JUMP_MS_MAX = 3_600_000;
/** Each instance's patience: one gives up while it does not know what became of a commit, one hardly ever. */
const APPEND_MS_MAX = [150, 800, 3000];

/** Tries of a request in the calm; an impatient instance may need some. */
const CALM_TRIES_MAX = 50;

interface Instance {
	store: InvoiceStore;
	client: MongoClient;
	network: FaultyNetwork;
}

/** What became of one call. */
interface Answer {
	request: AppendRequest;
	/** Absent where the store was unavailable. */
	result?: AppendResult;
	unavailable?: StoreUnavailable;
}

describe(`the append protocol under faults (SIMULATOR_SEED=${SEED})`, () => {
	for (let round = 0; round < ROUNDS; round += 1) {
		const seed = SEED + round;
		it(`keeps its promises whatever is cut, lost, late or delayed, and however clocks jump: seed ${seed}`, async () => {
			const database = await openStoreDatabase();
			try {
				await simulate(database, seededRandom(seed));
			} finally {
				await database.drop();
			}
		});
	}
});

async function simulate(
	database: StoreDatabase,
	random: () => number,
): Promise<void> {
	const instances = await Promise.all(
		APPEND_MS_MAX.map((patience_ms) =>
			openInstance(database, random, patience_ms),
		),
	);
	const answers: Answer[] = [];
	const call = async (request: AppendRequest): Promise<Answer> => {
		const instance = instances[
			Math.floor(random() * instances.length)
		] as Instance;
		const answer: Answer = { request };
		try {
			answer.result = await instance.store.append(request);
		} catch (error) {
			if (!(error instanceof StoreUnavailable)) {
				throw error;
			}
			answer.unavailable = error;
		}
		answers.push(answer);
		return answer;
	};
	try {
		await Promise.all(
			Array.from({ length: CALLERS }, async (_, caller) => {
				for (let turn = 0; turn < REQUESTS_PER_CALLER; turn += 1) {
					const request = randomRequest(random, `${caller}-${turn}`);
					const racing = request.idempotency !== undefined && random() < 0.3;
					const [first] = await Promise.all([
						call(request),
						...(racing ? [call(request)] : []),
					]);
					if (first.result === undefined && request.idempotency) {
						await call(request);
					}
				}
			}),
		);
		for (const { network } of instances) {
			network.calm();
		}
		// Each caller comes to an end in the calm.
		const pending = new Map(
			answers.map(({ request }) => [request.idempotency?.key, request]),
		);
		await Promise.all(
			[...pending.values()].map(async (request) => {
				if (request.idempotency === undefined) {
					return;
				}
				for (let tries = 0; (await call(request)).result === undefined; ) {
					tries += 1;
					assert.ok(tries < CALM_TRIES_MAX, "the calm network serves");
				}
			}),
		);
		await assertPromises(database, answers);
		const faults = instances.flatMap(({ network }) =>
			Object.values(network.faults),
		);
		assert.ok(
			faults.reduce((sum, count) => sum + count, 0) >= 10,
			"the network was faulty",
		);
	} finally {
		await Promise.all(instances.map(({ store }) => store.close()));
		await Promise.all(instances.map(({ client }) => client.close()));
		await Promise.all(instances.map(({ network }) => network.close()));
	}
}

async function openInstance(
	{ serviceUri, admin }: StoreDatabase,
	random: () => number,
	appendMsMax: number,
): Promise<Instance> {
	const serverPort = Number(/:([0-9]+)\//.exec(serviceUri)?.[1]);
	const network = await startFaultyNetwork(serverPort, RATES, random);
	const client = new MongoClient(
		serviceUri.replace(`:${serverPort}/`, `:${network.port}/`),
		{
			...CLIENT_OPTIONS,
			// Otherwise the driver would go to the server itself.
			directConnection: true,
			// Shorter than the network is parted, so that commits stay unanswered.
			serverSelectionTimeoutMS: 200,
			minHeartbeatFrequencyMS: 50,
		},
	);
	let offset_ms = 0;
	const store = openStore(client, admin.databaseName, {
		now() {
			if (random() < 0.1) {
				offset_ms = (random() - 0.5) * CLOCK_JUMP_MS_MAX;
			}
			return Date.now() + offset_ms;
		},
		limits: { appendMsMax, batchCountMax: 8 },
	});
	return { store, client, network };
}

function randomRequest(random: () => number, name: string): AppendRequest {
	const pick = (count: number) => Math.floor(random() * count);
	return {
		checked: checkedDraft(pick(100), {
			series: SERIES[pick(SERIES.length)] as string,
			loginName: `kunde-${pick(5)}`,
		}),
		...(random() < 0.8
			? { idempotency: { key: name, requestDigest: requestDigest(name) } }
			: {}),
		...(random() < 0.15
			? { reservations: [`cancellation:RE-2025-00000${1 + pick(4)}`] }
			: {}),
	};
}

async function assertPromises(
	{ collections }: StoreDatabase,
	answers: readonly Answer[],
): Promise<void> {
	const invoices: StoredInvoice[] = [];
	/** Numbers by who got them: an idempotency key, or a call without one. */
	const owners = new Map<string, string>();
	const numbers = new Map<string, string>();
	const created = new Map<string, number>();
	for (const [index, { request, result }] of answers.entries()) {
		const owner = request.idempotency?.key ?? `call ${index}`;
		assert.notEqual(result?.outcome, "keyReused");
		if (result?.outcome === "created" || result?.outcome === "replayed") {
			const { invoice } = result;
			invoices.push(invoice);
			assert.equal(
				owners.get(invoice.number) ?? owner,
				owner,
				`${invoice.number} was given to two`,
			);
			owners.set(invoice.number, owner);
			assert.equal(
				numbers.get(owner) ?? invoice.number,
				invoice.number,
				`${owner} got two numbers`,
			);
			numbers.set(owner, invoice.number);
			if (result.outcome === "created") {
				created.set(owner, (created.get(owner) ?? 0) + 1);
				assert.equal(created.get(owner), 1, `${owner} was created twice`);
			}
		}
	}
	await assertSound(collections, invoices);

	// What nobody was told of is only what a caller without a key could not be told; and he was told so.
	const untold = answers.filter(
		({ request, unavailable }) =>
			request.idempotency === undefined &&
			unavailable !== undefined &&
			!/nothing was/.test(unavailable.message),
	).length;
	const stored = await collections.invoices.countDocuments();
	assert.ok(
		stored >= owners.size && stored <= owners.size + untold,
		`${stored} stored, ${owners.size} told of, ${untold} unavailable without a key`,
	);

	for (const key of await collections.idempotencyKeys.find().toArray()) {
		if (key.requestDigest === undefined) {
			const holders = answers.filter(
				({ request, result }) =>
					result?.outcome === "created" &&
					request.reservations?.includes(key._id),
			);
			assert.ok(holders.length <= 1, `${key._id} was given twice`);
		}
	}
}
