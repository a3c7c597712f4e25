/* Texts, numbers, the clock and the log. */
#define _GNU_SOURCE
#include "launcher.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum level least_level = LEVEL_INFO;
static const char *const LEVEL_NAMES[] = { "debug", "info", "warn", "error",
	"silent" };

void end_with(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	exit(status);
}

void *expect_memory(void *pointer, const char *what)
{
	if (pointer == NULL)
		end_with(STATUS_FAILED, "There is no memory for %s.", what);
	return pointer;
}

char *make_text(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return expect_memory(length < 0 ? NULL : text, "a text");
}

char *read_variable(const char *name)
{
	const char *start = getenv(name);
	size_t length;

	if (start == NULL)
		return NULL;
	while (isspace((unsigned char)*start))
		start++;
	length = strlen(start);
	while (length > 0 && isspace((unsigned char)start[length - 1]))
		length--;
	if (length == 0)
		return NULL;
	return expect_memory(strndup(start, length), name);
}

long read_number(const char *name, long preset, long min, long max)
{
	char *text = read_variable(name);
	char *end;
	long number;

	if (text == NULL)
		return preset;
	errno = 0;
	number = strtol(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0
		|| number < min || number > max)
		end_with(STATUS_MISCONFIGURED,
			"%s must be a whole number from %ld to %ld; it is \"%s\".",
			name, min, max, text);
	free(text);
	return number;
}

int64_t now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		end_with(STATUS_FAILED, "The system's clock cannot be read: %s.",
			strerror(errno));
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void set_log_level(void)
{
	char *name = read_variable("LOG_LEVEL");

	for (int level = 0; name != NULL && level < COUNT_OF(LEVEL_NAMES); level++)
		if (strcmp(name, LEVEL_NAMES[level]) == 0)
			least_level = (enum level)level; /* the service refuses others */
	free(name);
}

void write_log(enum level level, const char *message, const char *fields, ...)
{
	struct timespec now;
	struct tm parts;
	char day_time[sizeof "2026-11-25T01:02:03"];
	va_list arguments;
	char *text = NULL;
	char *line;

	if (level < least_level)
		return;
	va_start(arguments, fields);
	if (vasprintf(&text, fields, arguments) < 0)
		text = NULL;
	va_end(arguments);
	(void)expect_memory(text, "a line of the log");
	if (clock_gettime(CLOCK_REALTIME, &now) != 0
		|| gmtime_r(&now.tv_sec, &parts) == NULL
		|| strftime(day_time, sizeof day_time, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		end_with(STATUS_FAILED, "The system's clock cannot be read.");
	line = make_text(
		"{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":\"%s\"%s%s}\n",
		day_time, now.tv_nsec / 1000000, LEVEL_NAMES[level], message,
		*text == '\0' ? "" : ",", text);
	/* In one call, so that lines of several processes do not mix. Where nobody reads the log, the service goes on. */
	if (write(STDOUT_FILENO, line, strlen(line)) < 0 && errno != EPIPE)
		(void)fprintf(stderr, "The log cannot be written: %s.\n",
			strerror(errno));
	free(line);
	free(text);
}
