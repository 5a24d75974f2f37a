/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.c: see role.h, with the table of types.
 *
 * What is learnt of a process comes from what it does itself: the responses
 * it sends, the low ports it listens at. A datagram with the QR bit clear
 * that someone throws at a client's port must not make it a server.
 *
 * Processes are remembered by pid and executable: a pid that is used again
 * by another program starts anew. Those without a pid are not remembered.
 */
#include "sidecar/role.h"

#include <stdlib.h>
#include <string.h>

#include "cat/dns_message.h"
#include "sidecar/role_profile.h"
#include "sidecar/table.h"

#define OPCODE_QUERY 0
#define OPCODE_UPDATE 5
#define RCODE_FORMERR 1
#define RCODE_NOTIMP 4
#define PORT_MDNS 5353
#define PORTS_OF_SERVERS 1024
#define NAME_BYTES 32
/* So many messages as a client only, and it is taken for one. */
#define CLIENT_MESSAGES 8

struct process {
	struct table_entry entry;
	struct list_link used;
	char exe[NAME_BYTES]; /* cut */
	bool is_server;
	bool sent_ra;    /* it has sent a response with RA */
	bool sent_no_ra; /* it has sent a response without */
	uint8_t client_messages; /* CLIENT_MESSAGES at most */
};

struct override {
	char *name;
	enum role role;
};

struct role_table {
	struct table processes;
	struct list_link used;
	struct override overrides[ROLE_OVERRIDES_MAX];
	size_t overrides_count;
	/* Of all processes without a pid: stays as it is. */
	struct process unknown;
};

/* All that a decision rests on. */
struct question {
	enum role role;
	enum role_confidence confidence;
	const struct process *process;
	bool server_end;
	bool multicast;
	bool rd;
	bool ra_is_known;
	bool ra;
};

struct role_table *
role_table_new(void)
{
	struct role_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	list_init(&table->used);
	if (!table_init(&table->processes, ROLE_PROCESSES_MAX)) {
		free(table);
		return NULL;
	}
	return table;
}

static void
process_forget(struct role_table *table, struct process *process)
{
	table_remove(&table->processes, &process->entry);
	list_remove(&process->used);
	free(process);
}

void
role_table_free(struct role_table **table)
{
	struct list_link *link;

	if (*table == NULL)
		return;
	while ((link = list_first(&(*table)->used)) != NULL)
		process_forget(*table,
			       table_holder(link, struct process, used));
	for (size_t i = 0; i < (*table)->overrides_count; i++)
		free((*table)->overrides[i].name);
	table_fini(&(*table)->processes);
	free(*table);
	*table = NULL;
}

bool
role_table_override(struct role_table *table, const char *text)
{
	const char *sign = strrchr(text, '=');
	struct override *override =
		&table->overrides[table->overrides_count];
	enum role role;

	if (sign == NULL || sign == text ||
	    !role_profile_parse(sign + 1, &role) ||
	    table->overrides_count == ROLE_OVERRIDES_MAX)
		return false;
	override->name = strndup(text, (size_t)(sign - text));
	if (override->name == NULL)
		return false;
	override->role = role;
	table->overrides_count++;
	return true;
}

bool
role_header_read(const struct packet *message, struct role_header *header)
{
	if (message->payload_bytes < DNS_HEADER_BYTES)
		return false;
	header->id = dns_message_be16(message->payload);
	header->flags = dns_message_be16(message->payload + 2);
	header->response = (header->flags & DNS_QR) != 0;
	header->opcode = header->flags >> 11 & 15;
	return true;
}

/* 224.0.0.251 and ff02::fb (RFC 6762 section 3). */
static bool
is_group(const struct packet_endpoint *endpoint, uint8_t family)
{
	static const uint8_t group4[16] = { 224, 0, 0, 251 };
	static const uint8_t group6[16] = { 0xff, 0x02, [15] = 0xfb };

	return endpoint->port == PORT_MDNS &&
	       memcmp(endpoint->address,
		      family == DTAP_INET6 ? group6 : group4, 16) == 0;
}

