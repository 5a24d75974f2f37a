/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_shim.h: what the files of libdtap-fstrm share.
 *
 * The objects that <fstrm.h> leaves opaque are defined by us: a server that
 * runs with this library never holds a writer, an iothr or their options from
 * the real libfstrm. Its reader side stays the real one.
 */
#ifndef FSTRM_SHIM_H
#define FSTRM_SHIM_H

/* Its functions are what we export; our own are hidden. */
#pragma GCC visibility push(default)
#include <fstrm.h>
#pragma GCC visibility pop
#include <stdbool.h>
#include <stdint.h>

#include <dnstap/dtap.h>

/* How long the end of a stream may take. */
#define SHIM_STOP_TIMEOUT_MS 2000

struct fstrm_writer_options {
	bool dnstap; /* its content type is among them */
};

struct fstrm_file_options {
	char *path;
};

struct fstrm_writer {
	char *output;
	dtap_options *options; /* the output is set, and was found valid */
	dtap *tap;	       /* NULL until it is opened */
	bool dnstap;
};

/* What is told once in a process, however often it happens. */
enum shim_cause {
	SHIM_OPTIONS,
	SHIM_ENVIRONMENT,
	SHIM_CONTENT_TYPE,
	SHIM_DESTINATION,
	SHIM_RDWR,
	SHIM_CONTROL,
	SHIM_NO_READER,
	SHIM_CAUSES
};

/*
 * Logs through syslog(3), or on standard error when DTAP_FSTRM_LOG says so.
 * Never called while a frame is submitted.
 */
void
shim_log(int priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* True the first time for a cause. */
bool
shim_is_first(enum shim_cause cause);

/* The library's log callback. */
dtap_log_function shim_log_line;

/* What the ledger says at the end of a writer's tap. */
void
shim_log_ledger(const struct fstrm_writer *writer);

/* The library's results in fstrm's words. */
fstrm_res
shim_result(enum dtap_result result);

/*
 * Makes a writer for an output; NULL when it is not a valid one. Options may
 * be NULL, as in fstrm.
 */
struct fstrm_writer *
shim_writer_new(const char *scheme, const char *where,
		const struct fstrm_writer_options *options);

/*
 * Opens and starts the writer's tap, if that was not done yet, with what the
 * environment says on top of the writer's options.
 */
enum dtap_result
shim_writer_start(struct fstrm_writer *writer);

/* A string of its own in place of the one before; NULL for NULL. */
void
shim_set_text(char **text, const char *value);

#endif
