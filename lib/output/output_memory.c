/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_memory.c: see output_memory.h.
 *
 * Each kind of trouble that a real medium makes by chance is made here by
 * count, so that a test can put it at every single octet of a stream. A
 * session is what lies between an open and the next; the octets of all of
 * them stand in one buffer, which is allocated at once so that nothing here
 * allocates while a writer runs.
 */
#include "output/output_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

struct output_memory {
	struct dtap__output output;
	struct dtap__memory_script script;
	bool is_open;
	unsigned int opens_refused;
	unsigned int opens_delayed; /* of the open under way */
	unsigned int writes;
	size_t reply;		 /* the next of the session */
	size_t reply_read_bytes; /* of that reply */

	size_t sessions;
	size_t session_start; /* in octets, as the others */
	size_t starts[DTAP__MEMORY_SESSIONS_MAX + 1];
	size_t capacity_bytes;
	size_t kept_bytes;
	unsigned char octets[];
};

static struct output_memory *
memory_of(struct dtap__output *output)
{
	return dtap__container_of(output, struct output_memory, output);
}

static enum dtap_result
memory_fail(struct output_memory *memory, int system_errno, const char *problem)
{
	return dtap__output_fail(&memory->output, system_errno, "memory",
				 problem);
}

static enum dtap_result
memory_closed(struct output_memory *memory)
{
	memory_fail(memory, EPIPE, "is closed");
	return DTAP_E_CLOSED;
}

static void
memory_begin_session(struct output_memory *memory)
{
	memory->is_open = true;
	memory->opens_delayed = 0;
	memory->reply = 0;
	memory->reply_read_bytes = 0;
	memory->session_start = memory->kept_bytes;
	if (memory->sessions <= DTAP__MEMORY_SESSIONS_MAX)
		memory->starts[memory->sessions] = memory->kept_bytes;
	memory->sessions++;
}

static enum dtap_result
memory_open(struct dtap__output *output)
{
	struct output_memory *memory = memory_of(output);

	if (memory->opens_refused < memory->script.open_failures) {
		memory->opens_refused++;
		return memory_fail(memory, ECONNREFUSED, "cannot connect");
	}
	if (memory->opens_delayed < memory->script.open_agains) {
		memory->opens_delayed++;
		return DTAP_AGAIN;
	}
	memory_begin_session(memory);
	return DTAP_OK;
}

/* How many octets the next write may take: 0 when the session breaks. */
static size_t
memory_get_limit(const struct output_memory *memory)
{
	const struct dtap__memory_script *script = &memory->script;
	size_t limit = memory->capacity_bytes - memory->kept_bytes;
	size_t taken = memory->kept_bytes - memory->session_start;

	if (script->write_max_bytes > 0 && script->write_max_bytes < limit)
		limit = script->write_max_bytes;
	if (memory->sessions <= script->breaks &&
	    script->break_after_bytes - taken < limit)
		limit = script->break_after_bytes - taken;
	return limit;
}

static size_t
memory_keep(struct output_memory *memory, const struct iovec *parts, int count,
	    size_t limit)
{
	size_t before = memory->kept_bytes;

	for (int i = 0; i < count && limit > 0; i++) {
		size_t bytes = parts[i].iov_len;

		if (bytes > limit)
			bytes = limit;
		if (bytes > 0)
			memcpy(memory->octets + memory->kept_bytes,
			       parts[i].iov_base, bytes);
		memory->kept_bytes += bytes;
		limit -= bytes;
	}
	return memory->kept_bytes - before;
}

static enum dtap_result
memory_write(struct dtap__output *output, const struct iovec *parts, int count,
	     size_t *taken)
{
	struct output_memory *memory = memory_of(output);
	size_t limit;

	*taken = 0;
	if (!memory->is_open)
		return memory_closed(memory);
	memory->writes++;
	if (memory->script.again_every > 0 &&
	    memory->writes % memory->script.again_every == 0)
		return DTAP_AGAIN;
	limit = memory_get_limit(memory);
	if (limit == 0 && memory->kept_bytes == memory->capacity_bytes)
		return memory_fail(memory, ENOSPC, "cannot be written");
	if (limit == 0)
		return memory_closed(memory);
	*taken = memory_keep(memory, parts, count, limit);
	return DTAP_OK;
}

static size_t
memory_read_reply(struct output_memory *memory, void *into, size_t room)
{
	const struct dtap__memory_reply *reply =
		&memory->script.replies[memory->reply];
	size_t bytes = reply->bytes - memory->reply_read_bytes;

	if (bytes > room)
		bytes = room;
	if (memory->script.read_max_bytes > 0 &&
	    bytes > memory->script.read_max_bytes)
		bytes = memory->script.read_max_bytes;
	memcpy(into, (const char *)reply->data + memory->reply_read_bytes,
	       bytes);
	memory->reply_read_bytes += bytes;
	if (memory->reply_read_bytes == reply->bytes) {
		memory->reply++;
		memory->reply_read_bytes = 0;
	}
	return bytes;
}

static enum dtap_result
memory_read(struct dtap__output *output, void *into, size_t room, size_t *got)
{
	struct output_memory *memory = memory_of(output);
	size_t taken = memory->kept_bytes - memory->session_start;

	*got = 0;
	if (!memory->is_open)
		return memory_closed(memory);
	if (memory->reply == memory->script.reply_count)
		return memory->script.closes ? memory_closed(memory)
					     : DTAP_AGAIN;
	if (taken < memory->script.replies[memory->reply].after_bytes)
		return DTAP_AGAIN;
	*got = memory_read_reply(memory, into, room);
	return DTAP_OK;
}

static int
memory_get_fd(const struct dtap__output *output)
{
	(void)output;
	return -1;
}

static void
memory_close(struct dtap__output *output)
{
	memory_of(output)->is_open = false;
	memory_of(output)->opens_delayed = 0;
}

static void
memory_free(struct dtap__output *output)
{
	if (output != NULL)
		free(memory_of(output));
}

static const struct dtap__output_ops memory_ops = {
	.name = "memory",
	.open = memory_open,
	.write = memory_write,
	.get_fd = memory_get_fd,
	.close = memory_close,
	.free = memory_free,
};

static const struct dtap__output_ops memory_ops_readable = {
	.name = "memory",
	.open = memory_open,
	.write = memory_write,
	.read = memory_read,
	.get_fd = memory_get_fd,
	.close = memory_close,
	.free = memory_free,
};

struct dtap__output *
dtap__output_memory_new(size_t capacity_bytes,
			const struct dtap__memory_script *script)
{
	struct output_memory *memory =
		calloc(1, sizeof(*memory) + capacity_bytes);

	if (memory == NULL)
		return NULL;
	memory->output.ops =
		script->readable ? &memory_ops_readable : &memory_ops;
	memory->script = *script;
	memory->capacity_bytes = capacity_bytes;
	return &memory->output;
}

size_t
dtap__output_memory_sessions(const struct dtap__output *output)
{
	return ((const struct output_memory *)output)->sessions;
}

const unsigned char *
dtap__output_memory_get(const struct dtap__output *output, size_t session,
			size_t *bytes)
{
	const struct output_memory *memory =
		(const struct output_memory *)output;
	size_t end = memory->kept_bytes;

	*bytes = 0;
	if (session >= memory->sessions || session >= DTAP__MEMORY_SESSIONS_MAX)
		return NULL;
	if (session + 1 < memory->sessions)
		end = memory->starts[session + 1];
	*bytes = end - memory->starts[session];
	return memory->octets + memory->starts[session];
}
