/*
 * The server as a TLS session sees it: whom it should be, and why it is refused.
 */
#ifndef HOST_TLS_PEER_H
#define HOST_TLS_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

#define TLS_NAME_LENGTH_MAX 253 /* RFC 1035, 2.3.4, as text */
#define TLS_SENTENCE_LENGTH_MAX 767
#define TLS_NAMES_LENGTH_MAX 255

struct tls_peer {
	char name[TLS_NAME_LENGTH_MAX + 1];
	/* Where the name is an IP address: its 4 or 16 bytes; else 0 of them. */
	uint8_t address[16];
	size_t address_length;
	/* Of the certificates that were refused: the first one's faults, its place in the chain (0 is the server's own). */
	uint32_t faults;
	int depth;
	/* When the faulty certificate begins and ends to be valid. */
	mbedtls_x509_time valid_from, valid_to;
	/* The names that the server's certificate is made for, quoted, as far as there is room. */
	char names[TLS_NAMES_LENGTH_MAX + 1];
};

/* Takes the name over; 0, or -1 where it is empty, too long or not made of ASCII letters, digits, ".", "-", "_", ":". */
int tls_peer_expect(struct tls_peer *peer, const char *name);

/*
 * Called by mbedTLS for each certificate of the chain, the server's own last
 * (mbedtls_x509_crt_verify): compares the name where it is an IP address, and
 * keeps what a refusal has to tell.
 */
int tls_peer_examine(void *peer, mbedtls_x509_crt *certificate, int depth,
	uint32_t *faults);

/* A sentence for the status that ended the session. */
void tls_peer_explain(const struct tls_peer *peer,
	const mbedtls_ssl_context *session, int status,
	char sentence[TLS_SENTENCE_LENGTH_MAX + 1]);

#endif
