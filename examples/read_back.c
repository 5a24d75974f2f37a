/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_back.c: a Frame Streams file, one line for each dnstap message. The
 * reader of libdtap parses octets that the caller has read: it never
 * allocates or copies, and trusts no length in the file.
 *
 *     read_back FILE           exit status 0: whole, and dnstap throughout
 */
#include <arpa/inet.h>
#include <stdio.h>

#include <dnstap/reader.h>

/* The largest frame that the reader lets pass, and its length field. */
static unsigned char buffer[DTAP_READER_FRAME_BYTES_DEFAULT + 4];

static void
print_message(const struct dtap_message *message)
{
	const struct dtap_event *event = &message->event;
	const char *name = dtap_socket_protocol_name(event->socket_protocol);
	char address[INET6_ADDRSTRLEN] = "-";

	if (event->query_address_bytes == 4)
		inet_ntop(AF_INET, event->query_address, address,
			  sizeof(address));
	else if (event->query_address_bytes == 16)
		inet_ntop(AF_INET6, event->query_address, address,
			  sizeof(address));
	printf("%s from %s over %s: %u + %u octets\n",
	       dtap_message_type_mnemonic(event->type), address,
	       name != NULL ? name : "-", event->query_message_bytes,
	       event->response_message_bytes);
}

/* Reads just what the reader asks for, so a frame is all there ever is. */
static enum dtap_result
read_stream(dtap_reader *reader, FILE *file)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;
	enum dtap_result result;
	struct dtap_frame frame;
	size_t have = 0, got = 1, consumed;

	do {
		result = dtap_reader_next(reader, buffer, have, &consumed,
					  &frame);
		have -= consumed;
		if (result == DTAP_AGAIN) {
			got = fread(buffer + have, 1, frame.bytes - have, file);
			have += got;
		} else if (result == DTAP_OK && frame.kind == DTAP_FRAME_DATA) {
			if (dtap_message_decode(frame.data, frame.bytes,
						&message) != DTAP_OK)
				return DTAP_E_DAMAGED;
			print_message(&message);
		}
	} while (result == DTAP_OK || (result == DTAP_AGAIN && got > 0));
	return dtap_reader_finish(reader, have);
}

int
main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	enum dtap_result result;
	dtap_reader *reader;

	if (file == NULL || dtap_reader_open(NULL, &reader) != DTAP_OK)
		return 2;
	result = read_stream(reader, file);
	if (result != DTAP_OK)
		fprintf(stderr, "%s: %s\n", dtap_result_text(result),
			dtap_reader_error(reader));
	dtap_reader_close(&reader);
	fclose(file);
	return result == DTAP_OK ? 0 : 1;
}
