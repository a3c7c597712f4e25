/* Finds the elements of a document, without reading their values; what is irregular is left to the library. */
#include "bson.h"

#include <string.h>

struct element {
	uint8_t type;
	size_t name;
	size_t name_length;
	size_t value;
	size_t value_length;
};

/* A length that stands at `at`, or -1. */
static int64_t length_at(const struct host_bytes *bytes, size_t at, size_t end)
{
	int32_t length = 0;
	if (end - at < sizeof(length))
		return -1;
	memcpy(&length, bytes->start + at, sizeof(length));
	return length;
}

/* Of the types that the host reads; -1 for others and for what is damaged. */
static int64_t value_length(const struct host_bytes *bytes, const struct element *element, size_t end)
{
	int64_t length;
	switch (element->type) {
	case BSON_DOUBLE:
	case BSON_DATE:
	case BSON_TIMESTAMP:
	case BSON_INT64:
		return 8;
	case BSON_INT32:
		return 4;
	case BSON_OBJECT_ID:
		return 12;
	case BSON_BOOLEAN:
		return 1;
	case BSON_NULL:
		return 0;
	case BSON_DOCUMENT:
	case BSON_ARRAY:
		return length_at(bytes, element->value, end);
	case BSON_STRING:
		length = length_at(bytes, element->value, end);
		return length < 0 ? -1 : length + 4;
	case BSON_BINARY:
		length = length_at(bytes, element->value, end);
		return length < 0 ? -1 : length + 5;
	default:
		return -1;
	}
}

/* The element whose type stands at `at`; `end` is where the closing zero is. */
static bool find_element(const struct host_bytes *bytes, size_t at, size_t end,
	struct element *element)
{
	element->type = bytes->start[at];
	element->name = at + 1;
	const uint8_t *name_end = memchr(bytes->start + element->name, 0, end - element->name);
	if (element->type == 0 || name_end == NULL)
		return false;
	element->name_length = (size_t)(name_end - bytes->start) - element->name;
	element->value = element->name + element->name_length + 1;
	const int64_t length = value_length(bytes, element, end);
	if (length < 0 || (uint64_t)length > end - element->value)
		return false;
	element->value_length = (size_t)length;
	return true;
}

/* As the library has it: [type, nameOffset, nameLength, offset, length]. */
static JSValue new_element(JSContext *context, const struct element *element)
{
	JSValueConst numbers[] = {
		JS_NewInt32(context, element->type),
		JS_NewInt64(context, (int64_t)element->name),
		JS_NewInt64(context, (int64_t)element->name_length),
		JS_NewInt64(context, (int64_t)element->value),
		JS_NewInt64(context, (int64_t)element->value_length),
	};
	return JS_NewArrayFrom(context, COUNT_OF(numbers), numbers);
}

/* 1, 0 where the library has to do it, or -1 with an exception thrown. */
static int add_elements(JSContext *context, const struct host_bytes *bytes, size_t at, size_t end,
	JSValueConst elements)
{
	for (uint32_t index = 0; at < end; index++) {
		struct element element;
		if (!find_element(bytes, at, end, &element))
			return 0;
		JSValue found = new_element(context, &element);
		if (JS_IsException(found)
			|| JS_DefinePropertyValueUint32(context, elements, index, found, JS_PROP_C_W_E) < 0)
			return -1;
		at = element.value + element.value_length;
	}
	return 1;
}

JSValue bson_split(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	int64_t offset = 0;
	if (host_get_bytes(context, arguments[0], "The document", &bytes) < 0
		|| host_get_integer(context, arguments[1], "The offset", 0, (int64_t)bytes.length, &offset) < 0)
		return JS_EXCEPTION;
	const size_t begin = (size_t)offset;
	const int64_t length = length_at(&bytes, begin, bytes.length);
	if (length < BSON_DOCUMENT_LENGTH_MIN || (uint64_t)length > bytes.length - begin
		|| bytes.start[begin + (size_t)length - 1] != 0)
		return JS_UNDEFINED;
	JSValue elements = JS_NewArray(context);
	if (JS_IsException(elements))
		return JS_EXCEPTION;
	const int added = add_elements(context, &bytes, begin + 4, begin + (size_t)length - 1, elements);
	if (added == 1)
		return elements;
	JS_FreeValue(context, elements);
	return added < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}
