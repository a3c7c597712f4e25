/** The collections: one table of names, validators, indexes and shard keys that set-up, documentation and tests read. */
import type {
	Collection,
	CollectionOptions,
	Db,
	Document,
	IndexSpecification,
	ObjectId,
} from "mongodb";
import type { Snapshot } from "../invoice/snapshot.ts";

/** One invoice: the object to be queried, and the bytes that were hashed and are served. */
export interface InvoiceDocument {
	/** The number: a second insert of the same invoice cannot succeed on its shard. */
	_id: string;
	loginName: string;
	series: string;
	sequence: number;
	number: string;
	/** "2026-11-24". */
	issueDate: string;
	/** ISO 8601 in UTC with milliseconds. */
	issuedAt: string;
	/** SHA-256 of `canonical`, hexadecimal. */
	digest: string;
	invoice: Snapshot;
	/** `invoice` in canonical JSON (RFC 8785), UTF-8. */
	canonical: Uint8Array;
}

/** One entry of the register: what makes a number unique, and the link of the chain. */
export interface RegisterDocument {
	/** Made anew for every attempt to store, so that an attempt whose answer was lost can be recognised. */
	_id: ObjectId;
	series: string;
	sequence: number;
	number: string;
	loginName: string;
	digest: string;
	previous: string;
	chain: string;
	issuedAt: string;
}

/** What may happen once only: a request, or an event such as the full cancellation of an invoice. */
export interface KeyDocument {
	/** `REQUEST_KEY_PREFIX` and the caller's key; or the reserved key itself ("cancellation:RE-2026-000123"). */
	_id: string;
	/** Of requests only. */
	requestDigest?: string;
	/** The invoice that was made. */
	number: string;
}

/** Keeps callers' keys apart from reserved ones: no caller can take "cancellation:…". */
export const REQUEST_KEY_PREFIX = "request:";

/** Characters of an idempotency or reserved key. */
export const KEY_LENGTH_MAX = 512;

export interface IndexDefinition {
	name: string;
	key: Record<string, 1 | -1 | "hashed">;
	unique?: true;
	/** What it is for. */
	serves: string;
}

export interface CollectionDefinition {
	name: "invoices" | "invoiceNumbers" | "idempotencyKeys";
	/** What one document stands for. */
	documentPer: string;
	shardKey: Record<string, 1 | "hashed">;
	/** Whether the cluster itself keeps the shard key unique; a hashed one cannot be. */
	shardKeyUnique: boolean;
	/** Beside the index on `_id`. On mongos the shard key's index comes first of all. */
	indexes: readonly IndexDefinition[];
	validator: Document;
}

