/**
 * `bson`: the library itself, whose common documents are written and read by the host.
 *
 * An interpreter spends more time on BSON than on anything else of a request. What
 * is not plain (values of the library's classes, odd options, damaged bytes) goes
 * through the library as ever.
 */
import * as library from "bson:library";

export * from "bson:library";

interface EncodeOptions {
	checkKeys?: boolean;
	serializeFunctions?: boolean;
	ignoreUndefined?: boolean;
}

interface DecodeOptions {
	raw?: boolean;
	fieldsAsRaw?: Record<string, boolean>;
	useBigInt64?: boolean;
	promoteValues?: boolean;
	promoteLongs?: boolean;
	promoteBuffers?: boolean;
	/** Makes no difference to well-formed text; where there is other, the host leaves it to the library. */
	validation?: {
		utf8: boolean | Record<string, true> | Record<string, false>;
	};
	/** Where the document begins, which need not be all of the bytes then: only the driver asks for it. */
	index?: number;
	allowObjectSmallerThanBufferSize?: boolean;
}

// Types of bsonspec.org that are objects of the library.
const BINARY = 0x05;
const OBJECT_ID = 0x07;
const TIMESTAMP = 0x11;
const INT64 = 0x12;

/** A document around one element of an empty key: length, type, key, …, zero. */
const ELEMENT_AT = 6;

/** As `serialize` of the library. */
export function serialize(
	document: object,
	options: EncodeOptions = {},
): Uint8Array {
	if (options.checkKeys !== true && options.serializeFunctions !== true) {
		const encoded = host.encodeBson(
			document,
			options.ignoreUndefined ?? true,
			options.ignoreUndefined === false ? encodeWithNull : encodeSpecial,
		);
		if (encoded !== undefined) {
			return encoded;
		}
	}
	return library.serialize(document, options);
}

/** As `deserialize` of the library. */
export function deserialize(
	bytes: Uint8Array,
	options: DecodeOptions = {},
): object {
	if (isPlain(bytes, options)) {
		const decoded = host.decodeBson(
			bytes,
			options.index ?? 0,
			options.promoteBuffers ?? false,
			makeSpecial,
		);
		if (decoded !== undefined) {
			return decoded;
		}
	}
	return library.deserialize(bytes, options);
}

/** As `onDemand.parseToElements` of the library. */
function parseToElements(
	bytes: Uint8Array,
	startOffset?: number | null,
): Iterable<readonly [number, number, number, number, number]> {
	return (
		host.splitBson(bytes, startOffset ?? 0) ??
		library.BSON.onDemand.parseToElements(bytes, startOffset ?? 0)
	);
}

export const onDemand = Object.freeze({
	...library.BSON.onDemand,
	parseToElements,
});

export const BSON = Object.freeze({
	...library.BSON,
	serialize,
	deserialize,
	onDemand,
});

function isPlain(bytes: Uint8Array, options: DecodeOptions): boolean {
	return (
		bytes.constructor === Uint8Array &&
		!options.raw &&
		hasNone(options.fieldsAsRaw) &&
		!options.useBigInt64 &&
		options.promoteValues !== false &&
		options.promoteLongs !== false &&
		(options.allowObjectSmallerThanBufferSize
			? bytes.length - (options.index ?? 0) >= 5
			: options.index === undefined && isWhole(bytes))
	);
}

/** The driver's default is an object without any. */
function hasNone(fields: DecodeOptions["fieldsAsRaw"]): boolean {
	for (const _ in fields) {
		return false;
	}
	return true;
}

/** The bytes are one document and nothing else. */
function isWhole(bytes: Uint8Array): boolean {
	return (
		bytes.length >= 5 &&
		library.NumberUtils.getInt32LE(bytes, 0) === bytes.length
	);
}

/** As the library writes them; the three that every command has are made here. */
function encodeSpecial(value: object): Uint8Array {
	return encodeCommon(value) ?? library.serialize({ "": value });
}

function encodeWithNull(value: object): Uint8Array {
	return (
		encodeCommon(value) ??
		library.serialize({ "": value }, { ignoreUndefined: false })
	);
}

function encodeCommon(value: object): Uint8Array | undefined {
	if (value instanceof library.ObjectId) {
		const bytes = element(OBJECT_ID, 12);
		bytes.set(value.id, ELEMENT_AT);
		return bytes;
	}
	if (value instanceof library.Long) {
		const bytes = element(
			value instanceof library.Timestamp ? TIMESTAMP : INT64,
			8,
		);
		library.NumberUtils.setInt32LE(bytes, ELEMENT_AT, value.low);
		library.NumberUtils.setInt32LE(bytes, ELEMENT_AT + 4, value.high);
		return bytes;
	}
	if (
		value instanceof library.Binary &&
		(value.sub_type === library.Binary.SUBTYPE_UUID || value.sub_type === 0)
	) {
		const bytes = element(BINARY, 5 + value.position);
		library.NumberUtils.setInt32LE(bytes, ELEMENT_AT, value.position);
		bytes[ELEMENT_AT + 4] = value.sub_type;
		bytes.set(value.buffer.subarray(0, value.position), ELEMENT_AT + 5);
		return bytes;
	}
	return undefined;
}

function element(type: number, length: number): Uint8Array {
	const bytes = new Uint8Array(ELEMENT_AT + length + 1);
	bytes[4] = type;
	return bytes;
}

function makeSpecial(
	type: number,
	bytes: Uint8Array,
	subtype: number,
): unknown {
	switch (type) {
		case OBJECT_ID:
			return new library.ObjectId(bytes.slice());
		case TIMESTAMP:
			return new library.Timestamp(longOf(bytes));
		case BINARY:
			return binaryOf(bytes, subtype);
		default:
			return longOf(bytes);
	}
}

function longOf(bytes: Uint8Array): library.Long {
	return new library.Long(
		library.NumberUtils.getInt32LE(bytes, 0),
		library.NumberUtils.getInt32LE(bytes, 4),
	);
}

function binaryOf(
	bytes: Uint8Array,
	subtype: number,
): library.Binary | library.UUID {
	const binary = new library.Binary(bytes, subtype);
	return subtype === library.Binary.SUBTYPE_UUID && library.UUID.isValid(binary)
		? binary.toUUID()
		: binary;
}
