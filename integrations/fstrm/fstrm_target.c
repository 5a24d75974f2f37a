/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fstrm_target.c: where a writer goes: Unix socket, TCP, file.
 *
 * Each kind has an options object in fstrm, which holds a string or two, and
 * a function that makes a writer of it. Ours come out as an output of the
 * library: unix:PATH, tcp:ADDRESS:PORT, file:PATH.
 *
 * The options of a file are also what fstrm's file reader takes, and that is
 * not ours: fstrm_file_reader_init() hands the path on in an object that the
 * real library has made.
 */
#include "fstrm_shim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* Room for an address with a scope, brackets and a port. */
#define TARGET_TCP_BYTES 128

struct fstrm_unix_writer_options {
	char *path;
};

struct fstrm_tcp_writer_options {
	char *address;
	char *port;
};

void
shim_set_text(char **text, const char *value)
{
	free(*text);
	*text = value != NULL ? strdup(value) : NULL;
}

struct fstrm_unix_writer_options *
fstrm_unix_writer_options_init(void)
{
	return calloc(1, sizeof(struct fstrm_unix_writer_options));
}

void
fstrm_unix_writer_options_destroy(struct fstrm_unix_writer_options **uwopt)
{
	if (uwopt == NULL || *uwopt == NULL)
		return;
	free((*uwopt)->path);
	free(*uwopt);
	*uwopt = NULL;
}

void
fstrm_unix_writer_options_set_socket_path(
	struct fstrm_unix_writer_options *uwopt, const char *socket_path)
{
	shim_set_text(&uwopt->path, socket_path);
}

struct fstrm_writer *
fstrm_unix_writer_init(const struct fstrm_unix_writer_options *uwopt,
		       const struct fstrm_writer_options *wopt)
{
	if (uwopt == NULL || uwopt->path == NULL)
		return NULL;
	return shim_writer_new("unix:", uwopt->path, wopt);
}

struct fstrm_tcp_writer_options *
fstrm_tcp_writer_options_init(void)
{
	return calloc(1, sizeof(struct fstrm_tcp_writer_options));
}

void
fstrm_tcp_writer_options_destroy(struct fstrm_tcp_writer_options **twopt)
{
	if (twopt == NULL || *twopt == NULL)
		return;
	free((*twopt)->address);
	free((*twopt)->port);
	free(*twopt);
	*twopt = NULL;
}

void
fstrm_tcp_writer_options_set_socket_address(
	struct fstrm_tcp_writer_options *twopt, const char *socket_address)
{
	shim_set_text(&twopt->address, socket_address);
}

void
fstrm_tcp_writer_options_set_socket_port(struct fstrm_tcp_writer_options *twopt,
					 const char *socket_port)
{
	shim_set_text(&twopt->port, socket_port);
}

struct fstrm_writer *
fstrm_tcp_writer_init(const struct fstrm_tcp_writer_options *twopt,
		      const struct fstrm_writer_options *wopt)
{
	char where[TARGET_TCP_BYTES];
	bool ip6;
	int bytes;

	if (twopt == NULL || twopt->address == NULL || twopt->port == NULL)
		return NULL;
	ip6 = strchr(twopt->address, ':') != NULL;
	bytes = snprintf(where, sizeof(where), ip6 ? "[%s]:%s" : "%s:%s",
			 twopt->address, twopt->port);
	if (bytes < 0 || (size_t)bytes >= sizeof(where))
		return NULL;
	return shim_writer_new("tcp:", where, wopt);
}

struct fstrm_file_options *
fstrm_file_options_init(void)
{
	return calloc(1, sizeof(struct fstrm_file_options));
}

void
fstrm_file_options_destroy(struct fstrm_file_options **fopt)
{
	if (fopt == NULL || *fopt == NULL)
		return;
	free((*fopt)->path);
	free(*fopt);
	*fopt = NULL;
}

void
fstrm_file_options_set_file_path(struct fstrm_file_options *fopt,
				 const char *file_path)
{
	shim_set_text(&fopt->path, file_path);
}

/* "-", which is standard output for fstrm, is no file for us. */
struct fstrm_writer *
fstrm_file_writer_init(const struct fstrm_file_options *fopt,
		       const struct fstrm_writer_options *wopt)
{
	if (fopt == NULL || fopt->path == NULL)
		return NULL;
	if (strcmp(fopt->path, "-") == 0) {
		if (shim_is_first(SHIM_DESTINATION))
			shim_log(LOG_ERR, "cannot write to standard output");
		return NULL;
	}
	return shim_writer_new("file:", fopt->path, wopt);
}

/* The real library's functions behind ours. */
struct target_real {
	struct fstrm_file_options *(*options_init)(void);
	void (*options_destroy)(struct fstrm_file_options **);
	void (*set_path)(struct fstrm_file_options *, const char *);
	struct fstrm_reader *(*reader_init)(
		const struct fstrm_file_options *,
		const struct fstrm_reader_options *);
};

/* POSIX's way from dlsym()'s pointer to a function's. */
static bool
target_find(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(function, &found, sizeof(found));
	return found != NULL;
}

static bool
target_find_real(struct target_real *real)
{
	return target_find("fstrm_file_options_init", &real->options_init) &&
	       target_find("fstrm_file_options_destroy",
			   &real->options_destroy) &&
	       target_find("fstrm_file_options_set_file_path",
			   &real->set_path) &&
	       target_find("fstrm_file_reader_init", &real->reader_init);
}

struct fstrm_reader *
fstrm_file_reader_init(const struct fstrm_file_options *fopt,
		       const struct fstrm_reader_options *ropt)
{
	struct fstrm_reader *reader = NULL;
	struct fstrm_file_options *options;
	struct target_real real;

	if (fopt == NULL || fopt->path == NULL)
		return NULL;
	if (!target_find_real(&real)) {
		if (shim_is_first(SHIM_NO_READER))
			shim_log(LOG_ERR, "cannot read: there is no libfstrm "
					  "behind this library");
		return NULL;
	}
	options = real.options_init();
	if (options == NULL)
		return NULL;
	real.set_path(options, fopt->path);
	reader = real.reader_init(options, ropt);
	real.options_destroy(&options);
	return reader;
}
