/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_json.h: the parts of JSON (RFC 8259) that dtap-cat writes.
 */
#ifndef DTAP_TOOLS_TEXT_JSON_H
#define DTAP_TOOLS_TEXT_JSON_H

#include "cat/text.h"

/*
 * A string. What is UTF-8 stays as it is, what is not becomes U+FFFD octet
 * by octet; control characters (C0, DEL, C1) are escaped, so that a line is
 * a line and a terminal comes to no harm.
 */
void
text_json_string(struct text *text, const void *octets, size_t bytes);

/* A string of base64 (RFC 4648 section 4), with padding. */
void
text_json_base64(struct text *text, const void *octets, size_t bytes);

/*
 * "name": in front of a value, and the comma between members. first tells
 * whether it is the first of its object, and is cleared.
 */
void
text_json_name(struct text *text, bool *first, const char *name);

#endif
