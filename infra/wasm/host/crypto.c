/*
 * Hashes, HMAC, PBKDF2, P-256 by mbedTLS and Ed25519 by libsodium: what
 * JavaScript in an interpreter is slow at or must not do itself.
 *
 * SHA-256 takes 17 µs for 4 kB with mbedTLS, 16 µs with libsodium's and 21 µs
 * with a plain unrolled loop (ahead of time, one core): one library for all of
 * the hashes is worth more than the difference.
 */
#include <string.h>

#include "host.h"

#include "mbedtls/constant_time.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/md.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/version.h"

#include "crypto_sign_ed25519.h"

/* libsodium's headers do not tell it without its configure script. */
#define LIBSODIUM_VERSION "1.0.18"

/* Iterations are the server's wish (SCRAM): beyond this they are an attack; about 10 s. */
#define PBKDF2_ITERATIONS_MAX 10000000
#define PBKDF2_LENGTH_MAX 1024

#define BLOCK_LENGTH_MAX 128 /* SHA-384, SHA-512 */
#define P256_POINT_LENGTH 65
#define P256_SIGNATURE_LENGTH 64

static const char *const hash_names[] = {
	"md5", "sha1", "sha256", "sha384", "sha512",
};
static const mbedtls_md_type_t hash_types[] = {
	MBEDTLS_MD_MD5, MBEDTLS_MD_SHA1, MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384,
	MBEDTLS_MD_SHA512,
};

/* The hash of a name; null with an exception thrown. */
static const mbedtls_md_info_t *get_hash(JSContext *context, JSValueConst value)
{
	int place = host_get_choice(context, value, "name", hash_names,
		COUNT_OF(hash_names));
	if (place < 0)
		return NULL;
	const mbedtls_md_info_t *hash = mbedtls_md_info_from_type(hash_types[place]);
	if (!hash)
		JS_ThrowInternalError(context, "The hash %s was left out of this module.",
			hash_names[place]);
	return hash;
}

/* mbedTLS refuses only what was checked before, so this should never be seen. */
static JSValue throw_failure(JSContext *context, const char *call, int status)
{
	return JS_ThrowInternalError(context,
		"%s failed inside mbedTLS with status -0x%04x.", call,
		(unsigned)-status);
}

/* Hashes the argument into `digest`; its length, or 0 with an exception thrown. */
static size_t hash_argument(JSContext *context, JSValueConst *arguments,
	uint8_t digest[MBEDTLS_MD_MAX_SIZE])
{
	struct host_bytes bytes;
	const mbedtls_md_info_t *hash = get_hash(context, arguments[0]);
	if (!hash || host_get_bytes(context, arguments[1], "bytes", &bytes))
		return 0;
	int status = mbedtls_md(hash, bytes.start, bytes.length, digest);
	if (status) {
		throw_failure(context, "hash", status);
		return 0;
	}
	return mbedtls_md_get_size(hash);
}

static JSValue js_hash(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	uint8_t digest[MBEDTLS_MD_MAX_SIZE];
	size_t length = hash_argument(context, arguments, digest);
	if (!length)
		return JS_EXCEPTION;
	return host_new_bytes_copy(context, digest, length);
}

