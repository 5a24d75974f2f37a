/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_gate.c: see output_gate.h.
 */
#include "support/output_gate.h"

#include <check.h>
#include <unistd.h>

#include "tap.h"

static enum dtap_result
gate_open(struct dtap__output *output)
{
	struct output_gate *gate = (struct output_gate *)output;

	while (dtap__load_acquire(&gate->shut))
		usleep(1000);
	return DTAP_OK;
}

static enum dtap_result
gate_write(struct dtap__output *output, const struct iovec *parts, int count,
	   size_t *taken)
{
	(void)output;
	*taken = 0;
	for (int i = 0; i < count; i++)
		*taken += parts[i].iov_len;
	return DTAP_OK;
}

static int
gate_get_fd(const struct dtap__output *output)
{
	(void)output;
	return -1;
}

static void
gate_close(struct dtap__output *output)
{
	(void)output;
}

static void
gate_free(struct dtap__output *output)
{
	dtap__store_release(&((struct output_gate *)output)->freed, true);
}

static const struct dtap__output_ops gate_ops = {
	.name = "gate",
	.open = gate_open,
	.write = gate_write,
	.get_fd = gate_get_fd,
	.close = gate_close,
	.free = gate_free,
};

dtap *
output_gate_start(struct output_gate *gate, bool shut, dtap_options *options)
{
	dtap *tap;

	*gate = (struct output_gate){ .output.ops = &gate_ops };
	dtap__store_release(&gate->shut, shut);
	ck_assert_int_eq(dtap__tap_open_output(options, &gate->output, &tap),
			 DTAP_OK);
	ck_assert_int_eq(dtap_start(tap), DTAP_OK);
	return tap;
}

void
output_gate_unlock(struct output_gate *gate)
{
	dtap__store_release(&gate->shut, false);
}

bool
output_gate_is_freed(const struct output_gate *gate)
{
	return dtap__load_acquire(&gate->freed);
}
