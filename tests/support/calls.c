/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c: see calls.h.
 *
 * A call that fails is not made, but for close(), which gives its descriptor
 * back whatever it says afterwards, as Linux does.
 *
 * Threads: the script is set while the tap's threads do not exist; the counts
 * may be raised by all of them.
 */
#include "support/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <dirent.h>
#include <unistd.h>

/*
 * EMFILE, ENOMEM and ENOSPC where the manual pages have them or the system is
 * known to say so; EIO where a disk or a network file system is asked.
 */
const struct calls_row calls_table[CALLS_KINDS] = {
	[CALLS_OPEN] = { "open", { EINTR, EMFILE, ENOMEM, ENOSPC, EIO } },
	[CALLS_CLOSE] = { "close", { EINTR, ENOSPC, EIO } },
	[CALLS_FSTAT] = { "fstat", { EINTR, ENOMEM, EIO } },
	[CALLS_LSTAT] = { "lstat", { EINTR, ENOMEM, EIO } },
	[CALLS_FCNTL] = { "fcntl", { EMFILE } },
	[CALLS_FLOCK] = { "flock", { EINTR, EAGAIN, ENOMEM } },
	[CALLS_FCHMOD] = { "fchmod", { EINTR, ENOMEM, EIO } },
	[CALLS_WRITEV] = { "writev",
			   { EINTR, CALLS_SHORT, ENOSPC, EIO, ENOMEM } },
	[CALLS_FDATASYNC] = { "fdatasync", { EINTR, ENOSPC, EIO } },
	[CALLS_SYNC_FILE_RANGE] = { "sync_file_range", { ENOMEM, EIO } },
	[CALLS_FTRUNCATE] = { "ftruncate", { EINTR, EIO } },
	[CALLS_LINK] = { "link", { ENOSPC, EIO, ENOMEM } },
	[CALLS_UNLINK] = { "unlink", { ENOSPC, EIO, ENOMEM } },
	[CALLS_RENAMEAT2] = { "renameat2",
			      { EINVAL, EINTR, ENOSPC, EIO, ENOMEM } },
	[CALLS_GETDENTS64] = { "getdents64", { EINTR, EIO, ENOMEM } },
	[CALLS_SOCKET] = { "socket", { EMFILE, ENOMEM } },
	[CALLS_CONNECT] = { "connect", { EINTR, EAGAIN, ECONNRESET, ENOMEM } },
	[CALLS_SETSOCKOPT] = { "setsockopt", { ENOMEM } },
	[CALLS_GETSOCKOPT] = { "getsockopt", { ECONNRESET, ENOMEM } },
	[CALLS_GETSOCKNAME] = { "getsockname", { ENOMEM } },
	[CALLS_GETPEERNAME] = { "getpeername", { ECONNRESET, ENOMEM } },
	[CALLS_SHUTDOWN] = { "shutdown", { ECONNRESET } },
	[CALLS_SENDMSG] = { "sendmsg",
			    { EINTR, EAGAIN, CALLS_SHORT, EPIPE, ECONNRESET,
			      ENOMEM } },
	[CALLS_RECV] = { "recv",
			 { EINTR, EAGAIN, CALLS_SHORT, ECONNRESET, ENOMEM } },
	[CALLS_POLL] = { "poll", { EINTR, EAGAIN, ENOMEM } },
	[CALLS_MEMFD_CREATE] = { "memfd_create", { EMFILE, ENOMEM } },
	[CALLS_POSIX_FALLOCATE] = { "posix_fallocate", { EINTR, ENOSPC } },
	[CALLS_MMAP] = { "mmap", { EAGAIN, ENOMEM } },
	[CALLS_PTHREAD_CREATE] = { "pthread_create", { EAGAIN } },
};

static struct calls_script calls_script;
static _Atomic(bool) calls_armed;
static _Atomic(unsigned int) calls_counts[CALLS_KINDS];
static _Atomic(unsigned int) calls_struck[CALLS_FAULTS_MAX];

const char *
calls_error_name(int error)
{
	switch (error) {
	case CALLS_SHORT: return "SHORT";
	case EINVAL: return "EINVAL";
	case EINTR: return "EINTR";
	case EAGAIN: return "EAGAIN";
	case ENOSPC: return "ENOSPC";
	case EIO: return "EIO";
	case EPIPE: return "EPIPE";
	case ECONNRESET: return "ECONNRESET";
	case EMFILE: return "EMFILE";
	case ENOMEM: return "ENOMEM";
	default: return "?";
	}
}

