/* Starting a worker: a process that runs the service inside WasmEdge. */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Arguments that are added to the runtime's own, at most. */
#define ARGUMENTS_MAX 20

/* Pages of linear memory are of 64 KiB. */
#define PAGES_PER_MIB 16
/* What the stack, zlib and TLS have beside JavaScript's values: it runs out of memory first, and says so. */
#define FURTHER_MIB 48

/* All that WasmEdge itself sees of the environment: where programs and libraries are. */
static const char *const INHERITED[] = { "PATH", "LD_LIBRARY_PATH" };

static char **arguments_of(const struct command *command,
	const struct guest_root *root, int worker)
{
	char **arguments = expect_memory(calloc(
		(size_t)command->runtime_length + ARGUMENTS_MAX, sizeof *arguments),
		"arguments");
	char **next = arguments;

	for (int at = 0; at < command->runtime_length; at++)
		*next++ = command->runtime[at];
	*next++ = "--memory-page-limit";
	*next++ = make_text("%ld",
		(command->memory_mib + FURTHER_MIB) * PAGES_PER_MIB);
	*next++ = "--dir";
	*next++ = make_text("/app:%s:readonly", command->application);
	*next++ = "--dir";
	*next++ = make_text("/:%s:readonly", root->folder);
	if (root->templates != NULL) {
		*next++ = "--dir";
		*next++ = make_text("%s:%s:readonly", root->templates, root->templates);
	}
	*next++ = "--env";
	*next++ = "LISTEN_DESCRIPTOR=0";
	*next++ = "--env";
	*next++ = make_text("WORKER=%d", worker);
	*next++ = "--env";
	*next++ = make_text("MEMORY_LIMIT_MIB=%ld", command->memory_mib);
	if (command->quick_start && worker == 0) {
		*next++ = "--env";
		*next++ = "QUICK_START=1";
	}
	/* Everybody may read the arguments of a process, so all other variables stand in a file. */
	*next++ = "--env";
	*next++ = "ENVIRONMENT_FILE=/environment";
	*next++ = "--";
	*next++ = (char *)command->engine;
	*next = NULL;
	return arguments;
}

static char **environment_of_runtime(void)
{
	static char *environment[COUNT_OF(INHERITED) + 1];
	char **next = environment;

	for (int at = 0; at < COUNT_OF(INHERITED); at++)
		if (getenv(INHERITED[at]) != NULL)
			*next++ = make_text("%s=%s", INHERITED[at], getenv(INHERITED[at]));
	*next = NULL;
	return environment;
}

__attribute__((noreturn))
static void become_worker(char **arguments, pid_t launcher, int listener)
{
	sigset_t none;

	/* Ctrl-C goes to the terminal's whole process group, and a guest would die of it. */
	if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0
		|| sigemptyset(&none) != 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0
		|| dup2(listener, STDIN_FILENO) < 0) {
		(void)fprintf(stderr, "A worker cannot be prepared: %s.\n",
			strerror(errno));
		_exit(STATUS_FAILED);
	}
	if (getppid() != launcher)
		_exit(STATUS_FAILED); /* it ended before its end would have been told */
	(void)execvpe(arguments[0], arguments, environment_of_runtime());
	(void)fprintf(stderr, "%s cannot be started: %s.\n", arguments[0],
		strerror(errno));
	_exit(STATUS_MISCONFIGURED);
}

pid_t start_worker(const struct command *command, const struct guest_root *root,
	int listener, int worker)
{
	char **arguments = arguments_of(command, root, worker);
	pid_t launcher = getpid();
	pid_t process = fork();

	if (process == 0)
		become_worker(arguments, launcher, listener);
	if (process < 0)
		end_with(STATUS_FAILED, "There can be no further process: %s.",
			strerror(errno));
	free(arguments);
	return process;
}
