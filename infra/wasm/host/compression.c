/* Deflate and inflate by zlib. */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum format { FORMAT_ZLIB, FORMAT_GZIP, FORMAT_RAW };
static const char *const format_names[] = { "zlib", "gzip", "raw" };

#define WINDOW_BITS_MIN 9
#define WINDOW_BITS_MAX 15
#define GZIP_WINDOW_BITS 16
#define INFLATE_LENGTH_AT_FIRST 1024u

/* zlib takes the format by its argument windowBits. */
static int window_argument(int format, int window_bits)
{
	return format == FORMAT_RAW ? -window_bits
		: format == FORMAT_GZIP ? window_bits + GZIP_WINDOW_BITS : window_bits;
}

/*
 * A compressor with its memory, kept for the next call with the same
 * arguments: documents have many short streams. Two: one for what is made once
 * for all documents, one for what every document has of its own.
 */
struct compressor {
	z_stream stream;
	int level;
	int window;
	int memory_level;
	bool is_open;
};

#define COMPRESSORS_KEPT 2
static struct compressor compressors[COMPRESSORS_KEPT];
static int latest_compressor;

static bool suits(const struct compressor *compressor, int level, int window, int memory_level)
{
	return compressor->is_open && compressor->level == level
		&& compressor->window == window && compressor->memory_level == memory_level;
}

static int open_compressor(struct compressor *compressor, int level, int window, int memory_level)
{
	if (compressor->is_open)
		(void)deflateEnd(&compressor->stream);
	memset(compressor, 0, sizeof(*compressor));
	const int status = deflateInit2(&compressor->stream, level, Z_DEFLATED, window,
		memory_level, Z_DEFAULT_STRATEGY);
	compressor->is_open = status == Z_OK;
	compressor->level = level;
	compressor->window = window;
	compressor->memory_level = memory_level;
	return status;
}

/* A compressor at its beginning; null where there is no memory for one. */
static struct compressor *get_compressor(int level, int window, int memory_level)
{
	for (int i = 0; i < COMPRESSORS_KEPT; i++) {
		struct compressor *compressor = &compressors[i];
		if (suits(compressor, level, window, memory_level)
			&& deflateReset(&compressor->stream) == Z_OK) {
			latest_compressor = i;
			return compressor;
		}
	}
	latest_compressor = (latest_compressor + 1) % COMPRESSORS_KEPT;
	struct compressor *replaced = &compressors[latest_compressor];
	return open_compressor(replaced, level, window, memory_level) == Z_OK ? replaced : NULL;
}

/* Gives back what the memory has too much, as far as that can be done. */
static JSValue new_bytes_of_part(JSContext *context, uint8_t *memory, size_t length)
{
	uint8_t *shrunk = js_realloc_rt(JS_GetRuntime(context), memory, length == 0 ? 1 : length);
	return host_new_bytes(context, shrunk != NULL ? shrunk : memory, length);
}

static JSValue compress_bytes(JSContext *context, struct compressor *compressor,
	const struct host_bytes *bytes)
{
	z_stream *stream = &compressor->stream;
	const size_t bound = deflateBound(stream, bytes->length);
	uint8_t *memory = js_malloc(context, bound);
	if (memory == NULL)
		return JS_EXCEPTION;
	stream->next_in = bytes->start;
	stream->avail_in = (uInt)bytes->length;
	stream->next_out = memory;
	stream->avail_out = (uInt)bound;
	const int status = deflate(stream, Z_FINISH);
	if (status != Z_STREAM_END) {
		js_free(context, memory);
		return JS_ThrowInternalError(context,
			"Compressing failed with zlib's status %d, which its parameters never lead to.",
			status);
	}
	return new_bytes_of_part(context, memory, bound - stream->avail_out);
}

static JSValue deflate_bytes(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	int64_t level, window_bits, memory_level;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0)
		return JS_EXCEPTION;
	const int format = host_get_choice(context, arguments[1], "The format", format_names,
		COUNT_OF(format_names));
	if (format < 0
		|| host_get_integer(context, arguments[2], "The level", -1, 9, &level) < 0
		|| host_get_integer(context, arguments[3], "windowBits", WINDOW_BITS_MIN,
			WINDOW_BITS_MAX, &window_bits) < 0
		|| host_get_integer(context, arguments[4], "memoryLevel", 1, 9, &memory_level) < 0)
		return JS_EXCEPTION;
	struct compressor *compressor = get_compressor((int)level,
		window_argument(format, (int)window_bits), (int)memory_level);
	if (compressor == NULL)
		return JS_ThrowOutOfMemory(context);
	return compress_bytes(context, compressor, &bytes);
}

