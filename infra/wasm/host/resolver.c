/* Addresses of names by the system's resolver. */
#include "host.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESSES_MAX 16
#define NAME_LENGTH_MAX 253 /* RFC 1035, 2.3.4 */
#define CANONICAL_NAME_LENGTH_MAX 256
/* A sockaddr without its family: the port, for IPv6 the flow, then the address. */
#define DATA_LENGTH_MAX 26
#define DATA_OFFSET_4 2
#define DATA_OFFSET_6 6

/* WasmEdge writes into a chain that the program has made beforehand. */
struct answer {
	struct wasi_resolved links[ADDRESSES_MAX];
	struct wasi_resolved_address addresses[ADDRESSES_MAX];
	uint8_t data[ADDRESSES_MAX][DATA_LENGTH_MAX];
	char canonical_names[ADDRESSES_MAX][CANONICAL_NAME_LENGTH_MAX];
	uint32_t count;
};

static void prepare(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		struct wasi_resolved *link = &answer->links[i];
		link->address = &answer->addresses[i];
		link->canonical_name = answer->canonical_names[i];
		link->canonical_name_length = CANONICAL_NAME_LENGTH_MAX;
		link->next = i + 1 < ADDRESSES_MAX ? &answer->links[i + 1] : NULL;
		answer->addresses[i].data = answer->data[i];
		answer->addresses[i].length = DATA_LENGTH_MAX;
	}
}

static int ask(const char *name, struct answer *answer)
{
	const struct wasi_resolved hints = {
		.family = WASI_FAMILY_ANY,
		.socket_type = WASI_SOCKET_STREAM,
		.protocol = WASI_PROTOCOL_TCP,
	};
	struct wasi_resolved *first = &answer->links[0];
	static const char port[] = "0";
	return wasi_sock_getaddrinfo(name, (uint32_t)strlen(name), port, sizeof(port) - 1,
		&hints, &first, ADDRESSES_MAX, &answer->count);
}

static JSValue new_list(JSContext *context, const struct answer *answer)
{
	JSValue list = JS_NewArray(context);
	if (JS_IsException(list))
		return list;
	uint32_t length = 0;
	for (uint32_t i = 0; i < answer->count && i < ADDRESSES_MAX; i++) {
		const struct wasi_resolved_address *found = answer->links[i].address;
		const bool is_4 = found->family == WASI_FAMILY_4;
		if (!is_4 && found->family != WASI_FAMILY_6)
			continue;
		JSValue address = host_new_address(context, is_4,
			found->data + (is_4 ? DATA_OFFSET_4 : DATA_OFFSET_6));
		if (JS_IsException(address)
			|| JS_DefinePropertyValueUint32(context, list, length++, address, JS_PROP_C_W_E) < 0) {
			JS_FreeValue(context, list);
			return JS_EXCEPTION;
		}
	}
	return list;
}

/* A literal needs no resolver. */
static bool is_literal(const char *name, struct answer *answer)
{
	if (inet_pton(AF_INET, name, answer->data[0] + DATA_OFFSET_4) == 1) {
		answer->addresses[0].family = WASI_FAMILY_4;
	} else if (inet_pton(AF_INET6, name, answer->data[0] + DATA_OFFSET_6) == 1) {
		answer->addresses[0].family = WASI_FAMILY_6;
	} else {
		return false;
	}
	answer->count = 1;
	return true;
}

static JSValue resolve(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	static struct answer answer;
	const char *name = host_get_text(context, arguments[0], "The name", NULL);
	if (name == NULL)
		return JS_EXCEPTION;
	const size_t length = strlen(name);
	if (length == 0 || length > NAME_LENGTH_MAX) {
		JS_FreeCString(context, name);
		return JS_ThrowRangeError(context, "A host name has 1 to %d bytes, not %d.",
			NAME_LENGTH_MAX, (int)length);
	}
	prepare(&answer);
	int error = is_literal(name, &answer) ? 0 : ask(name, &answer);
	JS_FreeCString(context, name);
	if (error != 0)
		return host_throw_errno(context, "getaddrinfo", error);
	return new_list(context, &answer);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("resolve", 1, resolve),
};

int host_add_resolver(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
