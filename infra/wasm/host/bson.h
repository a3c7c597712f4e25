/* BSON (bsonspec.org): what its writer and its reader share. */
#ifndef BSON_H
#define BSON_H

#include "host.h"

enum bson_type {
	BSON_DOUBLE = 0x01,
	BSON_STRING = 0x02,
	BSON_DOCUMENT = 0x03,
	BSON_ARRAY = 0x04,
	BSON_BINARY = 0x05,
	BSON_OBJECT_ID = 0x07,
	BSON_BOOLEAN = 0x08,
	BSON_DATE = 0x09,
	BSON_NULL = 0x0a,
	BSON_INT32 = 0x10,
	BSON_TIMESTAMP = 0x11,
	BSON_INT64 = 0x12,
};

/* Length, and the closing zero. */
#define BSON_DOCUMENT_LENGTH_MIN 5

/* Levels of documents and arrays; what is deeper is left to the library. MongoDB's limit is 100 for what is stored. */
#define BSON_DEPTH_MAX 180

/* The platform is little-endian, as BSON is. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "BSON's numbers are copied as they are");

/* The functions of host.d.ts. */
JSValue bson_encode(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments);
JSValue bson_decode(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments);
JSValue bson_split(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments);

#endif
