/* `launcher --check`: whether the service of PORT answers, for a container's health check; its image has no other program. */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* For each step: to connect, to send, to receive. */
#define STEP_S_MAX 3

#define ALIVE "HTTP/1.1 200 "

/* Nobody can connect to "all addresses of this machine"; the service listens on loopback then too. */
static const char *reachable(const char *host)
{
	if (strcmp(host, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_to(const char *host, const char *port)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
	const struct timeval limit = { .tv_sec = STEP_S_MAX };
	struct addrinfo *found = NULL;
	int failure = getaddrinfo(host, port, &wanted, &found);
	int connection;

	if (failure != 0)
		end_with(STATUS_FAILED, "HOST %s cannot be found (%s).", host,
			gai_strerror(failure));
	connection = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection < 0
		|| setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0
		|| setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0
		|| connect(connection, found->ai_addr, found->ai_addrlen) != 0)
		end_with(STATUS_FAILED, "Nobody takes connections on PORT %s of %s: %s.",
			port, host, strerror(errno));
	freeaddrinfo(found);
	return connection;
}

int check_service(void)
{
	char *host = read_variable("HOST");
	char *port = make_text("%ld", read_number("PORT", PORT_PRESET, 1, PORT_MAX));
	const char *name = reachable(host == NULL ? HOST_PRESET : host);
	char *request = make_text(
		"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	char answer[sizeof ALIVE - 1];
	int connection = connect_to(name, port);
	size_t length = 0;

	if (send(connection, request, strlen(request), MSG_NOSIGNAL) < 0)
		end_with(STATUS_FAILED, "PORT %s of %s takes no request: %s.", port,
			name, strerror(errno));
	while (length < sizeof answer) {
		ssize_t received = recv(connection, answer + length,
			sizeof answer - length, 0);

		if (received <= 0)
			end_with(STATUS_FAILED, "PORT %s of %s does not answer.", port,
				name);
		length += (size_t)received;
	}
	if (memcmp(answer, ALIVE, sizeof answer) != 0)
		end_with(STATUS_FAILED, "The service on PORT %s of %s is not well.",
			port, name);
	(void)close(connection);
	free(request);
	free(port);
	free(host);
	return STATUS_STOPPED;
}
