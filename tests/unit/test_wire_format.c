/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that docs/wire-format.md shows octet for octet is what the library
 * writes for the event described there.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/scratch.h"
#include "support/support.h"
#include "support/taps.h"

#define OCTETS_MAX 1024

/* "0123    00 ff ...   words" */
static size_t
take_line(const char *line, uint8_t *octets, size_t count)
{
	const char *at = line + 4;
	char *end;

	if (strspn(line, "0123456789abcdef") != 4 || strncmp(at, "    ", 4))
		return count;
	ck_assert_uint_eq(strtoul(line, NULL, 16), count);
	for (at += 4; isxdigit((unsigned char)at[0]) &&
		      isxdigit((unsigned char)at[1]) && at[2] <= ' ';
	     at = end + (*end == ' ')) {
		ck_assert_uint_lt(count, OCTETS_MAX);
		octets[count++] = (uint8_t)strtoul(at, &end, 16);
	}
	return count;
}

static size_t
read_document(uint8_t *octets)
{
	FILE *document = fopen(WIRE_FORMAT_MD, "r");
	size_t count = 0;
	char line[256];

	ck_assert_msg(document != NULL, WIRE_FORMAT_MD " cannot be opened");
	while (fgets(line, sizeof(line), document) != NULL)
		count = take_line(line, octets, count);
	fclose(document);
	return count;
}

static void
submit_what_is_described(dtap_producer *producer)
{
	static const char query[] = "\xbe\xef\x01\x00\x00\x01\x00\x00\x00\x00"
		"\x00\x00\x03www\x07" "example\x00\x00\x01\x00\x01";
	struct dtap_event event = DTAP_EVENT_INIT;

	event.type = DTAP_CLIENT_QUERY;
	event.socket_family = DTAP_INET;
	event.socket_protocol = DTAP_UDP;
	event.query_address = "\xc0\x00\x02\x01";
	event.query_address_bytes = 4;
	event.response_address = "\xc0\x00\x02\x35";
	event.response_address_bytes = 4;
	event.query_port = 53053;
	event.response_port = 53;
	event.query_time_sec = 1700000000;
	event.query_time_nsec = 123456789;
	event.query_message = query;
	event.query_message_bytes = sizeof(query) - 1;
	ck_assert_int_eq(dtap_submit(producer, &event), DTAP_OK);
}

START_TEST(the_document_shows_what_is_written)
{
	static const char *const identity[] = { "identity=ns1", NULL };
	uint8_t shown[OCTETS_MAX], written[OCTETS_MAX];
	size_t shown_bytes = read_document(shown);
	dtap_producer *producer;
	FILE *file;
	dtap *tap;

	scratch_enter();
	tap = taps_start("file:x.fstrm", identity);
	ck_assert_int_eq(dtap_producer_open(tap, &producer), DTAP_OK);
	submit_what_is_described(producer);
	dtap_producer_close(&producer);
	taps_finish(&tap, 5000);
	file = fopen("x.fstrm", "rb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(shown_bytes, 0);
	ck_assert_uint_eq(fread(written, 1, OCTETS_MAX, file), shown_bytes);
	ck_assert_mem_eq(written, shown, shown_bytes);
	fclose(file);
	scratch_leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire_format");

	support_add(suite, the_document_shows_what_is_written);
	return support_run(suite);
}
