/* Writes documents as BSON: plain objects here, what is of a class by a function of JavaScript. */
#include "bson.h"

#include <math.h>
#include <string.h>

/* Above it the library refuses too. */
#define LENGTH_MAX (17u * 1024 * 1024)
#define FIRST_CAPACITY 512u

/* "4294967295" and the closing zero. */
#define INDEX_LENGTH_MAX 11

enum outcome {
	DONE,
	/* The library has to do, or refuse, it. */
	LEFT,
	/* An exception is thrown. */
	THROWN,
};

struct writer {
	JSContext *context;
	uint8_t *start;
	size_t length;
	size_t capacity;
	bool ignores_undefined;
	/* Makes a document of one element out of a value that is left to it. */
	JSValueConst encode_special;
	/* Object.prototype: who has another is no plain object. */
	JSValue object_prototype;
	int depth;
};

static enum outcome write_document(struct writer *writer, JSValueConst value, bool is_array);

static enum outcome reserve(struct writer *writer, size_t count)
{
	if (count > LENGTH_MAX - writer->length)
		return LEFT;
	const size_t needed = writer->length + count;
	if (needed <= writer->capacity)
		return DONE;
	size_t capacity = writer->capacity * 2;
	if (capacity < needed)
		capacity = needed;
	uint8_t *grown = js_realloc(writer->context, writer->start, capacity);
	if (grown == NULL)
		return THROWN;
	writer->start = grown;
	writer->capacity = capacity;
	return DONE;
}

static enum outcome write_bytes(struct writer *writer, const void *start, size_t length)
{
	const enum outcome room = reserve(writer, length);
	if (room != DONE)
		return room;
	if (length > 0)
		memcpy(writer->start + writer->length, start, length);
	writer->length += length;
	return DONE;
}

/* The key of an element; `key` ends in a zero, which is written too. */
struct key {
	const char *text;
	size_t length;
};

/* Type and key. */
static enum outcome write_head(struct writer *writer, enum bson_type type, struct key key)
{
	const enum outcome room = reserve(writer, 1 + key.length + 1);
	if (room != DONE)
		return room;
	writer->start[writer->length] = (uint8_t)type;
	memcpy(writer->start + writer->length + 1, key.text, key.length + 1);
	writer->length += 1 + key.length + 1;
	return DONE;
}

/* QuickJS writes a lone surrogate as three bytes of its own; UTF-8 has U+FFFD, of three bytes, for it. */
static void replace_surrogates(uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at + 2 < length; at++) {
		if (bytes[at] == 0xed && bytes[at + 1] >= 0xa0) {
			bytes[at] = 0xef;
			bytes[at + 1] = 0xbf;
			bytes[at + 2] = 0xbd;
		}
	}
}

static enum outcome write_string(struct writer *writer, struct key key, JSValueConst value)
{
	size_t length = 0;
	const char *text = JS_ToCStringLen(writer->context, &length, value);
	if (text == NULL)
		return THROWN;
	enum outcome outcome = length < LENGTH_MAX ? write_head(writer, BSON_STRING, key) : LEFT;
	if (outcome == DONE) {
		const int32_t counted = (int32_t)length + 1;
		outcome = write_bytes(writer, &counted, sizeof(counted));
	}
	if (outcome == DONE)
		outcome = write_bytes(writer, text, length + 1);
	if (outcome == DONE)
		replace_surrogates(writer->start + writer->length - length - 1, length);
	JS_FreeCString(writer->context, text);
	return outcome;
}

static enum outcome write_number(struct writer *writer, struct key key, JSValueConst value)
{
	double number = 0;
	if (JS_ToFloat64(writer->context, &number, value) < 0)
		return THROWN;
	const bool is_int32 = number >= INT32_MIN && number <= INT32_MAX && number == trunc(number)
		&& !(number == 0 && signbit(number));
	enum outcome outcome = write_head(writer, is_int32 ? BSON_INT32 : BSON_DOUBLE, key);
	if (outcome != DONE)
		return outcome;
	if (!is_int32)
		return write_bytes(writer, &number, sizeof(number));
	const int32_t integer = (int32_t)number;
	return write_bytes(writer, &integer, sizeof(integer));
}

