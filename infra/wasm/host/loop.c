/* The loop: jobs, then rejections that nobody handled, then a turn. */
#include "loop.h"

#include "files.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Handlers that the program has set, or undefined. */
static JSValue turn = JS_UNDEFINED;
static JSValue rejection_handler = JS_UNDEFINED;
static JSValue error_handler = JS_UNDEFINED;

static JSValue set_handler(JSContext *context, JSValueConst function, JSValue *handler)
{
	if (!JS_IsFunction(context, function))
		return JS_ThrowTypeError(context, "The handler must be a function.");
	JS_FreeValue(context, *handler);
	*handler = JS_DupValue(context, function);
	return JS_UNDEFINED;
}

static JSValue set_turn(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	return set_handler(context, arguments[0], &turn);
}

static JSValue on_unhandled_rejection(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	return set_handler(context, arguments[0], &rejection_handler);
}

static JSValue on_uncaught_error(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	return set_handler(context, arguments[0], &error_handler);
}

static JSValue run_job(JSContext *context, int count, JSValueConst *arguments)
{
	(void)count;
	return JS_Call(context, arguments[0], JS_UNDEFINED, 0, NULL);
}

static JSValue queue_job(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	if (!JS_IsFunction(context, arguments[0]))
		return JS_ThrowTypeError(context, "The job must be a function.");
	return JS_EnqueueJob(context, run_job, 1, arguments) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

/* Promises that were rejected and have no handler yet, in their order. */
struct rejection {
	JSValue promise;
	JSValue reason;
};
static struct rejection *rejections;
static uint32_t rejection_count;
static uint32_t rejection_capacity;
#define REJECTIONS_AT_FIRST 16u

static void *identity(JSValueConst promise)
{
	return JS_VALUE_GET_PTR(promise);
}

static void forget_rejection(JSContext *context, JSValueConst promise)
{
	for (uint32_t i = rejection_count; i-- > 0;) {
		if (identity(rejections[i].promise) != identity(promise))
			continue;
		JS_FreeValue(context, rejections[i].promise);
		JS_FreeValue(context, rejections[i].reason);
		rejection_count--;
		memmove(&rejections[i], &rejections[i + 1],
			(rejection_count - i) * sizeof(*rejections));
		return;
	}
}

static void end_out_of_memory(void);

static void note_rejection(JSContext *context, JSValueConst promise, JSValueConst reason,
	bool is_handled, void *opaque)
{
	(void)opaque;
	if (is_handled) {
		forget_rejection(context, promise);
		return;
	}
	if (rejection_count == rejection_capacity) {
		const uint32_t capacity = rejection_capacity == 0 ? REJECTIONS_AT_FIRST
			: rejection_capacity * 2;
		struct rejection *more = realloc(rejections, capacity * sizeof(*more));
		if (more == NULL)
			end_out_of_memory();
		rejections = more;
		rejection_capacity = capacity;
	}
	rejections[rejection_count++] = (struct rejection){
		JS_DupValue(context, promise), JS_DupValue(context, reason),
	};
}

static void write_error(const char *text)
{
	/* There is nowhere left to tell that telling failed. */
	(void)host_write(STDERR_FILENO, text, strlen(text));
}

static void tell_out_of_memory(void)
{
	write_error("The program has used up its memory and ends; start it again, "
		"with a higher MEMORY_LIMIT_MIB if this comes often.\n");
}

static void end_out_of_memory(void)
{
	tell_out_of_memory();
	_Exit(STATUS_OUT_OF_MEMORY);
}

/* QuickJS throws an InternalError, or null where there was no memory even for it. */
static bool is_out_of_memory(JSContext *context, JSValueConst error)
{
	if (!JS_IsError(error))
		return (JS_IsNull(error) || JS_IsUninitialized(error)) && host_memory_was_refused();
	JSValue name = JS_GetPropertyStr(context, error, "name");
	JSValue message = JS_GetPropertyStr(context, error, "message");
	const char *name_text = JS_ToCString(context, name);
	const char *message_text = JS_ToCString(context, message);
	const bool is_it = name_text != NULL && message_text != NULL
		&& strcmp(name_text, "InternalError") == 0
		&& strcmp(message_text, "out of memory") == 0;
	JS_FreeCString(context, name_text);
	JS_FreeCString(context, message_text);
	JS_FreeValue(context, name);
	JS_FreeValue(context, message);
	return is_it;
}

/* Writes a property of the error, or the error itself where `name` is null. */
static void write_value(JSContext *context, JSValueConst error, const char *name)
{
	JSValue value = name == NULL ? JS_DupValue(context, error)
		: JS_GetPropertyStr(context, error, name);
	const char *text = JS_IsUndefined(value) && name != NULL ? NULL
		: JS_ToCString(context, value);
	if (text != NULL) {
		write_error(text);
		if (text[0] != '\0' && text[strlen(text) - 1] != '\n')
			write_error("\n");
	} else if (JS_HasException(context)) {
		/* A toString that throws: its own error tells no more. */
		JS_FreeValue(context, JS_GetException(context));
		write_error("(a value that cannot be written as text)\n");
	}
	JS_FreeCString(context, text);
	JS_FreeValue(context, value);
}

int host_tell_error(JSContext *context, JSValue error, const char *introduction)
{
	if (is_out_of_memory(context, error)) {
		tell_out_of_memory();
		return STATUS_OUT_OF_MEMORY;
	}
	write_error(introduction);
	write_value(context, error, NULL);
	if (JS_IsError(error))
		write_value(context, error, "stack");
	JS_FreeValue(context, error);
	return STATUS_FAILED;
}

/*
 * Hands an error to the program's handler; 0, or the exit status where there is
 * none, where it throws itself, or where memory is used up. Takes `error`.
 */
static int hand_over(JSContext *context, JSValueConst handler, JSValue error,
	const char *introduction)
{
	if (JS_IsUndefined(handler) || is_out_of_memory(context, error))
		return host_tell_error(context, error, introduction);
	JSValueConst arguments[] = { error };
	JSValue result = JS_Call(context, handler, JS_UNDEFINED, 1, arguments);
	JS_FreeValue(context, error);
	if (JS_IsException(result))
		return host_tell_error(context, JS_GetException(context),
			"The handler of uncaught errors has thrown one itself: ");
	JS_FreeValue(context, result);
	return 0;
}

static int hand_over_exception(JSContext *context)
{
	return hand_over(context, error_handler, JS_GetException(context), "Uncaught error: ");
}

static int run_jobs(JSContext *context)
{
	for (;;) {
		JSContext *job_context;
		const int done = JS_ExecutePendingJob(JS_GetRuntime(context), &job_context);
		if (done == 0)
			return 0;
		if (done < 0) {
			const int status = hand_over_exception(job_context);
			if (status != 0)
				return status;
		}
	}
}

/* Tells the oldest; the handler may make others, or handle them. */
static int tell_rejection(JSContext *context)
{
	const struct rejection rejection = rejections[0];
	rejection_count--;
	memmove(&rejections[0], &rejections[1], rejection_count * sizeof(*rejections));
	JS_FreeValue(context, rejection.promise);
	return hand_over(context, rejection_handler, rejection.reason,
		"A promise was rejected and nobody handles it: ");
}

static int settle(JSContext *context)
{
	for (;;) {
		int status = run_jobs(context);
		if (status != 0 || rejection_count == 0)
			return status;
		status = tell_rejection(context);
		if (status != 0)
			return status;
	}
}

int host_run_loop(JSContext *context)
{
	for (;;) {
		int status = settle(context);
		if (status != 0)
			return status;
		if (!host_memory_suffices(JS_GetRuntime(context))) {
			tell_out_of_memory();
			return STATUS_OUT_OF_MEMORY;
		}
		if (JS_IsUndefined(turn))
			return STATUS_DONE;
		JSValue result = JS_Call(context, turn, JS_UNDEFINED, 0, NULL);
		if (JS_IsException(result)) {
			status = hand_over_exception(context);
			if (status != 0)
				return status;
			continue;
		}
		const int goes_on = JS_ToBool(context, result);
		JS_FreeValue(context, result);
		if (goes_on == 0)
			return settle(context);
	}
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("setTurn", 1, set_turn),
	JS_CFUNC_DEF("queueJob", 1, queue_job),
	JS_CFUNC_DEF("onUnhandledRejection", 1, on_unhandled_rejection),
	JS_CFUNC_DEF("onUncaughtError", 1, on_uncaught_error),
};

int host_add_loop(JSContext *context, JSValueConst host)
{
	JS_SetHostPromiseRejectionTracker(JS_GetRuntime(context), note_rejection, NULL);
	return host_add_functions(context, host, functions, COUNT_OF(functions));
}
