/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_reader.c: any octets as a Frame Streams stream, and each frame of it as
 * a dnstap message. Nothing may be read outside the input, and each step must
 * either make progress or end.
 */
#include <stdlib.h>

#include <dnstap/dtap.h>

#include "fuzz.h"

static void
fuzz_frame(const struct dtap_frame *frame)
{
	struct dtap_message message = DTAP_MESSAGE_INIT;

	if (frame->kind == DTAP_FRAME_DATA)
		dtap_message_decode(frame->data, frame->bytes, &message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct dtap_reader_options options = { .size = sizeof(options) };
	struct dtap_message message = DTAP_MESSAGE_INIT;
	enum dtap_result result = DTAP_OK;
	dtap_reader *reader;
	size_t at = 0;

	options.bidirectional = bytes % 2 != 0;
	dtap_message_decode(data, bytes, &message);
	if (dtap_reader_open(&options, &reader) != DTAP_OK)
		return 0;
	while (result == DTAP_OK) {
		struct dtap_frame frame;
		size_t consumed;
		size_t reply;

		result = dtap_reader_next(reader, data + at, bytes - at,
					  &consumed, &frame);
		if (consumed > bytes - at ||
		    (result == DTAP_OK && consumed == 0))
			abort();
		if (result == DTAP_OK)
			fuzz_frame(&frame);
		at += consumed;
		dtap_reader_reply(reader, &reply);
	}
	dtap_reader_finish(reader, bytes - at);
	dtap_reader_close(&reader);
	return 0;
}
