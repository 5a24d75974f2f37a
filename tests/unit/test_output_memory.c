/* SPDX-License-Identifier: Apache-2.0 */
#include "output/output_memory.h"

#include <errno.h>
#include <string.h>

#include "support/support.h"

static const char stream[] = "0123456789abcdefghijklmnopqrstuvwxyz";
#define STREAM_BYTES (sizeof(stream) - 1)

/* Writes from `from` on in parts of 7 octets until done or broken. */
static enum dtap_result
write_from(struct dtap__output *output, size_t *from)
{
	enum dtap_result result = DTAP_OK;

	while (result >= 0 && *from < STREAM_BYTES) {
		struct iovec parts[8];
		int count = 0;
		size_t taken;

		for (size_t at = *from; at < STREAM_BYTES; at += 7) {
			size_t left = STREAM_BYTES - at;

			parts[count].iov_base = (char *)(uintptr_t)stream + at;
			parts[count++].iov_len = left < 7 ? left : 7;
		}
		result = output->ops->write(output, parts, count, &taken);
		ck_assert(result == DTAP_OK ? taken > 0 : taken == 0);
		*from += taken;
	}
	return result;
}

static void
expect_session(const struct dtap__output *output, size_t session,
	       const char *text, size_t text_bytes)
{
	size_t bytes;
	const unsigned char *kept =
		dtap__output_memory_get(output, session, &bytes);

	ck_assert_ptr_nonnull(kept);
	ck_assert_uint_eq(bytes, text_bytes);
	ck_assert_int_eq(memcmp(kept, text, bytes), 0);
}

START_TEST(keeps_what_it_gets)
{
	struct dtap__memory_script script = {0};
	struct dtap__output *output = dtap__output_memory_new(100, &script);
	size_t from = 0;
	size_t bytes;

	ck_assert_uint_eq(dtap__output_memory_sessions(output), 0);
	ck_assert_ptr_null(dtap__output_memory_get(output, 0, &bytes));
	ck_assert(output->ops->read == NULL);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	ck_assert_int_eq(output->ops->get_fd(output), -1);
	ck_assert_int_eq(write_from(output, &from), DTAP_OK);
	expect_session(output, 0, stream, STREAM_BYTES);
	ck_assert_uint_eq(dtap__output_memory_sessions(output), 1);
	output->ops->free(output);
}
END_TEST

START_TEST(short_writes_of_every_length)
{
	for (size_t most = 1; most <= STREAM_BYTES; most++) {
		struct dtap__memory_script script = {.write_max_bytes = most};
		struct dtap__output *output =
			dtap__output_memory_new(100, &script);
		size_t from = 0;

		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		ck_assert_int_eq(write_from(output, &from), DTAP_OK);
		expect_session(output, 0, stream, STREAM_BYTES);
		output->ops->free(output);
	}
}
END_TEST

START_TEST(breaks_at_every_octet_and_then_works)
{
	for (size_t at = 0; at < STREAM_BYTES; at++) {
		struct dtap__memory_script script = {.breaks = 1,
						     .break_after_bytes = at};
		struct dtap__output *output =
			dtap__output_memory_new(100, &script);
		size_t from = 0;

		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		ck_assert_int_eq(write_from(output, &from), DTAP_E_CLOSED);
		ck_assert_uint_eq(from, at);
		ck_assert_int_eq(output->system_errno, EPIPE);
		output->ops->close(output);
		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		from = 0;
		ck_assert_int_eq(write_from(output, &from), DTAP_OK);
		expect_session(output, 0, stream, at);
		expect_session(output, 1, stream, STREAM_BYTES);
		output->ops->free(output);
	}
}
END_TEST

START_TEST(opens_are_refused_and_delayed_by_count)
{
	struct dtap__memory_script script = {.open_failures = 2,
					     .open_agains = 1};
	struct dtap__output *output = dtap__output_memory_new(1, &script);

	ck_assert_int_eq(output->ops->open(output), DTAP_E_SYSTEM);
	ck_assert_int_eq(output->system_errno, ECONNREFUSED);
	ck_assert_str_eq(output->error,
			 "memory: cannot connect: Connection refused");
	ck_assert_int_eq(output->ops->open(output), DTAP_E_SYSTEM);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(output->ops->open(output), DTAP_AGAIN);
		ck_assert_int_eq(output->ops->open(output), DTAP_OK);
		output->ops->close(output);
	}
	ck_assert_uint_eq(dtap__output_memory_sessions(output), 2);
	output->ops->free(output);
}
END_TEST

START_TEST(every_kth_write_is_put_off)
{
	struct dtap__memory_script script = {.again_every = 3};
	struct dtap__output *output = dtap__output_memory_new(10, &script);
	struct iovec part = {(char *)(uintptr_t)stream, 1};
	size_t taken;

	output->ops->open(output);
	for (int i = 1; i <= 9; i++) {
		enum dtap_result wanted = i % 3 == 0 ? DTAP_AGAIN : DTAP_OK;

		ck_assert_int_eq(output->ops->write(output, &part, 1, &taken),
				 wanted);
		ck_assert_uint_eq(taken, wanted == DTAP_OK ? 1 : 0);
	}
	output->ops->free(output);
}
END_TEST

