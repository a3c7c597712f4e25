/*
 * The least guest that the launcher can run: answers on the socket that it is
 * handed, one connection after the other, and does what the path asks for.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

#define LISTENER 0
#define INVALID 28 /* what accept says when the socket has ended */
#define BLOCK_BYTES 1048576

__attribute__((import_module("wasi_snapshot_preview1"),
	import_name("sock_accept_v2")))
int accept_connection(int listener, int flags, int *connection);

static char answer[65536];

static long read_file(const char *path, char *bytes, size_t size)
{
	int file = open(path, O_RDONLY);
	long length;

	if (file < 0)
		return -1;
	length = read(file, bytes, size);
	if (close(file) != 0)
		return -1;
	return length;
}

static void wait_for_connection(void)
{
	__wasi_subscription_t wanted = { .u.tag = __WASI_EVENTTYPE_FD_READ };
	__wasi_event_t event;
	__wasi_size_t count;

	wanted.u.u.fd_read.file_descriptor = LISTENER;
	if (__wasi_poll_oneoff(&wanted, &event, 1, &count) != 0)
		exit(5);
}

static long answer_to(const char *path)
{
	if (strcmp(path, "/worker") == 0)
		return sprintf(answer, "%s", getenv("WORKER"));
	if (strcmp(path, "/slow") == 0) {
		usleep(1000000);
		return sprintf(answer, "slept");
	}
	if (strcmp(path, "/exit") == 0)
		exit(3);
	if (strcmp(path, "/hang") == 0)
		for (;;)
			usleep(1000000);
	if (strcmp(path, "/fill") == 0) {
		char *volatile block; /* or else the compiler does without memory */

		while ((block = malloc(BLOCK_BYTES)) != NULL)
			block[0] = 1;
		exit(4);
	}
	if (strncmp(path, "/read", 5) == 0) {
		long length = read_file(path + 5, answer, sizeof answer);

		return length >= 0 ? length : sprintf(answer, "%s", strerror(errno));
	}
	if (strncmp(path, "/write", 6) == 0) {
		int file = open(path + 6, O_WRONLY | O_CREAT, 0600);

		return sprintf(answer, "%s", file < 0 ? strerror(errno) : "written");
	}
	return sprintf(answer, "unknown");
}

static void serve(int connection)
{
	char request[4096] = "";
	char head[128];
	char path[2048] = "";
	long length;

	if (read(connection, request, sizeof request - 1) > 0
		&& sscanf(request, "GET %2047s", path) == 1) {
		length = answer_to(path);
		sprintf(head,
			"HTTP/1.1 200 OK\r\nContent-Length: %ld\r\nConnection: close\r\n\r\n",
			length);
		write(connection, head, strlen(head));
		write(connection, answer, (size_t)length);
	}
	close(connection);
}

int main(void)
{
	static char variables[4096];
	long length = read_file(getenv("ENVIRONMENT_FILE"), variables,
		sizeof variables);

	for (char *at = variables; at < variables + length; at += strlen(at) + 1)
		if (strncmp(at, "CURRENCY=exit ", 14) == 0)
			return atoi(at + 14);
	for (;;) {
		int connection;
		int error;

		wait_for_connection();
		error = accept_connection(LISTENER, 0, &connection);
		if (error == INVALID)
			return 0;
		if (error == 0)
			serve(connection);
	}
}
