/*
 * What the host's files share: one `host_add_<area>` each, and the checks of
 * arguments. src/wasmedge/host.d.ts says what JavaScript sees of them.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/*
 * Each adds the functions of its area to the object `host`; 0, or -1 with an
 * exception thrown. A build without cryptography or TLS defines
 * HOST_WITHOUT_CRYPTO or HOST_WITHOUT_TLS.
 */
int host_add_loop(JSContext *context, JSValueConst host);
int host_add_process(JSContext *context, JSValueConst host);
int host_add_files(JSContext *context, JSValueConst host);
int host_add_sockets(JSContext *context, JSValueConst host);
int host_add_resolver(JSContext *context, JSValueConst host);
int host_add_poll(JSContext *context, JSValueConst host);
int host_add_base64(JSContext *context, JSValueConst host);
int host_add_text(JSContext *context, JSValueConst host);
int host_add_bson(JSContext *context, JSValueConst host);
int host_add_compression(JSContext *context, JSValueConst host);
int host_add_crypto(JSContext *context, JSValueConst host);
int host_add_tls(JSContext *context, JSValueConst host);

/*
 * Adds functions and constants to `target`, named so that what is no function
 * of its own (a TypeError of a wrong argument) tells the call.
 */
int host_add_functions(JSContext *context, JSValueConst target,
	const JSCFunctionListEntry *entries, int count);

/* Adds `name: version` to host.versions. */
int host_add_version(JSContext *context, JSValueConst host, const char *name,
	const char *version);

/*
 * Arguments. No check below calls JavaScript (no valueOf, no toString), so that
 * a pointer into one argument stays good while the next one is checked. Each
 * returns 0, or -1 with a TypeError or RangeError thrown; `what` is the
 * argument's name for the message.
 */

/* Bytes of a Uint8Array, good until JavaScript runs again. Never null, even where it is empty. */
struct host_bytes {
	uint8_t *start;
	size_t length;
};
int host_get_bytes(JSContext *context, JSValueConst value, const char *what,
	struct host_bytes *bytes);

/* A whole number from `min` to `max`. */
int host_get_integer(JSContext *context, JSValueConst value, const char *what,
	int64_t min, int64_t max, int64_t *number);

/* A number of any kind but NaN. */
int host_get_number(JSContext *context, JSValueConst value, const char *what,
	double *number);

/* True or false, nothing that is merely like it. */
int host_get_boolean(JSContext *context, JSValueConst value, const char *what,
	bool *answer);

/*
 * Text in UTF-8 with a closing zero, to be freed by JS_FreeCString; null with
 * an exception thrown where the value is no string. `length` may be null; where
 * it is, a text with a zero character in it is refused.
 */
const char *host_get_text(JSContext *context, JSValueConst value,
	const char *what, size_t *length);

/* One of the names: its place in the list, or -1 with a TypeError thrown. */
int host_get_choice(JSContext *context, JSValueConst value, const char *what,
	const char *const *names, int count);

/*
 * Results.
 */

/*
 * A Uint8Array that owns `memory`, which js_malloc gave (`length` may be 0, but
 * not `memory` null); frees it where it fails.
 */
JSValue host_new_bytes(JSContext *context, uint8_t *memory, size_t length);

/* A Uint8Array with a copy of the bytes. */
JSValue host_new_bytes_copy(JSContext *context, const void *start, size_t length);

/*
 * Throws a HostError for a number of WASI's errno: `code` is its POSIX name,
 * `syscall` the call. Always JS_EXCEPTION.
 */
JSValue host_throw_errno(JSContext *context, const char *syscall, int number);

/* The same error, not thrown. */
JSValue host_new_errno(JSContext *context, const char *syscall, int number);

/* Fills the bytes from the system's generator; 0 or an errno. */
int host_random(void *start, size_t length);

#endif
