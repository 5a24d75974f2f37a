/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_view.h: where named keeps the dnstap environment in a view.
 */
#ifndef BIND_VIEW_H
#define BIND_VIEW_H

#include <stdbool.h>

#include <dns/dnstap.h>
#include <dns/types.h>

/*
 * Learns the place from a field that named is about to fill; false when the
 * field is in nothing that looks like a view.
 */
bool
bind_view_learn(dns_dtenv_t *const *field);

/* False when the view has no environment, or its place is not known. */
bool
bind_view_read(const dns_view_t *view, dns_dtenv_t **env,
	       dns_dtmsgtype_t *types);

#endif
