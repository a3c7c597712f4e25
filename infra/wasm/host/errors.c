/* Errors of the operating system as JavaScript sees them: POSIX names and a sentence. */
#include "host.h"

struct error_name {
	const char *code;
	const char *sentence;
};

/*
 * By WASI's number. WasmEdge adds the numbers from 77 on, of getaddrinfo; they
 * have the names that Node gives them.
 */
static const struct error_name names[] = {
	[1] = { "E2BIG", "the argument list is too long" },
	[2] = { "EACCES", "permission is denied" },
	[3] = { "EADDRINUSE", "the address is in use" },
	[4] = { "EADDRNOTAVAIL", "the address is not available" },
	[5] = { "EAFNOSUPPORT", "the address family is not supported" },
	[6] = { "EAGAIN", "it would have to wait" },
	[7] = { "EALREADY", "the connection is being made already" },
	[8] = { "EBADF", "the descriptor is not open" },
	[9] = { "EBADMSG", "the message is bad" },
	[10] = { "EBUSY", "the resource is busy" },
	[11] = { "ECANCELED", "the operation was cancelled" },
	[12] = { "ECHILD", "there is no child process" },
	[13] = { "ECONNABORTED", "the connection was given up" },
	[14] = { "ECONNREFUSED", "nothing listens at that address" },
	[15] = { "ECONNRESET", "the peer has broken the connection" },
	[16] = { "EDEADLK", "it would wait for ever" },
	[17] = { "EDESTADDRREQ", "an address is needed" },
	[18] = { "EDOM", "the argument is out of its domain" },
	[19] = { "EDQUOT", "the disk quota is used up" },
	[20] = { "EEXIST", "it exists already" },
	[21] = { "EFAULT", "the address is bad" },
	[22] = { "EFBIG", "the file is too large" },
	[23] = { "EHOSTUNREACH", "the host cannot be reached" },
	[24] = { "EIDRM", "the identifier was removed" },
	[25] = { "EILSEQ", "the byte sequence is illegal" },
	[26] = { "EINPROGRESS", "the operation is under way" },
	[27] = { "EINTR", "a signal has interrupted it" },
	[28] = { "EINVAL", "an argument is invalid" },
	[29] = { "EIO", "input or output has failed" },
	[30] = { "EISCONN", "the socket is connected already" },
	[31] = { "EISDIR", "it is a folder" },
	[32] = { "ELOOP", "there are too many symbolic links" },
	[33] = { "EMFILE", "the process has too many open files" },
	[34] = { "EMLINK", "there are too many links" },
	[35] = { "EMSGSIZE", "the message is too large" },
	[36] = { "EMULTIHOP", "the path is remote" },
	[37] = { "ENAMETOOLONG", "the name is too long" },
	[38] = { "ENETDOWN", "the network is down" },
	[39] = { "ENETRESET", "the network has broken the connection" },
	[40] = { "ENETUNREACH", "the network cannot be reached" },
	[41] = { "ENFILE", "the system has too many open files" },
	[42] = { "ENOBUFS", "no buffer space is left" },
	[43] = { "ENODEV", "there is no such device" },
	[44] = { "ENOENT", "there is no such file or folder" },
	[45] = { "ENOEXEC", "it is not executable" },
	[46] = { "ENOLCK", "no lock is left" },
	[47] = { "ENOLINK", "the link is severed" },
	[48] = { "ENOMEM", "no memory is left" },
	[49] = { "ENOMSG", "there is no such message" },
	[50] = { "ENOPROTOOPT", "the protocol has no such option" },
	[51] = { "ENOSPC", "no space is left" },
	[52] = { "ENOSYS", "the system has no such function" },
	[53] = { "ENOTCONN", "the socket is not connected" },
	[54] = { "ENOTDIR", "it is no folder" },
	[55] = { "ENOTEMPTY", "the folder is not empty" },
	[56] = { "ENOTRECOVERABLE", "the state cannot be recovered" },
	[57] = { "ENOTSOCK", "it is no socket" },
	[58] = { "ENOTSUP", "it is not supported" },
	[59] = { "ENOTTY", "the device has no such control" },
	[60] = { "ENXIO", "there is no such device or address" },
	[61] = { "EOVERFLOW", "the value is too large" },
	[62] = { "EOWNERDEAD", "its owner has died" },
	[63] = { "EPERM", "it is not permitted" },
	[64] = { "EPIPE", "the connection is ended for sending" },
	[65] = { "EPROTO", "the protocol has failed" },
	[66] = { "EPROTONOSUPPORT", "the protocol is not supported" },
	[67] = { "EPROTOTYPE", "the protocol does not suit the socket" },
	[68] = { "ERANGE", "the result is too large" },
	[69] = { "EROFS", "the file system is read-only" },
	[70] = { "ESPIPE", "a pipe has no position" },
	[71] = { "ESRCH", "there is no such process" },
	[72] = { "ESTALE", "the file handle is stale" },
	[73] = { "ETIMEDOUT", "the peer did not answer in time" },
	[74] = { "ETXTBSY", "the program is being run" },
	[75] = { "EXDEV", "it is on another file system" },
	[76] = { "ENOTCAPABLE", "the sandbox does not allow it: WasmEdge was not told to open that folder" },
	[77] = { "EAI_ADDRFAMILY", "the name has no address of that family" },
	[78] = { "EAI_AGAIN", "the resolver does not answer for now" },
	[79] = { "EAI_BADFLAGS", "the resolver was asked wrongly" },
	[80] = { "EAI_FAIL", "the resolver has failed" },
	[81] = { "EAI_FAMILY", "the address family is not supported" },
	[82] = { "EAI_MEMORY", "no memory is left" },
	[83] = { "ENODATA", "the name has no address" },
	[84] = { "ENOTFOUND", "the name is not known" },
	[85] = { "EAI_SERVICE", "the service is not known" },
	[86] = { "EAI_SOCKTYPE", "the kind of socket is not supported" },
	[87] = { "EAI_SYSTEM", "the system has failed" },
};

JSValue host_new_errno(JSContext *context, const char *syscall, int number)
{
	struct error_name name = { "EUNKNOWN", "the system gave an error that has no name here" };
	if (number > 0 && number < COUNT_OF(names) && names[number].code != NULL)
		name = names[number];

	JSValue error = JS_NewPlainError(context, "%s failed: %s (%s).",
		syscall, name.sentence, name.code);
	if (JS_IsException(error))
		return error;
	const int flags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
	if (JS_DefinePropertyValueStr(context, error, "code",
			JS_NewString(context, name.code), flags) < 0
		|| JS_DefinePropertyValueStr(context, error, "syscall",
			JS_NewString(context, syscall), flags) < 0) {
		JS_FreeValue(context, error);
		return JS_EXCEPTION;
	}
	return error;
}

JSValue host_throw_errno(JSContext *context, const char *syscall, int number)
{
	JSValue error = host_new_errno(context, syscall, number);
	return JS_IsException(error) ? error : JS_Throw(context, error);
}
