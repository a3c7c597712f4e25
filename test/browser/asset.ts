/** Files of the repository for tests in the browser. */

/**
 * Fetches a file by its path from the root of the repository, from the server
 * of playwright-test.
 */
export async function readAsset(path: string): Promise<Uint8Array> {
	const response = await fetch(`/${path}`);
	if (!response.ok) {
		throw new Error(
			`The test server answered ${response.status} for /${path}; is the file there?`,
		);
	}
	return new Uint8Array(await response.arrayBuffer());
}
