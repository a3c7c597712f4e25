/*
 * TLS as a client: what JavaScript sees of a session, which knows no socket.
 */
#include <string.h>

#include "tls-session.h"

static JSClassID session_class;

static void finalize(JSRuntime *runtime, JSValueConst value)
{
	(void)runtime;
	struct tls_session *session = JS_GetOpaque(value, session_class);
	if (session)
		tls_session_free(session);
}

static JSValue js_open_tls(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	if (!JS_IsObject(arguments[0]))
		return JS_ThrowTypeError(context, "options must be an object.");
	struct tls_session *session = tls_session_open(context, arguments[0]);
	if (!session)
		return JS_EXCEPTION;
	JSValue object = JS_NewObjectClass(context, session_class);
	if (JS_IsException(object)) {
		tls_session_free(session);
		return object;
	}
	JS_SetOpaque(object, session);
	return object;
}

/* The session of a method call; null with an exception thrown where it is closed, broken or not yet open. */
static struct tls_session *get_session(JSContext *context, JSValueConst this,
	enum tls_stage stage)
{
	struct tls_session *session = JS_GetOpaque(this, session_class);
	if (!session)
		JS_ThrowTypeError(context, "This TLS session is closed.");
	else if (stage != TLS_BROKEN && session->stage == TLS_BROKEN)
		JS_ThrowPlainError(context, "%s", session->refusal);
	else if (stage == TLS_OPEN && session->stage != TLS_OPEN)
		JS_ThrowTypeError(context,
			"The handshake of this TLS session is not done yet.");
	else
		return session;
	return NULL;
}

/* Ends the session by the error of mbedTLS; what says so to the server stays to be taken. */
static JSValue break_session(JSContext *context, struct tls_session *session,
	int status)
{
	session->stage = TLS_BROKEN;
	tls_peer_explain(&session->peer, &session->ssl, status, session->refusal);
	tls_buffer_free(session->runtime, &session->incoming);
	if (status == MBEDTLS_ERR_SSL_ALLOC_FAILED)
		return JS_ThrowOutOfMemory(context);
	return JS_ThrowPlainError(context, "%s", session->refusal);
}

static JSValue js_handshake(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)count;
	(void)arguments;
	struct tls_session *session = get_session(context, this, TLS_HANDSHAKING);
	if (!session)
		return JS_EXCEPTION;
	if (session->stage == TLS_OPEN)
		return JS_TRUE;
	int status = mbedtls_ssl_handshake(&session->ssl);
	if (status == MBEDTLS_ERR_SSL_WANT_READ)
		return JS_FALSE;
	if (status)
		return break_session(context, session, status);
	session->stage = TLS_OPEN;
	return JS_TRUE;
}

static JSValue js_feed(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)count;
	struct host_bytes bytes;
	struct tls_session *session = get_session(context, this, TLS_HANDSHAKING);
	if (!session || host_get_bytes(context, arguments[0], "encrypted", &bytes))
		return JS_EXCEPTION;
	if (tls_buffer_append(session->runtime, &session->incoming, bytes.start,
			bytes.length))
		return JS_ThrowOutOfMemory(context);
	return JS_UNDEFINED;
}

static JSValue js_take_encrypted(JSContext *context, JSValueConst this,
	int count, JSValueConst *arguments)
{
	(void)count;
	(void)arguments;
	struct tls_session *session = get_session(context, this, TLS_BROKEN);
	if (!session)
		return JS_EXCEPTION;
	struct tls_buffer taken = session->outgoing;
	if (taken.from == taken.to)
		return JS_UNDEFINED;
	memset(&session->outgoing, 0, sizeof session->outgoing);
	return host_new_bytes(context, taken.start, taken.to);
}

static JSValue js_write(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)count;
	struct host_bytes bytes;
	struct tls_session *session = get_session(context, this, TLS_OPEN);
	if (!session || host_get_bytes(context, arguments[0], "plain", &bytes))
		return JS_EXCEPTION;
	while (bytes.length) {
		int status = mbedtls_ssl_write(&session->ssl, bytes.start,
			bytes.length);
		if (status <= 0)
			return break_session(context, session, status);
		bytes.start += status;
		bytes.length -= (size_t)status;
	}
	return JS_UNDEFINED;
}

static JSValue js_read(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)count;
	struct host_bytes target;
	struct tls_session *session = get_session(context, this, TLS_OPEN);
	if (!session || host_get_bytes(context, arguments[0], "target", &target))
		return JS_EXCEPTION;
	if (!target.length)
		return JS_ThrowRangeError(context, "target has no room for a byte.");
	int status = mbedtls_ssl_read(&session->ssl, target.start, target.length);
	if (status > 0)
		return JS_NewInt32(context, status);
	if (status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return JS_NewInt32(context, 0);
	if (status == MBEDTLS_ERR_SSL_WANT_READ)
		return JS_NewInt32(context, -1);
	return break_session(context, session, status);
}

static JSValue js_end(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)count;
	(void)arguments;
	struct tls_session *session = get_session(context, this, TLS_BROKEN);
	if (!session)
		return JS_EXCEPTION;
	int status = session->stage == TLS_OPEN
		? mbedtls_ssl_close_notify(&session->ssl)
		: 0;
	if (status)
		return break_session(context, session, status);
	return JS_UNDEFINED;
}

static JSValue js_close(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)context;
	(void)count;
	(void)arguments;
	struct tls_session *session = JS_GetOpaque(this, session_class);
	if (session) {
		JS_SetOpaque(this, NULL);
		tls_session_free(session);
	}
	return JS_UNDEFINED;
}

static JSValue js_negotiated(JSContext *context, JSValueConst this)
{
	struct tls_session *session = JS_GetOpaque(this, session_class);
	if (!session || session->stage != TLS_OPEN)
		return JS_UNDEFINED;
	JSValue object = JS_NewObject(context);
	if (JS_IsException(object))
		return object;
	if (JS_DefinePropertyValueStr(context, object, "protocol",
			JS_NewString(context, mbedtls_ssl_get_version(&session->ssl)),
			JS_PROP_C_W_E) < 0 ||
		JS_DefinePropertyValueStr(context, object, "cipher",
			JS_NewString(context, tls_session_cipher(session)),
			JS_PROP_C_W_E) < 0) {
		JS_FreeValue(context, object);
		return JS_EXCEPTION;
	}
	return object;
}

static const JSCFunctionListEntry methods[] = {
	JS_CFUNC_DEF("handshake", 0, js_handshake),
	JS_CFUNC_DEF("feed", 1, js_feed),
	JS_CFUNC_DEF("takeEncrypted", 0, js_take_encrypted),
	JS_CFUNC_DEF("write", 1, js_write),
	JS_CFUNC_DEF("read", 1, js_read),
	JS_CFUNC_DEF("end", 0, js_end),
	JS_CFUNC_DEF("close", 0, js_close),
	JS_CGETSET_DEF("negotiated", js_negotiated, NULL),
};

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("openTls", 1, js_open_tls),
};

static const JSClassDef session_definition = {
	.class_name = "TlsSession",
	.finalizer = finalize,
};

int host_add_tls(JSContext *context, JSValueConst host)
{
	JSRuntime *runtime = JS_GetRuntime(context);
	JS_NewClassID(runtime, &session_class);
	if (JS_NewClass(runtime, session_class, &session_definition))
		return -1;
	JSValue prototype = JS_NewObject(context);
	if (JS_IsException(prototype) ||
		host_add_functions(context, prototype, methods, COUNT_OF(methods))) {
		JS_FreeValue(context, prototype);
		return -1;
	}
	JS_SetClassProto(context, session_class, prototype);
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
