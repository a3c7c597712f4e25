/** Set-up: makes the collections, indexes, role and user that the store needs, and says what it did. */
import {
	type Db,
	type Document,
	type MongoClient,
	MongoServerError,
} from "mongodb";
import {
	COLLECTIONS,
	type CollectionDefinition,
	SERVICE_ACTIONS,
	SERVICE_ROLE,
	shardCommand,
	shardKeyIndex,
} from "./collections.ts";

export interface SetUpOptions {
	databaseName: string;
	/** The service's own user, made in the service's database; left out where users are kept elsewhere. */
	service?: { user: string; password: string };
}

/** The server cannot be set up as it is; the message says why and what to do. */
export class SetUpRefused extends Error {
	override readonly name = "SetUpRefused";
}

// Codes of MongoDB's error_codes.yml.
const NAMESPACE_EXISTS = 48;
const INDEX_OPTIONS_CONFLICT = 85;
const INDEX_KEY_SPECS_CONFLICT = 86;
const DUPLICATE_KEY = 11000;
const ROLE_EXISTS = 51002;
const USER_EXISTS = 51003;

const MAJORITY = { w: "majority" } as const;

/**
 * Brings a replica set or a sharded cluster to what the table of collections
 * says. May be run again at any time, also by several at once, and on data
 * that is in use; it never touches a document. Returns what it did, one
 * sentence each. Throws SetUpRefused on a standalone server, on a collection
 * that is sharded otherwise, and where the data do not allow an index.
 *
 * @param client connected as an administrator
 */
export async function setUpStore(
	client: MongoClient,
	options: SetUpOptions,
): Promise<string[]> {
	const database = client.db(options.databaseName);
	const done: string[] = [];
	const topology = await topologyOf(client);
	if (topology === "sharded") {
		// Since MongoDB 6.0 this is implied and does nothing.
		await client.db("admin").command({ enableSharding: options.databaseName });
	}
	for (const definition of COLLECTIONS) {
		done.push(await setUpCollection(database, definition));
		if (topology === "sharded") {
			done.push(await shard(client, database, definition));
		}
		for (const index of definition.indexes) {
			done.push(await setUpIndex(database, definition, index));
		}
	}
	done.push(await setUpRole(database));
	if (options.service !== undefined) {
		done.push(await setUpUser(database, options.service));
	}
	return done;
}

async function topologyOf(
	client: MongoClient,
): Promise<"sharded" | "replicaSet"> {
	const hello = await client.db("admin").command({ hello: 1 });
	if (hello.msg === "isdbgrid") {
		return "sharded";
	}
	if (hello.setName === undefined) {
		throw new SetUpRefused(
			"This MongoDB server is a standalone, which has no transactions, so numbers could not be kept gapless. Start it with --replSet (a set of one member is enough) and initiate it, or give the address of a replica set or mongos.",
		);
	}
	return "replicaSet";
}

async function setUpCollection(
	database: Db,
	{ name, validator }: CollectionDefinition,
): Promise<string> {
	const rules = {
		validator,
		validationLevel: "strict",
		validationAction: "error",
	} as const;
	try {
		await database.createCollection(name, { ...rules, writeConcern: MAJORITY });
		return `Created the collection ${name} with its validator.`;
	} catch (error) {
		if (!hasCode(error, NAMESPACE_EXISTS)) {
			throw error;
		}
	}
	const [existing] = await database.listCollections({ name }).toArray();
	const found: Document = { ...(existing as Document | undefined)?.options };
	if (
		same(found.validator, validator) &&
		found.validationLevel === rules.validationLevel &&
		found.validationAction === rules.validationAction
	) {
		return `The collection ${name} is there.`;
	}
	await database.command({ collMod: name, ...rules, writeConcern: MAJORITY });
	return `The collection ${name} was there; gave it the validator of this version.`;
}

async function setUpIndex(
	database: Db,
	definition: CollectionDefinition,
	{ name, key, unique }: CollectionDefinition["indexes"][number],
): Promise<string> {
	try {
		const answer = await database.command({
			createIndexes: definition.name,
			indexes: [{ name, key, ...(unique === undefined ? {} : { unique }) }],
			writeConcern: MAJORITY,
		});
		// mongos answers for each shard.
		const answers: Document[] =
			answer.raw === undefined ? [answer] : Object.values(answer.raw);
		return answers.every(
			(each) => each.numIndexesBefore === each.numIndexesAfter,
		)
			? `The index ${name} of ${definition.name} is there.`
			: `Created the index ${name} of ${definition.name}.`;
	} catch (error) {
		if (hasCode(error, INDEX_OPTIONS_CONFLICT, INDEX_KEY_SPECS_CONFLICT)) {
			throw new SetUpRefused(
				`The collection ${definition.name} has another index where ${name} (${JSON.stringify(key)}${unique ? ", unique" : ""}) should be. Drop that one and run set-up again.`,
				{ cause: error },
			);
		}
		if (hasCode(error, DUPLICATE_KEY)) {
			throw new SetUpRefused(
				`The collection ${definition.name} holds two documents with the same ${Object.keys(key).join(", ")}, so the unique index ${name} cannot be made. The audit names them.`,
				{ cause: error },
			);
		}
		throw error;
	}
}

