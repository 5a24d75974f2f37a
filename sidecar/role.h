/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.h: what a process is to the DNS, and so the type of a message.
 *
 * The end that a message was seen at is certain (a query received or a
 * response sent: the server's). Which of the server's or client's types it
 * has depends on what the process is: told by the operator, known by the name
 * of its executable, or learnt from its traffic. The type is told together
 * with how sure it is. Pure; bounded memory.
 *
 *   end     process                    condition            type
 *   server  any                        opcode UPDATE        UPDATE
 *   server  any                        multicast DNS        AUTH
 *   server  AUTH                                            AUTH
 *   server  RECURSIVE, FORWARDER                            CLIENT
 *   server  others                     RD and RA            CLIENT
 *   server  others                     else                 AUTH
 *   client  TOOL                                            TOOL
 *   client  any                        multicast DNS        STUB
 *   client  STUB                                            STUB
 *   client  FORWARDER                                       FORWARDER
 *   client  AUTH, RECURSIVE, servers   RD                   FORWARDER
 *   client  AUTH, RECURSIVE, servers   no RD                RESOLVER
 *   client  others                                          STUB
 *
 * RD is that of the query, also for its response, as far as it is known; RA
 * that of the response, else what the process has said in its responses so
 * far. The "others" are learnt: they are servers when they have sent a
 * response or received a query at a port below 1024. What others send to a
 * process changes nothing.
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

#define ROLE_OVERRIDES_MAX 64
/* Processes that are remembered, the latest. */
#define ROLE_PROCESSES_MAX 4096

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

/* false when the payload is shorter than a header. */
bool
role_header_read(const struct packet *message, struct role_header *header);

/* Between two sockets of multicast DNS, or with its group; not DNS that is
 * offered to one address at port 5353. */
bool
role_is_multicast(const struct packet *message);

/* A query received or a response sent. */
bool
role_is_server_end(const struct packet *message,
		   const struct role_header *header);

struct role_table *
role_table_new(void);

void
role_table_free(struct role_table **table);

/* From --role: "unbound=recursive"; the name is that of the executable's
 * file, the role one of learn, auth, recursive, forwarder, stub, tool. The
 * last one for a name counts. false when the text is not of that form, or
 * when there are more than ROLE_OVERRIDES_MAX. */
bool
role_table_override(struct role_table *table, const char *text);

/*
 * Decides for a message of the process with this executable's name ("" when
 * unknown: then its comm counts), and learns from it. For a response, query
 * is the header of the query it answers, or NULL; of a query held back,
 * response is that of its response, or NULL. The payload is not shorter than
 * a header.
 */
struct role_verdict
role_table_decide(struct role_table *table, const struct packet *message,
		  const char *exe, const struct role_header *query,
		  const struct role_header *response);

/* "auth", ..., "guessed", "learnt", "known", "told". */
const char *
role_confidence_name(enum role_confidence confidence);

#endif
