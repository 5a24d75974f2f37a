/* SPDX-License-Identifier: Apache-2.0 */
#include <dnstap/event.h>

#include <string.h>

#include "support/support.h"

START_TEST(every_type_has_the_name_of_the_schema)
{
	ck_assert_str_eq(dtap_message_type_name(DTAP_AUTH_QUERY),
			 "AUTH_QUERY");
	ck_assert_str_eq(dtap_message_type_name(DTAP_CLIENT_RESPONSE),
			 "CLIENT_RESPONSE");
	ck_assert_str_eq(dtap_message_type_name(DTAP_UPDATE_RESPONSE),
			 "UPDATE_RESPONSE");
	ck_assert_ptr_null(dtap_message_type_name(0));
	ck_assert_ptr_null(dtap_message_type_name(15));
	ck_assert_ptr_null(dtap_message_type_name(~0u));
}
END_TEST

START_TEST(a_mnemonic_has_the_initials_of_the_name)
{
	for (unsigned int type = 1; type <= 14; type++) {
		const char *name = dtap_message_type_name(type);
		const char *mnemonic = dtap_message_type_mnemonic(type);

		ck_assert_uint_eq(strlen(mnemonic), 2);
		ck_assert_int_eq(mnemonic[0], name[0]);
		ck_assert_int_eq(mnemonic[1], strchr(name, '_')[1]);
		ck_assert_int_eq(mnemonic[1], type % 2 != 0 ? 'Q' : 'R');
		for (unsigned int other = 1; other < type; other++)
			ck_assert_str_ne(mnemonic,
					 dtap_message_type_mnemonic(other));
	}
	ck_assert_str_eq(dtap_message_type_mnemonic(0), "??");
	ck_assert_str_eq(dtap_message_type_mnemonic(15), "??");
	ck_assert_str_eq(dtap_message_type_mnemonic(~0u), "??");
}
END_TEST

START_TEST(every_protocol_has_the_name_of_the_schema)
{
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_UDP), "UDP");
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_TCP), "TCP");
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_DOT), "DOT");
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_DOH), "DOH");
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_DNSCRYPT_UDP),
			 "DNSCryptUDP");
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_DNSCRYPT_TCP),
			 "DNSCryptTCP");
	ck_assert_str_eq(dtap_socket_protocol_name(DTAP_DOQ), "DOQ");
	ck_assert_ptr_null(dtap_socket_protocol_name(0));
	ck_assert_ptr_null(dtap_socket_protocol_name(8));
	ck_assert_ptr_null(dtap_socket_protocol_name(~0u));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event_names");

	support_add(suite, every_type_has_the_name_of_the_schema);
	support_add(suite, a_mnemonic_has_the_initials_of_the_name);
	support_add(suite, every_protocol_has_the_name_of_the_schema);
	return support_run(suite);
}
