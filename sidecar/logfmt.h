/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logfmt.h: the text in a frame's `extra`: pairs key=value, a space between.
 *
 *   pid=123 exe=unbound comm=unbound uid=105
 *   cgroup=/system.slice/unbound.service container=3f4e... netns=4026531840
 *   confidence=known event=unanswered
 *
 * All in one line; what is not known is left out. A value with a space, a
 * quote, an equals sign, a backslash, control characters or something else
 * than UTF-8 stands in double quotes, with the escapes of JSON (RFC 8259
 * section 7); of what is not UTF-8, each octet is U+FFFD. No value can pass
 * for several pairs.
 *
 * A pair that does not fit is left out as a whole; only names may not fit: what
 * is behind them has its room, a container's id of 64 digits, too. Pure.
 */
#ifndef DTAP_SIDECAR_LOGFMT_H
#define DTAP_SIDECAR_LOGFMT_H

#include <stddef.h>
#include <stdint.h>

#include "sidecar/identity.h"
#include "sidecar/packet.h"
#include "sidecar/role.h"

/* Room enough for all pairs, unless their values are of the kind that grows
 * when it is quoted. With the octets of names it stays within
 * DTAP_METADATA_BYTES_MAX. */
#define LOGFMT_BYTES 1280

struct logfmt {
	char *text; /* always ends with a NUL */
	size_t room;
	size_t used; /* without the NUL */
};

/* room is at least 1. */
void
logfmt_init(struct logfmt *logfmt, char *text, size_t room);

void
logfmt_number(struct logfmt *logfmt, const char *key, uint64_t number);

/* Nothing when the value is empty. */
void
logfmt_string(struct logfmt *logfmt, const char *key, const char *value);

/*
 * All that is known of a message besides its frame. event: "unanswered", or
 * NULL. Returns the length without the closing NUL.
 */
size_t
logfmt_extra(char *text, size_t room, const struct packet_owner *owner,
	     const struct identity *identity, enum role_confidence confidence,
	     const char *event);

#endif