bool
role_is_multicast(const struct packet *message)
{
	return message->protocol == PACKET_UDP &&
	       ((message->local.port == PORT_MDNS &&
		 message->remote.port == PORT_MDNS) ||
		is_group(&message->local, message->family) ||
		is_group(&message->remote, message->family));
}

bool
role_is_server_end(const struct packet *message,
		   const struct role_header *header)
{
	return header->response == (message->direction == PACKET_SENT);
}

static struct process *
process_new(struct role_table *table, uint64_t hash)
{
	struct process *process;

	if (table->processes.count == ROLE_PROCESSES_MAX)
		process_forget(table, table_holder(list_first(&table->used),
						   struct process, used));
	process = calloc(1, sizeof(*process));
	if (process == NULL)
		return NULL;
	list_init(&process->used);
	table_add(&table->processes, &process->entry, hash);
	return process;
}

/* NULL for a process that cannot be remembered. */
static struct process *
process_of(struct role_table *table, const struct packet_owner *owner,
	   const char *exe)
{
	uint64_t word = owner->pid;
	struct table_entry *entry;
	struct process *process;
	char name[NAME_BYTES] = "";
	uint64_t hash;

	if (owner->pid == 0)
		return NULL;
	hash = table_hash(&table->processes, &word, 1);
	entry = table_find(&table->processes, hash);
	process = entry != NULL ? table_holder(entry, struct process, entry) :
				  process_new(table, hash);
	if (process == NULL)
		return NULL;
	list_move_last(&table->used, &process->used);
	memcpy(name, exe, strnlen(exe, sizeof(name) - 1));
	if (memcmp(process->exe, name, sizeof(name)) != 0) {
		memcpy(process->exe, name, sizeof(name));
		process->is_server = false;
		process->sent_ra = false;
		process->sent_no_ra = false;
		process->client_messages = 0;
	}
	return process;
}

static void
process_learn(struct process *process, const struct packet *message,
	      const struct role_header *header)
{
	bool server_end = role_is_server_end(message, header);
	unsigned int rcode = header->flags & 15;

	if (server_end && (header->response ||
			   message->local.port < PORTS_OF_SERVERS))
		process->is_server = true;
	if (!server_end && process->client_messages < CLIENT_MESSAGES)
		process->client_messages++;
	/* Who did not understand a query says nothing about recursion. */
	if (!server_end || !header->response ||
	    header->opcode != OPCODE_QUERY || rcode == RCODE_FORMERR ||
	    rcode == RCODE_NOTIMP || role_is_multicast(message))
		return;
	if ((header->flags & DNS_RA) != 0)
		process->sent_ra = true;
	else
		process->sent_no_ra = true;
}

/* Sets role and confidence, by name. */
static void
question_set_role(const struct role_table *table, const char *exe,
		  const struct packet_owner *owner, struct question *question)
{
	bool whole = exe[0] != '\0';
	const char *name = whole ? exe : owner->comm;

	question->role = ROLE_LEARN;
	question->confidence = ROLE_GUESSED;
	if (role_profile_find(name, whole, &question->role))
		question->confidence = ROLE_KNOWN;
	for (size_t i = 0; i < table->overrides_count; i++) {
		if (strcmp(table->overrides[i].name, name) == 0) {
			question->role = table->overrides[i].role;
			question->confidence = ROLE_TOLD;
		}
	}
}

/* The type is that of the query; that of the response is the next number. */
static void
verdict_set(struct role_verdict *verdict, enum dtap_message_type type,
	    enum role_confidence confidence)
{
	verdict->type = (uint8_t)type;
	verdict->confidence = (uint8_t)confidence;
}