static enum outcome write_boolean(struct writer *writer, struct key key, bool value)
{
	const uint8_t byte = value ? 1 : 0;
	const enum outcome outcome = write_head(writer, BSON_BOOLEAN, key);
	return outcome == DONE ? write_bytes(writer, &byte, sizeof(byte)) : outcome;
}

/* Of the generic subtype. */
static enum outcome write_binary(struct writer *writer, struct key key, JSValueConst value)
{
	struct host_bytes bytes;
	if (host_get_bytes(writer->context, value, "The bytes", &bytes) < 0)
		return THROWN;
	if (bytes.length >= LENGTH_MAX)
		return LEFT;
	const int32_t length = (int32_t)bytes.length;
	const uint8_t subtype = 0;
	enum outcome outcome = write_head(writer, BSON_BINARY, key);
	if (outcome == DONE)
		outcome = write_bytes(writer, &length, sizeof(length));
	if (outcome == DONE)
		outcome = write_bytes(writer, &subtype, sizeof(subtype));
	return outcome == DONE ? write_bytes(writer, bytes.start, bytes.length) : outcome;
}

/* What the function makes is a document of one element with an empty key. */
static enum outcome write_special(struct writer *writer, struct key key, JSValueConst value)
{
	JSContext *context = writer->context;
	JSValue made = JS_Call(context, writer->encode_special, JS_UNDEFINED, 1, &value);
	if (JS_IsException(made))
		return THROWN;
	enum outcome outcome = LEFT;
	struct host_bytes bytes;
	/* Length, type, empty key … closing zero. */
	const size_t around = 4 + 1 + 1 + 1;
	if (!JS_IsUndefined(made)) {
		if (host_get_bytes(context, made, "The special value", &bytes) < 0)
			outcome = THROWN;
		else if (bytes.length >= around && bytes.start[5] == 0)
			outcome = write_head(writer, bytes.start[4], key);
		if (outcome == DONE)
			outcome = write_bytes(writer, bytes.start + 6, bytes.length - around);
	}
	JS_FreeValue(context, made);
	return outcome;
}

/* 1, 0, or -1 with an exception thrown. */
static int is_plain(struct writer *writer, JSValueConst value)
{
	if (JS_IsArray(value))
		return 1;
	if (JS_IsProxy(value))
		return 0;
	JSValue prototype = JS_GetPrototype(writer->context, value);
	if (JS_IsException(prototype))
		return -1;
	const bool plain = JS_IsNull(prototype)
		|| JS_IsStrictEqual(writer->context, prototype, writer->object_prototype);
	JS_FreeValue(writer->context, prototype);
	return plain ? 1 : 0;
}

static enum outcome write_object(struct writer *writer, struct key key, JSValueConst value)
{
	if (JS_GetTypedArrayType(value) == JS_TYPED_ARRAY_UINT8)
		return write_binary(writer, key, value);
	const int plain = is_plain(writer, value);
	if (plain <= 0)
		return plain < 0 ? THROWN : write_special(writer, key, value);
	const bool is_array = JS_IsArray(value);
	const enum outcome outcome = write_head(writer, is_array ? BSON_ARRAY : BSON_DOCUMENT, key);
	return outcome == DONE ? write_document(writer, value, is_array) : outcome;
}

static enum outcome write_element(struct writer *writer, struct key key, JSValueConst value,
	bool is_array)
{
	if (JS_IsString(value))
		return write_string(writer, key, value);
	if (JS_IsNumber(value))
		return write_number(writer, key, value);
	if (JS_IsBool(value))
		return write_boolean(writer, key, JS_ToBool(writer->context, value) == 1);
	if (JS_IsUndefined(value) && writer->ignores_undefined && !is_array)
		return DONE;
	if (JS_IsUndefined(value) || JS_IsNull(value))
		return write_head(writer, BSON_NULL, key);
	if (JS_IsObject(value) && !JS_IsFunction(writer->context, value))
		return write_object(writer, key, value);
	return LEFT; /* bigints, symbols, functions */
}

