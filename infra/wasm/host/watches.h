/* The watched descriptors: a list whose first part is waited for at every poll. */
#ifndef WATCHES_H
#define WATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum interest { READABLE = 1, WRITABLE = 2, BROKEN = 4 };

struct watch {
	int32_t descriptor;
	uint8_t interest;
	uint8_t ready; /* flags gathered by the poll under way */
	bool is_no_stream; /* a listener or a pipe: cannot be peeked at */
	double active_at_ms; /* of the monotonic clock */
};

/* The busy ones come first: `busy` of `count`. */
struct watches {
	struct watch *list;
	uint32_t count;
	uint32_t busy;
	uint32_t capacity;
};
extern struct watches watches;

/* Begins or changes a watch, which is busy then; 0, or -1 where there is no memory. */
int watches_set(int32_t descriptor, uint8_t interest, double now_ms);

/* Ends a watch, if there is one. */
void watches_remove(int32_t descriptor);

/* Notes that a watch, if there is one, is busy. */
void watches_touch(int32_t descriptor, double now_ms);

/* Moves a watch to the other part; the one that stood in between takes its place. */
void watches_make_busy(uint32_t index, double now_ms);
void watches_make_idle(uint32_t index);

#endif
