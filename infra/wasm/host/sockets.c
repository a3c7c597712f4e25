/* TCP sockets; all of them are non-blocking from their first moment. */
#include "host.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <string.h>

#define DESCRIPTOR_MAX INT32_MAX
#define PORT_MAX 65535
#define BACKLOG_MAX 65535
/* WasmEdge takes no more pieces at once (kIOVMax). */
#define PIECES_MAX 1024

static int get_descriptor(JSContext *context, JSValueConst value, int32_t *descriptor)
{
	int64_t number;
	if (host_get_integer(context, value, "The descriptor", 0, DESCRIPTOR_MAX, &number) < 0)
		return -1;
	*descriptor = (int32_t)number;
	return 0;
}

static int set_non_blocking(int32_t descriptor)
{
	return __wasi_fd_fdstat_set_flags((__wasi_fd_t)descriptor, __WASI_FDFLAGS_NONBLOCK);
}

static JSValue open_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int64_t family;
	if (host_get_integer(context, arguments[0], "The address family", 4, 6, &family) < 0)
		return JS_EXCEPTION;
	if (family == 5)
		return JS_ThrowRangeError(context, "The address family must be 4 or 6.");

	int32_t descriptor;
	int error = wasi_sock_open(family == 4 ? WASI_FAMILY_4 : WASI_FAMILY_6,
		WASI_SOCKET_STREAM, &descriptor);
	if (error != 0)
		return host_throw_errno(context, "socket", error);
	error = set_non_blocking(descriptor);
	if (error != 0) {
		(void)__wasi_fd_close((__wasi_fd_t)descriptor);
		return host_throw_errno(context, "fcntl", error);
	}
	return JS_NewInt32(context, descriptor);
}

struct endpoint {
	uint8_t bytes[16];
	struct wasi_address address;
	int32_t port;
};

/* A literal address and a port. */
static int get_endpoint(JSContext *context, JSValueConst address, JSValueConst port,
	struct endpoint *endpoint)
{
	int64_t port_number;
	if (host_get_integer(context, port, "The port", 0, PORT_MAX, &port_number) < 0)
		return -1;
	const char *text = host_get_text(context, address, "The address", NULL);
	if (text == NULL)
		return -1;
	endpoint->address.start = endpoint->bytes;
	endpoint->port = (int32_t)port_number;
	if (inet_pton(AF_INET, text, endpoint->bytes) == 1) {
		endpoint->address.length = 4;
	} else if (inet_pton(AF_INET6, text, endpoint->bytes) == 1) {
		endpoint->address.length = 16;
	} else {
		JS_ThrowTypeError(context,
			"\"%.60s\" is no literal IPv4 or IPv6 address; let `resolve` look up a name first.",
			text);
		JS_FreeCString(context, text);
		return -1;
	}
	JS_FreeCString(context, text);
	return 0;
}

static JSValue bind_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t descriptor;
	struct endpoint endpoint;
	if (get_descriptor(context, arguments[0], &descriptor) < 0
		|| get_endpoint(context, arguments[1], arguments[2], &endpoint) < 0)
		return JS_EXCEPTION;
	int error = wasi_sock_bind(descriptor, &endpoint.address, endpoint.port);
	return error == 0 ? JS_UNDEFINED : host_throw_errno(context, "bind", error);
}

static JSValue listen_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t descriptor;
	int64_t backlog;
	if (get_descriptor(context, arguments[0], &descriptor) < 0
		|| host_get_integer(context, arguments[1], "The backlog", 1, BACKLOG_MAX, &backlog) < 0)
		return JS_EXCEPTION;
	int error = wasi_sock_listen(descriptor, (int32_t)backlog);
	return error == 0 ? JS_UNDEFINED : host_throw_errno(context, "listen", error);
}

static JSValue accept_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t listener;
	if (get_descriptor(context, arguments[0], &listener) < 0)
		return JS_EXCEPTION;
	int32_t connection;
	int error = wasi_sock_accept(listener, 0, &connection);
	/* A connection that its peer gave up while it waited is as good as none. */
	if (error == __WASI_ERRNO_AGAIN || error == __WASI_ERRNO_INTR
		|| error == __WASI_ERRNO_CONNABORTED)
		return JS_UNDEFINED;
	if (error != 0)
		return host_throw_errno(context, "accept", error);
	error = set_non_blocking(connection);
	if (error != 0) {
		(void)__wasi_fd_close((__wasi_fd_t)connection);
		return host_throw_errno(context, "fcntl", error);
	}
	return JS_NewInt32(context, connection);
}

