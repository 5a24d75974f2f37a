/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capture_tls.c: plaintext of DNS over TLS; as root. The server is
 * dnsdist, once with OpenSSL and once with GnuTLS, the client is kdig, with
 * GnuTLS.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sidecar/capture_rig.h"
#include "support/scratch.h"
#include "support/support.h"

enum { OPENSSL, GNUTLS, UNWATCHED, PLAIN, SERVERS };

static struct rig rig;
static uint16_t ports[SERVERS];
static pid_t server;

static void
run_dnsdist(void *user)
{
	int nothing = open("/dev/null", O_RDWR);

	(void)user;
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	execlp("dnsdist", "dnsdist", "-C", "dnsdist.conf", "--supervised",
	       (char *)NULL);
	_exit(127);
}

static void
choose_ports(void)
{
	int fds[SERVERS];

	for (int i = 0; i < SERVERS; i++) {
		fds[i] = rig_listen(0);
		ports[i] = rig_local_port(fds[i]);
	}
	for (int i = 0; i < SERVERS; i++)
		close(fds[i]);
}

static void
configure(void)
{
	char text[1024];

	choose_ports();
	snprintf(text, sizeof(text),
		 "setSecurityPollSuffix(\"\")\n"
		 "addTLSLocal(\"127.0.0.1:%u\", \"cert.pem\", \"key.pem\", "
		 "{provider=\"openssl\"})\n"
		 "addTLSLocal(\"127.0.0.1:%u\", \"cert.pem\", \"key.pem\", "
		 "{provider=\"gnutls\"})\n"
		 "addTLSLocal(\"127.0.0.1:%u\", \"cert.pem\", \"key.pem\")\n"
		 "setLocal(\"127.0.0.1:%u\")\n"
		 "addAction(AllRule(), SpoofAction(\"192.0.2.1\"))\n",
		 ports[OPENSSL], ports[GNUTLS], ports[UNWATCHED], ports[PLAIN]);
	scratch_write("dnsdist.conf", text);
	ck_assert_int_eq(rig_shell("openssl req -x509 -newkey ec -pkeyopt "
		"ec_paramgen_curve:prime256v1 -nodes -keyout key.pem "
		"-out cert.pem -days 2 -subj /CN=localhost 2>/dev/null"), 0);
}

static int
ask(int which)
{
	return rig_shell("kdig +tls +retry=0 +time=5 @127.0.0.1 -p %u "
			 "one.example A 2>&1 | grep -q 192.0.2.1",
			 ports[which]);
}

static void
set_up(void)
{
	struct capture_options options = rig_options(&rig);
	int tries = 0;

	scratch_enter();
	configure();
	server = rig_child(run_dnsdist, NULL);
	while (ask(UNWATCHED) != 0) {
		ck_assert_int_lt(++tries, 200);
		poll(NULL, 0, 50);
	}
	options.tls_plaintext = true;
	options.tls_ports[0] = ports[OPENSSL];
	options.tls_ports[1] = ports[GNUTLS];
	options.tls_ports_count = 2;
	rig_open(&rig, &options);
}

static void
tear_down(void)
{
	rig_close(&rig);
	kill(server, SIGKILL);
	ck_assert_int_eq(waitpid(server, NULL, 0), server);
	scratch_leave();
}

/* All that went one way at one end, put together. */
static size_t
collect(uint16_t port, bool server_end, enum packet_direction direction,
	uint8_t text[4096])
{
	size_t bytes = 0;

	for (size_t i = 0; i < rig.count; i++) {
		const struct packet *packet = &rig.packets[i];

		if ((packet->local.port == port) != server_end ||
		    (packet->remote.port == port) == server_end ||
		    packet->direction != direction)
			continue;
		ck_assert_uint_eq(packet->protocol, PACKET_TLS);
		ck_assert_str_eq(packet->owner.exe,
				 server_end ? "dnsdist" : "kdig");
		ck_assert_mem_eq(packet->local.address, "\x7f\0\0\1", 4);
		ck_assert_uint_le(bytes + packet->payload_bytes, 4096);
		memcpy(text + bytes, packet->payload, packet->payload_bytes);
		bytes += packet->payload_bytes;
	}
	return bytes;
}

