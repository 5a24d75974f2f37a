/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h: where bytes go. A file, a socket, or memory behind one vtable.
 *
 * An output moves octets and knows nothing of frames or rings. The writer
 * thread calls it and does all the waiting: no operation here blocks longer
 * than the medium forces it to (regular files have no other mode); one that
 * would wait returns DTAP_AGAIN and the writer polls get_fd().
 *
 * Contract, in the order of a life:
 *   new     allocates everything; opens nothing
 *   open    DTAP_OK: ready; DTAP_AGAIN: under way, poll for writing and call
 *           again; else failed, and closed again
 *   write   takes some of the octets (there is at least one): *taken >= 0 of
 *           them, in order. A short count is normal. DTAP_OK with *taken > 0;
 *           DTAP_AGAIN with 0; DTAP_E_CLOSED or DTAP_E_SYSTEM: broken, to be
 *           closed; *taken still counts
 *   read    sockets only: DTAP_OK with *got > 0; DTAP_AGAIN; DTAP_E_CLOSED
 *           at end of file
 *   mark    files only: tells that what was taken so far, but for the last
 *           unfinished_bytes of it, ends on a frame boundary. close cuts the
 *           file back to the last mark, so that it never ends in half a
 *           frame. The first mark after open ends the file's head (START).
 *   sync    files only: DTAP_OK when the octets are on the medium; after a
 *           failure close the file and open another one, never try again
 *   room    files only: how many octets may follow before rotation by size
 *           is due, UINT64_MAX for no limit; 0: rotation by size or time is
 *           due now, which it never is with nothing behind the head
 *   get_fd  to poll; -1: closed, or a medium that is always ready (memory)
 *   close   forgets the descriptor; may be followed by open
 *   free    closes and frees; accepts NULL
 *
 * A descriptor that the host has closed behind our back, and perhaps opened
 * again as something of its own, is neither used nor closed: write, read and
 * sync answer DTAP_E_CLOSED.
 *
 * A member is NULL where the medium has no such thing; `read` decides
 * whether a session can be bidirectional.
 *
 * errors: each failing call sets system_errno and error (a sentence that
 * names the path or address). Threads: the writer's. Used by writer, tap.
 */
#ifndef DTAP_OUTPUT_OUTPUT_H
#define DTAP_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <dnstap/result.h>

struct dtap__output;

struct dtap__output_ops {
	const char *name; /* "file", "unix", "tcp", "memory" */
	enum dtap_result (*open)(struct dtap__output *output);
	enum dtap_result (*write)(struct dtap__output *output,
				  const struct iovec *parts, int count,
				  size_t *taken);
	enum dtap_result (*read)(struct dtap__output *output, void *into,
				 size_t room, size_t *got);
	void (*mark)(struct dtap__output *output, size_t unfinished_bytes);
	enum dtap_result (*sync)(struct dtap__output *output);
	uint64_t (*room)(struct dtap__output *output, uint64_t now_ns);
	int (*get_fd)(const struct dtap__output *output);
	void (*close)(struct dtap__output *output);
	void (*free)(struct dtap__output *output);
};

/* The common head of every output; the medium's own fields follow it. */
struct dtap__output {
	const struct dtap__output_ops *ops;
	int system_errno; /* of the last failure */
	char error[256];  /* the last failure, for the log */
};

/*
 * Notes a failure: "NAME: PROBLEM: text of system_errno" (which may be 0). Of
 * a long name only the end is kept. Returns DTAP_E_SYSTEM.
 */
enum dtap_result
dtap__output_fail(struct dtap__output *output, int system_errno,
		  const char *name, const char *problem);

/*
 * NULL when memory could not be had. Paths are copied. The pattern is that of
 * strftime, expanded in UTC at each open; mode is independent of the umask;
 * rotate_bytes and rotate_seconds: 0 is never.
 */
struct dtap__output *
dtap__output_file_new(const char *path_pattern, unsigned int mode,
		      uint64_t rotate_bytes, uint64_t rotate_seconds);

/* A path that fits no socket address is refused by open, not by new. */
struct dtap__output *
dtap__output_unix_new(const char *path);

/* user_timeout_ms: TCP_USER_TIMEOUT; 0 leaves it to the system. */
struct dtap__output *
dtap__output_tcp_new(const struct sockaddr *address, socklen_t address_bytes,
		     uint32_t user_timeout_ms);

#endif
