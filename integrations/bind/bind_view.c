/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_view.c: see bind_view.h.
 *
 * dns_dt_send() is given a view and has to look into it for the environment
 * and the mask of types. struct dns_view grows and shrinks from one point
 * release to the next, and with options of the build, so the offset that the
 * headers give may be that of another named. But named hands out the address
 * of the field: dns_dt_attach(env, &view->dtenv). From there the beginning
 * of the view is found by its magic number, a few hundred words back, at
 * configuration time. Nothing outside the view is read on the way, as only
 * views have such a field. The mask stands right behind the field in every
 * version from 9.18.0 on.
 *
 * Threads: named attaches its views before it sends anything through them,
 * and synchronises that itself; the offset is one and the same each time.
 */
#include "bind_view.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <dns/view.h>

#include "bind_host.h"

/* A view takes some 2 KiB. */
#define VIEW_BYTES_MAX 8192

_Static_assert(offsetof(dns_view_t, dttypes) ==
		       offsetof(dns_view_t, dtenv) + sizeof(dns_dtenv_t *),
	       "the mask stands behind the environment");

static _Atomic(size_t) view_offset; /* 0: not known */

static bool
view_begins_at(const void *address)
{
	unsigned int magic;

	memcpy(&magic, address, sizeof(magic));
	return magic == DNS_VIEW_MAGIC;
}

/* The distance to the beginning of the view; 0 when there is none. */
static size_t
view_search(dns_dtenv_t *const *field)
{
	for (size_t back = sizeof(*field); back <= VIEW_BYTES_MAX;
	     back += sizeof(*field))
		if (view_begins_at((const char *)field - back))
			return back;
	return 0;
}

bool
bind_view_learn(dns_dtenv_t *const *field)
{
	size_t offset = view_search(field);

	if (offset == 0)
		return false;
	/* Relaxed: see above. */
	if (atomic_exchange_explicit(&view_offset, offset,
				     memory_order_relaxed) == 0 &&
	    offset != offsetof(dns_view_t, dtenv))
		bind_host_log(ISC_LOG_INFO,
			      "libdtap-bind: this named keeps its dnstap "
			      "environment at octet %zu of a view, not at %zu "
			      "as the headers say; that is taken into account",
			      offset, offsetof(dns_view_t, dtenv));
	return true;
}

bool
bind_view_read(const dns_view_t *view, dns_dtenv_t **env,
	       dns_dtmsgtype_t *types)
{
	size_t offset = atomic_load_explicit(&view_offset,
					     memory_order_relaxed);
	const char *field = (const char *)view + offset;

	if (offset == 0)
		return false;
	memcpy(env, field, sizeof(*env));
	memcpy(types, field + sizeof(*env), sizeof(*types));
	return *env != NULL;
}