START_TEST(full_memory_is_a_full_disk)
{
	struct dtap__memory_script script = {0};
	struct dtap__output *output = dtap__output_memory_new(10, &script);
	size_t from = 0;

	output->ops->open(output);
	ck_assert_int_eq(write_from(output, &from), DTAP_E_SYSTEM);
	ck_assert_int_eq(output->system_errno, ENOSPC);
	expect_session(output, 0, stream, 10);
	output->ops->free(output);
}
END_TEST

START_TEST(replies_come_when_their_time_has_come)
{
	static const struct dtap__memory_reply replies[] = {
		{0, "abc", 3},
		{2, "de", 2},
	};
	struct dtap__memory_script script = {.readable = true,
					     .read_max_bytes = 2,
					     .replies = replies,
					     .reply_count = 2,
					     .closes = true};
	struct dtap__output *output = dtap__output_memory_new(10, &script);
	struct iovec part = {(char *)(uintptr_t)stream, 2};
	char into[8];
	size_t size;

	output->ops->open(output);
	ck_assert_int_eq(output->ops->read(output, into, 8, &size), DTAP_OK);
	ck_assert_uint_eq(size, 2);
	ck_assert_int_eq(memcmp(into, "ab", 2), 0);
	ck_assert_int_eq(output->ops->read(output, into, 8, &size), DTAP_OK);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(into[0], 'c');
	ck_assert_int_eq(output->ops->read(output, into, 8, &size), DTAP_AGAIN);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(output->ops->write(output, &part, 1, &size), DTAP_OK);
	ck_assert_int_eq(output->ops->read(output, into, 1, &size), DTAP_OK);
	ck_assert_int_eq(into[0], 'd');
	ck_assert_int_eq(output->ops->read(output, into, 8, &size), DTAP_OK);
	ck_assert_int_eq(into[0], 'e');
	ck_assert_int_eq(output->ops->read(output, into, 8, &size),
			 DTAP_E_CLOSED);
	output->ops->free(output);
}
END_TEST

START_TEST(replies_start_again_with_each_session)
{
	static const struct dtap__memory_reply reply = {1, "abc", 3};
	struct dtap__memory_script script = {
		.readable = true, .replies = &reply, .reply_count = 1};
	struct dtap__output *output = dtap__output_memory_new(10, &script);
	struct iovec part = {(char *)(uintptr_t)stream, 1};
	char into[8];
	size_t size;

	for (int i = 0; i < 3; i++) {
		output->ops->open(output);
		ck_assert_int_eq(output->ops->read(output, into, 8, &size),
				 DTAP_AGAIN);
		output->ops->write(output, &part, 1, &size);
		ck_assert_int_eq(output->ops->read(output, into, 8, &size),
				 DTAP_OK);
		ck_assert_uint_eq(size, 3);
		ck_assert_int_eq(output->ops->read(output, into, 8, &size),
				 DTAP_AGAIN);
		output->ops->close(output);
	}
	output->ops->free(output);
}
END_TEST

START_TEST(sessions_past_the_limit_are_counted_not_kept_apart)
{
	struct dtap__memory_script script = {0};
	struct dtap__output *output = dtap__output_memory_new(100, &script);
	struct iovec part = {(char *)(uintptr_t)stream, 1};
	size_t size;

	for (int i = 0; i < DTAP__MEMORY_SESSIONS_MAX + 2; i++) {
		output->ops->open(output);
		output->ops->write(output, &part, 1, &size);
		output->ops->close(output);
	}
	ck_assert_uint_eq(dtap__output_memory_sessions(output),
			  DTAP__MEMORY_SESSIONS_MAX + 2);
	expect_session(output, DTAP__MEMORY_SESSIONS_MAX - 1, stream, 1);
	ck_assert_ptr_null(dtap__output_memory_get(
		output, DTAP__MEMORY_SESSIONS_MAX, &size));
	output->ops->free(output);
}
END_TEST

START_TEST(closed_one_takes_and_gives_nothing)
{
	struct dtap__memory_script script = {.readable = true};
	struct dtap__output *output = dtap__output_memory_new(10, &script);
	struct iovec part = {(char *)(uintptr_t)stream, 1};
	const struct dtap__output_ops *ops = output->ops;
	char into[1];
	size_t size = 9;

	ck_assert_int_eq(output->ops->write(output, &part, 1, &size),
			 DTAP_E_CLOSED);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(output->ops->read(output, into, 1, &size),
			 DTAP_E_CLOSED);
	ops->free(output);
	ops->free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output_memory");

	support_add(suite, keeps_what_it_gets);
	support_add(suite, short_writes_of_every_length);
	support_add(suite, breaks_at_every_octet_and_then_works);
	support_add(suite, opens_are_refused_and_delayed_by_count);
	support_add(suite, every_kth_write_is_put_off);
	support_add(suite, full_memory_is_a_full_disk);
	support_add(suite, replies_come_when_their_time_has_come);
	support_add(suite, replies_start_again_with_each_session);
	support_add(suite, sessions_past_the_limit_are_counted_not_kept_apart);
	support_add(suite, closed_one_takes_and_gives_nothing);
	return support_run(suite);
}
