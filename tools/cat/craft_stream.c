/* SPDX-License-Identifier: Apache-2.0 */
/*
 * craft_stream.c: writes dnstap streams for test_cat.sh, octet by octet.
 *
 *   craft_stream KIND [COUNT]
 *
 *   small      three plain frames
 *   bulk       COUNT frames as a server sends them: queries and responses
 *   fields     each field of Message absent, odd and at its limits
 *   qtypes     all 65,536 types of a question;  qclasses: all classes
 *   octets     all octets in a name, an identity, an extra text
 *   rdata      records of all types with rdata that may not fit
 *   mutants    COUNT damaged DNS messages
 *   pointers   names with loops and forward pointers
 *   loss       a report of loss;  undecodable: frames that are no protobuf
 *
 * Nothing of libdtap is used, so that a mistake there cannot hide here.
 */
#include "craft_octets.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTENT_TYPE "protobuf:dnstap.Dnstap"

/* An event: Message's fields by number, and what stands around them. */
struct craft {
	bool has[17];
	uint64_t number[17];
	struct part octets[17];
	struct part identity, version, extra;
	unsigned int dnstap_type;
};

static void
write_out(const struct octets *octets)
{
	if (fwrite(octets->data, 1, octets->bytes, stdout) != octets->bytes)
		exit(1);
}

static void
write_control(uint32_t type)
{
	static struct octets frame;
	size_t length = sizeof(CONTENT_TYPE) - 1;

	frame.bytes = 0;
	craft_put_be32(&frame, 0);
	craft_put_be32(&frame, type == 2 ? (uint32_t)(12 + length) : 4);
	craft_put_be32(&frame, type);
	if (type == 2) {
		craft_put_be32(&frame, 1);
		craft_put_be32(&frame, (uint32_t)length);
		craft_put(&frame, CONTENT_TYPE, length);
	}
	write_out(&frame);
}

static void
write_frame(const void *data, size_t bytes)
{
	static struct octets frame;

	frame.bytes = 0;
	craft_put_be32(&frame, (uint32_t)bytes);
	craft_put(&frame, data, bytes);
	write_out(&frame);
}

static void
write_craft(const struct craft *craft)
{
	static struct octets message;
	static struct octets dnstap;
	struct part part = {message.data, 0};

	message.bytes = 0;
	for (unsigned int field = 1; field <= 16; field++) {
		if (!craft->has[field])
			continue;
		if (craft->octets[field].data != NULL)
			craft_put_part(&message, field, craft->octets[field]);
		else if (field == 9 || field == 13)
			craft_put_fixed32(&message, field,
					  (uint32_t)craft->number[field]);
		else
			craft_put_number(&message, field, craft->number[field]);
	}
	part.bytes = message.bytes;
	dnstap.bytes = 0;
	craft_put_part(&dnstap, 1, craft->identity);
	craft_put_part(&dnstap, 2, craft->version);
	craft_put_part(&dnstap, 3, craft->extra);
	if (craft->has[1])
		craft_put_part(&dnstap, 14, part);
	craft_put_number(&dnstap, 15, craft->dnstap_type);
	write_frame(dnstap.data, dnstap.bytes);
}

static void
set_number(struct craft *craft, unsigned int field, uint64_t number)
{
	craft->has[field] = true;
	craft->number[field] = number;
	craft->octets[field].data = NULL;
}

static void
set_octets(struct craft *craft, unsigned int field, const void *data,
	   size_t bytes)
{
	craft->has[field] = true;
	craft->octets[field].data = data;
	craft->octets[field].bytes = bytes;
}

/* A plain event of any type; octets are static or the caller's. */
static struct craft
plain(unsigned int type, const struct octets *dns)
{
	struct craft craft = {.dnstap_type = 1};
	bool query = (type & 1) != 0;

	set_number(&craft, 1, type);
	set_number(&craft, 2, 1);
	set_number(&craft, 3, 1);
	set_octets(&craft, 4, "\300\0\2\1", 4);
	set_octets(&craft, 5, "\300\0\2\65", 4);
	set_number(&craft, 6, 40000);
	set_number(&craft, 7, 53);
	set_number(&craft, 8, 1795000000);
	set_number(&craft, 9, 123456789);
	if (!query) {
		set_number(&craft, 12, 1795000000);
		set_number(&craft, 13, 125000000);
	}
	set_octets(&craft, query ? 10 : 14, dns->data, dns->bytes);
	craft.identity = (struct part){"ns1.example", 11};
	craft.version = (struct part){"craft 1", 7};
	return craft;
}

static void
make_query(struct octets *dns)
{
	craft_put_header(dns, 0x0100, 1, 0, 0, 0);
	craft_put_question(dns, 1, 1);
}

static void
make_response(struct octets *dns)
{
	craft_put_header(dns, 0x8583, 1, 2, 1, 1);
	craft_put_question(dns, 1, 1);
	craft_put_record(dns, 5, "\3web\300\20", 6);
	craft_put_record(dns, 1, "\300\0\2\7", 4);
	craft_put_record(dns, 6,
			 "\300\20\300\14\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
			 "\0\0\0\5",
			 24);
	craft_put(dns, "\0\0\51\4\320\1\0\0\0\0\0", 11); /* OPT, rcode + 16 */
}

