/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_fstrm.h: the fstrm-set-... statements of named.conf.
 *
 * named hands them to libfstrm, and the resulting object, unopened, to
 * dns_dt_create(). bind_fstrm.c stands in for the ten functions of libfstrm
 * that do so; they are declared in <fstrm.h>.
 */
#ifndef BIND_FSTRM_H
#define BIND_FSTRM_H

#include <fstrm.h>

#include <dnstap/options.h>

/* Sets what they mean here, and tells named's log what has no meaning. */
void
bind_fstrm_apply(const struct fstrm_iothr_options *from, dtap_options *to);

#endif
