/*
 * A TLS session as a client over two buffers: what comes from the socket and
 * what is to be sent over it.
 */
#ifndef HOST_TLS_SESSION_H
#define HOST_TLS_SESSION_H

#include "host.h"
#include "tls-peer.h"

#include "mbedtls/pk.h"

/* Bytes on their way: `start[from]` to `start[to - 1]`. */
struct tls_buffer {
	uint8_t *start;
	size_t from, to, capacity;
};

enum tls_stage { TLS_HANDSHAKING, TLS_OPEN, TLS_BROKEN };

struct tls_session {
	JSRuntime *runtime;
	mbedtls_ssl_context ssl;
	mbedtls_ssl_config config;
	mbedtls_x509_crt authorities, certificate;
	mbedtls_pk_context key;
	struct tls_buffer incoming, outgoing;
	struct tls_peer peer;
	enum tls_stage stage;
	char refusal[TLS_SENTENCE_LENGTH_MAX + 1];
};

/* A session for the options of `host.openTls`; null with an exception thrown. */
struct tls_session *tls_session_open(JSContext *context, JSValueConst options);
void tls_session_free(struct tls_session *session);

/* Appends a copy; 0, or -1 where memory is short. */
int tls_buffer_append(JSRuntime *runtime, struct tls_buffer *buffer,
	const uint8_t *bytes, size_t length);
void tls_buffer_free(JSRuntime *runtime, struct tls_buffer *buffer);

/* IANA's name of the cipher suite that was agreed upon. */
const char *tls_session_cipher(const struct tls_session *session);

#endif