static void
craft_small(uint32_t count)
{
	static struct octets query, response;
	struct craft craft;

	make_query(&query);
	make_response(&response);
	for (uint32_t i = 0; i < count; i++) {
		craft = i % 2 == 0 ? plain(5, &query) : plain(6, &response);
		set_number(&craft, 9, i * 1000 % 1000000000);
		write_craft(&craft);
	}
}

/* Every value in turn for one field of an event of each type. */
static void
vary_number(unsigned int field, const uint64_t *values, size_t count,
	    const struct octets *query, const struct octets *response)
{
	for (unsigned int type = 0; type <= 16; type++) {
		struct craft craft = plain(type, (type & 1) ? query : response);

		craft.has[field] = false;
		write_craft(&craft);
		for (size_t i = 0; i < count; i++) {
			set_number(&craft, field, values[i]);
			write_craft(&craft);
		}
	}
}

static void
vary_octets(unsigned int field, const struct octets *query,
	    const struct octets *response)
{
	static const size_t lengths[] = {0, 1, 3, 4, 5, 11, 12, 15, 16, 17, 40};
	static const uint8_t octets[][40] = {
		{0},
		{10, 0, 0, 1},
		{0x20, 1, 0xd, 0xb8, [15] = 1},
		{[15] = 1},
		{[10] = 255, 255, 192, 0, 2, 1},
		{[12] = 192, 0, 2, 1},
		{0xfe, 0x80, [8] = 1, 2, 3, 4},
		{1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1},
	};

	for (unsigned int type = 1; type <= 14; type++) {
		struct craft craft = plain(type, (type & 1) ? query : response);

		craft.has[field] = false;
		write_craft(&craft);
		for (size_t i = 0; i < COUNT_OF(octets); i++) {
			for (size_t n = 0; n < COUNT_OF(lengths); n++) {
				set_octets(&craft, field, octets[i],
					   lengths[n]);
				write_craft(&craft);
			}
		}
	}
}

static void
craft_fields(uint32_t count)
{
	static const uint64_t types[] = {0, 1, 14, 15, 100, 127, 128, 300};
	static const uint64_t small[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 200};
	static const uint64_t nsecs[] = {0,	    1,		999,	   1000,
					 999999999, 1000000000, UINT32_MAX};
	static const uint64_t secs[] = {0,
					1,
					59,
					86400,
					951782400,
					4102444800,
					253402300799,
					253402300800,
					UINT32_MAX,
					(uint64_t)1 << 40,
					67767976233532799,
					67768036191676799,
					67768036191676800,
					(uint64_t)INT64_MAX,
					(uint64_t)1 << 63,
					UINT64_MAX,
					UINT64_MAX - 62167219199,
					UINT64_MAX - 62167219200,
					UINT64_MAX - 99999999999};
	static struct octets query, response;
	struct craft craft;

	(void)count;
	make_query(&query);
	make_response(&response);
	vary_number(1, types, COUNT_OF(types), &query, &response);
	vary_number(3, small, COUNT_OF(small), &query, &response);
	vary_number(8, secs, COUNT_OF(secs), &query, &response);
	vary_number(9, nsecs, COUNT_OF(nsecs), &query, &response);
	vary_number(12, secs, COUNT_OF(secs), &query, &response);
	vary_number(13, nsecs, COUNT_OF(nsecs), &query, &response);
	vary_octets(4, &query, &response);
	vary_octets(5, &query, &response);
	vary_octets(10, &query, &response);
	vary_octets(14, &query, &response);
	craft = plain(5, &query);
	craft.has[1] = false;
	write_craft(&craft);
	craft = plain(5, &query);
	for (craft.dnstap_type = 0; craft.dnstap_type < 4; craft.dnstap_type++)
		write_craft(&craft);
}

static void
craft_question(bool types)
{
	static struct octets dns;

	for (unsigned int number = 0; number < 65536; number++) {
		struct craft craft;

		craft_put_header(&dns, 0x0100, 1, 0, 0, 0);
		craft_put_question(&dns, types ? number : 1,
				   types ? 1 : number);
		craft = plain(5, &dns);
		write_craft(&craft);
	}
}

static void
craft_qtypes(uint32_t count)
{
	(void)count;
	craft_question(true);
}

static void
craft_qclasses(uint32_t count)
{
	(void)count;
	craft_question(false);
}

static void
craft_octets(uint32_t count)
{
	static struct octets dns;

	(void)count;
	for (unsigned int octet = 0; octet < 256; octet++) {
		uint8_t text[4] = {(uint8_t)octet, 'x', 0xc3, 0xa4};
		struct craft craft;

		craft_put_header(&dns, 0x0100, 1, 0, 0, 0);
		craft_put_8(&dns, 2);
		craft_put(&dns, text, 2);
		craft_put(&dns, "\0\0\1\0\1", 5);
		craft = plain(5, &dns);
		craft.identity = (struct part){text, 4};
		craft.version = (struct part){text, 1};
		craft.extra = (struct part){text, 3};
		set_octets(&craft, 11, dns.data + 12, 4);
		write_craft(&craft);
	}
}

