/*
 * The parent of the processes that run the service inside WasmEdge.
 *
 *   launcher --check
 *   launcher --engine FILE --application FOLDER [--quick-start] [--follow-parent] -- wasmedge [ARGUMENT...]
 *
 * It opens the socket of HOST and PORT, starts WORKERS processes that share it,
 * starts those again that end by themselves, and on SIGTERM or SIGINT lets them
 * answer what they have accepted. README.md beside it has the whole of it.
 */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define MEMORY_MIB_PRESET 512
#define MEMORY_MIB_MIN 64
#define MEMORY_MIB_MAX 4000 /* with what is added, all that 32 bits can address */

/* Start of the first worker before the others: if it refuses the configuration, they need not say the same. */
#define LEAD_MS 500

/* Whoever has lived that long has started well. */
#define STEADY_MS 10000
/* So often may a worker end before that, one time after the other. */
#define START_FAILURES_MAX 5
/* Wait before the second restart in a row; the first is at once, each further one waits twice as long. */
#define BACK_OFF_MS 1000

/* The service itself gives requests 30 s to be answered. */
#define STOP_MS_MAX 35000
/* How often is looked whether all connections that wait are accepted. */
#define DRAIN_POLL_MS 5

#define NEVER INT64_MAX

struct worker {
	pid_t process; /* 0 where none runs */
	int64_t started_at;
	int64_t start_at; /* when to start it, or NEVER */
	int failures; /* starts in a row that did not last */
};

enum phase { SERVING, DRAINING, STOPPING };

static struct {
	enum phase phase;
	int status; /* of the launcher at its end */
	int64_t kill_at;
	int listener;
	int count;
	struct command command;
	struct guest_root root;
	struct worker workers[WORKERS_MAX];
} state;

static void stop(int status)
{
	if (state.phase != SERVING)
		return; /* a second signal changes nothing */
	state.phase = DRAINING;
	state.status = status;
	state.kill_at = now_ms() + STOP_MS_MAX;
	refuse_connections(state.listener);
	for (int at = 0; at < state.count; at++)
		state.workers[at].start_at = NEVER;
}

static int running_workers(void)
{
	int running = 0;

	for (int at = 0; at < state.count; at++)
		running += state.workers[at].process != 0;
	return running;
}

/* A worker ended although nobody asked it to: when it is to be started again. */
static void plan_restart(int at, const char *how, int code)
{
	struct worker *worker = &state.workers[at];
	int64_t now = now_ms();
	int64_t wait;

	if (now - worker->started_at >= STEADY_MS)
		worker->failures = 0;
	worker->failures++;
	if (worker->failures >= START_FAILURES_MAX) {
		write_log(LEVEL_ERROR, "worker ended", "\"worker\":%d,\"%s\":%d", at,
			how, code);
		(void)fprintf(stderr,
			"A worker has ended %d times in a row within %d seconds of its start, the last time with %s %d. Its own words above tell why.\n",
			worker->failures, STEADY_MS / 1000, how, code);
		stop(STATUS_FAILED);
		return;
	}
	wait = worker->failures == 1 ? 0 : BACK_OFF_MS << (worker->failures - 2);
	worker->start_at = now + wait;
	write_log(LEVEL_WARN, "worker ended",
		"\"worker\":%d,\"%s\":%d,\"restart_ms\":%d", at, how, code,
		(int)wait);
}

static void note_end(int at, int status)
{
	const bool is_exit = WIFEXITED(status);
	const int code = is_exit ? WEXITSTATUS(status) : WTERMSIG(status);

	state.workers[at].process = 0;
	if (state.phase != SERVING) {
		if (is_exit && code != STATUS_STOPPED && state.status == STATUS_STOPPED)
			state.status = STATUS_FAILED; /* it says itself what went wrong */
	} else if (is_exit && code == STATUS_MISCONFIGURED) {
		stop(STATUS_MISCONFIGURED); /* it has said what; no restart mends it */
	} else {
		plan_restart(at, is_exit ? "status" : "signal", code);
	}
}

/* As process 1 of a container the launcher is handed orphans of others too. */
static void collect_ended(void)
{
	int status;
	pid_t process;

	while ((process = waitpid(-1, &status, WNOHANG)) > 0)
		for (int at = 0; at < state.count; at++)
			if (state.workers[at].process == process)
				note_end(at, status);
	if (process < 0 && errno != ECHILD)
		end_with(STATUS_FAILED, "Processes cannot be waited for: %s.",
			strerror(errno));
}

static void start_due_workers(void)
{
	for (int at = 0; at < state.count; at++) {
		struct worker *worker = &state.workers[at];

		if (worker->start_at > now_ms())
			continue;
		worker->start_at = NEVER;
		worker->started_at = now_ms();
		worker->process = start_worker(&state.command, &state.root,
			state.listener, at);
	}
}

/* Goes on with the stop as far as it can. */
static void go_on_stopping(void)
{
	const bool is_late = now_ms() >= state.kill_at;

	if (state.phase == DRAINING && (is_late || running_workers() == 0
			|| !has_waiting_connections(state.listener))) {
		end_listener(state.listener);
		state.phase = STOPPING;
	}
	if (!is_late)
		return;
	state.kill_at = NEVER;
	write_log(LEVEL_WARN, "workers did not stop in time", "\"workers\":%d",
		running_workers());
	for (int at = 0; at < state.count; at++)
		if (state.workers[at].process != 0
			&& kill(state.workers[at].process, SIGKILL) != 0)
			(void)fprintf(stderr, "A worker cannot be ended: %s.\n",
				strerror(errno));
}

