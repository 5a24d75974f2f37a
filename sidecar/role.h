/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h: what a process is to the DNS, and so the type of a message.
 *
 * The end that a message was seen at is certain (a query received or a
 * response sent: the server's). Which of the server's or client's types it
 * has depends on what the process is: told by the operator, known by the name
 * of its executable, or learnt from its traffic. The type is told together
 * with how sure it is. Pure; bounded memory.
 */
#ifndef DTAP_SIDECAR_ROLE_H
#define DTAP_SIDECAR_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include <dnstap/event.h>

#include "sidecar/packet.h"

enum role {
	ROLE_LEARN,     /* by its traffic, as named needs it */
	ROLE_AUTH,      /* server end AUTH_* */
	ROLE_RECURSIVE, /* server end CLIENT_*, client end RESOLVER_* or,
			   with RD, FORWARDER_* */
	ROLE_FORWARDER, /* server end CLIENT_*, client end FORWARDER_* */
	ROLE_STUB,      /* client end STUB_* */
	ROLE_TOOL       /* client end TOOL_* */
};

enum role_confidence {
	ROLE_GUESSED, /* nothing is known of the process yet */
	ROLE_LEARNT,  /* from its traffic so far */
	ROLE_KNOWN,   /* from the name of its executable */
	ROLE_TOLD     /* by the operator, or certain in itself (UPDATE) */
};

struct role_table;

struct role_verdict {
	uint8_t type;       /* enum dtap_message_type */
	uint8_t confidence; /* enum role_confidence */
	/* A response would tell more: worth waiting for, for a moment. */
	bool wants_response;
};

/* What the header of a DNS message says. */
struct role_header {
	uint16_t id;
	uint16_t flags; /* as in the header, host byte order */
	bool response;
	uint8_t opcode;
};

struct role_table *
role_table_new(void);

void
role_table_free(struct role_table **table);

/* From --role: "unbound=recursive"; the name is that of the executable's
 * file. false when the text is not of that form. */
bool
role_table_override(struct role_table *table, const char *text);

/*
 * Decides for a message of the process with this executable's name ("" when
 * unknown). For a response, query is the header of the query it answers, or
 * NULL; of a query held back, response is that of its response, or NULL.
 */
struct role_verdict
role_table_decide(struct role_table *table, const struct packet *message,
		  const char *exe, const struct role_header *query,
		  const struct role_header *response);

/* "auth", ..., "guessed", "learnt", "known", "told". */
const char *
role_confidence_name(enum role_confidence confidence);

#endif