void
calls_begin(const struct calls_script *script)
{
	calls_script = *script;
	for (int i = 0; i < CALLS_KINDS; i++)
		calls_counts[i] = 0;
	for (int i = 0; i < CALLS_FAULTS_MAX; i++)
		calls_struck[i] = 0;
	calls_armed = true;
}

void
calls_end(void)
{
	calls_armed = false;
}

unsigned int
calls_seen(enum calls_kind kind)
{
	return calls_counts[kind];
}

unsigned int
calls_hits(unsigned int fault)
{
	return calls_struck[fault];
}

static bool
calls_strikes(const struct calls_fault *fault, enum calls_kind kind,
	      unsigned int number)
{
	if (fault->kind != kind || number < fault->number)
		return false;
	if (number == fault->number)
		return true;
	return fault->for_ever &&
	       (fault->error != EINTR || (number - fault->number) % 3 != 2);
}

/* What this call is to fail with; 0: it is to be made. */
static int
calls_next(enum calls_kind kind)
{
	unsigned int number;

	if (!calls_armed)
		return 0;
	number = ++calls_counts[kind];
	for (unsigned int i = 0; i < calls_script.count; i++) {
		const struct calls_fault *fault = &calls_script.faults[i];

		if (!calls_strikes(fault, kind, number))
			continue;
		calls_struck[i]++;
		return fault->error;
	}
	return 0;
}

/* The same with errno set. CALLS_SHORT is for those that can. */
static bool
calls_refuse(enum calls_kind kind)
{
	int error = calls_next(kind);

	if (error != 0)
		errno = error;
	return error != 0;
}

/* A call that returns -1 when it fails. */
#define CALLS_WRAP(type, kind, name, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return calls_refuse(kind) ? -1 : __real_##name arguments; \
	}

CALLS_WRAP(int, CALLS_FSTAT, fstat, (int fd, struct stat *into), (fd, into))
CALLS_WRAP(int, CALLS_LSTAT, lstat, (const char *path, struct stat *into),
	   (path, into))
CALLS_WRAP(int, CALLS_FLOCK, flock, (int fd, int operation), (fd, operation))
CALLS_WRAP(int, CALLS_FCHMOD, fchmod, (int fd, mode_t mode), (fd, mode))
CALLS_WRAP(int, CALLS_FDATASYNC, fdatasync, (int fd), (fd))
CALLS_WRAP(int, CALLS_SYNC_FILE_RANGE, sync_file_range,
	   (int fd, off_t at, off_t bytes, unsigned int flags),
	   (fd, at, bytes, flags))
CALLS_WRAP(int, CALLS_FTRUNCATE, ftruncate, (int fd, off_t bytes), (fd, bytes))
CALLS_WRAP(int, CALLS_LINK, link, (const char *from, const char *to),
	   (from, to))
CALLS_WRAP(int, CALLS_UNLINK, unlink, (const char *path), (path))
CALLS_WRAP(int, CALLS_RENAMEAT2, renameat2,
	   (int from_at, const char *from, int to_at, const char *to,
	    unsigned int flags),
	   (from_at, from, to_at, to, flags))
CALLS_WRAP(ssize_t, CALLS_GETDENTS64, getdents64,
	   (int fd, void *into, size_t room), (fd, into, room))
CALLS_WRAP(int, CALLS_SOCKET, socket, (int family, int type, int protocol),
	   (family, type, protocol))
CALLS_WRAP(int, CALLS_CONNECT, connect,
	   (int fd, const struct sockaddr *address, socklen_t bytes),
	   (fd, address, bytes))
CALLS_WRAP(int, CALLS_SETSOCKOPT, setsockopt,
	   (int fd, int level, int name, const void *value, socklen_t bytes),
	   (fd, level, name, value, bytes))
CALLS_WRAP(int, CALLS_GETSOCKNAME, getsockname,
	   (int fd, struct sockaddr *address, socklen_t *bytes),
	   (fd, address, bytes))
CALLS_WRAP(int, CALLS_GETPEERNAME, getpeername,
	   (int fd, struct sockaddr *address, socklen_t *bytes),
	   (fd, address, bytes))
CALLS_WRAP(int, CALLS_SHUTDOWN, shutdown, (int fd, int how), (fd, how))
CALLS_WRAP(int, CALLS_MEMFD_CREATE, memfd_create,
	   (const char *name, unsigned int flags), (name, flags))

/* Whether such calls would block from now on, as poll() should know. */
static bool
calls_block(enum calls_kind kind)
{
	for (unsigned int i = 0; i < calls_script.count; i++) {
		const struct calls_fault *fault = &calls_script.faults[i];

		if (fault->kind == kind && fault->error == EAGAIN &&
		    fault->for_ever && calls_struck[i] > 0)
			return true;
	}
	return false;
}

