/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.c: see version.h. Compiled into the library, so that it tells the
 * version that was loaded and not the one a program was built with.
 */
#include <dnstap/version.h>

const char *
dtap_version(void)
{
	return DTAP_VERSION;
}