static void
decide_by_ra(const struct question *question, struct role_verdict *verdict)
{
	const struct process *process = question->process;

	if (question->ra_is_known || !question->rd) {
		verdict_set(verdict,
			    question->rd && question->ra ? DTAP_CLIENT_QUERY :
							   DTAP_AUTH_QUERY,
			    ROLE_LEARNT);
		return;
	}
	/* Both, or neither: this response would tell. */
	verdict->wants_response = process->sent_ra == process->sent_no_ra;
	verdict_set(verdict,
		    process->sent_no_ra && !process->sent_ra ?
			    DTAP_AUTH_QUERY :
			    DTAP_CLIENT_QUERY,
		    verdict->wants_response ? ROLE_GUESSED : ROLE_LEARNT);
}

static void
decide_server_end(const struct question *question,
		  struct role_verdict *verdict)
{
	if (question->multicast)
		verdict_set(verdict, DTAP_AUTH_QUERY, ROLE_KNOWN);
	else if (question->role == ROLE_AUTH)
		verdict_set(verdict, DTAP_AUTH_QUERY, question->confidence);
	else if (question->role == ROLE_RECURSIVE ||
		 question->role == ROLE_FORWARDER)
		verdict_set(verdict, DTAP_CLIENT_QUERY, question->confidence);
	else
		decide_by_ra(question, verdict);
}

static void
decide_client_end(const struct question *question,
		  struct role_verdict *verdict)
{
	enum dtap_message_type by_rd = question->rd ? DTAP_FORWARDER_QUERY :
						      DTAP_RESOLVER_QUERY;
	enum role_confidence confidence = question->confidence;

	if (question->role == ROLE_TOOL)
		verdict_set(verdict, DTAP_TOOL_QUERY, confidence);
	else if (question->multicast)
		verdict_set(verdict, DTAP_STUB_QUERY, ROLE_KNOWN);
	else if (question->role == ROLE_STUB)
		verdict_set(verdict, DTAP_STUB_QUERY, confidence);
	else if (question->role == ROLE_FORWARDER)
		verdict_set(verdict, DTAP_FORWARDER_QUERY, confidence);
	else if (question->role != ROLE_LEARN || confidence == ROLE_KNOWN)
		verdict_set(verdict, by_rd, confidence);
	else if (question->process->is_server)
		verdict_set(verdict, by_rd, ROLE_LEARNT);
	else if (question->process->client_messages == CLIENT_MESSAGES)
		verdict_set(verdict, DTAP_STUB_QUERY, ROLE_LEARNT);
	else
		verdict_set(verdict, DTAP_STUB_QUERY, ROLE_GUESSED);
}

struct role_verdict
role_table_decide(struct role_table *table, const struct packet *message,
		  const char *exe, const struct role_header *query,
		  const struct role_header *response)
{
	struct role_verdict verdict = { 0, ROLE_GUESSED, false };
	struct question question;
	struct process *process;
	struct role_header own;

	if (!role_header_read(message, &own))
		memset(&own, 0, sizeof(own));
	if (own.response)
		response = &own;
	else
		query = &own;
	process = process_of(table, &message->owner, exe);
	if (process != NULL)
		process_learn(process, message, &own);
	question_set_role(table, exe, &message->owner, &question);
	question.process = process != NULL ? process : &table->unknown;
	question.server_end = role_is_server_end(message, &own);
	question.multicast = role_is_multicast(message);
	question.rd = ((query != NULL ? query : &own)->flags & DNS_RD) != 0;
	question.ra_is_known = response != NULL;
	question.ra = response != NULL && (response->flags & DNS_RA) != 0;
	if (!question.server_end)
		decide_client_end(&question, &verdict);
	else if (own.opcode == OPCODE_UPDATE)
		verdict_set(&verdict, DTAP_UPDATE_QUERY, ROLE_TOLD);
	else
		decide_server_end(&question, &verdict);
	if (own.response)
		verdict.type++;
	return verdict;
}

const char *
role_confidence_name(enum role_confidence confidence)
{
	static const char *const names[] = {
		[ROLE_GUESSED] = "guessed",
		[ROLE_LEARNT] = "learnt",
		[ROLE_KNOWN] = "known",
		[ROLE_TOLD] = "told",
	};

	return names[confidence];
}
