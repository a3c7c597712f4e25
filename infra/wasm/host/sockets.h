/*
 * WasmEdge's sockets, which it adds to WASI's preview 1. Addresses are 4 or 16
 * bytes in network order. Functions return 0 or WASI's errno.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <wasi/api.h>

#include "quickjs.h"

#define WASI_IMPORT(name) \
	__attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

enum wasi_family { WASI_FAMILY_ANY = 0, WASI_FAMILY_4 = 1, WASI_FAMILY_6 = 2 };
enum wasi_socket_type { WASI_SOCKET_STREAM = 2 };
enum wasi_protocol { WASI_PROTOCOL_TCP = 1 };
enum wasi_shutdown { WASI_SHUTDOWN_READ = 1, WASI_SHUTDOWN_WRITE = 2 };
enum wasi_socket_level { WASI_LEVEL_SOCKET = 0 };
enum wasi_socket_option {
	WASI_OPTION_REUSE_ADDRESS = 0,
	WASI_OPTION_ERROR = 2,
	WASI_OPTION_KEEP_ALIVE = 7,
};

struct wasi_address {
	uint8_t *start;
	uint32_t length;
};

/* A link of getaddrinfo's chain; WasmEdge fills what the program has made. */
struct wasi_resolved {
	uint16_t flags;
	uint8_t family;
	uint8_t socket_type;
	uint8_t protocol;
	uint32_t address_length;
	struct wasi_resolved_address *address;
	char *canonical_name;
	uint32_t canonical_name_length;
	struct wasi_resolved *next;
};

struct wasi_resolved_address {
	uint8_t family;
	uint32_t length;
	uint8_t *data;
};

WASI_IMPORT("sock_open")
int32_t wasi_sock_open(int32_t family, int32_t type, int32_t *socket);
WASI_IMPORT("sock_bind")
int32_t wasi_sock_bind(int32_t socket, struct wasi_address *address, int32_t port);
WASI_IMPORT("sock_listen")
int32_t wasi_sock_listen(int32_t socket, int32_t backlog);
/*
 * Always with flags 0: WasmEdge up to 0.17 would set a flag on the listening
 * socket instead of the new one.
 */
WASI_IMPORT("sock_accept_v2")
int32_t wasi_sock_accept(int32_t socket, int32_t flags, int32_t *connection);
WASI_IMPORT("sock_connect")
int32_t wasi_sock_connect(int32_t socket, struct wasi_address *address, int32_t port);
WASI_IMPORT("sock_recv")
int32_t wasi_sock_recv(int32_t socket, const __wasi_iovec_t *pieces, int32_t count,
	int32_t flags, uint32_t *length, uint32_t *flags_out);
WASI_IMPORT("sock_send")
int32_t wasi_sock_send(int32_t socket, const __wasi_ciovec_t *pieces, int32_t count,
	int32_t flags, uint32_t *length);
WASI_IMPORT("sock_shutdown")
int32_t wasi_sock_shutdown(int32_t socket, int32_t direction);
WASI_IMPORT("sock_getsockopt")
int32_t wasi_sock_getsockopt(int32_t socket, int32_t level, int32_t option,
	void *value, uint32_t *length);
WASI_IMPORT("sock_setsockopt")
int32_t wasi_sock_setsockopt(int32_t socket, int32_t level, int32_t option,
	const void *value, uint32_t length);
WASI_IMPORT("sock_getlocaladdr")
int32_t wasi_sock_getlocaladdr(int32_t socket, struct wasi_address *address,
	uint32_t *family, uint32_t *port);
WASI_IMPORT("sock_getpeeraddr")
int32_t wasi_sock_getpeeraddr(int32_t socket, struct wasi_address *address,
	uint32_t *family, uint32_t *port);
WASI_IMPORT("sock_getaddrinfo")
int32_t wasi_sock_getaddrinfo(const char *name, uint32_t name_length,
	const char *service, uint32_t service_length, const struct wasi_resolved *hints,
	struct wasi_resolved **results, uint32_t results_max, uint32_t *results_count);

/* { family, address } of 4 or 16 bytes. */
JSValue host_new_address(JSContext *context, bool is_4, const uint8_t *bytes);

/* Ends the watch of a descriptor that is being closed (poll.c). */
void host_forget_watch(int32_t descriptor);

#endif
