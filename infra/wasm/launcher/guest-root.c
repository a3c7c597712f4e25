/* What the guest sees outside its own folder: its variables, and the files that they name. */
#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { TEXT, FILE_NAME, FOLDER_NAME };

/* The variables that the guest is given: SETTINGS of src/configuration.ts; a test compares them. */
static const struct {
	const char *name;
	enum kind kind;
} VARIABLES[] = {
	{ "PORT", TEXT },
	{ "HOST", TEXT },
	{ "MONGODB_URI", TEXT },
	{ "MONGODB_SETUP_URI", TEXT },
	{ "MONGODB_DATABASE", TEXT },
	{ "MONGOD_BINARY", TEXT },
	{ "DATA_DIRECTORY", TEXT },
	{ "SERIES", TEXT },
	{ "TIME_ZONE", TEXT },
	{ "DOCUMENT_LANGUAGE", TEXT },
	{ "CURRENCY", TEXT },
	{ "SELLER_FILE", FILE_NAME },
	{ "TEMPLATE", TEXT },
	{ "TEMPLATES_DIRECTORY", FOLDER_NAME },
	{ "BODY_BYTES_MAX", TEXT },
	{ "JWT_SECRET", TEXT },
	{ "JWT_PUBLIC_KEY_FILE", FILE_NAME },
	{ "JWT_KEYS_FILE", FILE_NAME },
	{ "JWT_ISSUER", TEXT },
	{ "JWT_AUDIENCE", TEXT },
	{ "LOG_LEVEL", TEXT },
};

/* Options of MongoDB's connection strings that name files. */
static const char *const URI_FILES[] = { "tlsCAFile=",
	"tlsCertificateKeyFile=" };
static const char *const URI_VARIABLES[] = { "MONGODB_URI",
	"MONGODB_SETUP_URI" };

/* The certificates that a server is checked with where a connection string names none. */
#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

/* File systems in memory, as statfs(2) tells them. */
#define TMPFS_MAGIC 0x01021994
#define RAMFS_MAGIC 0x858458f6

#define COPY_BYTES 65536
#define OPEN_FOLDERS_MAX 16

static const char *error_name(int error)
{
	switch (error) {
	case ENOENT:
		return "ENOENT";
	case EACCES:
		return "EACCES";
	case EISDIR:
		return "EISDIR";
	case ENOTDIR:
		return "ENOTDIR";
	default:
		return strerror(error);
	}
}

static void write_all(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);

		if (written < 0)
			end_with(STATUS_FAILED,
				"The guest's folder cannot be written: %s.",
				strerror(errno));
		bytes += written;
		length -= (size_t)written;
	}
}

/* A file of the guest's root, with the folders above it; -1 where it is there already. */
static int create_file(const char *root, const char *path)
{
	char *full = make_text("%s/%s", root, path);
	int file;

	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(full, S_IRWXU) != 0 && errno != EEXIST)
			end_with(STATUS_FAILED, "%s cannot be made: %s.", full,
				strerror(errno));
		*slash = '/';
	}
	file = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR);
	if (file < 0 && errno != EEXIST)
		end_with(STATUS_FAILED, "%s cannot be made: %s.", full,
			strerror(errno));
	free(full);
	return file;
}

/* Copies a file to its own path below the root. Where `variable` is null it may be missing. */
static void copy_file(const char *root, const char *path, const char *variable)
{
	static char bytes[COPY_BYTES];
	int source = open(path, O_RDONLY | O_CLOEXEC);
	int target;
	ssize_t length = -1;

	if (source < 0 && variable == NULL)
		return;
	if (source >= 0)
		length = read(source, bytes, sizeof bytes);
	if (length < 0)
		end_with(STATUS_MISCONFIGURED, "%s: %s cannot be read (%s).",
			variable == NULL ? "The system" : variable, path,
			error_name(errno));
	target = create_file(root, path);
	if (target >= 0) {
		for (; length > 0; length = read(source, bytes, sizeof bytes))
			write_all(target, bytes, (size_t)length);
		if (length < 0 || close(target) != 0)
			end_with(STATUS_FAILED, "%s cannot be copied: %s.", path,
				strerror(errno));
	}
	(void)close(source);
}

