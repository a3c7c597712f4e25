/* Checks of arguments and makers of results that all areas share. */
#include "host.h"

#include <math.h>
#include <string.h>

int host_add_functions(JSContext *context, JSValueConst target,
	const JSCFunctionListEntry *entries, int count)
{
	return JS_SetPropertyFunctionList(context, target, entries, count) < 0 ? -1 : 0;
}

int host_add_version(JSContext *context, JSValueConst host, const char *name,
	const char *version)
{
	JSValue versions = JS_GetPropertyStr(context, host, "versions");
	if (JS_IsException(versions))
		return -1;
	JSValue text = JS_NewString(context, version);
	int done = JS_IsException(text) ? -1
		: JS_DefinePropertyValueStr(context, versions, name, text, JS_PROP_ENUMERABLE);
	JS_FreeValue(context, versions);
	return done < 0 ? -1 : 0;
}

int host_get_bytes(JSContext *context, JSValueConst value, const char *what,
	struct host_bytes *bytes)
{
	static uint8_t nothing[1];

	if (JS_GetTypedArrayType(value) != JS_TYPED_ARRAY_UINT8) {
		JS_ThrowTypeError(context, "%s must be a Uint8Array.", what);
		return -1;
	}
	size_t length = 0;
	uint8_t *start = JS_GetUint8Array(context, &length, value);
	if (start == NULL) {
		if (JS_HasException(context))
			return -1;
		start = nothing;
		length = 0;
	}
	bytes->start = start;
	bytes->length = length;
	return 0;
}

int host_get_number(JSContext *context, JSValueConst value, const char *what,
	double *number)
{
	if (JS_IsNumber(value) && JS_ToFloat64(context, number, value) == 0 && !isnan(*number))
		return 0;
	JS_ThrowTypeError(context, "%s must be a number.", what);
	return -1;
}

int host_get_integer(JSContext *context, JSValueConst value, const char *what,
	int64_t min, int64_t max, int64_t *number)
{
	double given;
	if (host_get_number(context, value, what, &given) < 0)
		return -1;
	if (given != floor(given) || given < (double)min || given > (double)max) {
		JS_ThrowRangeError(context, "%s must be a whole number from %lld to %lld, not %g.",
			what, (long long)min, (long long)max, given);
		return -1;
	}
	*number = (int64_t)given;
	return 0;
}

int host_get_boolean(JSContext *context, JSValueConst value, const char *what,
	bool *answer)
{
	if (!JS_IsBool(value)) {
		JS_ThrowTypeError(context, "%s must be true or false.", what);
		return -1;
	}
	*answer = JS_ToBool(context, value) == 1;
	return 0;
}

const char *host_get_text(JSContext *context, JSValueConst value,
	const char *what, size_t *length)
{
	if (!JS_IsString(value)) {
		JS_ThrowTypeError(context, "%s must be a string.", what);
		return NULL;
	}
	size_t text_length;
	const char *text = JS_ToCStringLen(context, &text_length, value);
	if (text == NULL)
		return NULL;
	if (length != NULL) {
		*length = text_length;
	} else if (memchr(text, 0, text_length) != NULL) {
		JS_FreeCString(context, text);
		JS_ThrowTypeError(context, "%s must not contain the character U+0000.", what);
		return NULL;
	}
	return text;
}

int host_get_choice(JSContext *context, JSValueConst value, const char *what,
	const char *const *names, int count)
{
	const char *given = host_get_text(context, value, what, NULL);
	if (given == NULL)
		return -1;
	int chosen = 0;
	while (chosen < count && strcmp(given, names[chosen]) != 0)
		chosen++;
	if (chosen == count) {
		JS_ThrowTypeError(context, "%s does not know \"%.40s\".", what, given);
		chosen = -1;
	}
	JS_FreeCString(context, given);
	return chosen;
}

/* QuickJS frees the memory of an ArrayBuffer by asking for 0 bytes. */
static void *resize_memory(JSRuntime *runtime, void *opaque, void *memory, size_t size)
{
	(void)opaque;
	if (size == 0) {
		js_free_rt(runtime, memory);
		return NULL;
	}
	return js_realloc_rt(runtime, memory, size);
}

JSValue host_new_bytes(JSContext *context, uint8_t *memory, size_t length)
{
	JSValue buffer = JS_NewArrayBuffer(context, memory, length, 0, resize_memory, NULL, false);
	if (JS_IsException(buffer)) {
		js_free(context, memory);
		return buffer;
	}
	JSValueConst arguments[] = { buffer };
	JSValue bytes = JS_NewTypedArray(context, 1, arguments, JS_TYPED_ARRAY_UINT8);
	JS_FreeValue(context, buffer);
	return bytes;
}

JSValue host_new_bytes_copy(JSContext *context, const void *start, size_t length)
{
	return JS_NewUint8ArrayCopy(context, start, length);
}
