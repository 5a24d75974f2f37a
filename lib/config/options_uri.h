/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_uri.h: the `output` option, from text to struct dtap__uri.
 *
 *   file:PATH             strftime patterns are left as they are
 *   unix:PATH             at most what a struct sockaddr_un holds
 *   tcp:ADDRESS:PORT      IPv4, numeric
 *   tcp:[ADDRESS]:PORT    IPv6, numeric; link-local takes %INTERFACE
 *
 * Nothing is opened and no name is looked up but that of an interface.
 * Any thread. Used by options.c and options_check.c.
 */
#ifndef DTAP_CONFIG_OPTIONS_URI_H
#define DTAP_CONFIG_OPTIONS_URI_H

#include <stdbool.h>

#include <dnstap/result.h>

#include "config/config.h"

/*
 * DTAP_OK; or DTAP_E_VALUE, when *why, static text, says what is allowed and
 * *uri is untouched. On success the rest of *uri is zeros.
 */
enum dtap_result
dtap__options_uri_parse(const char *text, struct dtap__uri *uri,
			const char **why);

bool
dtap__options_uri_equal(const struct dtap__uri *a, const struct dtap__uri *b);

#endif
