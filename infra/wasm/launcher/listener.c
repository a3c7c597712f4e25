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
#define PORT_PRESET 8000
#define PORT_MAX 65535

/* Classic BPF, as in linux/filter.h, which is not at hand beside musl. */
struct filter_instruction {
	uint16_t code;
	uint8_t jump_true;
	uint8_t jump_false;
	uint32_t constant;
};
struct filter_program {
	unsigned short length;
	struct filter_instruction *instructions;
};
#define RETURN_CONSTANT 0x06 /* BPF_RET | BPF_K */

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
	const char *name = host == NULL ? "127.0.0.1" : host;
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
	/* A filter that keeps 0 bytes of each packet. Connections that exist are sockets of their own and have none. */
	struct filter_instruction drop = { .code = RETURN_CONSTANT, .constant = 0 };
	const struct filter_program program = { 1, &drop };

	if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			sizeof program) != 0)
		write_log(LEVEL_WARN, "connections that come while the service stops may be reset",
			"\"errno\":%d", errno);
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
