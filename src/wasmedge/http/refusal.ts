/** What ends a connection whose client does not speak HTTP as we read it. */

/** A request that never reaches the app; answered with `status`, then the connection is closed. */
export class RequestRefused extends Error {
	override readonly name = "RequestRefused";
	readonly status: number;

	/** `detail` says in a sentence what is wrong. */
	constructor(status: number, detail: string) {
		super(detail);
		this.status = status;
	}
}
