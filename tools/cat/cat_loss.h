/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cat_loss.h: what Dnstap.extra says of messages that were lost.
 *
 * libdtap appends its report to the server's own text, as logfmt words:
 * dtap.lost=1532 dtap.cause=full and others that begin with "dtap.".
 */
#ifndef DTAP_TOOLS_CAT_LOSS_H
#define DTAP_TOOLS_CAT_LOSS_H

#include <stdbool.h>

#include <dnstap/reader.h>

struct cat_loss {
	struct dtap_bytes before; /* the server's own text */
	struct dtap_bytes count;  /* of dtap.lost; what it says */
	struct dtap_bytes cause;  /* of dtap.cause; empty when not given */
};

/* false when there is no report: before is all of extra then. */
bool
cat_loss_read(struct dtap_bytes extra, struct cat_loss *loss);

#endif
