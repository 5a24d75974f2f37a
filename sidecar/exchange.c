/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c: see exchange.h.
 *
 * A query that waits for its response is in the table, under the hash of all
 * that a response has in common with it but the question, and in the list
 * `age`; a query that is held back is besides in the list `held`. All wait
 * equally long, so both lists are in the order in which the waits end. The
 * clock is the latest time that was seen: it does not go back when a packet
 * that TCP had to wait for is older than the one before.
 *
 * So that nobody makes a chain of equal hashes long, only SAME_MAX queries
 * with one hash wait: the oldest of them makes room.
 */
#include "sidecar/exchange.h"

#include <stdlib.h>

#include "sidecar/exchange_query.h"
#include "sidecar/table.h"

#define PORT_MDNS 5353
#define SAME_MAX 16

struct exchange_table {
	struct exchange_options options;
	struct exchange_counters counters;
	struct role_table *roles;
	exchange_exe *exe;
	exchange_callback *callback;
	void *user;
	uint64_t now_ns;
	struct table queries;
	struct list_link age;
	struct list_link held;
};

struct exchange_table *
exchange_table_new(const struct exchange_options *options,
		   struct role_table *roles, exchange_exe *exe,
		   exchange_callback *callback, void *user)
{
	struct exchange_table *table;

	if (options->queries == 0)
		return NULL;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	if (!table_init(&table->queries, options->queries)) {
		free(table);
		return NULL;
	}
	table->options = *options;
	table->roles = roles;
	table->exe = exe;
	table->callback = callback;
	table->user = user;
	list_init(&table->age);
	list_init(&table->held);
	return table;
}

static struct exchange_query *
query_by_age(struct list_link *link)
{
	return table_holder(link, struct exchange_query, age);
}

static struct exchange_query *
query_by_entry(struct table_entry *entry)
{
	return entry == NULL ? NULL :
			       table_holder(entry, struct exchange_query,
					    entry);
}

static bool
query_is_held(const struct exchange_query *query)
{
	return !list_is_empty(&query->held);
}

static struct role_verdict
decide(struct exchange_table *table, const struct packet *message,
       const struct role_header *query, const struct role_header *response)
{
	const char *exe = table->exe(table->user, &message->owner);

	return role_table_decide(table->roles, message, exe, query, response);
}

/* What is the same in all events: the message and its type. */
static struct exchange_event
event_of(const struct packet *message, const struct role_header *header,
	 struct role_verdict verdict)
{
	return (struct exchange_event){
		.kind = EXCHANGE_MESSAGE,
		.verdict = verdict,
		.message = message,
		.header = *header,
		.multicast = role_is_multicast(message),
	};
}

/* Hands on a query that was held back. */
static void
release(struct exchange_table *table, struct exchange_query *query,
	const struct role_header *response)
{
	struct exchange_event event;

	list_remove(&query->held);
	table->counters.held--;
	query->verdict = decide(table, &query->packet, NULL, response);
	event = event_of(&query->packet, &query->header, query->verdict);
	table->callback(table->user, &event);
}

static void
forget(struct exchange_table *table, struct exchange_query *query)
{
	table_remove(&table->queries, &query->entry);
	list_remove(&query->age);
	table->counters.query_bytes -= query->packet.payload_bytes;
	free(query);
}

static void
evict(struct exchange_table *table, struct exchange_query *query)
{
	if (query_is_held(query))
		release(table, query, NULL);
	if (!query->answered)
		table->counters.evicted++;
	forget(table, query);
}

static void
time_out(struct exchange_table *table, struct exchange_query *query)
{
	struct exchange_event event;

	if (query_is_held(query))
		release(table, query, NULL);
	if (!query->answered) {
		table->counters.unanswered++;
		event = event_of(&query->packet, &query->header,
				 query->verdict);
		event.kind = EXCHANGE_UNANSWERED;
		if (table->options.report_unanswered)
			table->callback(table->user, &event);
	}
	forget(table, query);
}

void
exchange_table_flush(struct exchange_table *table)
{
	struct list_link *link;

	while ((link = list_first(&table->held)) != NULL)
		release(table, table_holder(link, struct exchange_query, held),
			NULL);
	while ((link = list_first(&table->age)) != NULL)
		forget(table, query_by_age(link));
}

void
exchange_table_free(struct exchange_table **table)
{
	struct list_link *link;

	if (*table == NULL)
		return;
	while ((link = list_first(&(*table)->age)) != NULL)
		forget(*table, query_by_age(link));
	table_fini(&(*table)->queries);
	free(*table);
	*table = NULL;
}

static uint64_t
add_time(uint64_t time_ns, uint64_t wait_ns)
{
	return time_ns > UINT64_MAX - wait_ns ? UINT64_MAX : time_ns + wait_ns;
}