async function shard(
	client: MongoClient,
	database: Db,
	definition: CollectionDefinition,
): Promise<string> {
	const namespace = `${database.databaseName}.${definition.name}`;
	const sharded = await client
		.db("config")
		.collection<{ _id: string; key: Document; unique?: boolean }>("collections")
		.findOne({ _id: namespace });
	if (sharded !== null) {
		refuseOtherShardKey(definition, sharded);
		return `${definition.name} is sharded by ${JSON.stringify(definition.shardKey)}.`;
	}
	const index = shardKeyIndex(definition);
	if (index !== undefined) {
		await database.collection(definition.name).createIndex(index);
	} else {
		for (const each of definition.indexes) {
			await setUpIndex(database, definition, each);
		}
	}
	await client
		.db("admin")
		.command(shardCommand(database.databaseName, definition));
	return `Sharded ${definition.name} by ${JSON.stringify(definition.shardKey)}${definition.shardKeyUnique ? ", unique" : ""}.`;
}

/** Throws SetUpRefused, naming both keys, where a collection is sharded otherwise than the table says. */
export function refuseOtherShardKey(
	definition: CollectionDefinition,
	sharded: { key: Document; unique?: boolean },
): void {
	const described = (key: Document, unique: boolean) =>
		`${JSON.stringify(key)}${unique ? ", unique" : ""}`;
	const is = described(sharded.key, sharded.unique === true);
	const should = described(definition.shardKey, definition.shardKeyUnique);
	if (is !== should) {
		throw new SetUpRefused(
			`The collection ${definition.name} is sharded by ${is}, and must be sharded by ${should}. Reshard it (reshardCollection), or choose another database.`,
		);
	}
}

async function setUpRole(database: Db): Promise<string> {
	const db = database.databaseName;
	const privileges = COLLECTIONS.map(({ name }) => ({
		resource: { db, collection: name },
		actions: [...SERVICE_ACTIONS],
	}));
	const right = `find and insert on ${COLLECTIONS.map(({ name }) => name).join(", ")}, and nothing else`;
	try {
		await database.command({
			createRole: SERVICE_ROLE,
			privileges,
			roles: [],
			writeConcern: MAJORITY,
		});
		return `Created the role ${SERVICE_ROLE}: ${right}.`;
	} catch (error) {
		if (!hasCode(error, ROLE_EXISTS)) {
			throw error;
		}
	}
	const { roles } = await database.command({
		rolesInfo: { role: SERVICE_ROLE, db },
		showPrivileges: true,
	});
	const [role] = roles as { privileges: unknown; roles: unknown }[];
	if (same(role?.privileges, privileges) && same(role?.roles, [])) {
		return `The role ${SERVICE_ROLE} is there: ${right}.`;
	}
	await database.command({
		updateRole: SERVICE_ROLE,
		privileges,
		roles: [],
		writeConcern: MAJORITY,
	});
	return `The role ${SERVICE_ROLE} was there with other rights; it now has ${right}.`;
}

async function setUpUser(
	database: Db,
	{ user, password }: { user: string; password: string },
): Promise<string> {
	const rights = {
		pwd: password,
		roles: [{ role: SERVICE_ROLE, db: database.databaseName }],
		writeConcern: MAJORITY,
	};
	try {
		await database.command({ createUser: user, ...rights });
		return `Created the user ${user} with the role ${SERVICE_ROLE}.`;
	} catch (error) {
		if (!hasCode(error, USER_EXISTS)) {
			throw error;
		}
	}
	await database.command({ updateUser: user, ...rights });
	return `The user ${user} is there; it has the configured password and the role ${SERVICE_ROLE} alone.`;
}

function hasCode(error: unknown, ...codes: number[]): boolean {
	return (
		error instanceof MongoServerError && codes.includes(Number(error.code))
	);
}

/** Whether two documents read alike, whatever the order of their fields. */
function same(one: unknown, other: unknown): boolean {
	return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) {
		return value.map(sorted);
	}
	if (typeof value !== "object" || value === null) {
		return value;
	}
	return Object.fromEntries(
		Object.entries(value)
			.sort(([one], [other]) => (one < other ? -1 : 1))
			.map(([key, item]) => [key, sorted(item)]),
	);
}
