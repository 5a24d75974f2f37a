#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_eras.sh: the shim compiles for every release of unbound that it knows,
# and defines exactly what that release links to.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-eras.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
warnings="-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow
	-Wvla -Wpointer-arith -Wcast-qual -Wundef -Werror"

# 1.13.2, 1.17 ... 1.26; the last stands for what comes.
for version in 113 117 118 119 120 121 122 123 125 126 130; do
	for file in "$here"/unbound_*.c; do
		# shellcheck disable=SC2086
		$cc -std=c11 $warnings -fvisibility=hidden -D_GNU_SOURCE \
			-DUBVER=$version -DDTAP_UNBOUND_FACTS \
			-I"$here/../../include" -Iinclude \
			-c -o "$work/$(basename "$file" .c).o" "$file" || {
			echo "FAIL: $file does not compile for $version"
			exit 1
		}
	done
	sed -n 's/^\t\t\([a-z_]*\);$/\1/p' "$here/libdtap-unbound.map" |
		if [ $version -ge 123 ]; then
			cat
		else
			grep -v '^dt_apply_logcfg$'
		fi | sort >"$work/wanted"
	# Hidden ones are the shim's own affair.
	readelf -sW "$work"/*.o | awk '$5 == "GLOBAL" && $6 == "DEFAULT" &&
		$7 != "UND" { print $8 }' | sort >"$work/defined"
	diff "$work/wanted" "$work/defined" >"$work/diff" || {
		echo "FAIL: for $version wanted (<) and defined (>) differ:"
		cat "$work/diff"
		exit 1
	}
	echo "ok: $version, $(grep -c . "$work/defined") symbols"
done

# Before 1.13.2 the local address was missing: say so, do not guess.
if $cc -D_GNU_SOURCE -DUBVER=112 -DDTAP_UNBOUND_FACTS -I"$here/../../include" \
	-Iinclude -c -o "$work/old.o" "$here/unbound_callbacks.c" \
	2>"$work/old.err"; then
	echo "FAIL: the shim compiles for a release that it does not know"
	exit 1
fi
grep -q "1.13.2 or later" "$work/old.err" || {
	echo "FAIL: an old release is refused without a reason"
	exit 1
}
echo "ok: 112 is refused"
