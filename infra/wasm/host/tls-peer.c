/*
 * Whether the server is the one it should be, and the sentences where it is not.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tls-peer.h"

#include "mbedtls/asn1.h"
#include "mbedtls/error.h"
#include "mbedtls/oid.h"

int tls_peer_expect(struct tls_peer *peer, const char *name)
{
	size_t length = strlen(name);
	if (!length || length > TLS_NAME_LENGTH_MAX ||
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789.-_:") != length)
		return -1;
	memcpy(peer->name, name, length + 1);
	if (inet_pton(AF_INET, name, peer->address) == 1)
		peer->address_length = 4;
	else if (inet_pton(AF_INET6, name, peer->address) == 1)
		peer->address_length = 16;
	return 0;
}

/* The kind of a subject's alternative name: its context-specific tag. */
static int kind_of(const mbedtls_asn1_buf *name)
{
	return name->tag & (MBEDTLS_ASN1_TAG_CLASS_MASK | MBEDTLS_ASN1_TAG_VALUE_MASK);
}

#define KIND_DNS_NAME (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_DNS_NAME)
#define KIND_IP_ADDRESS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_IP_ADDRESS)

/* Only an alternative name of the kind "IP address" counts (RFC 9110, 4.3.5). */
static int holds_address(const mbedtls_x509_crt *certificate,
	const struct tls_peer *peer)
{
	const mbedtls_x509_sequence *name = &certificate->subject_alt_names;
	for (; name && name->buf.p; name = name->next)
		if (kind_of(&name->buf) == KIND_IP_ADDRESS &&
			name->buf.len == peer->address_length &&
			!memcmp(name->buf.p, peer->address, peer->address_length))
			return 1;
	return 0;
}

/* Adds a name in quotes; what is not printable, and so could forge a line of a log, becomes "?". */
static void add_name(struct tls_peer *peer, const char *name, size_t length)
{
	size_t at = strlen(peer->names);
	if (at + length + sizeof ", ''" > sizeof peer->names)
		return;
	at += (size_t)sprintf(peer->names + at, "%s'", at ? ", " : "");
	for (size_t i = 0; i < length; i++)
		peer->names[at++] = name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?';
	strcpy(peer->names + at, "'");
}

static void keep_names(struct tls_peer *peer,
	const mbedtls_x509_crt *certificate)
{
	const mbedtls_x509_sequence *name = &certificate->subject_alt_names;
	char text[INET6_ADDRSTRLEN];
	for (; name && name->buf.p; name = name->next) {
		if (kind_of(&name->buf) == KIND_DNS_NAME)
			add_name(peer, (const char *)name->buf.p, name->buf.len);
		else if (kind_of(&name->buf) == KIND_IP_ADDRESS &&
			(name->buf.len == 4 || name->buf.len == 16) &&
			inet_ntop(name->buf.len == 4 ? AF_INET : AF_INET6,
				name->buf.p, text, sizeof text))
			add_name(peer, text, strlen(text));
	}
	if (peer->names[0])
		return;
	const mbedtls_x509_name *part = &certificate->subject;
	for (; part; part = part->next)
		if (!MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &part->oid))
			add_name(peer, (const char *)part->val.p, part->val.len);
}

