import assert from "node:assert/strict";
import {
	cpSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Preview, startPreview } from "../../src/node/preview.ts";
import { goldenSnapshot } from "../golden.ts";

describe("the preview", () => {
	let root: string;
	let preview: Preview | undefined;
	const said: string[] = [];
	let heard: () => void = () => undefined;

	before(() => {
		root = mkdtempSync(join(tmpdir(), "preview-"));
		cpSync("fonts", join(root, "fonts"), { recursive: true });
		cpSync("templates", join(root, "templates"), { recursive: true });
		writeFileSync(
			join(root, "invoice.json"),
			JSON.stringify({ invoice: goldenSnapshot("car-sharing-380") }),
		);
	});
	after(() => {
		preview?.stop();
		rmSync(root, { recursive: true });
	});

	/** Waits until something that is said makes the condition true. */
	async function until(condition: () => boolean): Promise<void> {
		while (!condition()) {
			await new Promise<void>((resolve) => {
				heard = resolve;
			});
		}
	}

	function says(text: string): Promise<void> {
		return until(() => said.at(-1)?.includes(text) === true);
	}

	it("draws again on every change, and goes on after a fault", async () => {
		const part = join(root, "templates", "invoice", "1", "payment.hbs");
		const original = readFileSync(part, "utf8");
		const pdf = join(root, "out", "invoice.pdf");
		preview = await startPreview({
			root,
			file: join(root, "invoice.json"),
			directory: join(root, "out"),
			say(line) {
				said.push(line);
				heard();
			},
		});
		await says("invoice.pdf");
		assert.ok(preview.succeeded());
		assert.ok(existsSync(join(root, "out", "invoice-1.png")));
		const first = readFileSync(pdf);

		writeFileSync(part, `{{#if payment}}\n\t<txt>Hello</txt>\n{{/if}}\n`);
		await says("<txt> is not an element of the markup");
		assert.ok(!preview.succeeded());

		writeFileSync(part, "{{#if payment}}");
		await says("invoice/1/payment.hbs: Parse error on line 1");

		writeFileSync(part, "\t<text>Hello</text>\n");
		await says("invoice.pdf");
		assert.ok(!readFileSync(pdf).equals(first));

		writeFileSync(part, original);
		await until(() => readFileSync(pdf).equals(first));
	});

	it("says what is wrong with what it is given", async () => {
		const options = {
			root,
			file: join(root, "invoice.json"),
			directory: join(root, "out"),
			say: (line: string) => said.push(line),
		};
		await assert.rejects(
			startPreview({ ...options, template: "invoice" }),
			/“invoice” names no template; write it as <name>\/<version>/,
		);
		writeFileSync(join(root, "other.json"), "{}");
		const other = await startPreview({
			...options,
			file: join(root, "other.json"),
		});
		other.stop();
		assert.match(said.join(), /other\.json is no snapshot/);
		assert.ok(!other.succeeded());
	});
});
