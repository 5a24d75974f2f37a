/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quiet_packet.c: see quiet_packet.h.
 *
 * dnstap-ldns shows the question only when libldns can read the message to
 * its end, the rdata of known types included. To print the same lines, this
 * walks the same way and stops where ldns stops. Three habits of ldns 1.8.3
 * look like mistakes here and are not: rdata may end early, at the border of
 * a field; the next record begins where the fields of the last one ended,
 * not where its length says; and TSIG lowers the number of additional
 * records while they are being read.
 *
 * Two differences are on purpose, and such messages print question marks.
 * ldns follows compression pointers forward, 65,535 of them for each name,
 * which lets one message cost minutes; such names are refused (dns_name.h).
 * And each name of two octets may still stand for 127 pointers and as many
 * labels, thousands of times; so all names together may take no more than
 * eight of them for each octet of the message. Deep names that are compressed
 * well, those below ip6.arpa, take five.
 */
#include "cat/quiet_packet.h"

#include "cat/dns_table.h"

#define TYPE_TSIG 250
/* Labels and pointers for each octet of the message. */
#define STEPS_PER_OCTET 8

struct packet {
	const uint8_t *octets;
	size_t bytes;
	size_t at;
	size_t steps; /* labels and pointers, of all names so far */
};

/* Notes what a name has cost; false when it is too much. */
static bool
pay(struct packet *packet, const struct dns_name *name)
{
	packet->steps += name->steps;
	return packet->steps <= STEPS_PER_OCTET * packet->bytes;
}

static bool
skip_name(struct packet *packet)
{
	struct dns_name name;

	return dns_name_read(packet->octets, packet->bytes, &packet->at,
			     &name) &&
	       pay(packet, &name);
}

static bool
read_question(struct packet *packet, struct dns_question *question)
{
	return dns_message_question(packet->octets, packet->bytes,
				    &packet->at, question) &&
	       pay(packet, &question->name);
}

/* Octets of the field at packet->at; end is where the rdata ends. */
static size_t
field_bytes(const struct packet *packet, char field, size_t end)
{
	const uint8_t *here = packet->octets + packet->at;
	size_t left = end - packet->at;

	switch (field) {
	case 's':
		return (size_t)here[0] + 1;
	case 'd':
		return left < 2 ? 2 : (size_t)dns_message_be16(here) + 2;
	case 'h':
		return left < 4 ? 4
				: (size_t)here[0] + dns_message_be16(here + 2) +
					  4;
	case 'x':
		return 16;
	case 'r':
		return left;
	default:
		return (size_t)(field - '0');
	}
}

static bool
skip_field(struct packet *packet, char field, size_t end)
{
	size_t bytes;

	if (field == 'n')
		return skip_name(packet);
	bytes = field_bytes(packet, field, end);
	if (bytes > end - packet->at)
		return false;
	packet->at += bytes;
	return true;
}

static bool
skip_rdata(struct packet *packet, uint16_t type)
{
	const struct dns_type *known = dns_table_find_type(type);
	const char *field = known != NULL ? known->rdata : "r";
	size_t end;

	if (packet->bytes - packet->at < 2)
		return false;
	end = packet->at + 2 + dns_message_be16(packet->octets + packet->at);
	packet->at += 2;
	if (end > packet->bytes)
		return false;
	while (packet->at < end && *field != '\0') {
		if (!skip_field(packet, *field, end))
			return false;
		if (field[1] != '*')
			field++;
	}
	return true;
}

static bool
skip_records(struct packet *packet, uint16_t count, bool additional)
{
	struct dns_question owner;

	for (uint16_t i = 0; i < count; i++) {
		if (!read_question(packet, &owner) ||
		    packet->bytes - packet->at < 4)
			return false;
		packet->at += 4;
		if (!skip_rdata(packet, owner.type))
			return false;
		if (additional && owner.type == TYPE_TSIG)
			count--;
	}
	return true;
}

bool
quiet_packet_read(const uint8_t *octets, size_t bytes,
		  struct dns_question *question)
{
	struct packet packet = {octets, bytes, DNS_HEADER_BYTES, 0};
	struct dns_question other;
	uint16_t questions;

	if (bytes < DNS_HEADER_BYTES)
		return false;
	questions = dns_message_be16(octets + 4);
	for (uint16_t i = 0; i < questions; i++) {
		if (!read_question(&packet, i == 0 ? question : &other))
			return false;
	}
	return questions > 0 &&
	       skip_records(&packet, dns_message_be16(octets + 6), false) &&
	       skip_records(&packet, dns_message_be16(octets + 8), false) &&
	       skip_records(&packet, dns_message_be16(octets + 10), true);
}
