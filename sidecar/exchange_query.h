/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange_query.h: a query that is remembered, and what answers it.
 */
#ifndef DTAP_SIDECAR_EXCHANGE_QUERY_H
#define DTAP_SIDECAR_EXCHANGE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/packet.h"
#include "sidecar/role.h"
#include "sidecar/table.h"

struct exchange_query {
	struct table_entry entry;
	struct list_link age;
	struct list_link held; /* alone: it was handed on */
	struct packet packet;  /* its payload is octets */
	struct role_header header;
	struct role_verdict verdict; /* when it was handed on */
	bool answered;
	uint64_t due_ns;      /* it is forgotten */
	uint64_t hold_due_ns; /* it is handed on */
	uint8_t octets[];
};

/* NULL without memory. Not in any list or table. */
struct exchange_query *
exchange_query_new(const struct packet *message,
		   const struct role_header *header);

/* The same for a query and for what may answer it. */
uint64_t
exchange_query_hash(const struct table *table, const struct packet *message,
		    const struct role_header *header);

/* The query has the hash of the response; whether it has its question. */
bool
exchange_query_is_answered_by(const struct exchange_query *query,
			      const struct packet *response);

/* A transfer over a stream: answered by many messages. */
bool
exchange_query_is_transfer(const struct exchange_query *query);

/* Only a notice: the other end says nothing to it. */
bool
exchange_query_is_notice(const struct role_header *header);

#endif
