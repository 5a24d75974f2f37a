/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/ledger.h"

#include <stddef.h>
#include <string.h>

#include "support/support.h"

START_TEST(tallies_add_up)
{
	struct dtap__tally tally = { 0 };
	struct dtap_stats sums = DTAP_STATS_INIT;

	for (int fate = 0; fate < DTAP__FATES; fate++)
		for (int i = 0; i <= fate; i++)
			dtap__tally_count(&tally, (enum dtap__fate)fate);
	dtap__ledger_add_tally(&sums, &tally);
	dtap__ledger_add_tally(&sums, &tally);
	ck_assert_uint_eq(sums.submitted, 2);
	ck_assert_uint_eq(sums.accepted, 4);
	ck_assert_uint_eq(sums.filtered, 6);
	ck_assert_uint_eq(sums.sampled_out, 8);
	ck_assert_uint_eq(sums.dropped_invalid, 10);
	ck_assert_uint_eq(sums.dropped_too_big, 12);
	ck_assert_uint_eq(sums.dropped_full, 14);
	ck_assert_uint_eq(sums.dropped_no_ring, 16);
	ck_assert_uint_eq(sums.dropped_fork, 18);
	ck_assert_uint_eq(sums.dropped_stopped, 20);
}
END_TEST

START_TEST(each_equation_is_looked_at)
{
	struct dtap_stats good = DTAP_STATS_INIT;
	uint64_t *const members[] = {
		&good.submitted,	&good.accepted,
		&good.filtered,		&good.sampled_out,
		&good.dropped_invalid,	&good.dropped_too_big,
		&good.dropped_full,	&good.dropped_no_ring,
		&good.dropped_fork,	&good.dropped_stopped,
		&good.written,		&good.lost_io,
		&good.lost_shutdown,	&good.in_ring,
		&good.confirmed,	&good.unconfirmed,
	};

	good.confirmed = 3;
	good.unconfirmed = 4;
	good.written = 7;
	good.lost_io = 1;
	good.lost_shutdown = 2;
	good.in_ring = 5;
	good.accepted = 15;
	good.filtered = good.sampled_out = good.dropped_invalid = 1;
	good.dropped_too_big = good.dropped_full = good.dropped_no_ring = 1;
	good.dropped_fork = good.dropped_stopped = 1;
	good.submitted = 23;
	ck_assert(dtap_stats_balanced(&good));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		++*members[i];
		ck_assert_msg(!dtap_stats_balanced(&good), "member %zu", i);
		--*members[i];
	}
}
END_TEST

START_TEST(sizes_other_than_ours_are_served)
{
	struct dtap_stats sums = DTAP_STATS_INIT;
	struct {
		struct dtap_stats stats;
		uint64_t newer;
	} larger;
	struct dtap_stats out;

	sums.submitted = sums.accepted = 9;
	sums.written = 4;
	sums.confirmed = 1;
	memset(&larger, 0xff, sizeof(larger));
	larger.stats.size = sizeof(larger);
	ck_assert_int_eq(dtap__ledger_publish(&sums, &larger.stats), DTAP_OK);
	ck_assert_uint_eq(larger.newer, 0);
	ck_assert_uint_eq(larger.stats.in_ring, 5);
	ck_assert_uint_eq(larger.stats.unconfirmed, 3);

	memset(&out, 0xff, sizeof(out));
	out.size = offsetof(struct dtap_stats, last_errno);
	ck_assert_int_eq(dtap__ledger_publish(&sums, &out), DTAP_OK);
	ck_assert_uint_eq(out.submitted, 9);
	ck_assert_int_eq(out.last_errno, -1);

	out.size = 8;
	out.submitted = 77;
	ck_assert_int_eq(dtap__ledger_publish(&sums, &out), DTAP_E_INVALID);
	out.size = sizeof(out) - 1;
	ck_assert_int_eq(dtap__ledger_publish(&sums, &out), DTAP_E_INVALID);
	ck_assert_uint_eq(out.submitted, 77);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ledger");

	support_add(suite, tallies_add_up);
	support_add(suite, each_equation_is_looked_at);
	support_add(suite, sizes_other_than_ours_are_served);
	return support_run(suite);
}
