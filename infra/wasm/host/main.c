/* Starts QuickJS with the global `host`, and runs the bundle or a script. */
#include "environment.h"
#include "files.h"
#include "host.h"
#include "loop.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bundle that was built in; length 0 in an engine for trials and for the build. */
extern const uint8_t bundle_bytecode[];
extern const size_t bundle_bytecode_length;

/*
 * Of the 8 MiB that the build links: what is above goes to C code that does not
 * check its depth.
 */
#define STACK_LENGTH_MAX (6u * 1024 * 1024)
#define BYTES_PER_MIB (1024u * 1024)
#define MEMORY_LIMIT_MIB_MAX 4095u

static const char usage[] =
	"usage: engine FILE.js [ARGUMENT …]  runs a script\n"
	"       engine FILE.qbc [ARGUMENT …] runs its bytecode\n"
	"       engine --compile FILE.js     writes its bytecode to standard output\n";

typedef int add_area(JSContext *context, JSValueConst host);
static add_area *const areas[] = {
	host_add_loop, host_add_process, host_add_files, host_add_sockets, host_add_resolver,
	host_add_poll, host_add_text, host_add_base64, host_add_bson,
	host_add_compression,
#ifndef HOST_WITHOUT_CRYPTO
	host_add_crypto,
#endif
#ifndef HOST_WITHOUT_TLS
	host_add_tls,
#endif
};

/* The global `host`; 0, or -1 with an exception thrown. */
static int add_host(JSContext *context)
{
	JSValue host = JS_NewObject(context);
	if (JS_IsException(host))
		return -1;
	int failed = JS_DefinePropertyValueStr(context, host, "versions", JS_NewObject(context),
		JS_PROP_ENUMERABLE) < 0 ? -1 : 0;
	for (int i = 0; i < COUNT_OF(areas) && failed == 0; i++)
		failed = areas[i](context, host);
	JSValue global = JS_GetGlobalObject(context);
	if (failed == 0)
		failed = JS_DefinePropertyValueStr(context, global, "host", host, 0) < 0 ? -1 : 0;
	else
		JS_FreeValue(context, host);
	JS_FreeValue(context, global);
	return failed;
}

/* MEMORY_LIMIT_MIB in bytes, 0 where it is not set; -1 where it is no such number. */
static int64_t memory_limit(void)
{
	const char *text = host_get_variable("MEMORY_LIMIT_MIB");
	if (text == NULL || *text == '\0')
		return 0;
	char *end;
	const unsigned long mebibytes = strtoul(text, &end, 10);
	if (*end != '\0' || *text == '-' || mebibytes == 0 || mebibytes > MEMORY_LIMIT_MIB_MAX) {
		(void)fprintf(stderr, "MEMORY_LIMIT_MIB must be a whole number from 1 to %u, not \"%s\".\n",
			MEMORY_LIMIT_MIB_MAX, text);
		return -1;
	}
	return (int64_t)mebibytes * BYTES_PER_MIB;
}

/* Runs what JS_EvalFunction or JS_Eval gave, then the loop; the exit status. */
static int run_loop_after(JSContext *context, JSValue result)
{
	if (JS_IsException(result))
		return host_tell_error(context, JS_GetException(context), "Uncaught error: ");
	JS_FreeValue(context, result);
	return host_run_loop(context);
}

static int run_bytecode(JSContext *context, const uint8_t *bytecode, size_t length)
{
	JSValue function = JS_ReadObject(context, bytecode, length, JS_READ_OBJ_BYTECODE);
	return run_loop_after(context,
		JS_IsException(function) ? function : JS_EvalFunction(context, function));
}

/* The bytecode of a script, or JS_EXCEPTION. */
static JSValue compile_script(JSContext *context, const char *path, const struct host_file *file)
{
	/* QuickJS wants a zero behind the text. */
	char *text = js_malloc(context, file->length + 1);
	if (text == NULL)
		return JS_EXCEPTION;
	memcpy(text, file->start, file->length);
	text[file->length] = '\0';
	const char *slash = strrchr(path, '/');
	JSValue function = JS_Eval(context, text, file->length, slash == NULL ? path : slash + 1,
		JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
	js_free(context, text);
	return function;
}

static int write_bytecode(JSContext *context, JSValueConst function)
{
	size_t length;
	uint8_t *bytecode = JS_WriteObject(context, &length, function,
		JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
	if (bytecode == NULL)
		return host_tell_error(context, JS_GetException(context), "Compiling failed: ");
	const int error = host_write(STDOUT_FILENO, (const char *)bytecode, length);
	js_free(context, bytecode);
	if (error != 0) {
		(void)fprintf(stderr, "The bytecode could not be written: %s.\n", strerror(error));
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static bool is_bytecode(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot != NULL && strcmp(dot, ".qbc") == 0;
}

/* Runs or compiles the script; the exit status. */
static int use_script(JSContext *context, const char *path, bool compiles)
{
	struct host_file file;
	const int error = host_read_file(path, &file);
	if (error != 0) {
		(void)fprintf(stderr, "The script %s cannot be read: %s.\n", path, strerror(error));
		return STATUS_FAILED;
	}
	JSValue function = is_bytecode(path)
		? JS_ReadObject(context, file.start, file.length, JS_READ_OBJ_BYTECODE)
		: compile_script(context, path, &file);
	free(file.start);
	if (JS_IsException(function))
		return host_tell_error(context, JS_GetException(context), "");
	if (!compiles)
		return run_loop_after(context, JS_EvalFunction(context, function));
	const int status = write_bytecode(context, function);
	JS_FreeValue(context, function);
	return status;
}

static int run(JSContext *context, int count, char **arguments)
{
	if (add_host(context) < 0)
		return host_tell_error(context, JS_GetException(context), "The host cannot start: ");
	if (bundle_bytecode_length > 0)
		return run_bytecode(context, bundle_bytecode, bundle_bytecode_length);
	if (count == 3 && strcmp(arguments[1], "--compile") == 0)
		return use_script(context, arguments[2], true);
	if (count >= 2 && arguments[1][0] != '-')
		return use_script(context, arguments[1], false);
	(void)fputs(usage, stderr);
	return STATUS_WRONG_USE;
}

int main(int count, char **arguments)
{
	if (host_load_environment() < 0)
		return STATUS_FAILED;
	const int64_t limit = memory_limit();
	if (limit < 0)
		return STATUS_FAILED;
	JSRuntime *runtime = host_new_runtime((size_t)limit);
	JSContext *context = runtime == NULL ? NULL : JS_NewContext(runtime);
	if (context == NULL) {
		(void)fputs("There is no memory to start QuickJS.\n", stderr);
		return STATUS_OUT_OF_MEMORY;
	}
	JS_SetMaxStackSize(runtime, STACK_LENGTH_MAX);
	/* Nothing is freed at the end: the process ends with its memory. */
	return run(context, count, arguments);
}
