/* Base64 and hexadecimal digits. */
#include "text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static JSValue encode_base64(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0)
		return JS_EXCEPTION;
	const size_t length = (bytes.length + 2) / 3 * 4;
	uint8_t *text = js_malloc(context, length + 1);
	if (text == NULL)
		return JS_EXCEPTION;
	uint8_t *next = text;
	for (size_t at = 0; at < bytes.length; at += 3) {
		const size_t left = bytes.length - at;
		const uint32_t group = (uint32_t)bytes.start[at] << 16
			| (left > 1 ? (uint32_t)bytes.start[at + 1] << 8 : 0)
			| (left > 2 ? (uint32_t)bytes.start[at + 2] : 0);
		*next++ = (uint8_t)alphabet[group >> 18];
		*next++ = (uint8_t)alphabet[group >> 12 & 0x3f];
		*next++ = left > 1 ? (uint8_t)alphabet[group >> 6 & 0x3f] : '=';
		*next++ = left > 2 ? (uint8_t)alphabet[group & 0x3f] : '=';
	}
	JSValue result = JS_NewStringLatin1(context, text, length);
	js_free(context, text);
	return result;
}

static bool is_space(uint32_t unit)
{
	return unit == ' ' || unit == '\t' || unit == '\n' || unit == '\f' || unit == '\r';
}

/* The value of a digit, or -1. */
static int base64_digit(uint32_t unit)
{
	if (unit >= 'A' && unit <= 'Z')
		return (int)unit - 'A';
	if (unit >= 'a' && unit <= 'z')
		return (int)unit - 'a' + 26;
	if (unit >= '0' && unit <= '9')
		return (int)unit - '0' + 52;
	return unit == '+' ? 62 : unit == '/' ? 63 : -1;
}

static uint32_t unit_at(const struct host_string *text, size_t at)
{
	return text->narrow != NULL ? text->narrow[at] : text->wide[at];
}

/* Number of bytes, or -1 where it is no base64 (Infra Standard, 7). */
static int64_t decode(const struct host_string *text, uint8_t *target)
{
	uint32_t group = 0;
	size_t digits = 0, padding = 0;
	int64_t length = 0;
	for (size_t at = 0; at < text->length; at++) {
		const uint32_t unit = unit_at(text, at);
		if (is_space(unit))
			continue;
		if (unit == '=') {
			padding++;
			continue;
		}
		const int digit = base64_digit(unit);
		if (digit < 0 || padding > 0)
			return -1;
		group = group << 6 | (uint32_t)digit;
		if (++digits % 4 == 0) {
			target[length++] = (uint8_t)(group >> 16);
			target[length++] = (uint8_t)(group >> 8);
			target[length++] = (uint8_t)group;
		}
	}
	const size_t left = digits % 4;
	if (left == 1 || (padding > 0 && left + padding != 4))
		return -1;
	if (left == 2) {
		target[length++] = (uint8_t)(group >> 4);
	} else if (left == 3) {
		target[length++] = (uint8_t)(group >> 10);
		target[length++] = (uint8_t)(group >> 2);
	}
	return length;
}

static JSValue decode_base64(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_string text;
	if (host_get_string(context, arguments[0], "The text", &text) < 0)
		return JS_EXCEPTION;
	uint8_t *memory = js_malloc(context, text.length / 4 * 3 + 4);
	const int64_t length = memory == NULL ? -1 : decode(&text, memory);
	host_free_string(context, &text);
	if (memory == NULL)
		return JS_EXCEPTION;
	if (length < 0) {
		js_free(context, memory);
		return JS_UNDEFINED;
	}
	return host_new_bytes(context, memory, (size_t)length);
}

static JSValue encode_hex(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	static const char digits[] = "0123456789abcdef";
	struct host_bytes bytes;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0)
		return JS_EXCEPTION;
	uint8_t *text = js_malloc(context, bytes.length * 2 + 1);
	if (text == NULL)
		return JS_EXCEPTION;
	for (size_t i = 0; i < bytes.length; i++) {
		text[2 * i] = (uint8_t)digits[bytes.start[i] >> 4];
		text[2 * i + 1] = (uint8_t)digits[bytes.start[i] & 0xf];
	}
	JSValue result = JS_NewStringLatin1(context, text, bytes.length * 2);
	js_free(context, text);
	return result;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("encodeBase64", 1, encode_base64),
	JS_CFUNC_DEF("decodeBase64", 1, decode_base64),
	JS_CFUNC_DEF("encodeHex", 1, encode_hex),
};

int host_add_base64(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
