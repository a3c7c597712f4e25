/* The environment's variables: WasmEdge's, and those of the file that ENVIRONMENT_FILE names. */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

/*
 * Reads the file, if one is named: "NAME=value" with a zero character behind
 * each, as /proc/self/environ. Its variables win. 0, or -1 with a sentence
 * written to standard error.
 */
int host_load_environment(void);

/* The value of a variable, or null. */
const char *host_get_variable(const char *name);

#endif
