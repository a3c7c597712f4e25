/* The environment's variables: WasmEdge's, and those of the file that ENVIRONMENT_FILE names. */
#include "environment.h"

#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Kept for good: setenv would copy each. */
int host_load_environment(void)
{
	const char *path = getenv("ENVIRONMENT_FILE");
	if (path == NULL)
		return 0;
	struct host_file file;
	const int error = host_read_file(path, &file);
	if (error != 0) {
		(void)fprintf(stderr,
			"The file %s, which ENVIRONMENT_FILE names, cannot be read: %s. "
			"Open its folder to WasmEdge by --dir.\n", path, strerror(error));
		return -1;
	}
	if (file.length > 0 && file.start[file.length - 1] != '\0') {
		(void)fprintf(stderr, "The file %s is cut off: no zero character closes it.\n", path);
		free(file.start);
		return -1;
	}
	for (size_t at = 0; at < file.length; at += strlen((char *)file.start + at) + 1) {
		char *variable = (char *)file.start + at;
		if (strchr(variable, '=') != NULL && putenv(variable) != 0) {
			(void)fputs("There is no memory for the environment.\n", stderr);
			return -1;
		}
	}
	return 0;
}

const char *host_get_variable(const char *name)
{
	return getenv(name);
}
