/*
 * What the launcher's files share. It is the parent of the processes that run
 * the service inside WasmEdge, and does for them what a guest cannot do: open
 * a socket that several share, read files outside its folder, take signals.
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Exit statuses, as the service's own. */
enum {
	STATUS_STOPPED = 0,
	STATUS_FAILED = 1,
	/* EX_CONFIG of sysexits.h: to start again is of no use before the configuration is mended. */
	STATUS_MISCONFIGURED = 78,
};

/* Ends the launcher with a sentence on standard error. */
__attribute__((noreturn, format(printf, 2, 3)))
void end_with(int status, const char *format, ...);

/* Where memory is gone there is nothing better to do than to say so; `what` is what it was for. */
void *expect_memory(void *pointer, const char *what);

/* A text made of others, to be freed. */
__attribute__((format(printf, 1, 2)))
char *make_text(const char *format, ...);

/* A variable without the spaces around it, to be freed; null where it is not set or empty, which is the same here. */
char *read_variable(const char *name);

/* A variable that is a whole number; ends the launcher where it is none. */
long read_number(const char *name, long preset, long min, long max);

/* Milliseconds since an arbitrary start. */
int64_t now_ms(void);

/* Log: a line of JSON as src/http/log.ts writes it, if LOG_LEVEL lets it through. `fields` is JSON without braces. */
enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_SILENT };
void set_log_level(void);
__attribute__((format(printf, 3, 4)))
void write_log(enum level level, const char *message, const char *fields, ...);

/* As src/configuration.ts has them. */
#define HOST_PRESET "127.0.0.1"
#define PORT_PRESET 8000
#define PORT_MAX 65535

/* Whether the service answers: an exit status; says on standard error why not. */
int check_service(void);

/* The socket of HOST and PORT, which listens, does not block and is closed in programs that are started. */
int open_listener(void);
/* Lets nobody new connect while others wait; those that have connected already can still be accepted. */
void refuse_connections(int listener);
/* Whether connections wait to be accepted. */
bool has_waiting_connections(int listener);
/* Tells all who accept from the socket that it has ended. */
void end_listener(int listener);

/*
 * What the guest sees as "/": a folder in memory that only this user may enter,
 * with a file of the variables and copies of the files that they name. It is
 * gone when the launcher is, however that ends.
 */
struct guest_root {
	char *folder;
	/* TEMPLATES_DIRECTORY without links in its path, or null. */
	char *templates;
	/* The process that removes the folder once `alive` is closed. */
	pid_t remover;
	int alive;
};
void make_guest_root(struct guest_root *root);
void remove_guest_root(struct guest_root *root);

/* How to start a worker. */
struct command {
	/* The program that runs WasmEdge, and its first arguments: `wasmedge --run-mode=aot` */
	char **runtime;
	int runtime_length;
	/* The compiled module, and the folder that it sees as /app. */
	const char *engine;
	const char *application;
	/* Whether an empty store gets example invoices, and commands to try are printed. */
	bool quick_start;
	/* Bound of the memory of JavaScript's values. */
	long memory_mib;
};

/* Starts a worker on the socket; its process id. Ends the launcher where there can be no further process. */
pid_t start_worker(const struct command *command, const struct guest_root *root,
	int listener, int worker);

#endif
