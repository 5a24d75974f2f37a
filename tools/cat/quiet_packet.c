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
 * One difference is on purpose: ldns follows compression pointers forward,
 * 65,535 of them for each name, which lets one message cost minutes. Such
 * names are refused (dns_name.h), so such a message prints question marks.
 */
#include "cat/quiet_packet.h"

#include "cat/dns_table.h"

#define TYPE_TSIG 250

struct packet {
	const uint8_t *octets;
	size_t bytes;
	size_t at;
};

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
	struct dns_name name;
	size_t bytes;

	if (field == 'n')
		return dns_name_read(packet->octets, packet->bytes, &packet->at,
				     &name);
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
		if (!dns_message_question(packet->octets, packet->bytes,
					  &packet->at, &owner) ||
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
	struct packet packet = {octets, bytes, DNS_HEADER_BYTES};
	struct dns_question other;
	uint16_t questions;

	if (bytes < DNS_HEADER_BYTES)
		return false;
	questions = dns_message_be16(octets + 4);
	for (uint16_t i = 0; i < questions; i++) {
		if (!dns_message_question(octets, bytes, &packet.at,
					  i == 0 ? question : &other))
			return false;
	}
	return questions > 0 &&
	       skip_records(&packet, dns_message_be16(octets + 6), false) &&
	       skip_records(&packet, dns_message_be16(octets + 8), false) &&
	       skip_records(&packet, dns_message_be16(octets + 10), true);
}