static enum outcome write_items(struct writer *writer, JSValueConst array)
{
	JSContext *context = writer->context;
	for (uint32_t at = 0;; at++) {
		/* Asked anew each time, as the library does: a getter may change it. */
		int64_t count = 0;
		if (JS_GetLength(context, array, &count) < 0)
			return THROWN;
		if (at >= count)
			return DONE;
		char text[INDEX_LENGTH_MAX];
		size_t start = sizeof(text) - 1;
		text[start] = '\0';
		for (uint32_t rest = at; start == sizeof(text) - 1 || rest > 0; rest /= 10)
			text[--start] = (char)('0' + rest % 10);
		const struct key key = { text + start, sizeof(text) - 1 - start };
		JSValue value = JS_GetPropertyUint32(context, array, at);
		if (JS_IsException(value))
			return THROWN;
		const enum outcome outcome = write_element(writer, key, value, true);
		JS_FreeValue(context, value);
		if (outcome != DONE)
			return outcome;
	}
}

/* Keys that make something else of an object, or that no element may have. */
static bool is_special_key(struct key key)
{
	return strlen(key.text) != key.length || strcmp(key.text, "_bsontype") == 0
		|| strcmp(key.text, "toBSON") == 0;
}

static enum outcome write_property(struct writer *writer, JSValueConst object, JSAtom name)
{
	JSContext *context = writer->context;
	struct key key = { NULL, 0 };
	key.text = JS_AtomToCStringLen(context, &key.length, name);
	if (key.text == NULL)
		return THROWN;
	enum outcome outcome = LEFT;
	if (!is_special_key(key) && memchr(key.text, 0xed, key.length) == NULL) {
		JSValue value = JS_GetProperty(context, object, name);
		outcome = JS_IsException(value) ? THROWN : write_element(writer, key, value, false);
		JS_FreeValue(context, value);
	}
	JS_FreeCString(context, key.text);
	return outcome;
}

static enum outcome write_properties(struct writer *writer, JSValueConst object)
{
	JSPropertyEnum *properties = NULL;
	uint32_t count = 0;
	if (JS_GetOwnPropertyNames(writer->context, &properties, &count, object,
			JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0)
		return THROWN;
	enum outcome outcome = DONE;
	for (uint32_t at = 0; at < count && outcome == DONE; at++)
		outcome = write_property(writer, object, properties[at].atom);
	JS_FreePropertyEnum(writer->context, properties, count);
	return outcome;
}

static enum outcome write_document(struct writer *writer, JSValueConst value, bool is_array)
{
	if (writer->depth == BSON_DEPTH_MAX)
		return LEFT; /* or it contains itself, which the library says */
	const size_t at = writer->length;
	const int32_t unknown = 0;
	enum outcome outcome = write_bytes(writer, &unknown, sizeof(unknown));
	writer->depth++;
	if (outcome == DONE)
		outcome = is_array ? write_items(writer, value) : write_properties(writer, value);
	writer->depth--;
	const uint8_t end = 0;
	if (outcome == DONE)
		outcome = write_bytes(writer, &end, sizeof(end));
	if (outcome == DONE) {
		const int32_t length = (int32_t)(writer->length - at);
		memcpy(writer->start + at, &length, sizeof(length));
	}
	return outcome;
}

static enum outcome write_root(struct writer *writer, JSValueConst document)
{
	if (!JS_IsObject(document) || JS_IsArray(document)
		|| JS_GetTypedArrayType(document) == JS_TYPED_ARRAY_UINT8)
		return LEFT;
	const int plain = is_plain(writer, document);
	if (plain <= 0)
		return plain < 0 ? THROWN : LEFT;
	return write_document(writer, document, false);
}

JSValue bson_encode(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct writer writer = {
		.context = context,
		.capacity = FIRST_CAPACITY,
		.encode_special = arguments[2],
		.object_prototype = JS_UNDEFINED,
	};
	if (host_get_boolean(context, arguments[1], "ignoreUndefined", &writer.ignores_undefined) < 0)
		return JS_EXCEPTION;
	JSValue object = JS_NewObject(context);
	if (JS_IsException(object))
		return JS_EXCEPTION;
	writer.object_prototype = JS_GetPrototype(context, object);
	JS_FreeValue(context, object);
	writer.start = js_malloc(context, writer.capacity);
	enum outcome outcome = writer.start == NULL ? THROWN : write_root(&writer, arguments[0]);
	JS_FreeValue(context, writer.object_prototype);
	if (outcome == DONE) {
		uint8_t *fitting = js_realloc(context, writer.start, writer.length);
		if (fitting != NULL)
			return host_new_bytes(context, fitting, writer.length);
		outcome = THROWN;
	}
	js_free(context, writer.start);
	return outcome == THROWN ? JS_EXCEPTION : JS_UNDEFINED;
}
