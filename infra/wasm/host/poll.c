/*
 * Waiting for the watched descriptors.
 *
 * WasmEdge's poll_oneoff tells the system each descriptor anew at every call, so
 * that a thousand idle connections would cost more than the work of a few busy
 * ones. While some are busy, only these are waited for, and the idle ones are
 * peeked at in turn, so many a millisecond; when all have been quiet for a
 * while, all are waited for.
 */
#include "host.h"
#include "sockets.h"
#include "watches.h"

#include <math.h>
#include <stdlib.h>

/* So few are always waited for together. */
#define WATCHES_FEW 64u
/* A connection is busy for so long after it was ready. */
#define BUSY_MS 100.0
/* Half a microsecond each: a tenth of the time. */
#define PEEKS_PER_MS 200.0
/* How long nobody looks at a connection that keeps waking the wait, but has nothing to tell. */
#define PAUSE_MS 2.0

#define NANOSECONDS_PER_MILLISECOND 1e6
/* A year: no timer is that far away. */
#define TIMEOUT_MAX_MS (366.0 * 24 * 60 * 60 * 1000)
#define TIME_ID UINT64_MAX
#define PEEK_FLAG 1

/* Two subscriptions a watch and one for the time. */
static __wasi_subscription_t *subscriptions;
static __wasi_event_t *occurrences;
static uint32_t subscription_capacity;

/* The idle watch that is peeked at next, and when some were last. */
static uint32_t peek_at;
static double peeked_ms;

/* Where the program wants its events. */
struct events {
	int32_t *pairs;
	uint32_t count;
	uint32_t max;
};

static double now_ms(void)
{
	__wasi_timestamp_t now = 0;
	(void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &now); /* every system has one */
	return (double)now / NANOSECONDS_PER_MILLISECOND;
}

void host_forget_watch(int32_t descriptor)
{
	watches_remove(descriptor);
}

/* Room for all subscriptions; 0, or -1 where there is no memory. */
static int make_room(void)
{
	const uint32_t wanted = 2 * watches.capacity + 1;
	if (wanted <= subscription_capacity)
		return 0;
	__wasi_subscription_t *more_subscriptions =
		realloc(subscriptions, wanted * sizeof(*subscriptions));
	if (more_subscriptions == NULL)
		return -1;
	subscriptions = more_subscriptions;
	__wasi_event_t *more_occurrences = realloc(occurrences, wanted * sizeof(*occurrences));
	if (more_occurrences == NULL)
		return -1;
	occurrences = more_occurrences;
	subscription_capacity = wanted;
	return 0;
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
	if (interest == 0)
		watches_remove((int32_t)descriptor);
	else if (watches_set((int32_t)descriptor, (uint8_t)interest, now_ms()) < 0)
		return JS_ThrowOutOfMemory(context);
	return JS_UNDEFINED;
}

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

