/* The units of a JavaScript string, as QuickJS keeps them. */
#ifndef TEXT_H
#define TEXT_H

#include "host.h"

/* One of `narrow` (Latin-1) and `wide` (UTF-16) is set. */
struct host_string {
	JSValue flat;
	const uint8_t *narrow;
	const uint16_t *wide;
	size_t length;
};

/* 0, or -1 with a TypeError thrown where the value is no string. */
int host_get_string(JSContext *context, JSValueConst value, const char *what,
	struct host_string *string);
void host_free_string(JSContext *context, struct host_string *string);

#endif
