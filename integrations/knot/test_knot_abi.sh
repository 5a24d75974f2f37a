#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
#
# test_knot_abi.sh: one source for the module ABIs 400, 500 and 600 of Knot.
#
# Only the headers of one series can be installed. The others are made from
# them by what is known to differ: the number, and that from 500 on
# knotd_qdata_local_addr() takes the query alone. The module must compile
# against each without a warning and carry its number; and it must refuse a
# number that nobody has looked at. Runs in the build directory.
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=$PWD
: "${CC:=cc}"
headers=$($CC -E -x c - <<-'END' 2>/dev/null | sed -n 's|^# 1 "\(.*\)/knot/module.h".*|\1|p' | head -n 1
	#include <knot/module.h>
END
)
[ -n "$headers" ] || {
	echo "SKIP: Knot's headers are missing (Debian: apt-get install" \
		"libknot-dev)"
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-abi.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
status=0

# series NUMBER: its header, as far as the module is concerned.
series() {
	mkdir -p "$work/$1/knot" || exit
	sed "s/\(define KNOTD_MOD_ABI_VERSION\).*/\1 $1/" \
		"$headers/knot/module.h" >"$work/$1/knot/module.h"
	[ "$1" -lt 500 ] || sed -i '/knotd_qdata_local_addr(/{
		N
		s/,[^;]*)/)/
	}' "$work/$1/knot/module.h"
}

compile() { # NUMBER
	series "$1"
	for source in "$top"/integrations/knot/knot_module.c \
		"$top"/integrations/knot/knot_config.c \
		"$top"/integrations/knot/knot_event.c \
		"$top"/integrations/knot/knot_registry.c; do
		$CC -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -fPIC -c \
			-I"$work/$1" -I"$headers" -I"$top/include" \
			-I"$build/include" -I"$top" -o "$work/$1/$(basename "$source" .c).o" \
			"$source" 2>"$work/$1/errors" || return 1
	done
}

for number in 400 500 600; do
	if ! compile $number; then
		cat "$work/$number/errors"
		echo "FAIL: ABI $number"
		status=1
		continue
	fi
	# The number is the first field of the symbol that Knot looks up.
	$CC -shared -o "$work/$number/module.so" "$work/$number"/*.o
	offset=$(nm -D "$work/$number/module.so" |
		sed -n 's/^\([0-9a-f]*\) [A-Z] knotd_mod_api$/0x\1/p')
	got=$(objdump -s --start-address="$offset" \
		--stop-address=$((offset + 4)) "$work/$number/module.so" |
		awk '/^ / { print $2 }')
	wanted=$(printf '%02x%02x0000' $((number % 256)) $((number / 256)))
	if [ "$got" = "$wanted" ]; then
		echo "ok: ABI $number"
	else
		echo "FAIL: ABI $number: the module says $got, not $wanted"
		status=1
	fi
done
if compile 700; then
	echo "FAIL: an unknown ABI is taken without a word"
	status=1
elif grep -q 'ABI' "$work/700/errors"; then
	echo "ok: ABI 700 is refused: $(sed -n 's/.*#error //p' \
		"$work/700/errors" | head -n 1)"
else
	cat "$work/700/errors"
	echo "FAIL: ABI 700 is refused for another reason"
	status=1
fi
[ $status = 0 ] && echo "PASS: knot ABI"
exit $status
