/* The listening socket, which all workers share. */
#define _GNU_SOURCE
#include "launcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that may wait for a worker; the system bounds it further (net.core.somaxconn). */
#define BACKLOG 1024

static void set_option(int socket, int level, int option, const char *name)
{
	const int on = 1;

	if (setsockopt(socket, level, option, &on, sizeof on) != 0)
		end_with(STATUS_FAILED, "The socket cannot be given %s: %s.", name,
			strerror(errno));
}

int open_listener(void)
{
	const struct addrinfo wanted = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	long port = read_number("PORT", PORT_PRESET, 0, PORT_MAX);
	char *host = read_variable("HOST");
	const char *name = host == NULL ? HOST_PRESET : host;
	char port_text[sizeof "65535"];
	struct addrinfo *found = NULL;
	int failure;
	int listener;

	(void)snprintf(port_text, sizeof port_text, "%hu", (unsigned short)port);
	failure = getaddrinfo(name, port_text, &wanted, &found);
	if (failure != 0)
		end_with(STATUS_MISCONFIGURED,
			"The service cannot listen on PORT %ld of HOST %s (%s).", port,
			name, gai_strerror(failure));
	listener = socket(found->ai_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0)
		end_with(STATUS_FAILED, "There can be no socket for HOST %s: %s.",
			name, strerror(errno));
	set_option(listener, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
	/* Connections take it over from the socket; a guest has no way to set it. */
	set_option(listener, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY");
	if (bind(listener, found->ai_addr, found->ai_addrlen) != 0
		|| listen(listener, BACKLOG) != 0) {
		if (errno == EADDRINUSE)
			end_with(STATUS_MISCONFIGURED,
				"PORT %ld of %s is taken by another process. Stop that one, or set PORT to another one.",
				port, name);
		end_with(STATUS_MISCONFIGURED,
			"The service cannot listen on PORT %ld of HOST %s (%s).", port,
			name, strerror(errno));
	}
	freeaddrinfo(found);
	free(host);
	return listener;
}

void refuse_connections(int listener)
{
	/* Where one waits the system takes no other; a filter that drops all of them may be attached by root only. */
	if (listen(listener, 0) != 0)
		end_with(STATUS_FAILED, "The listening socket cannot be narrowed: %s.",
			strerror(errno));
}

bool has_waiting_connections(int listener)
{
	struct pollfd watched = { .fd = listener, .events = POLLIN };

	return poll(&watched, 1, 0) == 1 && (watched.revents & POLLIN) != 0;
}

void end_listener(int listener)
{
	if (shutdown(listener, SHUT_RD) != 0 && errno != ENOTCONN)
		end_with(STATUS_FAILED, "The listening socket cannot be ended: %s.",
			strerror(errno));
}