static JSValue js_hash_hex(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	uint8_t digest[MBEDTLS_MD_MAX_SIZE];
	char text[2 * MBEDTLS_MD_MAX_SIZE];
	size_t length = hash_argument(context, arguments, digest);
	if (!length)
		return JS_EXCEPTION;
	for (size_t i = 0; i < length; i++) {
		text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	return JS_NewStringLen(context, text, 2 * length);
}

static JSValue js_hmac(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	struct host_bytes key, bytes;
	uint8_t digest[MBEDTLS_MD_MAX_SIZE];
	const mbedtls_md_info_t *hash = get_hash(context, arguments[0]);
	if (!hash || host_get_bytes(context, arguments[1], "key", &key) ||
		host_get_bytes(context, arguments[2], "bytes", &bytes))
		return JS_EXCEPTION;
	int status = mbedtls_md_hmac(hash, key.start, key.length, bytes.start,
		bytes.length, digest);
	if (status)
		return throw_failure(context, "hmac", status);
	return host_new_bytes_copy(context, digest, mbedtls_md_get_size(hash));
}

/*
 * HMAC of one key for many messages: the states behind both pads are computed
 * once. PBKDF2 of mbedTLS computes them for every iteration, which takes twice
 * the time, and SCRAM's 15,000 iterations lie in the way of the first answer.
 */
struct keyed_hash {
	mbedtls_md_context_t inner, outer, work;
	size_t length;
};

static int start_with_pad(mbedtls_md_context_t *state, const uint8_t *block,
	size_t block_length, uint8_t pad)
{
	uint8_t padded[BLOCK_LENGTH_MAX];
	for (size_t i = 0; i < block_length; i++)
		padded[i] = block[i] ^ pad;
	int status = mbedtls_md_starts(state);
	if (!status)
		status = mbedtls_md_update(state, padded, block_length);
	mbedtls_platform_zeroize(padded, sizeof padded);
	return status;
}

static int keyed_hash_open(struct keyed_hash *keyed,
	const mbedtls_md_info_t *hash, const struct host_bytes *key)
{
	uint8_t block[BLOCK_LENGTH_MAX] = { 0 };
	size_t block_length = mbedtls_md_get_type(hash) == MBEDTLS_MD_SHA384 ||
			mbedtls_md_get_type(hash) == MBEDTLS_MD_SHA512
		? 128
		: 64;
	int status = 0;
	keyed->length = mbedtls_md_get_size(hash);
	mbedtls_md_init(&keyed->inner);
	mbedtls_md_init(&keyed->outer);
	mbedtls_md_init(&keyed->work);
	if (key->length > block_length)
		status = mbedtls_md(hash, key->start, key->length, block);
	else
		memcpy(block, key->start, key->length);
	if (!status)
		status = mbedtls_md_setup(&keyed->inner, hash, 0);
	if (!status)
		status = mbedtls_md_setup(&keyed->outer, hash, 0);
	if (!status)
		status = mbedtls_md_setup(&keyed->work, hash, 0);
	if (!status)
		status = start_with_pad(&keyed->inner, block, block_length, 0x36);
	if (!status)
		status = start_with_pad(&keyed->outer, block, block_length, 0x5c);
	mbedtls_platform_zeroize(block, sizeof block);
	return status;
}

static void keyed_hash_close(struct keyed_hash *keyed)
{
	mbedtls_md_free(&keyed->inner);
	mbedtls_md_free(&keyed->outer);
	mbedtls_md_free(&keyed->work);
}

/* HMAC of `first ‖ second`. */
static int keyed_hash_compute(struct keyed_hash *keyed, const uint8_t *first,
	size_t first_length, const uint8_t *second, size_t second_length,
	uint8_t digest[MBEDTLS_MD_MAX_SIZE])
{
	int status = mbedtls_md_clone(&keyed->work, &keyed->inner);
	if (!status)
		status = mbedtls_md_update(&keyed->work, first, first_length);
	if (!status && second_length)
		status = mbedtls_md_update(&keyed->work, second, second_length);
	if (!status)
		status = mbedtls_md_finish(&keyed->work, digest);
	if (!status)
		status = mbedtls_md_clone(&keyed->work, &keyed->outer);
	if (!status)
		status = mbedtls_md_update(&keyed->work, digest, keyed->length);
	if (!status)
		status = mbedtls_md_finish(&keyed->work, digest);
	return status;
}

/* RFC 8018, 5.2, steps 3 and 4. */
static int derive(struct keyed_hash *keyed, const struct host_bytes *salt,
	int64_t iterations, uint8_t *target, size_t length)
{
	uint8_t round[MBEDTLS_MD_MAX_SIZE], sum[MBEDTLS_MD_MAX_SIZE];
	int status = 0;
	uint32_t block = 1;
	for (size_t done = 0; done < length && !status; block++) {
		uint8_t number[4] = { block >> 24, block >> 16, block >> 8, block };
		status = keyed_hash_compute(keyed, salt->start, salt->length, number,
			sizeof number, round);
		memcpy(sum, round, keyed->length);
		for (int64_t i = 1; i < iterations && !status; i++) {
			status = keyed_hash_compute(keyed, round, keyed->length, NULL, 0,
				round);
			for (size_t at = 0; at < keyed->length; at++)
				sum[at] ^= round[at];
		}
		size_t part = length - done < keyed->length ? length - done : keyed->length;
		memcpy(target + done, sum, part);
		done += part;
	}
	mbedtls_platform_zeroize(round, sizeof round);
	mbedtls_platform_zeroize(sum, sizeof sum);
	return status;
}

static JSValue js_pbkdf2(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	struct host_bytes password, salt;
	int64_t iterations, length;
	struct keyed_hash keyed;
	uint8_t derived[PBKDF2_LENGTH_MAX];
	const mbedtls_md_info_t *hash = get_hash(context, arguments[0]);
	if (!hash || host_get_bytes(context, arguments[1], "password", &password) ||
		host_get_bytes(context, arguments[2], "salt", &salt) ||
		host_get_integer(context, arguments[3], "iterations", 1,
			PBKDF2_ITERATIONS_MAX, &iterations) ||
		host_get_integer(context, arguments[4], "length", 0,
			PBKDF2_LENGTH_MAX, &length))
		return JS_EXCEPTION;
	int status = keyed_hash_open(&keyed, hash, &password);
	if (!status)
		status = derive(&keyed, &salt, iterations, derived, (size_t)length);
	keyed_hash_close(&keyed);
	JSValue result = status
		? throw_failure(context, "pbkdf2", status)
		: host_new_bytes_copy(context, derived, (size_t)length);
	mbedtls_platform_zeroize(derived, sizeof derived);
	return result;
}

static JSValue js_equal_bytes(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	struct host_bytes a, b;
	if (host_get_bytes(context, arguments[0], "a", &a) ||
		host_get_bytes(context, arguments[1], "b", &b))
		return JS_EXCEPTION;
	return JS_NewBool(context, a.length == b.length &&
		mbedtls_ct_memcmp(a.start, b.start, a.length) == 0);
}

/* Bytes that must be `length` long; 0, or -1 with a RangeError thrown. */
static int get_exactly(JSContext *context, JSValueConst value, const char *what,
	size_t length, struct host_bytes *bytes)
{
	if (host_get_bytes(context, value, what, bytes))
		return -1;
	if (bytes->length == length)
		return 0;
	JS_ThrowRangeError(context, "%s has %zu bytes instead of %zu.", what,
		bytes->length, length);
	return -1;
}

/* A signature of another length, or a key that is no point of the curve, is false: both come from outside. */
static JSValue js_verify_ed25519(JSContext *context, JSValueConst this,
	int count, JSValueConst *arguments)
{
	(void)this;
	(void)count;
	struct host_bytes key, signature, bytes;
	if (get_exactly(context, arguments[0], "publicKey",
			crypto_sign_ed25519_PUBLICKEYBYTES, &key) ||
		host_get_bytes(context, arguments[1], "signature", &signature) ||
		host_get_bytes(context, arguments[2], "bytes", &bytes))
		return JS_EXCEPTION;
	return JS_NewBool(context, signature.length == crypto_sign_ed25519_BYTES &&
		crypto_sign_ed25519_verify_detached(signature.start, bytes.start,
			bytes.length, key.start) == 0);
}

/* Expands the seed to the pair; 0, or -1 with an exception thrown. */
static int get_key_pair(JSContext *context, JSValueConst value,
	uint8_t public_key[crypto_sign_ed25519_PUBLICKEYBYTES],
	uint8_t secret_key[crypto_sign_ed25519_SECRETKEYBYTES])
{
	struct host_bytes seed;
	if (get_exactly(context, value, "seed", crypto_sign_ed25519_SEEDBYTES,
			&seed))
		return -1;
	if (crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed.start)) {
		JS_ThrowInternalError(context, "The Ed25519 key cannot be expanded.");
		return -1;
	}
	return 0;
}

