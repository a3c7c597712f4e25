/* UTF-8, Latin-1, and where bytes begin in others. */
#include "text.h"

#include <string.h>

#define REPLACEMENT 0xfffd
#define HIGH_BITS 0x8080808080808080u

int host_get_string(JSContext *context, JSValueConst value, const char *what,
	struct host_string *string)
{
	if (!JS_IsString(value)) {
		JS_ThrowTypeError(context, "%s must be a string.", what);
		return -1;
	}
	/* Joins the parts of a string that was put together by `+`. */
	string->flat = JS_ToString(context, value);
	if (JS_IsException(string->flat))
		return -1;
	bool is_wide;
	const void *units = JS_GetStringUnits(string->flat, &string->length, &is_wide);
	string->narrow = is_wide ? NULL : units;
	string->wide = is_wide ? units : NULL;
	return 0;
}

void host_free_string(JSContext *context, struct host_string *string)
{
	JS_FreeValue(context, string->flat);
}

static bool is_high_surrogate(uint32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(uint32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The character at `at` and its number of units; a lone surrogate is U+FFFD. */
static uint32_t character_at(const struct host_string *string, size_t at, size_t *units)
{
	*units = 1;
	if (string->narrow != NULL)
		return string->narrow[at];
	const uint32_t first = string->wide[at];
	if (is_high_surrogate(first) && at + 1 < string->length
		&& is_low_surrogate(string->wide[at + 1])) {
		*units = 2;
		return 0x10000 + ((first - 0xd800) << 10) + (string->wide[at + 1] - 0xdc00u);
	}
	return is_high_surrogate(first) || is_low_surrogate(first) ? REPLACEMENT : first;
}

static size_t length_in_utf8(uint32_t character)
{
	return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

static void put_in_utf8(uint8_t *target, uint32_t character, size_t length)
{
	static const uint8_t heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = length - 1; i > 0; i--) {
		target[i] = (uint8_t)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	target[0] = (uint8_t)(heads[length] | character);
}

static size_t length_of_ascii(const uint8_t *start, size_t length)
{
	size_t at = 0;
	for (uint64_t word; at + sizeof(word) <= length; at += sizeof(word)) {
		memcpy(&word, start + at, sizeof(word));
		if ((word & HIGH_BITS) != 0)
			break;
	}
	while (at < length && start[at] < 0x80)
		at++;
	return at;
}

static size_t count_of_not_ascii(const uint8_t *start, size_t length)
{
	size_t count = 0, at = 0;
	for (uint64_t word; at + sizeof(word) <= length; at += sizeof(word)) {
		memcpy(&word, start + at, sizeof(word));
		count += (size_t)__builtin_popcountll(word & HIGH_BITS);
	}
	for (; at < length; at++)
		count += start[at] >> 7;
	return count;
}

static size_t string_length_in_utf8(const struct host_string *string)
{
	size_t length = 0;
	if (string->narrow != NULL)
		return string->length + count_of_not_ascii(string->narrow, string->length);
	for (size_t at = 0, units; at < string->length; at += units)
		length += length_in_utf8(character_at(string, at, &units));
	return length;
}

struct progress {
	size_t read;
	size_t written;
};

/* Goes over ASCII as far as it and the room go. */
static void encode_ascii(const struct host_string *string, uint8_t *target, size_t room,
	struct progress *progress)
{
	const size_t left = string->length - progress->read;
	const size_t most = left < room - progress->written ? left : room - progress->written;
	size_t length = 0;
	if (string->narrow != NULL) {
		length = length_of_ascii(string->narrow + progress->read, most);
		memcpy(target + progress->written, string->narrow + progress->read, length);
	} else {
		for (; length < most && string->wide[progress->read + length] < 0x80; length++)
			target[progress->written + length] = (uint8_t)string->wide[progress->read + length];
	}
	progress->read += length;
	progress->written += length;
}

static struct progress encode(const struct host_string *string, uint8_t *target, size_t room)
{
	struct progress progress = { 0, 0 };
	for (;;) {
		encode_ascii(string, target, room, &progress);
		if (progress.read == string->length)
			break;
		size_t units;
		const uint32_t character = character_at(string, progress.read, &units);
		const size_t length = length_in_utf8(character);
		if (length > room - progress.written)
			break;
		put_in_utf8(target + progress.written, character, length);
		progress.read += units;
		progress.written += length;
	}
	return progress;
}

static JSValue encode_utf8(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_string text;
	if (host_get_string(context, arguments[0], "The text", &text) < 0)
		return JS_EXCEPTION;
	const size_t length = string_length_in_utf8(&text);
	uint8_t *memory = js_malloc(context, length + 1);
	if (memory != NULL)
		(void)encode(&text, memory, length);
	host_free_string(context, &text);
	return memory == NULL ? JS_EXCEPTION : host_new_bytes(context, memory, length);
}

static JSValue encode_utf8_into(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes target;
	struct host_string text;
	if (host_get_bytes(context, arguments[1], "The target", &target) < 0
		|| host_get_string(context, arguments[0], "The text", &text) < 0)
		return JS_EXCEPTION;
	const struct progress progress = encode(&text, target.start, target.length);
	host_free_string(context, &text);

	JSValue result = JS_NewObject(context);
	if (JS_IsException(result))
		return result;
	if (JS_DefinePropertyValueStr(context, result, "read",
			JS_NewUint32(context, (uint32_t)progress.read), JS_PROP_C_W_E) < 0
		|| JS_DefinePropertyValueStr(context, result, "written",
			JS_NewUint32(context, (uint32_t)progress.written), JS_PROP_C_W_E) < 0) {
		JS_FreeValue(context, result);
		return JS_EXCEPTION;
	}
	return result;
}

static JSValue utf8_length(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_string text;
	if (host_get_string(context, arguments[0], "The text", &text) < 0)
		return JS_EXCEPTION;
	const size_t length = string_length_in_utf8(&text);
	host_free_string(context, &text);
	return JS_NewInt64(context, (int64_t)length);
}

/*
 * The character that begins at `*at` (Encoding Standard, 8.1.1), -1 where there
 * is none; `*at` moves behind it, or behind the faulty bytes that together
 * become one U+FFFD.
 */
static int32_t decode_character(const uint8_t *bytes, size_t length, size_t *at)
{
	const uint8_t head = bytes[(*at)++];
	uint8_t low = 0x80, high = 0xbf;
	int needed;
	uint32_t character;

	if (head < 0x80)
		return head;
	if (head >= 0xc2 && head <= 0xdf) {
		needed = 1;
		character = head & 0x1f;
	} else if (head >= 0xe0 && head <= 0xef) {
		needed = 2;
		character = head & 0xf;
		if (head == 0xe0)
			low = 0xa0; /* longer than need be */
		if (head == 0xed)
			high = 0x9f; /* a surrogate */
	} else if (head >= 0xf0 && head <= 0xf4) {
		needed = 3;
		character = head & 0x7;
		if (head == 0xf0)
			low = 0x90; /* longer than need be */
		if (head == 0xf4)
			high = 0x8f; /* above U+10FFFF */
	} else {
		return -1;
	}
	for (; needed > 0; needed--, (*at)++) {
		if (*at >= length || bytes[*at] < low || bytes[*at] > high)
			return -1;
		character = character << 6 | (bytes[*at] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	return (int32_t)character;
}

/* What a text in UTF-8 is, found out before it is decoded. */
struct outline {
	size_t units; /* of UTF-16, U+FFFD for what is faulty */
	bool is_latin1;
	bool is_faulty;
};

static struct outline outline_of(const uint8_t *bytes, size_t length)
{
	struct outline outline = { 0, true, false };
	for (size_t at = 0; at < length;) {
		const size_t ascii = length_of_ascii(bytes + at, length - at);
		at += ascii;
		outline.units += ascii;
		if (at == length)
			break;
		const int32_t character = decode_character(bytes, length, &at);
		outline.units += character >= 0x10000 ? 2 : 1;
		outline.is_faulty |= character < 0;
		outline.is_latin1 &= character >= 0 && character <= 0xff;
	}
	return outline;
}

/* Of a text whose characters all are Latin-1. */
static void decode_narrow(const uint8_t *bytes, size_t length, uint8_t *units)
{
	for (size_t at = 0; at < length;) {
		const size_t ascii = length_of_ascii(bytes + at, length - at);
		memcpy(units, bytes + at, ascii);
		units += ascii;
		at += ascii;
		if (at < length)
			*units++ = (uint8_t)decode_character(bytes, length, &at);
	}
}

static void decode_wide(const uint8_t *bytes, size_t length, uint16_t *units)
{
	for (size_t at = 0; at < length;) {
		int32_t character = decode_character(bytes, length, &at);
		if (character < 0)
			character = REPLACEMENT;
		if (character >= 0x10000) {
			character -= 0x10000;
			*units++ = (uint16_t)(0xd800 + (character >> 10));
			character = 0xdc00 + (character & 0x3ff);
		}
		*units++ = (uint16_t)character;
	}
}

static JSValue decode(JSContext *context, const struct host_bytes *bytes, struct outline outline)
{
	const size_t unit_length = outline.is_latin1 ? sizeof(uint8_t) : sizeof(uint16_t);
	void *units = js_malloc(context, outline.units * unit_length);
	if (units == NULL)
		return JS_EXCEPTION;
	JSValue text;
	if (outline.is_latin1) {
		decode_narrow(bytes->start, bytes->length, units);
		text = JS_NewStringLatin1(context, units, outline.units);
	} else {
		decode_wide(bytes->start, bytes->length, units);
		text = JS_NewStringUTF16(context, units, outline.units);
	}
	js_free(context, units);
	return text;
}

static JSValue decode_utf8(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	bool fatal;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0
		|| host_get_boolean(context, arguments[1], "\"fatal\"", &fatal) < 0)
		return JS_EXCEPTION;
	if (length_of_ascii(bytes.start, bytes.length) == bytes.length)
		return JS_NewStringLatin1(context, bytes.start, bytes.length);
	const struct outline outline = outline_of(bytes.start, bytes.length);
	if (outline.is_faulty && fatal)
		return JS_ThrowTypeError(context, "The bytes are no UTF-8.");
	return decode(context, &bytes, outline);
}

static JSValue decode_latin1(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0)
		return JS_EXCEPTION;
	return JS_NewStringLatin1(context, bytes.start, bytes.length);
}

/* Whether every unit was a byte; else some of the target may have been written. */
static bool copy_latin1(uint8_t *target, const struct host_string *text)
{
	if (text->narrow != NULL) {
		memcpy(target, text->narrow, text->length);
		return true;
	}
	for (size_t i = 0; i < text->length; i++) {
		if (text->wide[i] > 0xff)
			return false;
		target[i] = (uint8_t)text->wide[i];
	}
	return true;
}

static JSValue write_latin1(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes target;
	struct host_string text;
	int64_t offset;
	if (host_get_bytes(context, arguments[0], "The target", &target) < 0
		|| host_get_integer(context, arguments[1], "The offset", 0,
			(int64_t)target.length, &offset) < 0
		|| host_get_string(context, arguments[2], "The text", &text) < 0)
		return JS_EXCEPTION;
	const bool has_room = text.length <= target.length - (size_t)offset;
	const bool is_latin1 = has_room && copy_latin1(target.start + offset, &text);
	host_free_string(context, &text);
	if (!has_room)
		return JS_ThrowRangeError(context, "The target is too short for the text.");
	if (!is_latin1)
		return JS_ThrowRangeError(context, "The text has a character above U+00FF.");
	return JS_UNDEFINED;
}

static JSValue find_bytes(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes, pattern;
	int64_t start;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0
		|| host_get_bytes(context, arguments[1], "The pattern", &pattern) < 0
		|| host_get_integer(context, arguments[2], "The start", 0, INT32_MAX, &start) < 0)
		return JS_EXCEPTION;
	if ((size_t)start > bytes.length)
		return JS_NewInt32(context, -1);
	const uint8_t *found = memmem(bytes.start + start, bytes.length - (size_t)start,
		pattern.start, pattern.length);
	return JS_NewInt32(context, found == NULL ? -1 : (int32_t)(found - bytes.start));
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("encodeUtf8", 1, encode_utf8),
	JS_CFUNC_DEF("encodeUtf8Into", 2, encode_utf8_into),
	JS_CFUNC_DEF("utf8Length", 1, utf8_length),
	JS_CFUNC_DEF("decodeUtf8", 2, decode_utf8),
	JS_CFUNC_DEF("decodeLatin1", 1, decode_latin1),
	JS_CFUNC_DEF("writeLatin1", 3, write_latin1),
	JS_CFUNC_DEF("findBytes", 3, find_bytes),
};

int host_add_text(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
