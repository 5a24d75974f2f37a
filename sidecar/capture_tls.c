/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_tls.c: probes at the functions of the libraries for TLS.
 *
 * A probe is set in a file, for all processes that have mapped it or will, or
 * for one process alone. Containers have files of their own: those of one
 * process are found among what it has mapped, through its root directory.
 */
#include "sidecar/capture_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "sidecar/capture_kind.h"

#include "sidecar/capture.skel.h"

#define PATH_BYTES 4200
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum tls_entry {
	ENTER_HANDSHAKE,
	ENTER_READ,
	ENTER_READ_EX,
	ENTER_WRITE,
	ENTER_WRITE_EX,
	ENTER_FREE /* its return is of no interest */
};

struct tls_function {
	const char *name;
	enum tls_entry entry;
};

static const struct tls_function openssl_functions[] = {
	{ "SSL_do_handshake", ENTER_HANDSHAKE },
	{ "SSL_accept", ENTER_HANDSHAKE },
	{ "SSL_connect", ENTER_HANDSHAKE },
	{ "SSL_read", ENTER_READ },
	{ "SSL_read_ex", ENTER_READ_EX },
	{ "SSL_write", ENTER_WRITE },
	{ "SSL_write_ex", ENTER_WRITE_EX },
	{ "SSL_free", ENTER_FREE },
};

static const struct tls_function gnutls_functions[] = {
	{ "gnutls_handshake", ENTER_HANDSHAKE },
	{ "gnutls_record_recv", ENTER_READ },
	{ "gnutls_record_send", ENTER_WRITE },
	/* Sends what was corked, which gnutls_record_send() took before. */
	{ "gnutls_record_uncork", ENTER_HANDSHAKE },
	{ "gnutls_deinit", ENTER_FREE },
};

static const struct tls_library {
	const char *prefix; /* of the file's name; a version follows */
	const char *file;   /* the system's */
	const struct tls_function *functions;
	size_t count;
} libraries[] = {
	{ "libssl.so.", "libssl.so.3", openssl_functions,
	  COUNT_OF(openssl_functions) },
	{ "libgnutls.so.", "libgnutls.so.30", gnutls_functions,
	  COUNT_OF(gnutls_functions) },
};

static struct bpf_program *
entry_program(const struct capture_bpf *kernel, enum tls_entry entry)
{
	switch (entry) {
	case ENTER_READ:
		return kernel->progs.tls_enter_read;
	case ENTER_READ_EX:
		return kernel->progs.tls_enter_read_ex;
	case ENTER_WRITE:
		return kernel->progs.tls_enter_write;
	case ENTER_WRITE_EX:
		return kernel->progs.tls_enter_write_ex;
	case ENTER_FREE:
		return kernel->progs.tls_enter_free;
	default:
		return kernel->progs.tls_enter_handshake;
	}
}

/* false with errno. */
static bool
attach_probe(struct capture_tls *tls, const struct bpf_program *program,
	     bool at_return, uint32_t pid, const char *path, const char *name)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = at_return,
		    .func_name = name);
	struct bpf_link *link;

	if (tls->count == CAPTURE_TLS_LINKS_MAX) {
		errno = ENOSPC;
		return false;
	}
	link = bpf_program__attach_uprobe_opts(program,
		pid != 0 ? (pid_t)pid : -1, path, 0, &options);
	if (link == NULL)
		return false;
	tls->links[tls->count++] = link;
	return true;
}

/* How many functions; versions of a library may lack one. */
static size_t
attach_library(struct capture_tls *tls, const struct capture_bpf *kernel,
	       uint32_t pid, const char *path,
	       const struct tls_library *library)
{
	size_t attached = 0;

	for (size_t i = 0; i < library->count; i++) {
		const struct tls_function *each = &library->functions[i];

		/* Without its return, what a call did is never taken. */
		if ((each->entry == ENTER_FREE ||
		     attach_probe(tls, kernel->progs.tls_leave, true, pid,
				  path, each->name)) &&
		    attach_probe(tls, entry_program(kernel, each->entry),
				 false, pid, path, each->name))
			attached++;
	}
	return attached;
}

static const struct tls_library *
find_library(const char *path)
{
	const char *name = strrchr(path, '/');

	for (size_t i = 0; name != NULL && i < COUNT_OF(libraries); i++)
		if (strncmp(name + 1, libraries[i].prefix,
			    strlen(libraries[i].prefix)) == 0)
			return &libraries[i];
	return NULL;
}

/* Each file once, although it is mapped in several parts. */
static size_t
attach_process(struct capture_tls *tls, const struct capture_bpf *kernel,
	       uint32_t pid)
{
	char previous[PATH_BYTES] = "";
	char line[PATH_BYTES];
	char path[2 * PATH_BYTES];
	size_t attached = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (maps == NULL)
		return 0;
	while (fgets(line, sizeof(line), maps) != NULL) {
		const struct tls_library *library;
		char *file = strchr(line, '/');

		if (file == NULL)
			continue;
		file[strcspn(file, "\n")] = '\0';
		library = find_library(file);
		if (library == NULL || strcmp(file, previous) == 0)
			continue;
		strcpy(previous, file);
		snprintf(path, sizeof(path), "/proc/%u/root%s", pid, file);
		attached += attach_library(tls, kernel, pid, path, library);
	}
	fclose(maps);
	return attached;
}

bool
capture_tls_attach(struct capture_tls *tls, struct capture_bpf *kernel,
		   uint32_t pid, char reason[CAPTURE_REASON_BYTES])
{
	size_t attached = 0;

	if (pid != 0)
		attached = attach_process(tls, kernel, pid);
	for (size_t i = 0; pid == 0 && i < COUNT_OF(libraries); i++)
		attached += attach_library(tls, kernel, 0, libraries[i].file,
					   &libraries[i]);
	if (attached > 0)
		return true;
	if (pid != 0)
		return capture_refuse(reason, "Process %u has neither OpenSSL "
			"nor GnuTLS mapped, or may not be looked at (%m): "
			"statically linked libraries cannot be watched.", pid);
	return capture_refuse(reason, "No probe can be set in libssl.so.3 or "
		"libgnutls.so.30 (%m). Where a container has libraries of its "
		"own, name one of its processes.");
}

void
capture_tls_close(struct capture_tls *tls)
{
	for (size_t i = 0; i < tls->count; i++)
		bpf_link__destroy(tls->links[i]);
	tls->count = 0;
}