static JSValue js_sign_ed25519(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	uint8_t public_key[crypto_sign_ed25519_PUBLICKEYBYTES];
	uint8_t secret_key[crypto_sign_ed25519_SECRETKEYBYTES];
	uint8_t signature[crypto_sign_ed25519_BYTES];
	struct host_bytes bytes;
	if (host_get_bytes(context, arguments[1], "bytes", &bytes) ||
		get_key_pair(context, arguments[0], public_key, secret_key))
		return JS_EXCEPTION;
	int status = crypto_sign_ed25519_detached(signature, NULL, bytes.start,
		bytes.length, secret_key);
	mbedtls_platform_zeroize(secret_key, sizeof secret_key);
	if (status)
		return JS_ThrowInternalError(context, "Signing by Ed25519 failed.");
	return host_new_bytes_copy(context, signature, sizeof signature);
}

static JSValue js_public_key_ed25519(JSContext *context, JSValueConst this,
	int count, JSValueConst *arguments)
{
	(void)this;
	(void)count;
	uint8_t public_key[crypto_sign_ed25519_PUBLICKEYBYTES];
	uint8_t secret_key[crypto_sign_ed25519_SECRETKEYBYTES];
	if (get_key_pair(context, arguments[0], public_key, secret_key))
		return JS_EXCEPTION;
	mbedtls_platform_zeroize(secret_key, sizeof secret_key);
	return host_new_bytes_copy(context, public_key, sizeof public_key);
}

