/* JavaScript's memory: counted, limited, and what is done when it is used up. */
#ifndef MEMORY_H
#define MEMORY_H

#include "host.h"

/* A runtime whose values take `limit` bytes at most (0: as much as there is), or null. */
JSRuntime *host_new_runtime(size_t limit);

/* Bytes that JavaScript's values take. */
size_t host_memory_used(void);

/* Whether memory was refused since the last call of the next function. */
bool host_memory_was_refused(void);

/*
 * To be called between turns. False where memory had been refused since the
 * last call and collecting garbage does not bring enough back to go on.
 */
bool host_memory_suffices(JSRuntime *runtime);

#endif
