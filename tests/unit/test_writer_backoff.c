/* SPDX-License-Identifier: Apache-2.0 */
#include "writer/writer_backoff.h"

#include "base/clock.h"
#include "support/support.h"

START_TEST(delays_double_up_to_the_maximum)
{
	struct dtap__backoff backoff;
	uint64_t delay_ms = 50;

	dtap__backoff_init(&backoff, 50, 5000, 42);
	for (int i = 0; i < 20; i++) {
		uint64_t ns = dtap__backoff_next_ns(&backoff);

		ck_assert_uint_ge(ns, delay_ms * DTAP__NS_PER_MS * 3 / 4);
		ck_assert_uint_le(ns, delay_ms * DTAP__NS_PER_MS * 5 / 4);
		delay_ms = delay_ms * 2 < 5000 ? delay_ms * 2 : 5000;
	}
}
END_TEST

START_TEST(a_success_starts_over)
{
	struct dtap__backoff backoff;

	dtap__backoff_init(&backoff, 50, 5000, 0);
	for (int i = 0; i < 20; i++)
		dtap__backoff_next_ns(&backoff);
	dtap__backoff_reset(&backoff);
	ck_assert_uint_le(dtap__backoff_next_ns(&backoff),
			  63 * DTAP__NS_PER_MS);
}
END_TEST

START_TEST(two_seeds_do_not_knock_in_step)
{
	struct dtap__backoff one;
	struct dtap__backoff other;
	int equal = 0;

	dtap__backoff_init(&one, 50, 5000, 1000);
	dtap__backoff_init(&other, 50, 5000, 2000);
	for (int i = 0; i < 20; i++)
		equal += dtap__backoff_next_ns(&one) ==
			 dtap__backoff_next_ns(&other);
	ck_assert_int_lt(equal, 2);
}
END_TEST

START_TEST(equal_limits_are_allowed)
{
	struct dtap__backoff backoff;

	dtap__backoff_init(&backoff, 10, 10, 7);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_le(dtap__backoff_next_ns(&backoff),
				  13 * DTAP__NS_PER_MS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer_backoff");

	support_add(suite, delays_double_up_to_the_maximum);
	support_add(suite, a_success_starts_over);
	support_add(suite, two_seeds_do_not_knock_in_step);
	support_add(suite, equal_limits_are_allowed);
	return support_run(suite);
}
