/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file options.h
 * How a tap is configured.
 *
 * All options stand in one table (lib/config/options.def): name, unit,
 * limits, default and text. It makes the string setter, the typed setters,
 * the manual page dtap-options(7) and the test of every limit, so they
 * cannot disagree. A value is checked when it is set; combinations are
 * checked by dtap_open() and dtap_reconfigure(), which copy what they need:
 * the options may be changed or freed right afterwards.
 *
 * Lifetime: from dtap_options_new() to dtap_options_free().
 * Threads: one at a time for each object.
 */
#ifndef DTAP_OPTIONS_H
#define DTAP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dnstap/export.h>
#include <dnstap/result.h>

/** A set of options, each at its default until it is set. */
typedef struct dtap_options dtap_options;

/** How grave a log line is. */
enum dtap_log_level {
	DTAP_LOG_ERROR = 1,
	DTAP_LOG_WARNING = 2,
	DTAP_LOG_NOTICE = 3,
	DTAP_LOG_INFO = 4
};

/**
 * Receives one log line: UTF-8 text without a newline.
 *
 * Called from dtap_start(), dtap_producer_open(), dtap_thread_producer() and
 * from the writer thread, never from dtap_submit(); at most one line per
 * cause in 30 s. It must not call back into the library.
 */
typedef void
dtap_log_function(void *user, enum dtap_log_level level, const char *text);

/** What kind of value an option takes. */
enum dtap_option_kind {
	/** Octets, up to max of them. */
	DTAP_OPTION_TEXT = 1,
	/** A whole number from min to max. */
	DTAP_OPTION_NUMBER = 2,
	/** "yes" or "no". */
	DTAP_OPTION_BOOLEAN = 3,
	/** One of a list of words. */
	DTAP_OPTION_CHOICE = 4,
	/** Message type mnemonics, e.g. "CQ,CR", or "all" or "none". */
	DTAP_OPTION_TYPES = 5,
	/** Where the frames go: file:, unix: or tcp:. */
	DTAP_OPTION_URI = 6
};

/** One row of the table of options. */
struct dtap_option_info {
	/** The name in dtap_options_set(), e.g. "ring-bytes". */
	const char *name;
	/** The kind of value. */
	enum dtap_option_kind kind;
	/** The unit of a number, e.g. "octets"; "" when it has none. */
	const char *unit;
	/** Smallest number allowed, or fewest octets. */
	uint64_t min;
	/** Largest number allowed, or most octets. */
	uint64_t max;
	/** The default, as dtap_options_set() would take it. */
	const char *initial;
	/** Words of a choice, separated by '|'; "" otherwise. */
	const char *words;
	/** Whether dtap_reconfigure() can change it while the tap runs. */
	bool live;
	/** The release that brought it, e.g. "0.1". */
	const char *since;
	/** A few sentences for manuals and --help. */
	const char *text;
};

DTAP_BEGIN_DECLS

/**
 * Makes a set of options, all at their defaults.
 *
 * @return the options; NULL when memory could not be had
 * @threads    any thread
 * @blocks     never
 * @ownership  the caller frees it with dtap_options_free()
 * @after      a failure leaves nothing behind
 * @since      0.1
 */
DTAP_API DTAP_NODISCARD dtap_options *
dtap_options_new(void);

/**
 * Frees a set of options and sets the pointer to NULL.
 *
 * @param  options  address of the pointer; NULL, or a pointer that is NULL,
 *                  is allowed
 * @threads    one thread at a time for each object
 * @blocks     never
 * @ownership  the object is gone
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API void
dtap_options_free(dtap_options **options);

/**
 * Sets one option from text, as it stands in a server's configuration.
 *
 * Numbers are decimal (`file-mode` is octal) and may end in K, M or G
 * (powers of 1024) where the unit is octets. Booleans are yes, no, on, off,
 * true, false.
 *
 * @param  options  changed; not NULL
 * @param  name     name of the option; not NULL; borrowed
 * @param  value    its value; not NULL; borrowed
 * @return DTAP_OK; DTAP_E_OPTION when no option has that name; DTAP_E_VALUE
 *         when the value is not allowed, or too long; DTAP_E_NOMEM;
 *         DTAP_E_INVALID when an argument is NULL. After a failure
 *         dtap_options_error() names the option, the value and what is
 *         allowed.
 * @threads    one thread at a time for each object
 * @blocks     never
 * @ownership  the caller keeps name and value
 * @after      a failure leaves the options unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_options_set(dtap_options *options, const char *name, const char *value);

/**
 * Sets an option of kind TEXT from octets, which may hold any value.
 *
 * @param  options  changed; not NULL
 * @param  name     "identity", "version" or "extra"; borrowed
 * @param  data     the octets; NULL only when @p bytes is 0; borrowed
 * @param  bytes    how many, at most the option's maximum
 * @return DTAP_OK; DTAP_E_OPTION when no option of kind TEXT has that name;
 *         DTAP_E_VALUE when there are too many octets; DTAP_E_INVALID when
 *         an argument is NULL
 * @threads    one thread at a time for each object
 * @blocks     never
 * @ownership  the octets are copied
 * @after      a failure leaves the options unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_options_set_bytes(dtap_options *options, const char *name,
		       const void *data, size_t bytes);

/**
 * Sets an option of kind NUMBER or BOOLEAN from a number.
 *
 * @param  options  changed; not NULL
 * @param  name     name of the option; not NULL; borrowed
 * @param  value    the number; 0 or 1 for a boolean
 * @return DTAP_OK; DTAP_E_OPTION when no option of those kinds has that
 *         name; DTAP_E_VALUE when the number is out of its limits;
 *         DTAP_E_INVALID when an argument is NULL
 * @threads    one thread at a time for each object
 * @blocks     never
 * @ownership  nothing changes hands
 * @after      a failure leaves the options unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_options_set_number(dtap_options *options, const char *name,
			uint64_t value);

/**
 * Sets who receives the log lines; without it there are none.
 *
 * @param  options   changed; not NULL
 * @param  function  called for each line; NULL for none
 * @param  user      handed to the function; borrowed as long as a tap made
 *                   from these options lives
 * @return DTAP_OK; DTAP_E_INVALID when @p options is NULL
 * @threads    one thread at a time for each object
 * @blocks     never
 * @ownership  the caller keeps @p user
 * @after      a failure leaves the options unchanged
 * @since      0.1
 */
DTAP_API enum dtap_result
dtap_options_set_log(dtap_options *options, dtap_log_function *function,
		     void *user);

/**
 * Explains the last failure of a call that was given these options.
 *
 * Covers the setters, dtap_open() and dtap_reconfigure().
 *
 * @param  options  not NULL
 * @return a sentence that names the option, the value and what is allowed;
 *         "" when nothing has failed yet
 * @threads    one thread at a time for each object
 * @blocks     never
 * @ownership  the text belongs to the options and lives until the next call
 *             with them
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const char *
dtap_options_error(const dtap_options *options);

/**
 * Walks the table of options, for --help texts and manuals.
 *
 * @param  index  0 and up
 * @return the row; NULL when @p index is past the last one
 * @threads    any thread
 * @blocks     never
 * @ownership  static
 * @after      cannot fail
 * @since      0.1
 */
DTAP_API const struct dtap_option_info *
dtap_option_info_get(size_t index);

DTAP_END_DECLS

#endif
