/* JavaScript's memory: counted, limited, and what is done when it is used up. */
#include "memory.h"

#include <malloc.h>
#include <stdlib.h>

/* What small pieces may take beyond the limit once it was met, so that an error can still be made and told. */
#define RESERVE (1024u * 1024)
#define SMALL_LENGTH_MAX 65536u
/* So much must be free after a collection for the program to go on: a fraction of the limit. */
#define FREE_FRACTION 16
#define FREE_WITHOUT_LIMIT (4u * 1024 * 1024)
/* The collector must have run before the limit is reached. */
#define COLLECT_FRACTION 8
/* Loading the bundle makes no garbage; collecting meanwhile took a tenth of the start. */
#define COLLECT_FIRST (32u * 1024 * 1024)
/* A collection takes 1.6 ms for each MiB that lives: not for less than this. */
#define COLLECT_GROWTH_MIN (16u * 1024 * 1024)

static size_t used;
static size_t limit;
static bool was_refused;

static bool is_allowed(size_t length)
{
	if (limit == 0)
		return true;
	const size_t allowed = was_refused && length <= SMALL_LENGTH_MAX ? limit + RESERVE : limit;
	return used <= allowed && length <= allowed - used;
}

static void *count(void *memory)
{
	if (memory == NULL)
		was_refused = true;
	else
		used += malloc_usable_size(memory);
	return memory;
}

static void *allocate(void *opaque, size_t length)
{
	(void)opaque;
	return count(is_allowed(length) ? malloc(length) : NULL);
}

static void *allocate_zeroes(void *opaque, size_t number, size_t length)
{
	(void)opaque;
	if (length != 0 && number > SIZE_MAX / length)
		return NULL;
	return count(is_allowed(number * length) ? calloc(number, length) : NULL);
}

static void release(void *opaque, void *memory)
{
	(void)opaque;
	if (memory != NULL)
		used -= malloc_usable_size(memory);
	free(memory);
}

static void *resize(void *opaque, void *memory, size_t length)
{
	if (memory == NULL)
		return allocate(opaque, length);
	const size_t before = malloc_usable_size(memory);
	if (length > before && !is_allowed(length - before))
		return count(NULL);
	void *resized = realloc(memory, length);
	if (resized == NULL) {
		was_refused = true;
		return NULL;
	}
	used -= before;
	return count(resized);
}

static size_t usable_length(const void *memory)
{
	return malloc_usable_size((void *)(uintptr_t)memory);
}

/* Where the next collection begins, as far as we know. */
static size_t threshold;

/*
 * QuickJS collects when memory has grown by half since the last time: too often
 * for a small heap, and maybe beyond the limit for a large one. Near the limit
 * each collection halves the way that is left to it, lest they follow each
 * other without end.
 *
 * Its threshold is of what values take (`living`, now). That is less than what
 * it has from us: it cuts small values from blocks, and keeps a block as long
 * as one of them lives. A threshold made of `used` would let garbage grow with
 * these holes, and the holes with the garbage.
 */
static void set_threshold(JSRuntime *runtime, size_t living, size_t wanted)
{
	threshold = wanted;
	if (limit != 0 && used < limit) {
		const size_t early = limit - limit / COLLECT_FRACTION;
		const size_t latest = used < early ? early : used + (limit - used) / 2;
		const size_t growth = latest - used;
		if (threshold > living + growth)
			threshold = living + growth;
	}
	JS_SetGCThreshold(runtime, threshold);
}

/* A threshold that is not ours tells that there was a collection. */
static void follow_collection(JSRuntime *runtime)
{
	const size_t by_half = JS_GetGCThreshold(runtime);
	if (by_half == threshold)
		return;
	const size_t living = by_half / 3 * 2;
	const size_t least = living + COLLECT_GROWTH_MIN;
	set_threshold(runtime, living, by_half > least ? by_half : least);
}

JSRuntime *host_new_runtime(size_t limit_given)
{
	static const JSMallocFunctions functions = {
		allocate_zeroes, allocate, release, resize, usable_length,
	};
	limit = limit_given;
	JSRuntime *runtime = JS_NewRuntime2(&functions, NULL);
	if (runtime != NULL)
		set_threshold(runtime, used, COLLECT_FIRST);
	return runtime;
}

size_t host_memory_used(void)
{
	return used;
}

bool host_memory_was_refused(void)
{
	return was_refused;
}

static bool has_room(void)
{
	const size_t wanted = limit == 0 ? FREE_WITHOUT_LIMIT : limit / FREE_FRACTION;
	if (limit != 0 && (used > limit || limit - used < wanted))
		return false;
	void *probe = malloc(wanted);
	free(probe);
	return probe != NULL;
}

bool host_memory_suffices(JSRuntime *runtime)
{
	follow_collection(runtime);
	if (!was_refused)
		return true;
	JS_RunGC(runtime);
	was_refused = false;
	return has_room();
}