/* A response of one record of that type, its rdata random, and another. */
static void
write_rdata(unsigned int type)
{
	static struct octets dns;
	uint8_t rdata[64];
	unsigned int bytes = craft_random_below(sizeof(rdata));
	unsigned int largest = 1 + craft_random_below(24);
	struct craft craft;

	for (size_t i = 0; i < sizeof(rdata); i++)
		rdata[i] = (uint8_t)craft_random_below(largest);
	craft_put_header(&dns, 0x8180, 1, 0, 0, 0);
	dns.data[7 + 2 * craft_random_below(3)] = 2;
	craft_put_question(&dns, 1, 1);
	craft_put_record(&dns, type, rdata, bytes);
	craft_put_record(&dns, 1, "\300\0\2\7", 4);
	craft = plain(6, &dns);
	write_craft(&craft);
}

static void
craft_rdata(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned int type = 0; type < 300; type++)
			write_rdata(type);
		write_rdata(32768);
		write_rdata(32769);
		write_rdata(65280);
	}
}

/*
 * Mutations keep every octet that looks like a pointer leading back: where
 * dtap-cat refuses forward pointers on purpose it differs from ldns.
 */
static void
craft_mutants(uint32_t count)
{
	static struct octets original, dns;

	make_response(&original);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t changes = 1 + craft_random_below(3);
		struct craft craft;

		dns = original;
		for (uint32_t n = 0; n < changes; n++) {
			size_t at = craft_random_below((uint32_t)dns.bytes);

			if (dns.data[at] >= 0xc0 || at == 4 || at == 6 ||
			    (at > 0 && dns.data[at - 1] >= 0xc0))
				continue;
			dns.data[at] = (uint8_t)craft_random_below(
				craft_random_below(2) == 0 ? 12 : 0xc0);
		}
		if (craft_random_below(4) == 0)
			dns.bytes = craft_random_below((uint32_t)dns.bytes + 1);
		craft = plain(6, &dns);
		write_craft(&craft);
	}
}

static void
craft_pointers(uint32_t count)
{
	static const char *const names[] = {"\300\14",
					    "\300\16\0",
					    "\1a\300\14",
					    "\300\377",
					    "\377\377",
					    "\300\0",
					    "\1a\300\20\1b\0",
					    "\77",
					    "\100",
					    "\200",
					    "\300"};
	static struct octets dns;
	struct craft craft;

	(void)count;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		craft_put_header(&dns, 0x0100, 1, 0, 0, 0);
		craft_put(&dns, names[i], strlen(names[i]));
		craft_put(&dns, "\0\0\1\0\1", 5);
		craft = plain(5, &dns);
		write_craft(&craft);
	}
	/* The dearest message: a long chain, and all records point to it. */
	craft_put_header(&dns, 0x8180, 1, 4000, 0, 0);
	craft_put(&dns, "\0\0\1\0\1", 5);
	while (dns.bytes < 16000)
		craft_put_be16(&dns, 0xc000 | (unsigned int)(dns.bytes - 2));
	while (dns.bytes < 65000)
		craft_put(&dns, "\376\177\0\1\0\1\0\0\0\0\0\0", 12);
	craft = plain(6, &dns);
	write_craft(&craft);
}

static void
craft_loss(uint32_t count)
{
	static const char text[] = "site=a dtap.lost=1532 dtap.cause=full "
				   "dtap.first=1 dtap.last=2";
	static struct octets query;
	struct craft craft;

	(void)count;
	make_query(&query);
	craft = plain(5, &query);
	write_craft(&craft);
	craft.extra = (struct part){text, sizeof(text) - 1};
	write_craft(&craft);
}

static void
craft_undecodable(uint32_t count)
{
	craft_small(count);
	write_frame("\377\377\377\377\377\377\377\377\377\377\377", 11);
	craft_small(count);
	write_frame("\162\5", 2);
	craft_small(count);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*craft)(uint32_t count);
		uint32_t count;
	} kinds[] = {
		{"small", craft_small, 3},
		{"bulk", craft_small, 1000},
		{"fields", craft_fields, 0},
		{"qtypes", craft_qtypes, 0},
		{"qclasses", craft_qclasses, 0},
		{"octets", craft_octets, 0},
		{"rdata", craft_rdata, 40},
		{"mutants", craft_mutants, 30000},
		{"pointers", craft_pointers, 0},
		{"loss", craft_loss, 0},
		{"undecodable", craft_undecodable, 2},
	};

	for (size_t i = 0; argc >= 2 && i < COUNT_OF(kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		write_control(2);
		kinds[i].craft(argc > 2 ? (uint32_t)atol(argv[2])
					: kinds[i].count);
		write_control(3);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	fprintf(stderr, "usage: craft_stream KIND [COUNT]\n");
	return 2;
}
