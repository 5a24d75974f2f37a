/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_oracle.h: a decoded message, and what protobuf-c makes of the same.
 */
#ifndef DTAP_FUZZ_ORACLE_H
#define DTAP_FUZZ_ORACLE_H

#include <stdbool.h>

#include <dnstap/reader.h>

#include "proto/dnstap.pb-c.h"

/*
 * Whether both are the same in every field. merged: the message or its policy
 * occurred more than once. protobuf-c, which merges them, then takes an empty
 * field of octets for an absent one; so nothing is said about empty ones.
 */
bool
oracle_agrees(const struct dtap_message *ours, const Dnstap__Dnstap *theirs,
	      bool merged);

#endif
