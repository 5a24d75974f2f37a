/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unbound_host.h: what the shim takes from unbound, and what its releases
 * disagree about.
 *
 * UBVER is the release as major * 100 + minor: 117 for 1.17.1. It selects the
 * parameters that came with a release:
 *
 *   113  the local address        (1.13.2; before it nothing here compiles)
 *   118  the kernel's time of a client query
 *   120  cpssl, not NULL where the transport is TLS
 *   121  dnstap-sample-rate
 *   122  DNS over QUIC
 *   123  dt_apply_logcfg(), called by fast_reload
 *   126  dt_apply_cfg() returns int
 *
 * With DTAP_UNBOUND_FACTS the declarations come from eras/, where there is no
 * unbound to build against.
 */
#ifndef DTAP_UNBOUND_HOST_H
#define DTAP_UNBOUND_HOST_H

#if !defined(UBVER) || UBVER < 113
#error "compile with -DUBVER=, major * 100 + minor of unbound 1.13.2 or later"
#endif

/* What is declared here is what libdtap-unbound shows; all else is hidden. */
#pragma GCC visibility push(default)
#ifdef DTAP_UNBOUND_FACTS
#include "eras/unbound_eras.h"
#else
#include <config.h>

/* dnstap.h declares its functions with types of these. */
#include <sldns/sbuffer.h>
#include <util/config_file.h>
#include <util/log.h>
#include <util/netevent.h>

#include <dnstap/dnstap.h>
#include <dnstap/dtstream.h>
#endif
#pragma GCC visibility pop

#if UBVER >= 118
#define UNBOUND_PARAMETER_STAMP , struct timeval *stamp
#define UNBOUND_STAMP stamp
#else
#define UNBOUND_PARAMETER_STAMP
#define UNBOUND_STAMP ((const struct timeval *)NULL)
#endif

#if UBVER >= 120
#define UNBOUND_PARAMETER_TLS , void *tls
#define UNBOUND_TLS (tls != NULL)
#else
#define UNBOUND_PARAMETER_TLS
#define UNBOUND_TLS false
#endif

#if UBVER >= 126
#define UNBOUND_APPLY_RESULT int
#define UNBOUND_APPLIED return 1
#else
#define UNBOUND_APPLY_RESULT void
#define UNBOUND_APPLIED return
#endif

#endif
