/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_table.c: see dns_table.h.
 *
 * The types stand in dns_types.def, in the order of their numbers with gaps:
 * an array of 64 K entries would be mostly empty, a search would be slow, so
 * a switch finds them and the compiler makes of it what it likes.
 */
#include "cat/dns_table.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct dns_type *
dns_table_find_type(uint16_t type)
{
	switch (type) {
#define DNS_TYPE(number, name, rdata) \
	case number: { \
		static const struct dns_type found = {name, rdata}; \
		return &found; \
	}
#include "cat/dns_types.def"
#undef DNS_TYPE
	default:
		return NULL;
	}
}

static const char *
generic_name(const char *prefix, uint16_t number,
	     char buffer[DNS_TABLE_NAME_MAX])
{
	snprintf(buffer, DNS_TABLE_NAME_MAX, "%s%u", prefix, number);
	return buffer;
}

const char *
dns_table_type(uint16_t type, char buffer[DNS_TABLE_NAME_MAX])
{
	const struct dns_type *found = dns_table_find_type(type);

	return found != NULL ? found->name : generic_name("TYPE", type, buffer);
}

const char *
dns_table_class(uint16_t class, char buffer[DNS_TABLE_NAME_MAX])
{
	switch (class) {
	case 1:
		return "IN";
	case 3:
		return "CH";
	case 4:
		return "HS";
	case 254:
		return "NONE";
	case 255:
		return "ANY";
	default:
		return generic_name("CLASS", class, buffer);
	}
}

const char *
dns_table_rcode(uint16_t rcode, char buffer[DNS_TABLE_NAME_MAX])
{
	/* RFC 1035, 2136, 8490, 6891, 8945, 2930, 7873. */
	static const char *const names[] = {
		"NOERROR", "FORMERR",	"SERVFAIL", "NXDOMAIN",	 "NOTIMP",
		"REFUSED", "YXDOMAIN",	"YXRRSET",  "NXRRSET",	 "NOTAUTH",
		"NOTZONE", "DSOTYPENI", NULL,	    NULL,	 NULL,
		NULL,	   "BADVERS",	"BADKEY",   "BADTIME",	 "BADMODE",
		"BADNAME", "BADALG",	"BADTRUNC", "BADCOOKIE",
	};

	if (rcode < COUNT(names) && names[rcode] != NULL)
		return names[rcode];
	return generic_name("RCODE", rcode, buffer);
}

const char *
dns_table_opcode(uint16_t opcode, char buffer[DNS_TABLE_NAME_MAX])
{
	/* RFC 1035, 1996, 2136, 8490. */
	static const char *const names[] = {
		"QUERY", "IQUERY", "STATUS", NULL, "NOTIFY", "UPDATE", "DSO",
	};

	if (opcode < COUNT(names) && names[opcode] != NULL)
		return names[opcode];
	return generic_name("OPCODE", opcode, buffer);
}
