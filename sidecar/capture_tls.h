/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_tls.h: probes at the functions of the libraries for TLS.
 */
#ifndef DTAP_SIDECAR_CAPTURE_TLS_H
#define DTAP_SIDECAR_CAPTURE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/capture.h"

/* Twice as many functions as OpenSSL and GnuTLS have, each with its return. */
#define CAPTURE_TLS_LINKS_MAX 64

struct bpf_link;
struct capture_bpf;

/* All zeros is one without probes. */
struct capture_tls {
	size_t count;
	struct bpf_link *links[CAPTURE_TLS_LINKS_MAX];
};

/* pid's own libraries; 0: those of the system. */
bool
capture_tls_attach(struct capture_tls *tls, struct capture_bpf *kernel,
		   uint32_t pid, char reason[CAPTURE_REASON_BYTES]);

void
capture_tls_close(struct capture_tls *tls);

#endif
