/*
 * Sets a TLS session of mbedTLS up, and tears it down. The chain and the name
 * of the server are always verified; there is no way to ask for less.
 */
#include <string.h>
#include <time.h>

#include "tls-session.h"

#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "psa/crypto.h"

/* What both sides may agree upon, best first, by IANA's names. ChaCha20 comes
 * first: without AES in hardware it is faster, and its time tells nothing of the key. */
static const struct {
	int number;
	const char *name;
} cipher_suites[] = {
	{ MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256" },
	{ MBEDTLS_TLS1_3_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256" },
	{ MBEDTLS_TLS1_3_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384" },
	{ MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
	{ MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
};
static int cipher_numbers[COUNT_OF(cipher_suites) + 1]; /* ends with 0 */

/* mbedTLS's clock for its own intervals; the calendar is time(). */
mbedtls_ms_time_t mbedtls_ms_time(void)
{
	struct timespec now = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (mbedtls_ms_time_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Random bytes for the PSA layer, below TLS 1.3. */
psa_status_t mbedtls_psa_external_get_random(
	mbedtls_psa_external_random_context_t *context, uint8_t *output,
	size_t size, size_t *length)
{
	(void)context;
	if (host_random(output, size))
		return PSA_ERROR_INSUFFICIENT_ENTROPY;
	*length = size;
	return PSA_SUCCESS;
}

/* The same for all else. */
static int fill_random(void *context, unsigned char *output, size_t size)
{
	(void)context;
	return host_random(output, size) ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : 0;
}

int tls_buffer_append(JSRuntime *runtime, struct tls_buffer *buffer,
	const uint8_t *bytes, size_t length)
{
	size_t held = buffer->to - buffer->from;
	if (buffer->from && buffer->capacity - buffer->to < length) {
		memmove(buffer->start, buffer->start + buffer->from, held);
		buffer->from = 0;
		buffer->to = held;
	}
	if (buffer->capacity - buffer->to < length) {
		if (length > SIZE_MAX / 2 - buffer->capacity)
			return -1;
		size_t capacity = held + length;
		if (capacity < 2 * buffer->capacity)
			capacity = 2 * buffer->capacity;
		uint8_t *start = js_realloc_rt(runtime, buffer->start, capacity);
		if (!start)
			return -1;
		buffer->start = start;
		buffer->capacity = capacity;
	}
	if (length)
		memcpy(buffer->start + buffer->to, bytes, length);
	buffer->to += length;
	return 0;
}

void tls_buffer_free(JSRuntime *runtime, struct tls_buffer *buffer)
{
	js_free_rt(runtime, buffer->start);
	memset(buffer, 0, sizeof *buffer);
}

/* mbedTLS wants to send. */
static int put_outgoing(void *opaque, const unsigned char *bytes, size_t length)
{
	struct tls_session *session = opaque;
	if (tls_buffer_append(session->runtime, &session->outgoing, bytes, length))
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	return (int)length;
}

/* mbedTLS wants to receive. */
static int take_incoming(void *opaque, unsigned char *bytes, size_t length)
{
	struct tls_session *session = opaque;
	struct tls_buffer *incoming = &session->incoming;
	size_t held = incoming->to - incoming->from;
	if (!held)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (length > held)
		length = held;
	memcpy(bytes, incoming->start + incoming->from, length);
	incoming->from += length;
	if (incoming->from == incoming->to)
		tls_buffer_free(session->runtime, incoming);
	return (int)length;
}

void tls_session_free(struct tls_session *session)
{
	JSRuntime *runtime = session->runtime;
	mbedtls_ssl_free(&session->ssl);
	mbedtls_ssl_config_free(&session->config);
	mbedtls_x509_crt_free(&session->authorities);
	mbedtls_x509_crt_free(&session->certificate);
	mbedtls_pk_free(&session->key);
	tls_buffer_free(runtime, &session->incoming);
	tls_buffer_free(runtime, &session->outgoing);
	js_free_rt(runtime, session);
}

static struct tls_session *session_new(JSContext *context)
{
	struct tls_session *session = js_mallocz(context, sizeof *session);
	if (!session)
		return NULL;
	session->runtime = JS_GetRuntime(context);
	mbedtls_ssl_init(&session->ssl);
	mbedtls_ssl_config_init(&session->config);
	mbedtls_x509_crt_init(&session->authorities);
	mbedtls_x509_crt_init(&session->certificate);
	mbedtls_pk_init(&session->key);
	return session;
}

/* A copy with the closing zero by which mbedTLS knows PEM; null with an exception thrown. */
static uint8_t *copy_pem(JSContext *context, const struct host_bytes *bytes)
{
	uint8_t *pem = js_malloc(context, bytes->length + 1);
	if (!pem)
		return NULL;
	memcpy(pem, bytes->start, bytes->length);
	pem[bytes->length] = 0;
	return pem;
}

/* Reads the certificates of a PEM text, those at least that can be read; 0, or -1 with an exception thrown. */
static int read_certificates(JSContext *context, mbedtls_x509_crt *chain,
	const struct host_bytes *bytes, const char *what)
{
	uint8_t *pem = copy_pem(context, bytes);
	if (!pem)
		return -1;
	mbedtls_x509_crt_parse(chain, pem, bytes->length + 1);
	js_free(context, pem);
	if (chain->version)
		return 0;
	JS_ThrowTypeError(context, "%s has no certificate that can be read. It "
		"must be a PEM file with -----BEGIN CERTIFICATE----- in it.", what);
	return -1;
}

/* Reads the client's own pair and sees that it is one; 0, or -1 with an exception thrown. */
static int read_pair(JSContext *context, struct tls_session *session,
	const struct host_bytes *certificate, const struct host_bytes *key)
{
	if (read_certificates(context, &session->certificate, certificate,
			"certificate"))
		return -1;
	uint8_t *pem = copy_pem(context, key);
	if (!pem)
		return -1;
	int status = mbedtls_pk_parse_key(&session->key, pem, key->length + 1,
		NULL, 0, fill_random, NULL);
	mbedtls_platform_zeroize(pem, key->length);
	js_free(context, pem);
	if (status) {
		JS_ThrowTypeError(context, "privateKey cannot be read (error -0x%04x "
			"of mbedTLS). It must be an RSA or EC key in PEM that is not "
			"encrypted by a password.", (unsigned)-status);
		return -1;
	}
	if (mbedtls_pk_check_pair(&session->certificate.pk, &session->key,
			fill_random, NULL)) {
		JS_ThrowTypeError(context, "privateKey does not belong to the first "
			"certificate of certificate.");
		return -1;
	}
	return 0;
}

/* Puts all together; 0 or a status of mbedTLS. */
static int session_configure(struct tls_session *session)
{
	mbedtls_ssl_config *config = &session->config;
	/* Once would do; it does nothing when called again. Here, so that it costs nothing without TLS. */
	if (psa_crypto_init() != PSA_SUCCESS)
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	int status = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (status)
		return status;
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
	for (int i = 0; i < COUNT_OF(cipher_suites); i++)
		cipher_numbers[i] = cipher_suites[i].number;
	mbedtls_ssl_conf_ciphersuites(config, cipher_numbers);
	mbedtls_ssl_conf_rng(config, fill_random, NULL);
	mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(config, &session->authorities, NULL);
	mbedtls_ssl_conf_verify(config, tls_peer_examine, &session->peer);
	if (session->certificate.version) {
		status = mbedtls_ssl_conf_own_cert(config, &session->certificate,
			&session->key);
		if (status)
			return status;
	}
	status = mbedtls_ssl_setup(&session->ssl, config);
	if (status)
		return status;
	mbedtls_ssl_set_bio(&session->ssl, session, put_outgoing, take_incoming,
		NULL);
	/* An address is no server name to be sent (RFC 6066, 3); tls_peer_examine compares it. */
	return mbedtls_ssl_set_hostname(&session->ssl,
		session->peer.address_length ? NULL : session->peer.name);
}

/* The options of `openTls`, taken out of their object before any of them is read. */
struct options {
	JSValue server_name, authorities, certificate, private_key;
};

static int read_options(JSContext *context, struct tls_session *session,
	const struct options *options)
{
	struct host_bytes authorities, certificate, key;
	const char *name = host_get_text(context, options->server_name,
		"serverName", NULL);
	if (!name)
		return -1;
	int refused = tls_peer_expect(&session->peer, name);
	if (refused)
		JS_ThrowTypeError(context, "serverName '%.64s' is neither a host's "
			"name nor an address.", name);
	JS_FreeCString(context, name);
	if (refused || host_get_bytes(context, options->authorities, "authorities",
			&authorities) ||
		read_certificates(context, &session->authorities, &authorities,
			"authorities"))
		return -1;
	bool has_certificate = !JS_IsUndefined(options->certificate);
	bool has_key = !JS_IsUndefined(options->private_key);
	if (!has_certificate && !has_key)
		return 0;
	if (!has_certificate || !has_key) {
		JS_ThrowTypeError(context,
			"certificate and privateKey are given both or not at all.");
		return -1;
	}
	if (host_get_bytes(context, options->certificate, "certificate",
			&certificate) ||
		host_get_bytes(context, options->private_key, "privateKey", &key))
		return -1;
	return read_pair(context, session, &certificate, &key);
}

struct tls_session *tls_session_open(JSContext *context, JSValueConst argument)
{
	struct options options = {
		JS_GetPropertyStr(context, argument, "serverName"),
		JS_GetPropertyStr(context, argument, "authorities"),
		JS_GetPropertyStr(context, argument, "certificate"),
		JS_GetPropertyStr(context, argument, "privateKey"),
	};
	struct tls_session *session = session_new(context);
	int status = 0;
	bool failed = !session || JS_HasException(context) ||
		read_options(context, session, &options);
	JS_FreeValue(context, options.server_name);
	JS_FreeValue(context, options.authorities);
	JS_FreeValue(context, options.certificate);
	JS_FreeValue(context, options.private_key);
	if (!failed) {
		status = session_configure(session);
		failed = status != 0;
	}
	if (!failed)
		return session;
	if (status)
		JS_ThrowInternalError(context, "The TLS session cannot be set up "
			"(error -0x%04x of mbedTLS).", (unsigned)-status);
	if (session)
		tls_session_free(session);
	return NULL;
}

const char *tls_session_cipher(const struct tls_session *session)
{
	int number = mbedtls_ssl_get_ciphersuite_id_from_ssl(&session->ssl);
	for (int i = 0; i < COUNT_OF(cipher_suites); i++)
		if (cipher_suites[i].number == number)
			return cipher_suites[i].name;
	return "";
}
