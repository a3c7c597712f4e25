/* Reads documents from BSON. Whatever is irregular is left to the library, which decides, or says what is wrong. */
#include "bson.h"

#include <string.h>

enum outcome {
	DONE,
	LEFT,
	/* An exception is thrown. */
	THROWN,
};

struct reader {
	JSContext *context;
	const uint8_t *start;
	/* Behind the document. */
	size_t end;
	size_t at;
	/* Binary values of any subtype as views, not as objects of the library. */
	bool promotes_buffers;
	/* The bytes' own array: views are of its buffer. */
	JSValueConst bytes;
	/* Makes an object of the library: of a type and its bytes. */
	JSValueConst make_special;
	int depth;
};

#define SAFE_INTEGER_MAX 9007199254740991

static enum outcome read_document(struct reader *reader, bool is_array, JSValue *document);

static bool has(const struct reader *reader, size_t count)
{
	return count <= reader->end - reader->at;
}

static bool read_int32(struct reader *reader, int32_t *number)
{
	if (!has(reader, sizeof(*number)))
		return false;
	memcpy(number, reader->start + reader->at, sizeof(*number));
	reader->at += sizeof(*number);
	return true;
}

/* Bytes of a well-formed sequence that begins here (RFC 3629), or 0. */
static size_t sequence_length(const uint8_t *bytes, size_t left)
{
	const uint8_t first = bytes[0];
	if (first < 0x80)
		return 1;
	const size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	if (length == 0 || length > left)
		return 0;
	const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t at = 2; at < length; at++) {
		if ((bytes[at] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

static bool is_utf8(const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		const size_t step = sequence_length(bytes + at, length - at);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

static enum outcome answer(JSValue value, JSValue *result)
{
	*result = value;
	return JS_IsException(value) ? THROWN : DONE;
}

static enum outcome read_string(struct reader *reader, JSValue *result)
{
	int32_t length = 0;
	if (!read_int32(reader, &length) || length < 1 || !has(reader, (size_t)length))
		return LEFT;
	const uint8_t *text = reader->start + reader->at;
	const size_t count = (size_t)length - 1;
	if (text[count] != 0 || !is_utf8(text, count))
		return LEFT;
	reader->at += (size_t)length;
	return answer(JS_NewStringLen(reader->context, (const char *)text, count), result);
}

/* A view of the next bytes. */
static enum outcome read_view(struct reader *reader, size_t length, JSValue *result)
{
	JSContext *context = reader->context;
	size_t offset = 0;
	JSValue buffer = JS_GetTypedArrayBuffer(context, reader->bytes, &offset, NULL, NULL);
	if (JS_IsException(buffer))
		return THROWN;
	JSValueConst values[] = {
		buffer,
		JS_NewInt64(context, (int64_t)(offset + reader->at)),
		JS_NewInt64(context, (int64_t)length),
	};
	JSValue view = JS_NewTypedArray(context, COUNT_OF(values), values, JS_TYPED_ARRAY_UINT8);
	JS_FreeValue(context, buffer);
	reader->at += length;
	return answer(view, result);
}

/* An object of the library, made of a type, the next bytes and a subtype. */
static enum outcome read_special(struct reader *reader, enum bson_type type, size_t length,
	uint8_t subtype, JSValue *result)
{
	if (!has(reader, length))
		return LEFT;
	JSContext *context = reader->context;
	JSValue view;
	const enum outcome outcome = read_view(reader, length, &view);
	if (outcome != DONE)
		return outcome;
	JSValueConst values[] = { JS_NewInt32(context, (int)type), view, JS_NewInt32(context, subtype) };
	JSValue made = JS_Call(context, reader->make_special, JS_UNDEFINED, COUNT_OF(values), values);
	JS_FreeValue(context, view);
	return answer(made, result);
}

static enum outcome read_binary(struct reader *reader, JSValue *result)
{
	int32_t length = 0;
	if (!read_int32(reader, &length) || length < 0 || !has(reader, (size_t)length + 1))
		return LEFT;
	const uint8_t subtype = reader->start[reader->at];
	if (subtype == 2)
		return LEFT; /* the old one, with a second length */
	reader->at++;
	return reader->promotes_buffers
		? read_view(reader, (size_t)length, result)
		: read_special(reader, BSON_BINARY, (size_t)length, subtype, result);
}

static enum outcome read_int64(struct reader *reader, JSValue *result)
{
	int64_t number = 0;
	if (!has(reader, sizeof(number)))
		return LEFT;
	memcpy(&number, reader->start + reader->at, sizeof(number));
	if (number > SAFE_INTEGER_MAX || number < -SAFE_INTEGER_MAX)
		return read_special(reader, BSON_INT64, sizeof(number), 0, result);
	reader->at += sizeof(number);
	return answer(JS_NewInt64(reader->context, number), result);
}

static enum outcome read_date(struct reader *reader, JSValue *result)
{
	int64_t time_ms = 0;
	if (!has(reader, sizeof(time_ms)))
		return LEFT;
	memcpy(&time_ms, reader->start + reader->at, sizeof(time_ms));
	reader->at += sizeof(time_ms);
	return answer(JS_NewDate(reader->context, (double)time_ms), result);
}

static enum outcome read_double(struct reader *reader, JSValue *result)
{
	double number = 0;
	if (!has(reader, sizeof(number)))
		return LEFT;
	memcpy(&number, reader->start + reader->at, sizeof(number));
	reader->at += sizeof(number);
	return answer(JS_NewNumber(reader->context, number), result);
}

static enum outcome read_boolean(struct reader *reader, JSValue *result)
{
	if (!has(reader, 1) || reader->start[reader->at] > 1)
		return LEFT;
	*result = JS_NewBool(reader->context, reader->start[reader->at] == 1);
	reader->at++;
	return DONE;
}

static enum outcome read_value(struct reader *reader, uint8_t type, JSValue *result)
{
	int32_t integer = 0;
	switch (type) {
	case BSON_DOUBLE:
		return read_double(reader, result);
	case BSON_STRING:
		return read_string(reader, result);
	case BSON_DOCUMENT:
		return read_document(reader, false, result);
	case BSON_ARRAY:
		return read_document(reader, true, result);
	case BSON_BINARY:
		return read_binary(reader, result);
	case BSON_OBJECT_ID:
		return read_special(reader, BSON_OBJECT_ID, 12, 0, result);
	case BSON_BOOLEAN:
		return read_boolean(reader, result);
	case BSON_DATE:
		return read_date(reader, result);
	case BSON_NULL:
		*result = JS_NULL;
		return DONE;
	case BSON_INT32:
		if (!read_int32(reader, &integer))
			return LEFT;
		*result = JS_NewInt32(reader->context, integer);
		return DONE;
	case BSON_TIMESTAMP:
		return read_special(reader, BSON_TIMESTAMP, 8, 0, result);
	case BSON_INT64:
		return read_int64(reader, result);
	default:
		return LEFT;
	}
}

/* A reference to another document (DBRef) is an object of the library. */
static bool is_reference_key(const char *key)
{
	return key[0] == '$' && (strcmp(key, "$ref") == 0 || strcmp(key, "$id") == 0 || strcmp(key, "$db") == 0);
}

static enum outcome read_element(struct reader *reader, uint8_t type, JSValueConst target,
	bool is_array, uint32_t index)
{
	JSContext *context = reader->context;
	const uint8_t *key = reader->start + reader->at;
	const uint8_t *key_end = memchr(key, 0, reader->end - reader->at);
	if (key_end == NULL)
		return LEFT;
	const size_t key_length = (size_t)(key_end - key);
	if (!is_array && (is_reference_key((const char *)key) || !is_utf8(key, key_length)))
		return LEFT;
	reader->at += key_length + 1;
	JSValue value = JS_UNDEFINED;
	const enum outcome outcome = read_value(reader, type, &value);
	if (outcome != DONE)
		return outcome;
	int defined;
	if (is_array) {
		defined = JS_DefinePropertyValueUint32(context, target, index, value, JS_PROP_C_W_E);
	} else {
		const JSAtom name = JS_NewAtomLen(context, (const char *)key, key_length);
		if (name == JS_ATOM_NULL) {
			JS_FreeValue(context, value);
			return THROWN;
		}
		defined = JS_DefinePropertyValue(context, target, name, value, JS_PROP_C_W_E);
		JS_FreeAtom(context, name);
	}
	return defined < 0 ? THROWN : DONE;
}

static enum outcome read_elements(struct reader *reader, JSValueConst target, bool is_array)
{
	for (uint32_t index = 0;; index++) {
		if (!has(reader, 1))
			return LEFT;
		const uint8_t type = reader->start[reader->at++];
		if (type == 0)
			return reader->at == reader->end ? DONE : LEFT;
		const enum outcome outcome = read_element(reader, type, target, is_array, index);
		if (outcome != DONE)
			return outcome;
	}
}

/* From its length on; reads within its own bounds only. */
static enum outcome read_document(struct reader *reader, bool is_array, JSValue *document)
{
	const size_t begin = reader->at;
	const size_t outer_end = reader->end;
	int32_t length = 0;
	if (reader->depth == BSON_DEPTH_MAX || !read_int32(reader, &length)
		|| length < BSON_DOCUMENT_LENGTH_MIN || (size_t)length > outer_end - begin)
		return LEFT;
	JSValue made = is_array ? JS_NewArray(reader->context) : JS_NewObject(reader->context);
	if (JS_IsException(made))
		return THROWN;
	reader->end = begin + (size_t)length;
	reader->depth++;
	const enum outcome outcome = read_elements(reader, made, is_array);
	reader->depth--;
	reader->end = outer_end;
	if (outcome == DONE)
		*document = made;
	else
		JS_FreeValue(reader->context, made);
	return outcome;
}

JSValue bson_decode(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	/*
	 * `make_special` is a function of ours that neither detaches nor shrinks the
	 * buffer; nothing else of JavaScript runs while its bytes are read.
	 */
	struct reader reader = {
		.context = context,
		.bytes = arguments[0],
		.make_special = arguments[3],
	};
	struct host_bytes bytes;
	int64_t offset = 0;
	if (host_get_bytes(context, arguments[0], "The document", &bytes) < 0
		|| host_get_integer(context, arguments[1], "The offset", 0, (int64_t)bytes.length, &offset) < 0
		|| host_get_boolean(context, arguments[2], "promoteBuffers", &reader.promotes_buffers) < 0)
		return JS_EXCEPTION;
	reader.start = bytes.start;
	reader.at = (size_t)offset;
	reader.end = bytes.length;
	JSValue document = JS_UNDEFINED;
	switch (read_document(&reader, false, &document)) {
	case DONE:
		return document;
	case LEFT:
		return JS_UNDEFINED;
	default:
		return JS_EXCEPTION;
	}
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("encodeBson", 3, bson_encode),
	JS_CFUNC_DEF("decodeBson", 4, bson_decode),
	JS_CFUNC_DEF("splitBson", 2, bson_split),
};

int host_add_bson(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
