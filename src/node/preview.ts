/** The preview of a template: draws an invoice again whenever a template or the invoice changes. */
import { execFile } from "node:child_process";
import { watch } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import { createPdfRenderer } from "../documents/pdf/render.ts";
import type { TemplateReference } from "../documents/pdf/template.ts";
import { digestSnapshot } from "../invoice/digest.ts";
import type { Snapshot } from "../invoice/snapshot.ts";
import { loadPdfAssets } from "./assets.ts";

export interface PreviewOptions {
	/** The folder with fonts/ and templates/. */
	root: string;
	/** A snapshot, or a record that has one in `invoice`. */
	file: string;
	/** "name/version" instead of the invoice's own. */
	template?: string | undefined;
	/** A directory of further templates. */
	furtherTemplates?: string | undefined;
	/** Where PDF and PNG files go. */
	directory: string;
	say: (line: string) => void;
}

export interface Preview {
	/** Whether the last drawing succeeded. */
	succeeded(): boolean;
	stop(): void;
}

/** Editors write a file in several steps; what comes within this time is one change. */
const SETTLE_MS = 50;

/** Dots per inch of the pictures. */
const RESOLUTION = 110;

const TEMPLATE = /^([a-z][a-z0-9-]*)\/([1-9][0-9]*)$/;

/** Draws once and then watches, until it is stopped. A fault of a template or of the invoice is said, not thrown. */
export async function startPreview(options: PreviewOptions): Promise<Preview> {
	const template = readReference(options.template);
	let succeeded = false;
	let drawing = Promise.resolve();
	const draw = () => {
		drawing = drawing.then(async () => {
			try {
				options.say(await drawOnce(options, template));
				succeeded = true;
			} catch (error) {
				options.say(error instanceof Error ? error.message : String(error));
				succeeded = false;
			}
		});
		return drawing;
	};
	await draw();

	let timer: NodeJS.Timeout | undefined;
	const changed = () => {
		clearTimeout(timer);
		timer = setTimeout(draw, SETTLE_MS);
	};
	const watchers = [
		watch(join(options.root, "templates"), { recursive: true }, changed),
		watch(options.file, changed),
	];
	if (options.furtherTemplates !== undefined) {
		watchers.push(
			watch(options.furtherTemplates, { recursive: true }, changed),
		);
	}
	return {
		succeeded: () => succeeded,
		stop() {
			clearTimeout(timer);
			for (const watcher of watchers) {
				watcher.close();
			}
		},
	};
}

function readReference(
	text: string | undefined,
): TemplateReference | undefined {
	if (text === undefined) {
		return undefined;
	}
	const match = TEMPLATE.exec(text);
	if (match === null) {
		throw new Error(
			`“${text}” names no template; write it as <name>/<version>, such as invoice/1.`,
		);
	}
	return { name: match[1] ?? "", version: Number(match[2]) };
}

/** Draws and says what became of it. */
async function drawOnce(
	{ root, file, furtherTemplates, directory }: PreviewOptions,
	template: TemplateReference | undefined,
): Promise<string> {
	const renderer = createPdfRenderer(
		await loadPdfAssets({
			root,
			...(furtherTemplates === undefined ? {} : { furtherTemplates }),
		}),
	);
	const invoice = await readInvoice(file);
	const startedAt = performance.now();
	const bytes = renderer.render(
		{ invoice, digest: digestSnapshot(invoice).digest },
		template === undefined ? {} : { template },
	);
	const milliseconds = performance.now() - startedAt;
	await mkdir(directory, { recursive: true });
	const name = basename(file, ".json");
	const pdf = join(directory, `${name}.pdf`);
	await writeFile(pdf, bytes);
	const pictures = await drawPictures(directory, name, pdf);
	return `${time()}  ${relative(process.cwd(), pdf)}  ${Math.ceil(bytes.length / 1024)} kB in ${milliseconds.toFixed(0)} ms${pictures}`;
}

function time(): string {
	return new Date().toTimeString().slice(0, 8);
}

async function readInvoice(file: string): Promise<Snapshot> {
	let read: unknown;
	try {
		read = JSON.parse(await readFile(file, "utf8"));
	} catch (error) {
		throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
	}
	const record = read as { invoice?: Snapshot; number?: unknown };
	const invoice = record.invoice ?? (record as Snapshot);
	if (typeof invoice.number !== "string" || invoice.lines === undefined) {
		throw new Error(
			`${file} is no snapshot: it needs what GET /invoices/{number} answers, or a record with that as "invoice".`,
		);
	}
	return invoice;
}

/** PNG files of the pages, where pdftoppm is there; those of pages that are no more are removed. */
async function drawPictures(
	directory: string,
	name: string,
	pdf: string,
): Promise<string> {
	const isPicture = (file: string) =>
		file.startsWith(`${name}-`) &&
		/^[0-9]+\.png$/.test(file.slice(name.length + 1));
	for (const file of (await readdir(directory)).filter(isPicture)) {
		await rm(join(directory, file));
	}
	try {
		await promisify(execFile)("pdftoppm", [
			"-png",
			"-r",
			String(RESOLUTION),
			pdf,
			join(directory, name),
		]);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") {
			return ", no PNG: pdftoppm is not installed (poppler-utils)";
		}
		throw error;
	}
	const pages = (await readdir(directory)).filter(isPicture).length;
	return pages === 1 ? ", 1 PNG" : `, ${pages} PNG`;
}
