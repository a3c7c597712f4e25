/** Writes to MongoDB over TLS from inside the engine and reads it back; prints what became of it as JSON. */
import "../../src/wasmedge/web/install.ts";
import "../../src/wasmedge/timers.ts";
import { MongoClient } from "mongodb";
import { startLoop } from "../../src/wasmedge/loop.ts";

/** How it went. */
export type MongodbOutcome =
	| { written: number; read: number; user: string | undefined }
	| { error: string };

/** More than a TLS record, so that documents are cut into several. */
const TEXT_LENGTH = 100_000;
const DOCUMENTS = 20;
const SELECTION_MS_MAX = 2000;

async function writeAndRead(uri: string): Promise<MongodbOutcome> {
	const client = new MongoClient(uri, {
		serverSelectionTimeoutMS: SELECTION_MS_MAX,
	});
	try {
		const documents = client.db("tls").collection("documents");
		const { insertedCount } = await documents.insertMany(
			Array.from({ length: DOCUMENTS }, (_, number) => ({
				number,
				text: "ä".repeat(TEXT_LENGTH),
			})),
		);
		const found = await documents.find().toArray();
		const status = await client
			.db("admin")
			.command({ connectionStatus: 1, showPrivileges: false });
		return {
			written: insertedCount,
			read: found.filter(({ text }) => text === "ä".repeat(TEXT_LENGTH)).length,
			user: status.authInfo.authenticatedUsers[0]?.user,
		};
	} catch (error) {
		return { error: (error as Error).message };
	} finally {
		await client.close();
	}
}

startLoop((error) => {
	host.writeText(2, `${error}\n`);
	host.exit(1);
});
void writeAndRead(host.environment().MONGODB_URI ?? "").then((outcome) => {
	host.writeText(1, JSON.stringify(outcome));
	host.exit(0);
});