const DIGEST = { bsonType: "string", pattern: "^[0-9a-f]{64}$" };
const SERIES = {
	bsonType: "string",
	pattern: "^[A-Z0-9](?:[A-Z0-9-]{0,22}[A-Z0-9])?$",
};
const SEQUENCE = {
	bsonType: ["int", "long", "double"],
	minimum: 1,
	multipleOf: 1,
};
const NUMBER = {
	bsonType: "string",
	pattern:
		"^[A-Z0-9](?:[A-Z0-9-]{0,22}[A-Z0-9])?-(?:[0-9]{6}|[1-9][0-9]{6,14})$",
};
const LOGIN_NAME = { bsonType: "string", minLength: 1, maxLength: 100 };
const DAY = { bsonType: "string", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" };
const INSTANT = {
	bsonType: "string",
	pattern:
		"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$",
};

function closed(
	properties: Record<string, Document>,
	optional: readonly string[] = [],
): Document {
	return {
		bsonType: "object",
		additionalProperties: false,
		required: Object.keys(properties).filter(
			(name) => !optional.includes(name),
		),
		properties,
	};
}

/** Attributes of an invoice that stand beside the snapshot so that they can be indexed. */
export const INVOICE_ATTRIBUTES = [
	"loginName",
	"series",
	"sequence",
	"number",
	"issueDate",
	"issuedAt",
] as const;

/** The index that makes numbers unique; the head of a series is only ever read through it. */
export const REGISTER_INDEX = "series_sequence";
export const CUSTOMER_INDEX = "loginName_issuedAt_number";
export const DATE_INDEX = "issueDate_series_sequence";

export const COLLECTIONS: readonly CollectionDefinition[] = [
	{
		name: "invoices",
		documentPer: "invoice: the whole object and its canonical bytes",
		shardKey: { loginName: "hashed" },
		shardKeyUnique: false,
		indexes: [
			{
				name: CUSTOMER_INDEX,
				key: { loginName: 1, issuedAt: -1, number: -1 },
				serves: "a customer's invoices, newest first",
			},
			{
				name: DATE_INDEX,
				key: { issueDate: 1, series: 1, sequence: 1 },
				serves: "invoices by date, exports, the audit's search for orphans",
			},
		],
		validator: {
			$jsonSchema: closed({
				_id: NUMBER,
				loginName: LOGIN_NAME,
				series: SERIES,
				sequence: SEQUENCE,
				number: NUMBER,
				issueDate: DAY,
				issuedAt: INSTANT,
				digest: DIGEST,
				invoice: {
					bsonType: "object",
					required: [
						...INVOICE_ATTRIBUTES,
						"type",
						"currency",
						"language",
						"template",
						"seller",
						"lines",
						"vatBreakdown",
						"totals",
					],
				},
				canonical: { bsonType: "binData" },
			}),
			$expr: {
				$and: [
					{ $eq: ["$_id", "$number"] },
					...INVOICE_ATTRIBUTES.map((name) => ({
						$eq: [`$${name}`, `$invoice.${name}`],
					})),
				],
			},
		},
	},
	{
		name: "invoiceNumbers",
		documentPer: "invoice: its place in the series, its digest, the chain",
		shardKey: { series: 1, sequence: 1 },
		shardKeyUnique: true,
		indexes: [
			{
				name: REGISTER_INDEX,
				key: { series: 1, sequence: 1 },
				unique: true,
				serves: "unique numbers, the head of a series, reading by number",
			},
		],
		validator: {
			$jsonSchema: closed({
				_id: { bsonType: "objectId" },
				series: SERIES,
				sequence: SEQUENCE,
				number: NUMBER,
				loginName: LOGIN_NAME,
				digest: DIGEST,
				previous: DIGEST,
				chain: DIGEST,
				issuedAt: INSTANT,
			}),
		},
	},
	{
		name: "idempotencyKeys",
		documentPer: "request that had a key, and reserved event",
		shardKey: { _id: "hashed" },
		shardKeyUnique: false,
		indexes: [],
		validator: {
			$jsonSchema: closed(
				{
					_id: { bsonType: "string", minLength: 1, maxLength: KEY_LENGTH_MAX },
					requestDigest: DIGEST,
					number: NUMBER,
				},
				["requestDigest"],
			),
		},
	},
];

/** All that the service may do, on each of the collections. */
export const SERVICE_ACTIONS = ["find", "insert"] as const;

/** Name of the service's role, in the service's database. */
export const SERVICE_ROLE = "invoiceService";

/** What reads and writes share: nothing is seen or confirmed that a fail-over could take back. */
const COLLECTION_OPTIONS: CollectionOptions = {
	readConcern: { level: "majority" },
	readPreference: "primary",
	writeConcern: { w: "majority", journal: true },
	ignoreUndefined: true,
	// Bytes come as a view of what was received, not as an object around them.
	promoteBuffers: true,
};

/** The collections of a database, typed. */
export interface Collections {
	database: Db;
	invoices: Collection<InvoiceDocument>;
	invoiceNumbers: Collection<RegisterDocument>;
	idempotencyKeys: Collection<KeyDocument>;
}

export function collectionsOf(database: Db): Collections {
	return {
		database,
		invoices: database.collection<InvoiceDocument>(
			"invoices",
			COLLECTION_OPTIONS,
		),
		invoiceNumbers: database.collection<RegisterDocument>(
			"invoiceNumbers",
			COLLECTION_OPTIONS,
		),
		idempotencyKeys: database.collection<KeyDocument>(
			"idempotencyKeys",
			COLLECTION_OPTIONS,
		),
	};
}

/** The `shardCollection` command of a collection. */
export function shardCommand(
	databaseName: string,
	definition: CollectionDefinition,
): Document {
	return {
		shardCollection: `${databaseName}.${definition.name}`,
		key: definition.shardKey,
		unique: definition.shardKeyUnique,
	};
}

/** The index that sharding needs before it, where none of the table's indexes is it. */
export function shardKeyIndex(
	definition: CollectionDefinition,
): IndexSpecification | undefined {
	const wanted = JSON.stringify(definition.shardKey);
	return definition.indexes.some(({ key }) => JSON.stringify(key) === wanted)
		? undefined
		: definition.shardKey;
}
