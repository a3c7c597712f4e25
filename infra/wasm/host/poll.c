/* The watched descriptors, and waiting for them by poll_oneoff. */
#include "host.h"
#include "sockets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum interest { READABLE = 1, WRITABLE = 2, BROKEN = 4 };

struct watch {
	int32_t descriptor;
	uint8_t interest;
	uint8_t ready; /* flags gathered by the poll under way */
};

/*
 * A dense list of watches, and beside it a table from a descriptor's hash to its
 * place + 1 in the list (linear probing): WasmEdge draws descriptors at random
 * from 31 bits.
 */
static struct watch *watches;
static uint32_t watch_count;
static uint32_t watch_capacity;
static uint32_t *places;
static uint32_t place_mask; /* number of places - 1, a power of two - 1 */

/* Two subscriptions a watch and one for the time. */
static __wasi_subscription_t *subscriptions;
static __wasi_event_t *occurrences;

#define WATCHES_AT_FIRST 64

static uint32_t home_of(int32_t descriptor)
{
	return ((uint32_t)descriptor * 2654435769u >> 7) & place_mask;
}

/* Where the descriptor's place is noted, or would be. */
static uint32_t find_place(int32_t descriptor)
{
	uint32_t at = home_of(descriptor);
	while (places[at] != 0 && watches[places[at] - 1].descriptor != descriptor)
		at = (at + 1) & place_mask;
	return at;
}

/* Doubles the room; 0, or -1 where there is no memory. */
static int grow(void)
{
	const uint32_t capacity = watch_capacity == 0 ? WATCHES_AT_FIRST : watch_capacity * 2;
	const size_t subscription_count = 2 * (size_t)capacity + 1;
	struct watch *more_watches = realloc(watches, capacity * sizeof(*watches));
	if (more_watches == NULL)
		return -1;
	watches = more_watches;
	__wasi_subscription_t *more_subscriptions =
		realloc(subscriptions, subscription_count * sizeof(*subscriptions));
	if (more_subscriptions == NULL)
		return -1;
	subscriptions = more_subscriptions;
	__wasi_event_t *more_occurrences =
		realloc(occurrences, subscription_count * sizeof(*occurrences));
	if (more_occurrences == NULL)
		return -1;
	occurrences = more_occurrences;
	uint32_t *more_places = calloc(2 * (size_t)capacity, sizeof(*places));
	if (more_places == NULL)
		return -1;
	free(places);
	places = more_places;
	place_mask = 2 * capacity - 1;
	watch_capacity = capacity;
	for (uint32_t i = 0; i < watch_count; i++)
		places[find_place(watches[i].descriptor)] = i + 1;
	return 0;
}

/* Takes a note out of the table and closes the gap in its chain. */
static void remove_place(uint32_t gap)
{
	for (uint32_t at = (gap + 1) & place_mask; places[at] != 0; at = (at + 1) & place_mask) {
		const uint32_t home = home_of(watches[places[at] - 1].descriptor);
		if (((at - home) & place_mask) >= ((at - gap) & place_mask)) {
			places[gap] = places[at];
			gap = at;
		}
	}
	places[gap] = 0;
}

void host_forget_watch(int32_t descriptor)
{
	if (watch_count == 0)
		return;
	const uint32_t at = find_place(descriptor);
	if (places[at] == 0)
		return;
	const uint32_t index = places[at] - 1;
	remove_place(at);
	watch_count--;
	if (index < watch_count) {
		const uint32_t last = find_place(watches[watch_count].descriptor);
		watches[index] = watches[watch_count];
		places[last] = index + 1;
	}
}

static JSValue watch(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int64_t descriptor, interest;
	if (host_get_integer(context, arguments[0], "The descriptor", 0, INT32_MAX, &descriptor) < 0
		|| host_get_integer(context, arguments[1], "The interest", 0, READABLE | WRITABLE,
			&interest) < 0)
		return JS_EXCEPTION;
	if (interest == 0) {
		host_forget_watch((int32_t)descriptor);
		return JS_UNDEFINED;
	}
	if (watch_count == watch_capacity && grow() < 0)
		return JS_ThrowOutOfMemory(context);
	const uint32_t at = find_place((int32_t)descriptor);
	if (places[at] == 0) {
		watches[watch_count] = (struct watch){ .descriptor = (int32_t)descriptor };
		places[at] = ++watch_count;
	}
	watches[places[at] - 1].interest = (uint8_t)interest;
	return JS_UNDEFINED;
}

#define TIME_ID UINT64_MAX
#define NANOSECONDS_PER_MILLISECOND 1e6
/* A year; more overflows nothing, but no timer is that far away. */
#define TIMEOUT_MAX_MS (366.0 * 24 * 60 * 60 * 1000)

static void subscribe_time(__wasi_subscription_t *subscription, double timeout_ms)
{
	if (timeout_ms > TIMEOUT_MAX_MS)
		timeout_ms = TIMEOUT_MAX_MS;
	*subscription = (__wasi_subscription_t){
		.userdata = TIME_ID,
		.u.tag = __WASI_EVENTTYPE_CLOCK,
		.u.u.clock.id = __WASI_CLOCKID_MONOTONIC,
		/* Rounded up: a timer must not be found a little too early, again and again. */
		.u.u.clock.timeout = (__wasi_timestamp_t)ceil(timeout_ms * NANOSECONDS_PER_MILLISECOND),
	};
}

