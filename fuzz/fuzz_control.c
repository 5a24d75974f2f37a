/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_control.c: any octets as what follows a control frame's length.
 *
 * What must hold:
 *  - the frame is taken or refused, and understood, as a second reader does,
 *    which knows frame_control.h and nothing of its cursor;
 *  - what libfstrm takes is taken, and understood alike (it refuses more:
 *    types and fields that it does not know);
 *  - a frame that is written is read back as it was meant, by both.
 */
#include <stdbool.h>
#include <string.h>

#ifdef HAVE_FSTRM
#include <fstrm.h>
#endif

#include "frame/frame_control.h"
#include "fuzz.h"

static uint32_t
number_at(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	       (uint32_t)octets[2] << 8 | octets[3];
}

static bool
is_dnstap(const uint8_t *octets, size_t bytes)
{
	return bytes == strlen(DTAP__CONTENT_TYPE) &&
	       memcmp(octets, DTAP__CONTENT_TYPE, bytes) == 0;
}

static bool
counts_allowed(const struct dtap__control *control)
{
	if (control->type == DTAP__CONTROL_START)
		return control->content_types <= 1;
	return control->type == DTAP__CONTROL_ACCEPT ||
	       control->type == DTAP__CONTROL_READY ||
	       control->content_types == 0;
}

/* The second reader. */
static bool
read_again(const uint8_t *data, size_t bytes, struct dtap__control *control)
{
	size_t at = 4;

	memset(control, 0, sizeof(*control));
	if (bytes < 4 || bytes > 512)
		return false;
	control->type = number_at(data);
	if (control->type < 1 || control->type > 5)
		return true;
	while (at < bytes) {
		uint32_t length;

		if (bytes - at < 8)
			return false;
		length = number_at(data + at + 4);
		at += 8;
		if (length > bytes - at)
			return false;
		if (number_at(data + at - 8) == 1) {
			if (length > 256)
				return false;
			control->content_types++;
			control->names_dnstap |= is_dnstap(data + at, length);
		}
		at += length;
	}
	return counts_allowed(control);
}

#ifdef HAVE_FSTRM
static void
compare_with_fstrm(const uint8_t *data, size_t bytes, bool taken,
		   const struct dtap__control *control)
{
	static struct fstrm_control *theirs;
	fstrm_control_type type;
	bool names_dnstap = false;
	size_t count;

	if (theirs == NULL)
		theirs = fstrm_control_init();
	if (fstrm_control_decode(theirs, data, bytes, 0) != fstrm_res_success)
		return;
	FUZZ_EXPECT(taken);
	FUZZ_EXPECT(fstrm_control_get_type(theirs, &type) ==
		    fstrm_res_success);
	FUZZ_EXPECT(control->type == (uint32_t)type);
	FUZZ_EXPECT(fstrm_control_get_num_field_content_type(
			    theirs, &count) == fstrm_res_success);
	FUZZ_EXPECT(control->content_types == count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *octets;
		size_t length;

		FUZZ_EXPECT(fstrm_control_get_field_content_type(
				    theirs, i, &octets, &length) ==
			    fstrm_res_success);
		names_dnstap |= is_dnstap(octets, length);
	}
	FUZZ_EXPECT(control->names_dnstap == names_dnstap);
}
#else
static void
compare_with_fstrm(const uint8_t *data, size_t bytes, bool taken,
		   const struct dtap__control *control)
{
	(void)data;
	(void)bytes;
	(void)taken;
	(void)control;
}
#endif

static void
write_and_read(uint32_t type)
{
	uint8_t out[DTAP__CONTROL_WRITTEN_MAX];
	size_t bytes = dtap__control_write(out, (enum dtap__control_type)type);
	struct dtap__control control;

	FUZZ_EXPECT(bytes <= sizeof(out));
	FUZZ_EXPECT(number_at(out) == 0 && number_at(out + 4) == bytes - 8);
	FUZZ_EXPECT(dtap__control_read(out + 8, bytes - 8, &control) ==
		    DTAP_OK);
	FUZZ_EXPECT(control.type == type);
	FUZZ_EXPECT(dtap__control_allows_dnstap(&control));
	FUZZ_EXPECT(control.names_dnstap == (bytes > 12));
	compare_with_fstrm(out + 8, bytes - 8, true, &control);
}

struct frame {
	const uint8_t *data;
	size_t bytes;
	struct dtap__control control;
	enum dtap_result result;
};

static size_t
read_frame(void *context)
{
	struct frame *frame = context;

	frame->result = dtap__control_read(frame->data, frame->bytes,
					   &frame->control);
	return frame->bytes;
}

void
fuzz_input(const uint8_t *data, size_t bytes)
{
	struct frame frame = { .data = data, .bytes = bytes };
	struct dtap__control *control = &frame.control;
	struct dtap__control again;
	bool known;

	fuzz_measure(read_frame, &frame);
	FUZZ_EXPECT((frame.result == DTAP_OK) ==
		    read_again(data, bytes, &again));
	compare_with_fstrm(data, bytes, frame.result == DTAP_OK, control);
	if (frame.result != DTAP_OK) {
		FUZZ_EXPECT(frame.result == DTAP_E_PROTOCOL);
		return;
	}
	FUZZ_EXPECT(control->type == again.type);
	FUZZ_EXPECT(control->content_types == again.content_types);
	FUZZ_EXPECT(control->names_dnstap == again.names_dnstap);
	known = control->type >= 1 && control->type <= 5;
	FUZZ_EXPECT(dtap__control_is_known(control->type) == known);
	FUZZ_EXPECT((strcmp(dtap__control_name(control->type), "unknown") !=
		     0) == known);
	if (known)
		write_and_read(control->type);
}
