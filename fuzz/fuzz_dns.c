/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_dns.c: any octets as a DNS message, for what dtap-cat shows of one.
 *
 * What must hold (RFC 9267 tells what goes wrong in such code):
 *  - a name is taken if and only if a second reader takes it, which follows
 *    pointers wherever they lead and notes on the way what is forbidden; both
 *    then have the same octets, and the reading goes on at the same place;
 *  - a name that is refused moves nothing; one that is read is also skipped;
 *  - a name's text, read back, is the name;
 *  - a message is whole if and only if a second walk over its records comes
 *    to its end, and then both have the same response code;
 *  - the question that is shown is the first name, type and class;
 *  - what dnstap-ldns would read has a question, and it is the same;
 *  - no message costs more than its length allows.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cat/dns_message.h"
#include "cat/dns_table.h"
#include "cat/quiet_packet.h"
#include "fuzz.h"

/* Names are read at so many places from the header on. */
#define PLACES 10

struct input {
	const uint8_t *octets;
	size_t bytes;
	bool read;
	struct dns_message message;
	bool quiet;
	struct dns_question question;
};

/* A name as the second reader finds it. */
struct name {
	bool good;
	size_t behind;
	size_t bytes;
	uint8_t octets[256];
};

static unsigned int
number_at(const uint8_t *octets)
{
	return (unsigned int)octets[0] << 8 | octets[1];
}

/*
 * Collects labels until the root, a fault, or more pointers than are allowed;
 * floor is where the octets begin that the name may not go back to.
 */
static void
read_again(const struct input *in, size_t at, struct name *name)
{
	size_t floor = at;

	*name = (struct name){ .good = false };
	for (int pointers = 0; at < in->bytes;) {
		size_t label = in->octets[at];

		if (label >= 192) {
			size_t target;

			if (++pointers > 127 || in->bytes - at < 2)
				return;
			if (name->behind == 0)
				name->behind = at + 2;
			target = number_at(in->octets + at) & 0x3fff;
			if (target == 0 || target >= floor)
				return;
			at = floor = target;
			continue;
		}
		if (label >= 64 || in->bytes - at < 1 + label ||
		    name->bytes + 1 + label > 255)
			return;
		memcpy(name->octets + name->bytes, in->octets + at, 1 + label);
		name->bytes += 1 + label;
		at += 1 + label;
		if (label == 0) {
			if (name->behind == 0)
				name->behind = at;
			name->good = true;
			return;
		}
	}
}

/* Reads one character of a name's text: \DDD, \X or X. */
static uint8_t
read_character(const char **text)
{
	const char *at = *text;

	if (at[0] != '\\') {
		*text = at + 1;
		return (uint8_t)at[0];
	}
	if (at[1] < '0' || at[1] > '9') {
		*text = at + 2;
		return (uint8_t)at[1];
	}
	*text = at + 4;
	return (uint8_t)((at[1] - '0') * 100 + (at[2] - '0') * 10 +
			 (at[3] - '0'));
}

static void
check_text(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t bytes = dns_name_format(name, text);
	uint8_t octets[DNS_NAME_BYTES_MAX + 1] = { 0 };
	const char *at = text;
	size_t used = 0;

	FUZZ_EXPECT(bytes < sizeof(text) && strlen(text) == bytes);
	for (size_t i = 0; i < bytes; i++)
		FUZZ_EXPECT(text[i] > ' ' && text[i] <= '~');
	FUZZ_EXPECT(text[bytes - 1] == '.');
	if (strcmp(text, ".") == 0)
		at++;
	while (*at != '\0') {
		size_t label = used++;

		while (*at != '.')
			octets[used++] = read_character(&at);
		octets[label] = (uint8_t)(used - label - 1);
		at++;
	}
	FUZZ_EXPECT(used + 1 == name->bytes);
	FUZZ_EXPECT(memcmp(octets, name->octets, name->bytes) == 0);
}

/* Reads, skips and reads again the name at some place. */
static void
check_name(const struct input *in, size_t place)
{
	struct dns_name name;
	struct name again;
	size_t at = place;
	size_t skipped = place;
	bool good = dns_name_read(in->octets, in->bytes, &at, &name);

	read_again(in, place, &again);
	FUZZ_EXPECT(good == again.good);
	if (!dns_name_skip(in->octets, in->bytes, &skipped))
		FUZZ_EXPECT(!good && skipped == place);
	if (!good) {
		FUZZ_EXPECT(at == place);
		return;
	}
	FUZZ_EXPECT(at == again.behind && at == skipped);
	FUZZ_EXPECT(at > place && at <= in->bytes);
	FUZZ_EXPECT(name.bytes == again.bytes);
	FUZZ_EXPECT(memcmp(name.octets, again.octets, name.bytes) == 0);
	check_text(&name);
}

