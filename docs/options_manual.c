/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_manual.c: prints the rows of dtap-options(7).
 *
 * Walks the table of options through its public call and writes a tagged
 * paragraph of man(7) macros for each. It runs while the manual is built, so
 * the manual says what the library does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnstap/options.h>

/* Text that roff neither reads as a request nor changes. */
static void
print_plain(const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '-':
			fputs("\\-", stdout);
			break;
		case '\\':
			fputs("\\e", stdout);
			break;
		case '\'':
			fputs("\\(aq", stdout);
			break;
		case '.':
			fputs("\\&.", stdout);
			break;
		default:
			putchar(*text);
		}
}

static void
print_bold(const char *text)
{
	fputs("\\fB", stdout);
	print_plain(text);
	fputs("\\fR", stdout);
}

/* As one would write it in a configuration: 0640, 64K, 5000. */
static void
print_number(const struct dtap_option_info *info, uint64_t number)
{
	const char *suffix = " KMG";

	if (strcmp(info->unit, "octal") == 0) {
		printf("%04" PRIo64, number);
		return;
	}
	if (strcmp(info->unit, "octets") == 0 && number != 0)
		for (; number % 1024 == 0 && *suffix != 'G'; number /= 1024)
			suffix++;
	printf("%" PRIu64 "%.*s", number, *suffix != ' ', suffix);
}

static void
print_range(const struct dtap_option_info *info)
{
	printf(" from ");
	print_number(info, info->min);
	printf(" to ");
	print_number(info, info->max);
	if (info->unit[0] != '\0')
		printf(" %s", info->unit);
}

/* A comma list of the words that '|' separates. */
static void
print_words(const char *words)
{
	char word[64];

	while (*words != '\0') {
		size_t bytes = strcspn(words, "|");

		snprintf(word, sizeof(word), "%.*s", (int)bytes, words);
		print_bold(word);
		words += bytes;
		if (*words == '|') {
			words++;
			fputs(strchr(words, '|') != NULL ? ", " : " or ",
			      stdout);
		}
	}
}

static void
print_values(const struct dtap_option_info *info)
{
	switch (info->kind) {
	case DTAP_OPTION_TEXT:
		printf("A text of at most %" PRIu64 " octets", info->max);
		break;
	case DTAP_OPTION_NUMBER:
		printf("A number");
		print_range(info);
		break;
	case DTAP_OPTION_BOOLEAN:
		print_words("yes|no");
		break;
	case DTAP_OPTION_CHOICE:
		print_words(info->words);
		break;
	case DTAP_OPTION_TYPES:
		printf("Message types");
		break;
	case DTAP_OPTION_URI:
		printf("A URI");
		break;
	}
}

static void
print_row(const struct dtap_option_info *info)
{
	printf(".TP\n");
	print_bold(info->name);
	printf("\n");
	print_plain(info->text);
	printf("\n.br\n");
	print_values(info);
	if (info->initial[0] != '\0') {
		printf("; default ");
		print_bold(info->initial);
	}
	printf("; %s; since %s.\n",
	       info->live ? "may change while the tap runs"
			  : "fixed once the tap is open",
	       info->since);
}

int
main(void)
{
	const struct dtap_option_info *info;

	for (size_t i = 0; (info = dtap_option_info_get(i)) != NULL; i++)
		print_row(info);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
						       : EXIT_FAILURE;
}