/* The value of an option in a connection string, to be freed; null where it is not there. */
static char *option_of(const char *uri, const char *option)
{
	const char *found = strcasestr(uri, option);
	size_t length;
	char *value;
	char *to;

	if (found == NULL || found == uri || strchr("?&", found[-1]) == NULL)
		return NULL;
	found += strlen(option);
	length = strcspn(found, "&");
	value = to = expect_memory(strndup(found, length), "a path");
	for (const char *from = value; *from != '\0';) {
		unsigned int code;

		if (*from == '%' && sscanf(from, "%%%2x", &code) == 1 && code != 0) {
			*to++ = (char)code;
			from += 3;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return value;
}

/* The files that a connection string names cannot be renamed in it: they are copied to the path as it stands. */
static void copy_files_of_uri(const char *root, const char *variable)
{
	char *uri = read_variable(variable);
	bool has_authorities = false;

	if (uri == NULL)
		return;
	for (int at = 0; at < COUNT_OF(URI_FILES); at++) {
		char *path = option_of(uri, URI_FILES[at]);

		if (path == NULL)
			continue;
		if (*path != '/' || strstr(path, "/..") != NULL)
			end_with(STATUS_MISCONFIGURED,
				"%s: %s must be an absolute path without \"..\"; it is \"%s\".",
				variable, URI_FILES[at], path);
		copy_file(root, path, variable);
		has_authorities |= at == 0;
		free(path);
	}
	if (!has_authorities && (strcasestr(uri, "tls=true")
			|| strcasestr(uri, "ssl=true") || strcasestr(uri, "+srv:")))
		copy_file(root, SYSTEM_AUTHORITIES, NULL);
	free(uri);
}

/* A path without links and relative to nothing; ends the launcher where there is no such file. */
static char *real_path(const char *variable, const char *path)
{
	char *real = realpath(path, NULL);

	if (real == NULL)
		end_with(STATUS_MISCONFIGURED, "%s: %s cannot be read (%s).",
			variable, path, error_name(errno));
	if (strchr(real, ':') != NULL)
		end_with(STATUS_MISCONFIGURED,
			"%s: %s has a colon in its path, by which WasmEdge separates paths. Rename it.",
			variable, real);
	return real;
}

static void write_variables(struct guest_root *root)
{
	int file = create_file(root->folder, "environment");

	if (file < 0)
		end_with(STATUS_FAILED, "%s is not empty.", root->folder);
	for (int at = 0; at < COUNT_OF(VARIABLES); at++) {
		const char *name = VARIABLES[at].name;
		char *value = read_variable(name);
		char *line;

		if (value == NULL)
			continue;
		if (VARIABLES[at].kind != TEXT) {
			char *real = real_path(name, value);

			free(value);
			value = real;
		}
		if (VARIABLES[at].kind == FILE_NAME)
			copy_file(root->folder, value, name);
		if (VARIABLES[at].kind == FOLDER_NAME)
			root->templates = expect_memory(strdup(value), "a path");
		line = make_text("%s=%s", name, value);
		write_all(file, line, strlen(line) + 1); /* with its zero, as in /proc/self/environ */
		free(line);
		free(value);
	}
	if (close(file) != 0)
		end_with(STATUS_FAILED, "The variables cannot be written: %s.",
			strerror(errno));
}

static int remove_entry(const char *path, const struct stat *status, int type,
	struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static bool remove_folder(const char *folder)
{
	return nftw(folder, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0;
}

/*
 * Waits for the end of the launcher, be it by SIGKILL, and removes the folder:
 * in a session of its own, which the terminal's signals do not reach.
 */
__attribute__((noreturn))
static void run_remover(const char *folder, int launcher)
{
	char byte;

	if (setsid() < 0 || chdir("/") != 0)
		_exit(STATUS_FAILED);
	for (int stream = 0; stream <= 2; stream++)
		(void)close(stream); /* whoever reads them must not wait for us */
	while (read(launcher, &byte, 1) < 0 && errno == EINTR)
		continue;
	_exit(remove_folder(folder) ? STATUS_STOPPED : STATUS_FAILED);
}

/* A new folder in memory: secrets are not put on a disk. */
static char *make_folder(void)
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", "/run",
		"/tmp" };

	for (int at = 0; at < COUNT_OF(places); at++) {
		struct statfs system;
		char *folder;

		if (places[at] == NULL || strchr(places[at], ':') != NULL
			|| statfs(places[at], &system) != 0
			|| (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC))
			continue;
		folder = make_text("%s/rechnungsverwaltung-XXXXXX", places[at]);
		if (mkdtemp(folder) != NULL)
			return folder;
		free(folder);
	}
	end_with(STATUS_FAILED,
		"The guest's variables need a folder in memory that can be written, and neither XDG_RUNTIME_DIR nor /dev/shm, /run, /tmp is a tmpfs. Mount one at /dev/shm.");
}

void make_guest_root(struct guest_root *root)
{
	int ends[2];

	root->folder = make_folder();
	if (pipe2(ends, O_CLOEXEC) != 0)
		end_with(STATUS_FAILED, "There can be no pipe: %s.", strerror(errno));
	root->remover = fork();
	if (root->remover == 0) {
		(void)close(ends[1]);
		run_remover(root->folder, ends[0]);
	}
	if (root->remover < 0) {
		int error = errno;

		(void)rmdir(root->folder);
		end_with(STATUS_FAILED, "There can be no further process: %s.",
			strerror(error));
	}
	(void)close(ends[0]);
	root->alive = ends[1];
	write_variables(root);
	for (int at = 0; at < COUNT_OF(URI_VARIABLES); at++)
		copy_files_of_uri(root->folder, URI_VARIABLES[at]);
}

void remove_guest_root(struct guest_root *root)
{
	(void)close(root->alive);
	while (waitpid(root->remover, NULL, 0) < 0 && errno == EINTR)
		continue;
	/* Somebody may have killed the remover. */
	if (access(root->folder, F_OK) == 0 && !remove_folder(root->folder))
		write_log(LEVEL_WARN, "the guest's folder could not be removed", "%s", "");
	free(root->folder);
	free(root->templates);
}