static JSValue connect_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t descriptor;
	struct endpoint endpoint;
	if (get_descriptor(context, arguments[0], &descriptor) < 0
		|| get_endpoint(context, arguments[1], arguments[2], &endpoint) < 0)
		return JS_EXCEPTION;
	int error = wasi_sock_connect(descriptor, &endpoint.address, endpoint.port);
	if (error != 0 && error != __WASI_ERRNO_INPROGRESS)
		return host_throw_errno(context, "connect", error);
	return JS_UNDEFINED;
}

static JSValue socket_error(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t descriptor;
	if (get_descriptor(context, arguments[0], &descriptor) < 0)
		return JS_EXCEPTION;
	int32_t pending = 0;
	uint32_t length = sizeof(pending);
	int error = wasi_sock_getsockopt(descriptor, WASI_LEVEL_SOCKET, WASI_OPTION_ERROR,
		&pending, &length);
	if (error != 0)
		return host_throw_errno(context, "getsockopt", error);
	return pending == 0 ? JS_UNDEFINED : host_new_errno(context, "connect", pending);
}

static JSValue receive(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t descriptor;
	struct host_bytes target;
	if (get_descriptor(context, arguments[0], &descriptor) < 0
		|| host_get_bytes(context, arguments[1], "The target", &target) < 0)
		return JS_EXCEPTION;
	/* No bytes read would look like the peer's end. */
	if (target.length == 0)
		return JS_ThrowRangeError(context, "The target must have room for a byte.");

	const __wasi_iovec_t piece = { target.start, target.length };
	uint32_t length, flags;
	int error;
	do {
		error = wasi_sock_recv(descriptor, &piece, 1, 0, &length, &flags);
	} while (error == __WASI_ERRNO_INTR);
	if (error == __WASI_ERRNO_AGAIN)
		return JS_NewInt32(context, -1);
	if (error != 0)
		return host_throw_errno(context, "recv", error);
	return JS_NewUint32(context, length);
}

/* The pieces of the chunks from byte `offset` of them all on; their number, or -1. */
static int get_pieces(JSContext *context, JSValueConst chunks, int64_t offset,
	__wasi_ciovec_t *pieces)
{
	int64_t chunk_count;
	if (!JS_IsArray(chunks)) {
		JS_ThrowTypeError(context, "The chunks must be an array of Uint8Arrays.");
		return -1;
	}
	if (JS_GetLength(context, chunks, &chunk_count) < 0)
		return -1;
	int piece_count = 0;
	for (int64_t i = 0; i < chunk_count && piece_count < PIECES_MAX; i++) {
		JSValue chunk = JS_GetPropertyInt64(context, chunks, i);
		struct host_bytes bytes;
		int failed = host_get_bytes(context, chunk, "A chunk", &bytes);
		/* The array still holds it; a getter that made it anew is no array's element. */
		JS_FreeValue(context, chunk);
		if (failed < 0)
			return -1;
		if ((int64_t)bytes.length <= offset) {
			offset -= (int64_t)bytes.length;
			continue;
		}
		pieces[piece_count].buf = bytes.start + offset;
		pieces[piece_count].buf_len = bytes.length - (size_t)offset;
		piece_count++;
		offset = 0;
	}
	if (piece_count == 0) {
		JS_ThrowRangeError(context, "There is no byte to send at that offset.");
		return -1;
	}
	return piece_count;
}

static JSValue send_chunks(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	static __wasi_ciovec_t pieces[PIECES_MAX];
	int32_t descriptor;
	int64_t offset;
	if (get_descriptor(context, arguments[0], &descriptor) < 0
		|| host_get_integer(context, arguments[2], "The offset", 0, INT32_MAX, &offset) < 0)
		return JS_EXCEPTION;
	int piece_count = get_pieces(context, arguments[1], offset, pieces);
	if (piece_count < 0)
		return JS_EXCEPTION;

	uint32_t length;
	int error;
	do {
		error = wasi_sock_send(descriptor, pieces, piece_count, 0, &length);
	} while (error == __WASI_ERRNO_INTR);
	if (error == __WASI_ERRNO_AGAIN)
		return JS_NewInt32(context, -1);
	if (error != 0)
		return host_throw_errno(context, "send", error);
	return JS_NewUint32(context, length);
}

static JSValue shutdown_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	static const char *const names[] = { "read", "write", "both" };
	static const int32_t directions[] = {
		WASI_SHUTDOWN_READ, WASI_SHUTDOWN_WRITE, WASI_SHUTDOWN_READ | WASI_SHUTDOWN_WRITE,
	};
	int32_t descriptor;
	if (get_descriptor(context, arguments[0], &descriptor) < 0)
		return JS_EXCEPTION;
	int choice = host_get_choice(context, arguments[1], "The direction of a shutdown",
		names, COUNT_OF(names));
	if (choice < 0)
		return JS_EXCEPTION;
	int error = wasi_sock_shutdown(descriptor, directions[choice]);
	return error == 0 ? JS_UNDEFINED : host_throw_errno(context, "shutdown", error);
}

