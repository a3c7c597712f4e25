/* Files and streams, for the host's own use. Functions return 0 or an errno. */
#ifndef FILES_H
#define FILES_H

#include "host.h"

/* To be freed by free. */
struct host_file {
	uint8_t *start;
	size_t length;
};
int host_read_file(const char *path, struct host_file *file);

/* All of the text; waits where a pipe is full. */
int host_write(int stream, const char *text, size_t length);

#endif