/* The client may have read the answer before the call that has sent it comes
 * back, and is seen. */
static void
await_answer(uint16_t port)
{
	uint8_t text[4096];
	int tries = 0;

	rig_drain(&rig);
	while (collect(port, true, PACKET_SENT, text) == 0) {
		ck_assert_int_lt(++tries, 200);
		poll(NULL, 0, 50);
		rig_drain(&rig);
	}
}

static void
expect_message(uint16_t port, bool query)
{
	uint8_t at_server[4096];
	uint8_t at_client[4096];
	size_t bytes = collect(port, true, query ? PACKET_RECEIVED :
			       PACKET_SENT, at_server);

	ck_assert_uint_eq(collect(port, false, query ? PACKET_SENT :
				  PACKET_RECEIVED, at_client), bytes);
	ck_assert_mem_eq(at_server, at_client, bytes);
	/* A length, and a message with one question: nothing twice. */
	ck_assert_uint_gt(bytes, 14);
	ck_assert_uint_eq((size_t)(at_server[0] << 8 | at_server[1]),
			  bytes - 2);
	ck_assert_uint_eq(at_server[4] >> 7, !query);
	ck_assert_mem_eq(at_server + 14, "\3one\7example", 13);
}

START_TEST(queries_and_answers_are_read_at_both_ends)
{
	set_up();
	for (int which = OPENSSL; which <= GNUTLS; which++) {
		ck_assert_int_eq(ask(which), 0);
		await_answer(ports[which]);
		expect_message(ports[which], true);
		expect_message(ports[which], false);
	}
	tear_down();
}
END_TEST

START_TEST(other_ports_stay_secret)
{
	set_up();
	ck_assert_int_eq(ask(UNWATCHED), 0);
	rig_expect_count(&rig, 0);
	tear_down();
}
END_TEST

START_TEST(one_process_alone_can_be_read)
{
	struct capture_options options;

	set_up();
	capture_close(&rig.capture);
	options = rig_options(&rig);
	options.tls_plaintext = true;
	options.tls_pid = (uint32_t)server;
	options.tls_ports[0] = ports[OPENSSL];
	options.tls_ports_count = 1;
	rig_open(&rig, &options);
	ck_assert_int_eq(ask(OPENSSL), 0);
	rig_drain(&rig);
	ck_assert_uint_gt(rig.count, 0);
	for (size_t i = 0; i < rig.count; i++)
		ck_assert_uint_eq(rig.packets[i].owner.pid, (uint32_t)server);
	tear_down();
}
END_TEST

START_TEST(who_has_no_such_library_is_refused)
{
	struct capture_options options = rig_options(&rig);
	char reason[CAPTURE_REASON_BYTES];
	struct capture *capture;

	options.tls_plaintext = true;
	options.tls_pid = (uint32_t)getpid();
	ck_assert(!capture_open(&options, NULL, NULL, &capture, reason));
	ck_assert_ptr_nonnull(strstr(reason, "OpenSSL"));
}
END_TEST

static void
add_tests(void *suite)
{
	support_add(suite, queries_and_answers_are_read_at_both_ends);
	support_add(suite, other_ports_stay_secret);
	support_add(suite, one_process_alone_can_be_read);
	support_add(suite, who_has_no_such_library_is_refused);
}

int
main(void)
{
	static const char *const needed[] = { "dnsdist", "kdig", "openssl" };

	for (size_t i = 0; i < 3; i++)
		if (rig_shell("command -v %s >/dev/null", needed[i]) != 0) {
			printf("SKIP: capture_tls: %s is missing\n",
			       needed[i]);
			return 77;
		}
	return rig_run("capture_tls", add_tests);
}