/* How long nothing is to be done but to wait for signals. */
static int64_t idle_ms(void)
{
	int64_t until = state.phase == SERVING ? NEVER : state.kill_at;
	const int64_t now = now_ms();

	for (int at = 0; at < state.count; at++)
		if (state.workers[at].start_at < until)
			until = state.workers[at].start_at;
	if (state.phase == DRAINING && until > now + DRAIN_POLL_MS)
		until = now + DRAIN_POLL_MS;
	if (until == NEVER)
		return 60 * 60 * 1000; /* any time would do */
	return until > now ? until - now : 0;
}

static void supervise(const sigset_t *signals)
{
	for (;;) {
		const int64_t idle = idle_ms();
		const struct timespec timeout = {
			.tv_sec = (time_t)(idle / 1000),
			.tv_nsec = (long)(idle % 1000 * 1000000),
		};
		int signal = sigtimedwait(signals, NULL, &timeout);

		if (signal < 0 && errno != EAGAIN && errno != EINTR)
			end_with(STATUS_FAILED, "Signals cannot be waited for: %s.",
				strerror(errno));
		if (signal > 0 && signal != SIGCHLD)
			stop(STATUS_STOPPED);
		collect_ended();
		if (state.phase != SERVING)
			go_on_stopping();
		if (state.phase == STOPPING && running_workers() == 0)
			return;
		start_due_workers();
	}
}

static void block_signals(sigset_t *signals)
{
	static const int WAITED_FOR[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

	(void)sigemptyset(signals);
	for (int at = 0; at < COUNT_OF(WAITED_FOR); at++)
		(void)sigaddset(signals, WAITED_FOR[at]);
	/* Who inherits SIGCHLD as ignored could not see how its children end; workers inherit that SIGPIPE is, and get EPIPE. */
	if (sigprocmask(SIG_BLOCK, signals, NULL) != 0
		|| signal(SIGCHLD, SIG_DFL) == SIG_ERR
		|| signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		end_with(STATUS_FAILED, "Signals cannot be set: %s.", strerror(errno));
}

/* A socket that took the number of a stream that is not open would be mistaken for it. */
static void open_missing_streams(void)
{
	int file = open("/dev/null", O_RDWR);

	while (file >= 0 && file <= STDERR_FILENO)
		file = open("/dev/null", O_RDWR);
	if (file < 0 || close(file) != 0)
		end_with(STATUS_FAILED, "/dev/null cannot be opened: %s.",
			strerror(errno));
}

static void expect_path(const char *path, const char *option)
{
	struct stat status;

	if (path == NULL)
		end_with(STATUS_FAILED, "%s is missing.", option);
	if (stat(path, &status) != 0 || strchr(path, ':') != NULL)
		end_with(STATUS_FAILED,
			"%s %s cannot be used: it must exist, without a colon in its path.",
			option, path);
}

static void read_arguments(int count, char **arguments)
{
	static const struct option OPTIONS[] = {
		{ "engine", required_argument, NULL, 'e' },
		{ "application", required_argument, NULL, 'a' },
		{ "quick-start", no_argument, NULL, 'q' },
		{ "follow-parent", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'c' },
		{ 0 },
	};
	struct command *command = &state.command;
	int option;

	while ((option = getopt_long(count, arguments, "+", OPTIONS, NULL)) != -1) {
		if (option == 'e')
			command->engine = optarg;
		else if (option == 'a')
			command->application = optarg;
		else if (option == 'c')
			exit(check_service());
		else if (option == 'q')
			command->quick_start = true;
		/* Ends in good order when whoever started it is killed. */
		else if (option != 'f' || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
			end_with(STATUS_FAILED,
				"launcher --engine FILE --application FOLDER [--quick-start] [--follow-parent] -- wasmedge [ARGUMENT...]");
	}
	expect_path(command->engine, "--engine");
	expect_path(command->application, "--application");
	command->runtime = arguments + optind;
	command->runtime_length = count - optind;
	if (command->runtime_length == 0)
		end_with(STATUS_FAILED, "The program that runs WasmEdge is missing.");
}

int main(int count, char **arguments)
{
	sigset_t signals;

	open_missing_streams();
	(void)umask(S_IRWXG | S_IRWXO);
	read_arguments(count, arguments);
	set_log_level();
	state.count = (int)read_number("WORKERS", 1, 1, WORKERS_MAX);
	state.command.memory_mib = read_number("MEMORY_LIMIT_MIB",
		MEMORY_MIB_PRESET, MEMORY_MIB_MIN, MEMORY_MIB_MAX);
	for (int at = 1; at < state.count; at++)
		state.workers[at].start_at = now_ms() + LEAD_MS;
	block_signals(&signals);
	make_guest_root(&state.root);
	state.listener = open_listener();
	supervise(&signals);
	remove_guest_root(&state.root);
	return state.status;
}