uint64_t
exchange_table_expire(struct exchange_table *table, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;
	struct exchange_query *query;
	struct list_link *link;

	if (now_ns > table->now_ns)
		table->now_ns = now_ns;
	while ((link = list_first(&table->held)) != NULL) {
		query = table_holder(link, struct exchange_query, held);
		next_ns = query->hold_due_ns;
		if (next_ns > table->now_ns)
			break;
		release(table, query, NULL);
		next_ns = UINT64_MAX;
	}
	while ((link = list_first(&table->age)) != NULL) {
		query = query_by_age(link);
		if (query->due_ns > table->now_ns)
			return query->due_ns < next_ns ? query->due_ns :
							 next_ns;
		time_out(table, query);
	}
	return next_ns;
}

/* Makes room for a query of so many octets and this hash; false when there
 * can be none. */
static bool
make_room(struct exchange_table *table, size_t bytes, uint64_t hash)
{
	struct table_entry *first = table_find(&table->queries, hash);
	struct table_entry *entry = first;
	size_t same = 0;

	if (bytes > table->options.query_bytes)
		return false;
	for (; entry != NULL; entry = table_find_next(entry))
		same++;
	if (same >= SAME_MAX)
		evict(table, query_by_entry(first));
	while (table->queries.count >= table->options.queries ||
	       table->counters.query_bytes > table->options.query_bytes - bytes)
		evict(table, query_by_age(list_first(&table->age)));
	return true;
}

/* NULL when the query cannot be remembered. */
static struct exchange_query *
remember(struct exchange_table *table, const struct packet *message,
	 const struct role_header *header)
{
	uint64_t hash = exchange_query_hash(&table->queries, message, header);
	struct exchange_query *query;

	if (!make_room(table, message->payload_bytes, hash))
		return NULL;
	query = exchange_query_new(message, header);
	if (query == NULL)
		return NULL;
	table_add(&table->queries, &query->entry, hash);
	list_move_last(&table->age, &query->age);
	table->counters.query_bytes += message->payload_bytes;
	query->due_ns = add_time(table->now_ns, table->options.timeout_ns);
	query->hold_due_ns = add_time(table->now_ns, table->options.hold_ns);
	return query;
}

static void
feed_query(struct exchange_table *table, const struct packet *message,
	   const struct role_header *header)
{
	struct role_verdict verdict = decide(table, message, NULL, NULL);
	struct exchange_event event = event_of(message, header, verdict);
	struct exchange_query *query = NULL;

	table->counters.queries++;
	if (!event.multicast && !exchange_query_is_notice(header)) {
		query = remember(table, message, header);
		table->counters.evicted += query == NULL;
	}
	if (query != NULL && verdict.wants_response &&
	    table->options.hold_ns > 0) {
		list_move_last(&table->held, &query->held);
		table->counters.held++;
		return;
	}
	if (query != NULL)
		query->verdict = verdict;
	table->callback(table->user, &event);
}

/* The oldest without an answer, else the oldest transfer that goes on. */
static struct exchange_query *
find_query(const struct exchange_table *table, const struct packet *response,
	   const struct role_header *header)
{
	uint64_t hash = exchange_query_hash(&table->queries, response, header);
	struct table_entry *entry = table_find(&table->queries, hash);
	struct exchange_query *found = NULL;

	for (; entry != NULL; entry = table_find_next(entry)) {
		struct exchange_query *query = query_by_entry(entry);

		if (query->answered && found != NULL)
			continue;
		if (!exchange_query_is_answered_by(query, response))
			continue;
		found = query;
		if (!query->answered)
			break;
	}
	return found;
}

static void
answer(struct exchange_table *table, struct exchange_query *query)
{
	if (!query->answered && !exchange_query_is_transfer(query)) {
		forget(table, query);
		return;
	}
	query->answered = true;
	query->due_ns = add_time(table->now_ns, table->options.timeout_ns);
	list_move_last(&table->age, &query->age);
}

static void
feed_response(struct exchange_table *table, const struct packet *message,
	      const struct role_header *header)
{
	struct exchange_query *query = NULL;
	struct exchange_event event;

	table->counters.responses++;
	if (!role_is_multicast(message))
		query = find_query(table, message, header);
	if (query != NULL && query_is_held(query))
		release(table, query, header);
	event = event_of(message, header,
			 decide(table, message,
				query != NULL ? &query->header : NULL, NULL));
	if (query != NULL) {
		event.query = query->octets;
		event.query_bytes = query->packet.payload_bytes;
		event.query_time_ns = query->packet.time_ns;
		event.continued = query->answered;
	} else if (message->local.port != PORT_MDNS &&
		   message->remote.port != PORT_MDNS) {
		table->counters.unmatched++;
	}
	table->callback(table->user, &event);
	if (query != NULL)
		answer(table, query);
}

void
exchange_table_feed(struct exchange_table *table, const struct packet *message)
{
	struct role_header header;

	exchange_table_expire(table, message->time_ns);
	if (!role_header_read(message, &header))
		table->counters.malformed++;
	else if (header.response)
		feed_response(table, message, &header);
	else
		feed_query(table, message, &header);
}

void
exchange_table_count(const struct exchange_table *table,
		     struct exchange_counters *counters)
{
	*counters = table->counters;
	counters->waiting = table->queries.count;
}
