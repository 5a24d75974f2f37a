/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_options.h: the command line of dtap-gen.
 */
#ifndef DTAP_GEN_OPTIONS_H
#define DTAP_GEN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/dtap.h>

#define GEN_THREADS_MAX 1024
#define GEN_TYPES_MAX 14

struct gen_options {
	dtap_options *tap;	 /* what the tap is opened with */
	uint64_t events;	 /* of all threads; 0: no limit */
	uint64_t seconds;	 /* 0: no limit */
	uint64_t rate;		 /* events/s of all threads; 0: no limit */
	uint64_t stop_timeout_ms;
	unsigned int threads;
	size_t message_bytes;	 /* GEN_MESSAGE_BYTES_MIX, or a size */
	enum dtap_message_type types[GEN_TYPES_MAX];
	unsigned int type_count;
};

enum gen_verdict {
	GEN_RUN,   /* go on */
	GEN_DONE,  /* --help or --version was served */
	GEN_USAGE  /* explained on standard error */
};

/* The caller frees options->tap, whatever the verdict. */
enum gen_verdict
gen_options_parse(struct gen_options *options, int argc, char **argv);

#endif
