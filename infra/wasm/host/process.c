/* Clocks, randomness, the environment, memory, and how the process runs and ends. */
#include "environment.h"
#include "host.h"
#include "memory.h"
#include "process.h"

#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

#define WASM_PAGE_BYTES 65536.0
#define MILLISECONDS_PER_SECOND 1e3
#define NANOSECONDS_PER_MILLISECOND 1e6
#define NANOSECONDS_PER_SECOND 1e9

static double monotonic_ms(void)
{
	__wasi_timestamp_t now = 0;
	(void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &now); /* every system has one */
	return (double)now / NANOSECONDS_PER_MILLISECOND;
}

static JSValue monotonic_now(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count, (void)arguments;
	return JS_NewFloat64(context, monotonic_ms());
}

int host_random(void *start, size_t length)
{
	return __wasi_random_get(start, length);
}

static JSValue fill_random(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	struct host_bytes bytes;
	if (host_get_bytes(context, arguments[0], "The bytes", &bytes) < 0)
		return JS_EXCEPTION;
	const int error = host_random(bytes.start, bytes.length);
	return error == 0 ? JS_UNDEFINED : host_throw_errno(context, "getrandom", error);
}

extern char **environ;

static JSValue environment(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count, (void)arguments;
	JSValue variables = JS_NewObject(context);
	if (JS_IsException(variables))
		return variables;
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		const char *equals = strchr(*variable, '=');
		if (equals == NULL)
			continue;
		const JSAtom name =
			JS_NewAtomLen(context, *variable, (size_t)(equals - *variable));
		if (name == JS_ATOM_NULL
			|| JS_DefinePropertyValue(context, variables, name,
				JS_NewString(context, equals + 1), JS_PROP_C_W_E) < 0) {
			JS_FreeAtom(context, name);
			JS_FreeValue(context, variables);
			return JS_EXCEPTION;
		}
		JS_FreeAtom(context, name);
	}
	return variables;
}

static JSValue memory_usage(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count, (void)arguments;
	JSValue usage = JS_NewObject(context);
	if (JS_IsException(usage))
		return usage;
	const double linear = (double)__builtin_wasm_memory_size(0) * WASM_PAGE_BYTES;
	if (JS_DefinePropertyValueStr(context, usage, "linear",
			JS_NewFloat64(context, linear), JS_PROP_C_W_E) < 0
		|| JS_DefinePropertyValueStr(context, usage, "used",
			JS_NewFloat64(context, (double)host_memory_used()), JS_PROP_C_W_E) < 0) {
		JS_FreeValue(context, usage);
		return JS_EXCEPTION;
	}
	return usage;
}

static JSValue cpu_seconds(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count, (void)arguments;
	__wasi_timestamp_t spent = 0;
	const int error = __wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &spent);
	return error == 0 ? JS_NewFloat64(context, (double)spent / NANOSECONDS_PER_SECOND)
		: host_throw_errno(context, "clock_gettime", error);
}

static JSValue collect_garbage(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count, (void)arguments;
	JS_RunGC(JS_GetRuntime(context));
	return JS_UNDEFINED;
}

static JSValue exit_process(JSContext *context, JSValueConst this_value, int count,
	JSValueConst *arguments)
{
	(void)this_value, (void)count;
	int64_t status;
	/* WASI leaves 126 and above to the one who runs the module. */
	if (host_get_integer(context, arguments[0], "The exit status", 0, 125, &status) < 0)
		return JS_EXCEPTION;
	__wasi_proc_exit((__wasi_exitcode_t)status);
}

/*
 * A step of the trial was measured to take 2 ns natively and 80 ns in WasmEdge's
 * interpreter; the limit lies between, by their ratio. The best of some trials,
 * as others may use the machine too.
 */
#define TRIALS 7
#define TRIAL_STEPS 4096u
#define NATIVE_STEP_NS_MAX 12.0

static uint32_t mix(uint32_t seed)
{
	uint32_t state = seed;
	for (uint32_t i = 0; i < TRIAL_STEPS; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
	}
	return state;
}

double host_step_ns(void)
{
	volatile uint32_t state = 1; /* lest the trials be worked out at build */
	double best_ms = 1e9;
	for (int i = 0; i < TRIALS; i++) {
		const double before = monotonic_ms();
		state = mix(state);
		const double taken = monotonic_ms() - before;
		if (taken < best_ms)
			best_ms = taken;
	}
	return best_ms * NANOSECONDS_PER_MILLISECOND / TRIAL_STEPS;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("monotonicNow", 0, monotonic_now),
	JS_CFUNC_DEF("fillRandom", 1, fill_random),
	JS_CFUNC_DEF("environment", 0, environment),
	JS_CFUNC_DEF("memoryUsage", 0, memory_usage),
	JS_CFUNC_DEF("cpuSeconds", 0, cpu_seconds),
	JS_CFUNC_DEF("collectGarbage", 0, collect_garbage),
	JS_CFUNC_DEF("exit", 1, exit_process),
};

int host_add_process(JSContext *context, JSValueConst host)
{
	const char *mode = host_step_ns() <= NATIVE_STEP_NS_MAX ? "aot" : "interpreter";
	if (host_add_functions(context, host, functions, COUNT_OF(functions)) < 0
		|| JS_DefinePropertyValueStr(context, host, "mode", JS_NewString(context, mode),
			JS_PROP_ENUMERABLE) < 0)
		return -1;
	return host_add_version(context, host, "quickjs", JS_GetVersion());
}
