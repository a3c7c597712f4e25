/** Orphans: open transactions of a process that died, which hold numbers and keys that the living wait for. */
import type { MongoClient } from "mongodb";

/** A transaction of ours is never idle for this long between two of its commands; its process is gone. */
export const ORPHAN_IDLE_MS = 2000;

/**
 * Ends the open transactions of this user that have been idle for longer
 * than ORPHAN_IDLE_MS, and returns how many. Without it MongoDB ends them
 * after transactionLifetimeLimitSeconds, a minute by default. A user may see
 * and end his own sessions without any privilege. Where it hits a living
 * process after all, that one's commit fails and is tried again.
 */
export async function endOrphans(client: MongoClient): Promise<number> {
	const admin = client.db("admin");
	const orphans = await admin
		.aggregate<{ lsid: { id: unknown; uid: unknown } }>([
			{ $currentOp: { allUsers: false, idleSessions: true } },
			{
				$match: {
					type: "idleSession",
					"transaction.timeInactiveMicros": { $gt: ORPHAN_IDLE_MS * 1000 },
				},
			},
			{ $project: { lsid: 1 } },
		])
		.toArray();
	if (orphans.length > 0) {
		await admin.command({
			killSessions: orphans.map(({ lsid: { id, uid } }) => ({ id, uid })),
		});
	}
	return orphans.length;
}
