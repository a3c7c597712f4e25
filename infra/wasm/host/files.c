/* Files of the preopened folders, read only, and writing to the standard streams. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#define FILE_LENGTH_MAX (256u * 1024 * 1024)
#define ROOM_AT_FIRST 4096u

/* Reads on until the file's end; 0 or an errno. */
static int read_all(int descriptor, size_t expected, struct host_file *file)
{
	/* A byte more than expected, so that the end is seen without growing. */
	size_t room = expected + 1 < ROOM_AT_FIRST ? ROOM_AT_FIRST : expected + 1;
	for (;;) {
		uint8_t *memory = realloc(file->start, room);
		if (memory == NULL)
			return ENOMEM;
		file->start = memory;
		while (file->length < room) {
			const ssize_t length = read(descriptor, memory + file->length, room - file->length);
			if (length == 0)
				return 0;
			if (length < 0) {
				if (errno == EINTR)
					continue;
				return errno;
			}
			file->length += (size_t)length;
		}
		if (room > FILE_LENGTH_MAX)
			return EFBIG;
		room *= 2;
	}
}

int host_read_file(const char *path, struct host_file *file)
{
	*file = (struct host_file){ NULL, 0 };
	const int descriptor = open(path, O_RDONLY);
	if (descriptor < 0)
		return errno;
	struct stat status;
	int error = fstat(descriptor, &status) < 0 ? errno
		: S_ISDIR(status.st_mode) ? EISDIR
		: status.st_size > FILE_LENGTH_MAX ? EFBIG
		: read_all(descriptor, (size_t)status.st_size, file);
	if (close(descriptor) < 0 && error == 0)
		error = errno;
	if (error != 0) {
		free(file->start);
		file->start = NULL;
	}
	return error;
}

static JSValue read_file(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	const char *path = host_get_text(context, arguments[0], "The path", NULL);
	if (path == NULL)
		return JS_EXCEPTION;
	struct host_file file;
	const int error = host_read_file(path, &file);
	JS_FreeCString(context, path);
	if (error != 0)
		return host_throw_errno(context, "open", error);
	JSValue bytes = host_new_bytes_copy(context, file.start, file.length);
	free(file.start);
	return bytes;
}

/* Whether the entry is a folder, or a link to one. */
static bool is_folder(DIR *folder, const struct dirent *entry)
{
	if (entry->d_type == DT_DIR)
		return true;
	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return false;
	struct stat status;
	return fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static int add_entry(JSContext *context, JSValueConst list, uint32_t at, DIR *folder,
	const struct dirent *entry)
{
	JSValue object = JS_NewObject(context);
	if (JS_IsException(object))
		return -1;
	if (JS_DefinePropertyValueStr(context, object, "name",
			JS_NewString(context, entry->d_name), JS_PROP_C_W_E) < 0
		|| JS_DefinePropertyValueStr(context, object, "isFolder",
			JS_NewBool(context, is_folder(folder, entry)), JS_PROP_C_W_E) < 0) {
		JS_FreeValue(context, object);
		return -1;
	}
	return JS_DefinePropertyValueUint32(context, list, at, object, JS_PROP_C_W_E) < 0 ? -1 : 0;
}

/* Fills the list; JS_UNDEFINED or JS_EXCEPTION. */
static JSValue add_entries(JSContext *context, JSValueConst list, DIR *folder)
{
	for (uint32_t length = 0;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (entry == NULL)
			return errno == 0 ? JS_UNDEFINED : host_throw_errno(context, "readdir", errno);
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (add_entry(context, list, length++, folder, entry) < 0)
			return JS_EXCEPTION;
	}
}

static JSValue read_folder(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	const char *path = host_get_text(context, arguments[0], "The path", NULL);
	if (path == NULL)
		return JS_EXCEPTION;
	DIR *folder = opendir(path);
	const int error = errno;
	JS_FreeCString(context, path);
	if (folder == NULL)
		return host_throw_errno(context, "opendir", error);

	JSValue list = JS_NewArray(context);
	if (!JS_IsException(list) && JS_IsException(add_entries(context, list, folder))) {
		JS_FreeValue(context, list);
		list = JS_EXCEPTION;
	}
	(void)closedir(folder); /* nothing was written */
	return list;
}

/* Waits until the stream takes bytes; 0 or an errno. */
static int wait_until_writable(int stream)
{
	const __wasi_subscription_t subscription = {
		.u.tag = __WASI_EVENTTYPE_FD_WRITE,
		.u.u.fd_write.file_descriptor = stream,
	};
	__wasi_event_t event;
	__wasi_size_t count;
	return __wasi_poll_oneoff(&subscription, &event, 1, &count);
}

int host_write(int stream, const char *text, size_t length)
{
	while (length > 0) {
		const ssize_t written = write(stream, text, length);
		if (written >= 0) {
			text += written;
			length -= (size_t)written;
		} else if (errno == EAGAIN) {
			const int error = wait_until_writable(stream);
			if (error != 0 && error != EINTR)
				return error;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static JSValue write_text(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int64_t stream;
	if (host_get_integer(context, arguments[0], "The stream", STDOUT_FILENO, STDERR_FILENO,
			&stream) < 0)
		return JS_EXCEPTION;
	size_t length;
	const char *text = host_get_text(context, arguments[1], "The text", &length);
	if (text == NULL)
		return JS_EXCEPTION;
	const int error = host_write((int)stream, text, length);
	JS_FreeCString(context, text);
	return error == 0 ? JS_UNDEFINED : host_throw_errno(context, "write", error);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("readFile", 1, read_file),
	JS_CFUNC_DEF("readFolder", 1, read_folder),
	JS_CFUNC_DEF("writeText", 2, write_text),
};

int host_add_files(JSContext *context, JSValueConst host)
{
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
