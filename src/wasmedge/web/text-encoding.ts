/** TextEncoder and TextDecoder of the Encoding Standard, over the host: UTF-8 and windows-1252 (latin1). */

export class TextEncoder {
	get encoding(): "utf-8" {
		return "utf-8";
	}

	encode(text = ""): Uint8Array<ArrayBuffer> {
		return host.encodeUtf8(String(text));
	}

	encodeInto(
		text: string,
		target: Uint8Array,
	): { read: number; written: number } {
		return host.encodeUtf8Into(String(text), target);
	}

	get [Symbol.toStringTag](): string {
		return "TextEncoder";
	}
}

type Encoding = "utf-8" | "windows-1252";

/** Labels of the Encoding Standard, 4.2 */
const LABELS: Readonly<Record<Encoding, readonly string[]>> = {
	"utf-8":
		"unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8".split(
			" ",
		),
	"windows-1252":
		"ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252".split(
			" ",
		),
};

/** Where windows-1252 differs from ISO 8859-1: the characters of the bytes 0x80 to 0x9F. */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

const BYTE_ORDER_MARK = 0xfeff;

const NOTHING = new Uint8Array(0);

export class TextDecoder {
	readonly encoding: Encoding;
	readonly fatal: boolean;
	readonly ignoreBOM: boolean;
	/** Start of a character whose end has not come yet. */
	#pending: Uint8Array = NOTHING;
	/** Whether anything of the present stream has been given out. */
	#hasBegun = false;

	/** Throws a RangeError on an encoding that there is not. */
	constructor(
		label = "utf-8",
		options: { fatal?: boolean; ignoreBOM?: boolean } = {},
	) {
		this.encoding = encodingOf(label);
		this.fatal = Boolean(options?.fatal);
		this.ignoreBOM = Boolean(options?.ignoreBOM);
	}

	/** Throws a TypeError on faulty bytes where the decoder is `fatal`. */
	decode(
		input: ArrayBufferView | ArrayBufferLike = NOTHING,
		options?: { stream?: boolean },
	): string {
		const bytes = input instanceof Uint8Array ? input : bytesOf(input);
		if (this.encoding === "windows-1252") {
			return decodeWindows1252(bytes);
		}
		const isStream = options?.stream === true;
		if (!isStream && !this.#hasBegun && this.#pending.length === 0) {
			const text = host.decodeUtf8(bytes, this.fatal);
			return this.ignoreBOM ? text : withoutMark(text);
		}
		return this.#decodeChunk(bytes, isStream);
	}

	#decodeChunk(bytes: Uint8Array, isStream: boolean): string {
		const all = concatenate(this.#pending, bytes);
		const length = all.length - (isStream ? unfinishedLength(all) : 0);
		const hadBegun = this.#hasBegun;
		this.#pending = isStream ? all.slice(length) : NOTHING;
		this.#hasBegun = isStream && (hadBegun || length > 0);
		let text: string;
		try {
			text = host.decodeUtf8(all.subarray(0, length), this.fatal);
		} catch (error) {
			this.#pending = NOTHING;
			this.#hasBegun = false;
			throw error;
		}
		return hadBegun || this.ignoreBOM ? text : withoutMark(text);
	}

	get [Symbol.toStringTag](): string {
		return "TextDecoder";
	}
}

function encodingOf(label: string): Encoding {
	const name = String(label)
		.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "")
		.toLowerCase();
	for (const [encoding, labels] of Object.entries(LABELS)) {
		if (labels.includes(name)) {
			return encoding as Encoding;
		}
	}
	throw new RangeError(
		`The encoding ${JSON.stringify(label)} is not supported inside WasmEdge: use UTF-8 or latin1.`,
	);
}

function bytesOf(input: ArrayBufferView | ArrayBufferLike): Uint8Array {
	if (ArrayBuffer.isView(input)) {
		return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
	}
	if (
		input instanceof ArrayBuffer ||
		(typeof SharedArrayBuffer !== "undefined" &&
			input instanceof SharedArrayBuffer)
	) {
		return new Uint8Array(input);
	}
	throw new TypeError("A TextDecoder decodes an ArrayBuffer or a view of one.");
}

function decodeWindows1252(bytes: Uint8Array): string {
	return host
		.decodeLatin1(bytes)
		.replace(
			/[\x80-\x9f]/g,
			(character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? character,
		);
}

function withoutMark(text: string): string {
	return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
	if (a.length === 0) {
		return b;
	}
	const whole = new Uint8Array(a.length + b.length);
	whole.set(a);
	whole.set(b, a.length);
	return whole;
}

/** How many bytes at the end begin a character that may still be completed: 0 to 3. */
function unfinishedLength(bytes: Uint8Array): number {
	for (let length = 1; length <= 3 && length <= bytes.length; length += 1) {
		const lead = bytes[bytes.length - length] as number;
		if ((lead & 0xc0) === 0x80) {
			continue;
		}
		const second = length > 1 ? bytes[bytes.length - length + 1] : undefined;
		return length < sequenceLength(lead) &&
			(second === undefined || isSecond(lead, second))
			? length
			: 0;
	}
	return 0;
}

/** Bytes of the character that `lead` begins; 1 where it begins none. */
function sequenceLength(lead: number): number {
	if (lead >= 0xc2 && lead <= 0xdf) {
		return 2;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		return 3;
	}
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 1;
}

/** Neither overlong, nor half of a surrogate pair, nor above U+10FFFF (Encoding Standard, "UTF-8 decoder"). */
function isSecond(lead: number, second: number): boolean {
	switch (lead) {
		case 0xe0:
			return second >= 0xa0;
		case 0xed:
			return second <= 0x9f;
		case 0xf0:
			return second >= 0x90;
		case 0xf4:
			return second <= 0x8f;
		default:
			return true;
	}
}
