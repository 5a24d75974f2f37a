/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tool_arguments.h: values on a command line, text to number or address.
 *
 * Strict: the whole text is the value, nothing is guessed, nothing is looked
 * up. Pure functions; a failure leaves the result unchanged.
 */
#ifndef DTAP_TOOLS_TOOL_ARGUMENTS_H
#define DTAP_TOOLS_TOOL_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* A whole decimal number from min to max: digits only. */
bool
tool_parse_number(const char *text, uint64_t min, uint64_t max,
		  uint64_t *number);

/* ADDR:PORT with a numeric address: 192.0.2.1:6000 or [2001:db8::1]:6000. */
bool
tool_parse_endpoint(const char *text, struct sockaddr_storage *address,
		    socklen_t *bytes);

#endif