static uint32_t subscribe_watches(uint32_t watch_count)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < watch_count; i++) {
		const struct watch *watch = &watches.list[i];
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

static void add_event(struct events *events, int32_t descriptor, uint8_t flags)
{
	events->pairs[2 * events->count] = descriptor;
	events->pairs[2 * events->count + 1] = flags;
	events->count++;
}

/* Flags of an occurrence; 0 where a signal has interrupted the wait. */
static uint8_t flags_of(const __wasi_event_t *occurrence)
{
	if (occurrence->error == __WASI_ERRNO_INTR)
		return 0;
	if (occurrence->error != 0)
		return watches.list[occurrence->userdata].interest | BROKEN;
	const uint8_t flag =
		occurrence->type == __WASI_EVENTTYPE_FD_READ ? READABLE : WRITABLE;
	const bool is_broken =
		(occurrence->fd_readwrite.flags & __WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP) != 0;
	return is_broken ? flag | BROKEN : flag;
}

/* A watch may have two occurrences; they are one event. */
static void add_occurrences(uint32_t occurrence_count, struct events *events)
{
	for (uint32_t i = 0; i < occurrence_count; i++) {
		if (occurrences[i].userdata != TIME_ID)
			watches.list[occurrences[i].userdata].ready |= flags_of(&occurrences[i]);
	}
	for (uint32_t i = 0; i < occurrence_count; i++) {
		if (occurrences[i].userdata == TIME_ID)
			continue;
		struct watch *watch = &watches.list[occurrences[i].userdata];
		if (watch->ready != 0 && events->count < events->max)
			add_event(events, watch->descriptor, watch->ready);
		watch->ready = 0;
	}
}

/* Those that were ready are busy; moves watches, so after all else was done with their places. */
static void note_busy(uint32_t first_event, const struct events *events, double now)
{
	for (uint32_t i = first_event; i < events->count; i++)
		watches_touch(events->pairs[2 * i], now);
}

/* Waits for the first watches; 0 or an errno. */
static int wait_for(uint32_t watch_count, double timeout_ms, struct events *events)
{
	uint32_t subscription_count = subscribe_watches(watch_count);
	if (!isinf(timeout_ms))
		subscribe_time(&subscriptions[subscription_count++], timeout_ms);
	__wasi_size_t occurrence_count = 0;
	int error = __wasi_poll_oneoff(subscriptions, occurrences, subscription_count,
		&occurrence_count);
	if (error != 0)
		return error == __WASI_ERRNO_INTR ? 0 : error;
	const uint32_t first_event = events->count;
	add_occurrences((uint32_t)occurrence_count, events);
	note_busy(first_event, events, now_ms());
	if (occurrence_count == 0 && timeout_ms > 0) {
		/*
		 * The peer has ended, and only room for sending is waited for, which there
		 * is not: the system wakes us at once each time, and WasmEdge tells nothing.
		 */
		subscribe_time(&subscriptions[0], fmin(timeout_ms, PAUSE_MS));
		error = __wasi_poll_oneoff(subscriptions, occurrences, 1, &occurrence_count);
	}
	return error;
}

/* What an idle connection has to tell; 0 where that is nothing. */
static uint8_t peek(struct watch *watch)
{
	uint8_t byte;
	const __wasi_iovec_t piece = { &byte, 1 };
	uint32_t length, flags;
	const int error = wasi_sock_recv(watch->descriptor, &piece, 1, PEEK_FLAG, &length, &flags);
	switch (error) {
	case 0:
		return READABLE;
	case __WASI_ERRNO_AGAIN:
	case __WASI_ERRNO_INTR:
		return 0;
	case __WASI_ERRNO_NOTSOCK:
	case __WASI_ERRNO_NOTCONN:
	case __WASI_ERRNO_INVAL:
		watch->is_no_stream = true;
		return 0;
	default:
		return READABLE | BROKEN;
	}
}

/* Peeks at as many of the idle connections as the time since the last ones allows. */
static void peek_at_idle(double now, struct events *events)
{
	const uint32_t idle = watches.count - watches.busy;
	const double due = ceil((now - peeked_ms) * PEEKS_PER_MS);
	uint32_t peeks = due < idle ? (uint32_t)due : idle;
	peeked_ms = now;
	for (; peeks > 0 && events->count < events->max; peeks--, peek_at++) {
		if (peek_at < watches.busy || peek_at >= watches.count)
			peek_at = watches.busy;
		if (peek_at >= watches.count)
			return;
		struct watch *watch = &watches.list[peek_at];
		const uint8_t flags = peek(watch);
		if (flags != 0)
			add_event(events, watch->descriptor, flags);
		if (flags != 0 || watch->is_no_stream)
			watches_make_busy(peek_at, now);
	}
}

/* Whether only the busy ones are to be waited for; those that were long quiet become idle. */
static bool sort_out_idle(double now)
{
	bool is_any_busy = false;
	for (uint32_t i = watches.busy; i-- > 0;) {
		const struct watch *watch = &watches.list[i];
		if (now - watch->active_at_ms <= BUSY_MS)
			is_any_busy = true;
		/* Room for sending cannot be peeked at. */
		else if (!watch->is_no_stream && watch->interest == READABLE)
			watches_make_idle(i);
	}
	return is_any_busy && watches.busy < watches.count;
}

/* 0 or an errno. */
static int poll_many(double timeout_ms, struct events *events)
{
	const double now = now_ms();
	if (watches.count <= WATCHES_FEW || !sort_out_idle(now)) {
		peeked_ms = now; /* all are looked at anyway */
		return wait_for(watches.count, timeout_ms, events);
	}
	/* Those that the peeks find ready come behind these, and are not waited for again. */
	const uint32_t busy = watches.busy;
	const double peeked_next_ms = ceil((watches.count - busy) / PEEKS_PER_MS);
	peek_at_idle(now, events);
	return wait_for(busy, events->count > 0 ? 0 : fmin(timeout_ms, peeked_next_ms), events);
}

static int get_events(JSContext *context, JSValueConst value, struct events *events)
{
	if (JS_GetTypedArrayType(value) != JS_TYPED_ARRAY_INT32) {
		JS_ThrowTypeError(context, "The events must be an Int32Array.");
		return -1;
	}
	size_t offset, length, element_length, buffer_length;
	JSValue buffer = JS_GetTypedArrayBuffer(context, value, &offset, &length, &element_length);
	if (JS_IsException(buffer))
		return -1;
	uint8_t *start = JS_GetArrayBuffer(context, &buffer_length, buffer);
	JS_FreeValue(context, buffer); /* the typed array holds it */
	if (start == NULL)
		return -1;
	*events = (struct events){
		.pairs = (int32_t *)(void *)(start + offset),
		.max = (uint32_t)(length / sizeof(int32_t) / 2),
	};
	if (events->max == 0) {
		JS_ThrowRangeError(context, "The events must have room for a pair.");
		return -1;
	}
	return 0;
}

static JSValue poll_watches(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	double timeout_ms;
	struct events events;
	if (host_get_number(context, arguments[0], "The timeout", &timeout_ms) < 0
		|| get_events(context, arguments[1], &events) < 0)
		return JS_EXCEPTION;
	if (timeout_ms < 0)
		return JS_ThrowRangeError(context, "The timeout must not be negative.");
	if (watches.count == 0 && isinf(timeout_ms))
		return JS_ThrowRangeError(context,
			"Nothing is watched and no time is given: the wait would have no end.");
	if (make_room() < 0)
		return JS_ThrowOutOfMemory(context);
	const int error = poll_many(timeout_ms, &events);
	if (error != 0)
		return host_throw_errno(context, "poll", error);
	return JS_NewUint32(context, events.count);
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