/* Where the name at some place ends, without its pointer; 0 if nowhere. */
static size_t
end_of_name(const struct input *in, size_t at)
{
	while (at < in->bytes) {
		size_t label = in->octets[at];

		if (label >= 192)
			return in->bytes - at < 2 ? 0 : at + 2;
		if (label >= 64)
			return 0;
		at += 1 + label;
		if (label == 0)
			return at;
	}
	return 0;
}

/* Walks all records; false when they do not fit. *rcode: what OPT says. */
static bool
walk_again(const struct input *in, unsigned int *rcode)
{
	unsigned int questions = number_at(in->octets + 4);
	unsigned int others = number_at(in->octets + 6) +
			      number_at(in->octets + 8) +
			      number_at(in->octets + 10);
	size_t at = 12;

	*rcode = in->octets[3] & 15;
	for (unsigned int i = 0; i < questions + others; i++) {
		size_t head = i < questions ? 4 : 10;
		size_t rdata = 0;

		at = end_of_name(in, at);
		if (at == 0 || in->bytes - at < head)
			return false;
		if (i >= questions)
			rdata = number_at(in->octets + at + 8);
		if (in->bytes - at - head < rdata)
			return false;
		if (i >= questions && number_at(in->octets + at) == 41)
			*rcode = (unsigned int)in->octets[at + 4] << 4 |
				 (in->octets[3] & 15);
		at += head + rdata;
	}
	return true;
}

static void
check_question(const struct input *in, const struct dns_question *question)
{
	struct name name;

	read_again(in, DNS_HEADER_BYTES, &name);
	FUZZ_EXPECT(name.good && in->bytes - name.behind >= 4);
	FUZZ_EXPECT(question->name.bytes == name.bytes);
	FUZZ_EXPECT(memcmp(question->name.octets, name.octets, name.bytes) ==
		    0);
	FUZZ_EXPECT(question->type == number_at(in->octets + name.behind));
	FUZZ_EXPECT(question->class ==
		    number_at(in->octets + name.behind + 2));
}

/* A name, or a number behind what it is a number of. */
static void
check_numbers(const struct dns_message *message)
{
	char buffer[4][DNS_TABLE_NAME_MAX];
	const char *names[] = {
		dns_table_rcode(message->rcode, buffer[0]),
		dns_table_opcode(message->opcode, buffer[1]),
		dns_table_type(message->id, buffer[2]),
		dns_table_class(message->id, buffer[3]),
	};

	for (int i = 0; i < 4; i++)
		FUZZ_EXPECT(names[i][0] >= 'A' && names[i][0] <= 'Z' &&
			    strlen(names[i]) < DNS_TABLE_NAME_MAX);
}

static void
check_message(const struct input *in)
{
	const struct dns_message *message = &in->message;
	unsigned int rcode;
	struct name name;
	bool question;

	FUZZ_EXPECT(message->id == number_at(in->octets));
	FUZZ_EXPECT(message->flags == number_at(in->octets + 2));
	for (int i = 0; i < 4; i++)
		FUZZ_EXPECT(message->counts[i] ==
			    number_at(in->octets + 4 + 2 * i));
	read_again(in, DNS_HEADER_BYTES, &name);
	question = message->counts[0] > 0 && name.good &&
		   in->bytes - name.behind >= 4;
	FUZZ_EXPECT(message->has_question == question);
	if (question)
		check_question(in, &message->question);
	question |= message->counts[0] == 0;
	FUZZ_EXPECT(message->whole == (walk_again(in, &rcode) && question));
	if (message->whole)
		FUZZ_EXPECT(message->rcode == rcode);
	check_numbers(message);
}

static size_t
read_message(void *context)
{
	struct input *in = context;

	in->read = dns_message_read(in->octets, in->bytes, &in->message);
	return in->bytes;
}

static size_t
read_quietly(void *context)
{
	struct input *in = context;

	in->quiet = quiet_packet_read(in->octets, in->bytes, &in->question);
	return in->bytes;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct input in = { .octets = data, .bytes = bytes };

	fuzz_measure(read_message, &in);
	fuzz_measure(read_quietly, &in);
	FUZZ_EXPECT(in.read == (bytes >= DNS_HEADER_BYTES));
	for (size_t i = 0; i < PLACES; i++)
		check_name(&in, DNS_HEADER_BYTES + i);
	check_name(&in, 0);
	if (in.read)
		check_message(&in);
	if (in.quiet) {
		FUZZ_EXPECT(in.read && in.message.has_question);
		check_question(&in, &in.question);
	}
}