static uint32_t subscribe_watches(void)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < watch_count; i++) {
		const struct watch *watch = &watches[i];
		if (watch->interest & READABLE) {
			subscriptions[count++] = (__wasi_subscription_t){
				.userdata = i,
				.u.tag = __WASI_EVENTTYPE_FD_READ,
				.u.u.fd_read.file_descriptor = (__wasi_fd_t)watch->descriptor,
			};
		}
		if (watch->interest & WRITABLE) {
			subscriptions[count++] = (__wasi_subscription_t){
				.userdata = i,
				.u.tag = __WASI_EVENTTYPE_FD_WRITE,
				.u.u.fd_write.file_descriptor = (__wasi_fd_t)watch->descriptor,
			};
		}
	}
	return count;
}

/* Flags of an occurrence; 0 where a signal has interrupted the wait. */
static uint8_t flags_of(const __wasi_event_t *occurrence)
{
	if (occurrence->error == __WASI_ERRNO_INTR)
		return 0;
	if (occurrence->error != 0)
		return watches[occurrence->userdata].interest | BROKEN;
	const uint8_t flag =
		occurrence->type == __WASI_EVENTTYPE_FD_READ ? READABLE : WRITABLE;
	const bool is_broken =
		(occurrence->fd_readwrite.flags & __WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP) != 0;
	return is_broken ? flag | BROKEN : flag;
}

/* Sorts the occurrences by watch and writes the pairs; their number. */
static uint32_t write_events(uint32_t occurrence_count, int32_t *events, uint32_t pairs_max)
{
	for (uint32_t i = 0; i < occurrence_count; i++) {
		if (occurrences[i].userdata != TIME_ID)
			watches[occurrences[i].userdata].ready = 0;
	}
	uint32_t pair_count = 0;
	for (uint32_t i = 0; i < occurrence_count; i++) {
		if (occurrences[i].userdata != TIME_ID)
			watches[occurrences[i].userdata].ready |= flags_of(&occurrences[i]);
	}
	for (uint32_t i = 0; i < occurrence_count && pair_count < pairs_max; i++) {
		if (occurrences[i].userdata == TIME_ID)
			continue;
		struct watch *watch = &watches[occurrences[i].userdata];
		if (watch->ready == 0)
			continue;
		events[2 * pair_count] = watch->descriptor;
		events[2 * pair_count + 1] = watch->ready;
		pair_count++;
		watch->ready = 0; /* its second occurrence is told with the first */
	}
	return pair_count;
}

static JSValue get_events(JSContext *context, JSValueConst value, int32_t **events,
	uint32_t *pairs_max)
{
	if (JS_GetTypedArrayType(value) != JS_TYPED_ARRAY_INT32)
		return JS_ThrowTypeError(context, "The events must be an Int32Array.");
	size_t offset, length, element_length, buffer_length;
	JSValue buffer = JS_GetTypedArrayBuffer(context, value, &offset, &length, &element_length);
	if (JS_IsException(buffer))
		return buffer;
	uint8_t *start = JS_GetArrayBuffer(context, &buffer_length, buffer);
	/* The typed array holds it. */
	JS_FreeValue(context, buffer);
	if (start == NULL)
		return JS_EXCEPTION;
	*events = (int32_t *)(void *)(start + offset);
	*pairs_max = (uint32_t)(length / sizeof(int32_t) / 2);
	if (*pairs_max == 0)
		return JS_ThrowRangeError(context, "The events must have room for a pair.");
	return JS_UNDEFINED;
}

static JSValue poll_watches(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	double timeout_ms;
	int32_t *events;
	uint32_t pairs_max;
	if (host_get_number(context, arguments[0], "The timeout", &timeout_ms) < 0
		|| JS_IsException(get_events(context, arguments[1], &events, &pairs_max)))
		return JS_EXCEPTION;
	if (timeout_ms < 0)
		return JS_ThrowRangeError(context, "The timeout must not be negative.");
	if (watch_count == 0 && isinf(timeout_ms))
		return JS_ThrowRangeError(context,
			"Nothing is watched and no time is given: the wait would have no end.");
	if (watch_capacity == 0 && grow() < 0)
		return JS_ThrowOutOfMemory(context);

	uint32_t subscription_count = subscribe_watches();
	if (!isinf(timeout_ms))
		subscribe_time(&subscriptions[subscription_count++], timeout_ms);
	__wasi_size_t occurrence_count = 0;
	const int error = __wasi_poll_oneoff(subscriptions, occurrences, subscription_count,
		&occurrence_count);
	if (error == __WASI_ERRNO_INTR)
		return JS_NewInt32(context, 0);
	if (error != 0)
		return host_throw_errno(context, "poll", error);
	return JS_NewUint32(context, write_events((uint32_t)occurrence_count, events, pairs_max));
}

static const JSCFunctionListEntry functions[] = {
	JS_PROP_INT32_DEF("READABLE", READABLE, JS_PROP_ENUMERABLE),
	JS_PROP_INT32_DEF("WRITABLE", WRITABLE, JS_PROP_ENUMERABLE),
	JS_PROP_INT32_DEF("BROKEN", BROKEN, JS_PROP_ENUMERABLE),
	JS_CFUNC_DEF("watch", 2, watch),
	JS_CFUNC_DEF("poll", 2, poll_watches),
};

int host_add_poll(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