struct output {
	uint8_t *memory;
	size_t room;
	size_t length_max;
};

/* Twice the room, but a byte more than allowed at most, to see that it is too long; 0 or -1. */
static int grow(JSContext *context, struct output *output, z_stream *stream)
{
	const size_t most = output->length_max + 1;
	size_t room = output->room == 0 ? INFLATE_LENGTH_AT_FIRST : output->room * 2;
	if (room > most)
		room = most;
	uint8_t *memory = js_realloc(context, output->memory, room);
	if (memory == NULL)
		return -1;
	stream->next_out = memory + output->room;
	stream->avail_out = (uInt)(room - output->room);
	output->memory = memory;
	output->room = room;
	return 0;
}

/* The whole stream into `output`; 0, or -1 with an exception thrown. */
static int inflate_all(JSContext *context, z_stream *stream, struct output *output)
{
	for (;;) {
		if (stream->avail_out == 0) {
			if (output->room > output->length_max) {
				JS_ThrowRangeError(context, "The data inflate to more than %d bytes.",
					(int)output->length_max);
				return -1;
			}
			if (grow(context, output, stream) < 0)
				return -1;
		}
		const int status = inflate(stream, Z_NO_FLUSH);
		if (status == Z_STREAM_END)
			break;
		if (status == Z_MEM_ERROR) {
			JS_ThrowOutOfMemory(context);
			return -1;
		}
		if (status != Z_OK && !(status == Z_BUF_ERROR && stream->avail_out == 0)) {
			JS_ThrowPlainError(context, "The compressed data are damaged: %s.",
				status == Z_BUF_ERROR ? "they end too soon"
					: status == Z_NEED_DICT ? "they need a dictionary"
					: stream->msg != NULL ? stream->msg : "they are no deflate");
			return -1;
		}
		if (status == Z_OK && stream->avail_in == 0 && stream->avail_out > 0) {
			JS_ThrowPlainError(context, "The compressed data are damaged: they end too soon.");
			return -1;
		}
	}
	if (stream->total_out > output->length_max) {
		JS_ThrowRangeError(context, "The data inflate to more than %d bytes.",
			(int)output->length_max);
		return -1;
	}
	if (stream->avail_in > 0) {
		JS_ThrowPlainError(context, "The compressed data are damaged: there is more after their end.");
		return -1;
	}
	return 0;
}

static JSValue inflate_bytes(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	int64_t length_max;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0)
		return JS_EXCEPTION;
	const int format = host_get_choice(context, arguments[1], "The format", format_names,
		COUNT_OF(format_names));
	if (format < 0
		|| host_get_integer(context, arguments[2], "lengthMax", 0, INT32_MAX - 1, &length_max) < 0)
		return JS_EXCEPTION;

	z_stream stream = { .next_in = bytes.start, .avail_in = (uInt)bytes.length };
	if (inflateInit2(&stream, window_argument(format, WINDOW_BITS_MAX)) != Z_OK)
		return JS_ThrowOutOfMemory(context);
	struct output output = { .length_max = (size_t)length_max };
	const int failed = inflate_all(context, &stream, &output);
	const size_t length = stream.total_out;
	(void)inflateEnd(&stream);
	if (failed < 0) {
		js_free(context, output.memory);
		return JS_EXCEPTION;
	}
	return new_bytes_of_part(context, output.memory, length);
}

static JSValue crc32_of_bytes(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	int64_t previous;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0
		|| host_get_integer(context, arguments[1], "The previous checksum", 0, UINT32_MAX,
			&previous) < 0)
		return JS_EXCEPTION;
	return JS_NewUint32(context,
		(uint32_t)crc32((uLong)previous, bytes.start, (uInt)bytes.length));
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("deflate", 5, deflate_bytes),
	JS_CFUNC_DEF("inflate", 3, inflate_bytes),
	JS_CFUNC_DEF("crc32", 2, crc32_of_bytes),
};

int host_add_compression(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions)) < 0 ? -1
		: host_add_version(context, host, "zlib", zlibVersion());
}
