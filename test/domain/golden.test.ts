import { digestSnapshot } from "../../src/invoice/digest.ts";
import { assertGolden, goldenSnapshots } from "../golden.ts";

describe("golden records", () => {
	for (const { name, snapshot } of goldenSnapshots()) {
		it(`${name} freezes to the same record`, () => {
			const { digest } = digestSnapshot(snapshot);
			assertGolden(
				`records/${name}.json`,
				`${JSON.stringify({ digest, invoice: snapshot }, null, "\t")}\n`,
			);
		});
	}
});
