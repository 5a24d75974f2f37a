/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_profile.h: programs whose role is known by their name.
 */
#ifndef DTAP_SIDECAR_ROLE_PROFILE_H
#define DTAP_SIDECAR_ROLE_PROFILE_H

#include <stdbool.h>

#include "sidecar/role.h"

/*
 * Looks up the name of an executable, or, when whole is not set, a name that
 * the kernel may have cut to PACKET_COMM_BYTES - 1 octets. false when it is
 * not known. ROLE_LEARN is a server that may be of any kind.
 */
bool
role_profile_find(const char *name, bool whole, enum role *role);

/* By the names that --role takes. */
bool
role_profile_parse(const char *text, enum role *role);

#endif
