/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/loss.h"

#include <stdint.h>
#include <string.h>

#include "support/support.h"

static void
assert_text(const struct dtap__loss *loss, const char *expected)
{
	char text[DTAP__LOSS_TEXT_MAX + 1];
	size_t bytes = dtap__loss_text(loss, text);

	ck_assert_uint_le(bytes, DTAP__LOSS_TEXT_MAX);
	text[bytes] = '\0';
	ck_assert_str_eq(text, expected);
}

START_TEST(first_and_last_are_those_of_the_lost_events)
{
	struct dtap__loss loss = { 0 };
	struct dtap_event event = DTAP_EVENT_INIT;

	event.query_time_sec = 1700000000;
	event.query_time_nsec = 1;
	dtap__loss_note(&loss, DTAP__LOSS_FULL, &event);
	event.query_time_sec = 1700000001;
	event.query_time_nsec = 250000000;
	dtap__loss_note(&loss, DTAP__LOSS_FULL, &event);
	assert_text(&loss, "dtap.lost=2 dtap.cause=full "
			   "dtap.first=1700000000.000000001 "
			   "dtap.last=1700000001.250000000");
}
END_TEST

START_TEST(a_response_counts_with_its_own_time)
{
	struct dtap__loss loss = { 0 };
	struct dtap_event event = DTAP_EVENT_INIT;

	event.query_time_sec = 10;
	event.response_time_sec = 11;
	dtap__loss_note(&loss, DTAP__LOSS_TOO_BIG, &event);
	assert_text(&loss, "dtap.lost=1 dtap.cause=too-big "
			   "dtap.first=11.000000000 dtap.last=11.000000000");
}
END_TEST

START_TEST(absent_and_invalid_times_are_left_out)
{
	struct dtap__loss loss = { 0 };
	struct dtap_event event = DTAP_EVENT_INIT;

	dtap__loss_note(&loss, DTAP__LOSS_INVALID, NULL);
	event.query_time_sec = UINT64_MAX;
	dtap__loss_note(&loss, DTAP__LOSS_INVALID, &event);
	event.query_time_sec = 1;
	event.query_time_nsec = 1000000000;
	dtap__loss_note(&loss, DTAP__LOSS_INVALID, &event);
	assert_text(&loss, "dtap.lost=3 dtap.cause=invalid");
}
END_TEST

START_TEST(different_causes_are_mixed)
{
	struct dtap__loss loss = { 0 };

	dtap__loss_note(&loss, DTAP__LOSS_INVALID, NULL);
	dtap__loss_note(&loss, DTAP__LOSS_FULL, NULL);
	assert_text(&loss, "dtap.lost=2 dtap.cause=mixed");
}
END_TEST

START_TEST(the_longest_text_fits)
{
	struct dtap__loss loss = { UINT64_MAX, DTAP__LOSS_TOO_BIG,
				   { UINT64_MAX, 999999999 },
				   { UINT64_MAX, 999999999 } };

	assert_text(&loss,
		    "dtap.lost=18446744073709551615 dtap.cause=too-big "
		    "dtap.first=18446744073709551615.999999999 "
		    "dtap.last=18446744073709551615.999999999");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loss");

	support_add(suite, first_and_last_are_those_of_the_lost_events);
	support_add(suite, a_response_counts_with_its_own_time);
	support_add(suite, absent_and_invalid_times_are_left_out);
	support_add(suite, different_causes_are_mixed);
	support_add(suite, the_longest_text_fits);
	return support_run(suite);
}
