/* Tries each way of WASI to change something in the folders that the launcher opens; prints what came through. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* EX_CONFIG: the launcher does not start it again. */
#define DONE 78

static void tell(const char *folder, const char *what, int result)
{
	printf("%s %s: %s\n", folder, what, result < 0 ? strerror(errno) : "DONE");
}

/* Opening alone changes nothing: what counts is whether a byte gets through. */
static int write_into(const char *path, int flags)
{
	int file = open(path, flags);
	int result = file < 0 ? -1 : (int)write(file, "changed", 7);

	return result;
}

static int cut_off(const char *path, int flags)
{
	int file = open(path, flags);
	int result = file < 0 ? -1 : ftruncate(file, 0);

	return result;
}

static int date_back(const char *path)
{
	static const struct timespec times[] = { { 1, 0 }, { 1, 0 } };

	return utimensat(AT_FDCWD, path, times, 0);
}

static void try_folder(const char *folder, const char *present)
{
	char file[256], fresh[256], other[256];

	snprintf(file, sizeof file, "%s%s", folder, present);
	snprintf(fresh, sizeof fresh, "%s%s", folder, "fresh");
	snprintf(other, sizeof other, "%s%s", folder, "other");
	/* What it may: without this, all refusals would only mean that nothing is there. */
	tell(folder, "read", open(file, O_RDONLY));
	tell(folder, "write", write_into(file, O_WRONLY));
	tell(folder, "read and write", write_into(file, O_RDWR));
	tell(folder, "append", write_into(file, O_WRONLY | O_APPEND));
	tell(folder, "write what was opened to read", write_into(file, O_RDONLY));
	tell(folder, "cut off", cut_off(file, O_WRONLY));
	tell(folder, "cut off what was opened to read", cut_off(file, O_RDONLY));
	tell(folder, "date back", date_back(file));
	tell(folder, "empty", open(file, O_RDONLY | O_TRUNC));
	tell(folder, "create", open(fresh, O_WRONLY | O_CREAT, 0600));
	tell(folder, "create for reading", open(fresh, O_RDONLY | O_CREAT, 0600));
	tell(folder, "make folder", mkdir(other, 0700));
	tell(folder, "link", link(file, fresh));
	tell(folder, "symbolic link", symlink(present, fresh));
	tell(folder, "rename", rename(file, other));
	tell(folder, "remove", unlink(file));
}

int main(void)
{
	try_folder("/app/", "own.txt");
	try_folder("/", "environment");
	return DONE;
}
