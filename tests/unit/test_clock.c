/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "support/support.h"

START_TEST(never_goes_back)
{
	uint64_t last = dtap__clock_monotonic_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = dtap__clock_monotonic_ns();

		ck_assert_uint_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(wait_is_rounded_up_and_bounded)
{
	ck_assert_int_eq(dtap__clock_wait_ms(5, 5, 100), 0);
	ck_assert_int_eq(dtap__clock_wait_ms(6, 5, 100), 0);
	ck_assert_int_eq(dtap__clock_wait_ms(0, 1, 100), 1);
	ck_assert_int_eq(dtap__clock_wait_ms(0, DTAP__NS_PER_MS, 100), 1);
	ck_assert_int_eq(dtap__clock_wait_ms(0, DTAP__NS_PER_MS + 1, 100), 2);
	ck_assert_int_eq(dtap__clock_wait_ms(0, DTAP__NEVER, 100), 100);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");

	support_add(suite, never_goes_back);
	support_add(suite, wait_is_rounded_up_and_bounded);
	return support_run(suite);
}