static JSValue close_socket(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int32_t descriptor;
	if (get_descriptor(context, arguments[0], &descriptor) < 0)
		return JS_EXCEPTION;
	host_forget_watch(descriptor);
	int error = __wasi_fd_close((__wasi_fd_t)descriptor);
	return error == 0 ? JS_UNDEFINED : host_throw_errno(context, "close", error);
}

static JSValue set_socket_option(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	static const char *const names[] = { "keepAlive", "reuseAddress" };
	static const int32_t options[] = { WASI_OPTION_KEEP_ALIVE, WASI_OPTION_REUSE_ADDRESS };
	int32_t descriptor;
	bool value;
	if (get_descriptor(context, arguments[0], &descriptor) < 0)
		return JS_EXCEPTION;
	int choice = host_get_choice(context, arguments[1], "The option of a socket",
		names, COUNT_OF(names));
	if (choice < 0 || host_get_boolean(context, arguments[2], "The option's value", &value) < 0)
		return JS_EXCEPTION;
	const int32_t number = value ? 1 : 0;
	int error = wasi_sock_setsockopt(descriptor, WASI_LEVEL_SOCKET, options[choice],
		&number, sizeof(number));
	if (error == __WASI_ERRNO_NOPROTOOPT || error == __WASI_ERRNO_NOSYS)
		return JS_FALSE;
	return error == 0 ? JS_TRUE : host_throw_errno(context, "setsockopt", error);
}

JSValue host_new_address(JSContext *context, bool is_4, const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(is_4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)) == NULL)
		return JS_ThrowInternalError(context, "An address could not be written as text.");
	JSValue address = JS_NewObject(context);
	if (JS_IsException(address))
		return address;
	if (JS_DefinePropertyValueStr(context, address, "family",
			JS_NewInt32(context, is_4 ? 4 : 6), JS_PROP_C_W_E) < 0
		|| JS_DefinePropertyValueStr(context, address, "address",
			JS_NewString(context, text), JS_PROP_C_W_E) < 0) {
		JS_FreeValue(context, address);
		return JS_EXCEPTION;
	}
	return address;
}

typedef int32_t address_call(int32_t, struct wasi_address *, uint32_t *, uint32_t *);

static JSValue get_address(JSContext *context, JSValueConst socket, address_call *call,
	const char *syscall)
{
	int32_t descriptor;
	if (get_descriptor(context, socket, &descriptor) < 0)
		return JS_EXCEPTION;
	uint8_t bytes[16] = { 0 };
	struct wasi_address place = { bytes, sizeof(bytes) };
	uint32_t family, port;
	int error = call(descriptor, &place, &family, &port);
	if (error != 0)
		return host_throw_errno(context, syscall, error);
	/* The number of the family is 4 or 6 here, not WASI's. */
	JSValue address = host_new_address(context, family == 4, bytes);
	if (JS_IsException(address))
		return address;
	if (JS_DefinePropertyValueStr(context, address, "port",
			JS_NewUint32(context, port), JS_PROP_C_W_E) < 0) {
		JS_FreeValue(context, address);
		return JS_EXCEPTION;
	}
	return address;
}

static JSValue local_address(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	return get_address(context, arguments[0], wasi_sock_getlocaladdr, "getsockname");
}

static JSValue peer_address(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	return get_address(context, arguments[0], wasi_sock_getpeeraddr, "getpeername");
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("openSocket", 1, open_socket),
	JS_CFUNC_DEF("bindSocket", 3, bind_socket),
	JS_CFUNC_DEF("listenSocket", 2, listen_socket),
	JS_CFUNC_DEF("acceptSocket", 1, accept_socket),
	JS_CFUNC_DEF("connectSocket", 3, connect_socket),
	JS_CFUNC_DEF("socketError", 1, socket_error),
	JS_CFUNC_DEF("receive", 2, receive),
	JS_CFUNC_DEF("send", 3, send_chunks),
	JS_CFUNC_DEF("shutdownSocket", 2, shutdown_socket),
	JS_CFUNC_DEF("closeSocket", 1, close_socket),
	JS_CFUNC_DEF("setSocketOption", 3, set_socket_option),
	JS_CFUNC_DEF("localAddress", 1, local_address),
	JS_CFUNC_DEF("peerAddress", 1, peer_address),
};

int host_add_sockets(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
