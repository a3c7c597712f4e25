/*
 * A dense list of watches, and beside it a table from a descriptor's hash to its
 * place + 1 in the list (linear probing): WasmEdge draws descriptors at random
 * from 31 bits.
 */
#include "watches.h"

#include <stdlib.h>

#define WATCHES_AT_FIRST 64u

struct watches watches;

static uint32_t *places;
static uint32_t place_mask; /* number of places - 1, a power of two - 1 */

static uint32_t home_of(int32_t descriptor)
{
	/* Knuth's multiplicative hash: the middle bits depend on all of the lower ones. */
	return ((uint32_t)descriptor * 2654435769u >> 7) & place_mask;
}

/* Where the descriptor's place is noted, or would be. */
static uint32_t find_place(int32_t descriptor)
{
	uint32_t at = home_of(descriptor);
	while (places[at] != 0 && watches.list[places[at] - 1].descriptor != descriptor)
		at = (at + 1) & place_mask;
	return at;
}

static int grow(void)
{
	const uint32_t capacity = watches.capacity == 0 ? WATCHES_AT_FIRST : watches.capacity * 2;
	struct watch *list = realloc(watches.list, capacity * sizeof(*list));
	if (list == NULL)
		return -1;
	watches.list = list;
	uint32_t *more_places = calloc(2 * (size_t)capacity, sizeof(*more_places));
	if (more_places == NULL)
		return -1;
	free(places);
	places = more_places;
	place_mask = 2 * capacity - 1;
	watches.capacity = capacity;
	for (uint32_t i = 0; i < watches.count; i++)
		places[find_place(list[i].descriptor)] = i + 1;
	return 0;
}

/* Takes a note out of the table and closes the gap in its chain. */
static void remove_place(uint32_t gap)
{
	for (uint32_t at = (gap + 1) & place_mask; places[at] != 0; at = (at + 1) & place_mask) {
		const uint32_t home = home_of(watches.list[places[at] - 1].descriptor);
		if (((at - home) & place_mask) >= ((at - gap) & place_mask)) {
			places[gap] = places[at];
			gap = at;
		}
	}
	places[gap] = 0;
}

static void exchange(uint32_t a, uint32_t b)
{
	if (a == b)
		return;
	const uint32_t place_a = find_place(watches.list[a].descriptor);
	const uint32_t place_b = find_place(watches.list[b].descriptor);
	const struct watch moved = watches.list[a];
	watches.list[a] = watches.list[b];
	watches.list[b] = moved;
	places[place_a] = b + 1;
	places[place_b] = a + 1;
}

void watches_make_busy(uint32_t index, double now_ms)
{
	watches.list[index].active_at_ms = now_ms;
	if (index >= watches.busy)
		exchange(index, watches.busy++);
}

void watches_make_idle(uint32_t index)
{
	if (index < watches.busy)
		exchange(index, --watches.busy);
}

int watches_set(int32_t descriptor, uint8_t interest, double now_ms)
{
	if (watches.count == watches.capacity && grow() < 0)
		return -1;
	const uint32_t at = find_place(descriptor);
	if (places[at] == 0) {
		watches.list[watches.count] = (struct watch){ .descriptor = descriptor };
		places[at] = ++watches.count;
	}
	const uint32_t index = places[at] - 1;
	watches.list[index].interest = interest;
	watches_make_busy(index, now_ms);
	return 0;
}

void watches_touch(int32_t descriptor, double now_ms)
{
	if (watches.count == 0)
		return;
	const uint32_t at = find_place(descriptor);
	if (places[at] != 0)
		watches_make_busy(places[at] - 1, now_ms);
}

void watches_remove(int32_t descriptor)
{
	if (watches.count == 0)
		return;
	const uint32_t at = find_place(descriptor);
	if (places[at] == 0)
		return;
	const uint32_t index = places[at] - 1;
	watches_make_idle(index);
	exchange(places[at] - 1, watches.count - 1);
	remove_place(at);
	watches.count--;
}
