/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_table.h: the names of DNS numbers (IANA, "DNS Parameters").
 *
 * Each dns_table_x() gives a name; a number that has none gets the generic
 * form in the caller's buffer: TYPE65280 (RFC 3597), CLASS7, RCODE12,
 * OPCODE3.
 */
#ifndef DTAP_TOOLS_DNS_TABLE_H
#define DTAP_TOOLS_DNS_TABLE_H

#include <stdint.h>

#define DNS_TABLE_NAME_MAX 16

/* What is known of a type of resource record. */
struct dns_type {
	const char *name;
	const char *rdata; /* see dns_types.def */
};

/* NULL when the type is not known. */
const struct dns_type *
dns_table_find_type(uint16_t type);

const char *
dns_table_type(uint16_t type, char buffer[DNS_TABLE_NAME_MAX]);

const char *
dns_table_class(uint16_t class, char buffer[DNS_TABLE_NAME_MAX]);

const char *
dns_table_rcode(uint16_t rcode, char buffer[DNS_TABLE_NAME_MAX]);

const char *
dns_table_opcode(uint16_t opcode, char buffer[DNS_TABLE_NAME_MAX]);

#endif