/* The library waits for one descriptor. */
int __real_poll(struct pollfd *one, nfds_t count, int ms);
int __wrap_poll(struct pollfd *one, nfds_t count, int ms);
int
__wrap_poll(struct pollfd *one, nfds_t count, int ms)
{
	struct pollfd less = *one;
	int ready;

	if (calls_refuse(CALLS_POLL))
		return -1;
	if (calls_armed && calls_block(CALLS_SENDMSG))
		less.events &= ~POLLOUT;
	if (calls_armed && calls_block(CALLS_RECV))
		less.events &= ~POLLIN;
	ready = __real_poll(&less, count, ms);
	one->revents = less.revents;
	return ready;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int
__wrap_open(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode = 0;

	if (calls_refuse(CALLS_OPEN))
		return -1;
	va_start(more, flags);
	if (flags & O_CREAT)
		mode = va_arg(more, mode_t);
	va_end(more);
	return __real_open(path, flags, mode);
}

int __real_close(int fd);
int __wrap_close(int fd);
int
__wrap_close(int fd)
{
	int result = __real_close(fd);

	return calls_refuse(CALLS_CLOSE) ? -1 : result;
}

/* The library knows one operation. */
int __real_fcntl(int fd, int operation, ...);
int __wrap_fcntl(int fd, int operation, int argument);
int
__wrap_fcntl(int fd, int operation, int argument)
{
	if (calls_refuse(CALLS_FCNTL))
		return -1;
	return __real_fcntl(fd, operation, argument);
}

/* The first octet of what is to be written. */
static struct iovec
calls_first_octet(const struct iovec *parts)
{
	while (parts->iov_len == 0)
		parts++;
	return (struct iovec){ parts->iov_base, 1 };
}

ssize_t __real_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count);
ssize_t
__wrap_writev(int fd, const struct iovec *parts, int count)
{
	int error = calls_next(CALLS_WRITEV);
	struct iovec one;

	if (error == 0)
		return __real_writev(fd, parts, count);
	if (error == CALLS_SHORT) {
		one = calls_first_octet(parts);
		return __real_writev(fd, &one, 1);
	}
	errno = error;
	return -1;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	int error = calls_next(CALLS_SENDMSG);
	struct msghdr less = *message;
	struct iovec one;

	if (error == 0)
		return __real_sendmsg(fd, message, flags);
	if (error == CALLS_SHORT) {
		one = calls_first_octet(message->msg_iov);
		less.msg_iov = &one;
		less.msg_iovlen = 1;
		return __real_sendmsg(fd, &less, flags);
	}
	errno = error;
	return -1;
}

ssize_t __real_recv(int fd, void *into, size_t room, int flags);
ssize_t __wrap_recv(int fd, void *into, size_t room, int flags);
ssize_t
__wrap_recv(int fd, void *into, size_t room, int flags)
{
	int error = calls_next(CALLS_RECV);

	if (error == 0)
		return __real_recv(fd, into, room, flags);
	if (error == CALLS_SHORT)
		return __real_recv(fd, into, 1, flags);
	errno = error;
	return -1;
}

/* ECONNRESET is what it tells, not what it fails with. */
int __real_getsockopt(int fd, int level, int name, void *value,
		      socklen_t *bytes);
int __wrap_getsockopt(int fd, int level, int name, void *value,
		      socklen_t *bytes);
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *bytes)
{
	int error = calls_next(CALLS_GETSOCKOPT);

	if (error == 0)
		return __real_getsockopt(fd, level, name, value, bytes);
	if (error == ECONNRESET && name == SO_ERROR) {
		memcpy(value, &error, sizeof(error));
		return 0;
	}
	errno = error;
	return -1;
}

int __real_posix_fallocate(int fd, off_t at, off_t bytes);
int __wrap_posix_fallocate(int fd, off_t at, off_t bytes);
int
__wrap_posix_fallocate(int fd, off_t at, off_t bytes)
{
	int error = calls_next(CALLS_POSIX_FALLOCATE);

	return error != 0 ? error : __real_posix_fallocate(fd, at, bytes);
}

void *__real_mmap(void *address, size_t bytes, int protection, int flags,
		  int fd, off_t at);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags,
		  int fd, off_t at);
void *
__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd,
	    off_t at)
{
	if (calls_refuse(CALLS_MMAP))
		return MAP_FAILED;
	return __real_mmap(address, bytes, protection, flags, fd, at);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument);
int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		      void *(*body)(void *), void *argument)
{
	int error = calls_next(CALLS_PTHREAD_CREATE);

	return error != 0 ? error
			  : __real_pthread_create(thread, attributes, body,
						  argument);
}