int tls_peer_examine(void *opaque, mbedtls_x509_crt *certificate, int depth,
	uint32_t *faults)
{
	struct tls_peer *peer = opaque;
	if (depth == 0 && peer->address_length && !holds_address(certificate, peer))
		*faults |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (*faults & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		keep_names(peer, certificate);
	if (*faults && !peer->faults) {
		peer->faults = *faults;
		peer->depth = depth;
		peer->valid_from = certificate->valid_from;
		peer->valid_to = certificate->valid_to;
	}
	return 0;
}

/* Whose fault it is, as the sentence's subject. */
static const char *subject_of(const struct tls_peer *peer)
{
	return peer->depth ? "A certificate of the server's chain"
			   : "The server's certificate";
}

static void explain_faults(const struct tls_peer *peer, uint32_t faults,
	char *sentence)
{
	const size_t room = TLS_SENTENCE_LENGTH_MAX + 1;
	const char *subject = subject_of(peer);
	const mbedtls_x509_time *from = &peer->valid_from, *to = &peer->valid_to;
	if (faults & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		snprintf(sentence, room, "The server's certificate is not signed by "
			"an authority of the CA file.");
	else if (faults & MBEDTLS_X509_BADCERT_EXPIRED)
		snprintf(sentence, room, "%s has expired: it was valid until "
			"%04d-%02d-%02dT%02d:%02d:%02dZ.", subject, to->year,
			to->mon, to->day, to->hour, to->min, to->sec);
	else if (faults & MBEDTLS_X509_BADCERT_FUTURE)
		snprintf(sentence, room, "%s is not yet valid: it will be from "
			"%04d-%02d-%02dT%02d:%02d:%02dZ on. Is this computer's clock "
			"right?", subject, from->year, from->mon, from->day,
			from->hour, from->min, from->sec);
	else if (faults & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		snprintf(sentence, room, "%s is for %s, not for '%s'.", subject,
			peer->names[0] ? peer->names : "no name", peer->name);
	else if (faults & (MBEDTLS_X509_BADCERT_KEY_USAGE |
			MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
			MBEDTLS_X509_BADCERT_NS_CERT_TYPE))
		snprintf(sentence, room, "%s is not made for TLS servers (its key "
			"usage says so).", subject);
	else if (faults & (MBEDTLS_X509_BADCERT_BAD_MD |
			MBEDTLS_X509_BADCERT_BAD_PK |
			MBEDTLS_X509_BADCERT_BAD_KEY))
		snprintf(sentence, room, "%s is too weak: at least SHA-256 and RSA "
			"with 2048 bits or P-256 are needed.", subject);
	else
		snprintf(sentence, room, "%s is refused (faults 0x%x of mbedTLS).",
			subject, (unsigned)faults);
}

/* RFC 8446, 6.2; those that a server sends for something that its operator or ours can mend. */
static const char *meaning_of_alert(uint8_t alert)
{
	switch (alert) {
	case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
		return "it accepts none of our ciphers, or wants a client certificate";
	case MBEDTLS_SSL_ALERT_MSG_NO_CERT:
	case MBEDTLS_SSL_ALERT_MSG_CERT_REQUIRED:
		return "it wants a client certificate";
	case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
	case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
	case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
	case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
	case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
		return "it does not accept our client certificate";
	case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
		return "it does not know the authority of our client certificate";
	case MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED:
		return "it denies access to our client certificate";
	case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
		return "it speaks neither TLS 1.2 nor TLS 1.3";
	case MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY:
		return "it wants stronger ciphers";
	case MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME:
		return "it does not know the server name";
	default:
		return "see RFC 8446, 6";
	}
}

void tls_peer_explain(const struct tls_peer *peer,
	const mbedtls_ssl_context *session, int status,
	char sentence[TLS_SENTENCE_LENGTH_MAX + 1])
{
	const size_t room = TLS_SENTENCE_LENGTH_MAX + 1;
	uint32_t faults = peer->faults;
	uint8_t alert;
	if (!faults) /* the key's usage is looked at after the chain */
		faults = mbedtls_ssl_get_verify_result(session);
	switch (status) {
	case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
	case MBEDTLS_ERR_SSL_BAD_CERTIFICATE:
		if (faults && faults != UINT32_MAX)
			explain_faults(peer, faults, sentence);
		else
			snprintf(sentence, room, "The server's certificate cannot be "
				"read.");
		return;
	case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
		/* There is no other way to the alert's number in 3.6. */
		alert = session->MBEDTLS_PRIVATE(in_msg)[1];
		snprintf(sentence, room, "The server ended the TLS session by alert "
			"%d: %s.", alert, meaning_of_alert(alert));
		return;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		snprintf(sentence, room, "The server ended the TLS session before "
			"the handshake was done.");
		return;
	case MBEDTLS_ERR_SSL_INVALID_MAC:
		snprintf(sentence, room, "A TLS record was forged or damaged on its "
			"way.");
		return;
	case MBEDTLS_ERR_SSL_INVALID_RECORD:
		snprintf(sentence, room, "What the server sends is no TLS. Does it "
			"expect TLS at this port?");
		return;
	case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
		snprintf(sentence, room, "The server speaks neither TLS 1.2 nor TLS "
			"1.3.");
		return;
	default:
		snprintf(sentence, room, "The TLS session failed: the server does "
			"not keep to the protocol, or asks for what is not supported "
			"(error -0x%04x of mbedTLS).", (unsigned)-status);
	}
}
