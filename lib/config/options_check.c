/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_check.c: what no single value can tell, see config.h.
 *
 * Limits of one option are its row's business and were checked when it was
 * set. Here options are held against each other, before a tap opens, and
 * against the running tap, before it is reconfigured. The first that does not
 * fit is named; a list of all would seldom help more.
 *
 * Changes nothing but the text of the last failure.
 */
#include "config/config.h"

#include <inttypes.h>
#include <string.h>

#include "config/options_table.h"
#include "config/options_uri.h"

static enum dtap_result
options_check_order(dtap_options *options, const char *small_name,
		    uint64_t small, const char *large_name, uint64_t large)
{
	if (small <= large)
		return DTAP_OK;
	dtap__options_fail(options,
			   "option \"%s\", %" PRIu64
			   ", must not exceed \"%s\", %" PRIu64,
			   small_name, small, large_name, large);
	return DTAP_E_CONFLICT;
}

/* Only a file can be rotated. */
static enum dtap_result
options_check_rotation(dtap_options *options, const char *name,
		       uint64_t value)
{
	const struct dtap__config *config = dtap__options_get(options);

	if (value == 0 || config->output.scheme == DTAP__SCHEME_FILE)
		return DTAP_OK;
	dtap__options_fail(options,
			   "option \"%s\" needs an \"output\" of file:", name);
	return DTAP_E_CONFLICT;
}

enum dtap_result
dtap__options_check(dtap_options *options)
{
	const struct dtap__config *config = dtap__options_get(options);
	enum dtap_result result;

	if (config->output.scheme == DTAP__SCHEME_NONE) {
		dtap__options_fail(options, "option \"output\" is not set");
		return DTAP_E_CONFLICT;
	}
	result = options_check_order(
		options, "reconnect-min-ms", config->reconnect_min_ms,
		"reconnect-max-ms", config->reconnect_max_ms);
	if (result == DTAP_OK)
		result = options_check_order(
			options, "ring-bytes", config->ring_bytes,
			"ring-memory-bytes", config->ring_memory_bytes);
	if (result == DTAP_OK)
		result = options_check_rotation(options, "rotate-bytes",
						config->rotate_bytes);
	if (result == DTAP_OK)
		result = options_check_rotation(options, "rotate-seconds",
						config->rotate_seconds);
	return result;
}

static const void *
options_locate(const struct dtap__options_row *row,
	       const struct dtap__config *config)
{
	return (const char *)config + row->offset;
}

static bool
options_equal(const struct dtap__options_row *row,
	      const struct dtap__config *a, const struct dtap__config *b)
{
	/* A URI has padding, which a copy need not keep. */
	if (row->info.kind == DTAP_OPTION_URI)
		return dtap__options_uri_equal(options_locate(row, a),
					       options_locate(row, b));
	return memcmp(options_locate(row, a), options_locate(row, b),
		      row->bytes) == 0;
}

enum dtap_result
dtap__options_check_live(dtap_options *options,
			 const struct dtap__config *running)
{
	const struct dtap__config *config = dtap__options_get(options);
	const struct dtap__options_row *row;

	for (size_t i = 0; (row = dtap__options_table_get(i)) != NULL; i++) {
		if (row->info.live || options_equal(row, config, running))
			continue;
		dtap__options_fail(options,
				   "option \"%s\" cannot change while the tap "
				   "runs",
				   row->info.name);
		return DTAP_E_CONFLICT;
	}
	return DTAP_OK;
}
