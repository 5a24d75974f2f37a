/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/outputs.h"
#include "support/scratch.h"
#include "support/support.h"

START_TEST(path_without_listener)
{
	struct dtap__output *output = dtap__output_unix_new("s");
	int listener;

	scratch_enter();
	outputs_expect_refused(output, ENOENT,
			       "s: cannot connect: No such file or directory");
	listener = outputs_listen_unix("s", 1);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	output->ops->close(output);
	close(listener);
	outputs_expect_refused(output, ECONNREFUSED,
			       "s: cannot connect: Connection refused");
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(path_as_long_as_an_address_takes)
{
	struct sockaddr_un address;
	char path[sizeof(address.sun_path) + 1];
	struct dtap__output *output;
	int listener;

	scratch_enter();
	memset(path, 'p', sizeof(path));
	path[sizeof(address.sun_path) - 1] = '\0';
	listener = outputs_listen_unix(path, 1);
	output = dtap__output_unix_new(path);
	ck_assert_int_eq(output->ops->open(output), DTAP_OK);
	output->ops->free(output);
	close(listener);

	path[sizeof(address.sun_path) - 1] = 'p';
	path[sizeof(address.sun_path)] = '\0';
	output = dtap__output_unix_new(path);
	ck_assert_ptr_nonnull(output);
	ck_assert_int_eq(output->ops->open(output), DTAP_E_SYSTEM);
	ck_assert_int_eq(output->system_errno, ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(output->error, "is no path for a socket"));
	output->ops->free(output);
	scratch_leave();
}
END_TEST

START_TEST(listener_with_a_full_queue)
{
	struct dtap__output *outputs[8];
	enum dtap_result result = DTAP_OK;
	int listener;
	int count = 0;

	scratch_enter();
	listener = outputs_listen_unix("s", 0);
	while (result == DTAP_OK && count < 8) {
		outputs[count] = dtap__output_unix_new("s");
		result = outputs[count]->ops->open(outputs[count]);
		count++;
	}
	ck_assert_int_eq(result, DTAP_E_SYSTEM);
	ck_assert_int_eq(outputs[count - 1]->system_errno, EAGAIN);
	ck_assert_int_eq(outputs[count - 1]->ops->get_fd(outputs[count - 1]),
			 -1);
	while (count-- > 0)
		outputs[count]->ops->free(outputs[count]);
	close(listener);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output_unix");

	support_add(suite, path_without_listener);
	support_add(suite, path_as_long_as_an_address_takes);
	support_add(suite, listener_with_a_full_queue);
	return support_run(suite);
}