/* True where r ‖ s signs the digest; a status of mbedTLS otherwise. */
static int verify_p256(const struct host_bytes *key,
	const struct host_bytes *signature, const uint8_t *digest, size_t length)
{
	mbedtls_ecp_group group;
	mbedtls_ecp_point point;
	mbedtls_mpi r, s;
	const size_t half = P256_SIGNATURE_LENGTH / 2;
	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&point);
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	int status = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
	if (!status)
		status = mbedtls_ecp_point_read_binary(&group, &point, key->start,
			key->length);
	if (!status)
		status = mbedtls_ecp_check_pubkey(&group, &point);
	if (!status)
		status = mbedtls_mpi_read_binary(&r, signature->start, half);
	if (!status)
		status = mbedtls_mpi_read_binary(&s, signature->start + half, half);
	if (!status)
		status = mbedtls_ecdsa_verify(&group, digest, length, &point, &r, &s);
	mbedtls_mpi_free(&s);
	mbedtls_mpi_free(&r);
	mbedtls_ecp_point_free(&point);
	mbedtls_ecp_group_free(&group);
	return status;
}

static JSValue js_verify_p256(JSContext *context, JSValueConst this, int count,
	JSValueConst *arguments)
{
	(void)this;
	(void)count;
	struct host_bytes key, signature, bytes;
	uint8_t digest[32];
	if (get_exactly(context, arguments[0], "publicKey", P256_POINT_LENGTH,
			&key) ||
		host_get_bytes(context, arguments[1], "signature", &signature) ||
		host_get_bytes(context, arguments[2], "bytes", &bytes))
		return JS_EXCEPTION;
	if (signature.length != P256_SIGNATURE_LENGTH)
		return JS_FALSE;
	int status = mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
		bytes.start, bytes.length, digest);
	if (!status)
		status = verify_p256(&key, &signature, digest, sizeof digest);
	if (status == MBEDTLS_ERR_MPI_ALLOC_FAILED)
		return JS_ThrowOutOfMemory(context);
	return JS_NewBool(context, status == 0);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("hash", 2, js_hash),
	JS_CFUNC_DEF("hashHex", 2, js_hash_hex),
	JS_CFUNC_DEF("hmac", 3, js_hmac),
	JS_CFUNC_DEF("pbkdf2", 5, js_pbkdf2),
	JS_CFUNC_DEF("equalBytes", 2, js_equal_bytes),
	JS_CFUNC_DEF("verifyEd25519", 3, js_verify_ed25519),
	JS_CFUNC_DEF("signEd25519", 2, js_sign_ed25519),
	JS_CFUNC_DEF("publicKeyEd25519", 1, js_public_key_ed25519),
	JS_CFUNC_DEF("verifyP256", 3, js_verify_p256),
};

int host_add_crypto(JSContext *context, JSValueConst host)
{
	if (host_add_version(context, host, "mbedtls", MBEDTLS_VERSION_STRING) ||
		host_add_version(context, host, "libsodium", LIBSODIUM_VERSION))
		return -1;
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
