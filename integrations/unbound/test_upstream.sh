#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_upstream.sh: unbound's own tests of its dnstap, on an unbound with
# libdtap-unbound in the place of it.
#
# They come with the source and are run as they are, with unbound's own reader
# (unbound-dnstap-socket). The five that need TLS are left out until libdtap
# has TLS output. `make check-unbound` runs this.
set -u
LC_ALL=C
export LC_ALL
top=$PWD
here=$(cd "$(dirname "$0")" && pwd) || exit 1
: "${DTAP_UNBOUND_DIR:=$top/integrations/unbound/work}"
export DTAP_UNBOUND_DIR
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: unbound's own tests are NOT run: $1 is missing" \
		"(Debian: apt-get install $2)"
	exit 77
}
need ldns-testns ldnsutils
need dig bind9-dnsutils
need bash bash
"$here/build" || exit
cd "$DTAP_UNBOUND_DIR/tree/testdata" || exit 1

# The tests run ../../unbound, seen from a directory of their own in here.
cp ../../bin/unbound ../unbound || exit 1
for test in dnstap dnstap_reconnect dnstap_tcp; do
	rm -rf ".done-$test" ".skip-$test" "result.$test" "$test".[0-9]*
	bash ../testcode/mini_tdir.sh -a ../.. exe $test.tdir \
		>"$DTAP_UNBOUND_DIR/$test.log" 2>&1
	[ -e ".done-$test" ] || {
		cat "$DTAP_UNBOUND_DIR/$test.log"
		tail -n 60 "result.$test"
		echo "FAIL: unbound's own test $test"
		exit 1
	}
	echo "ok: $test"
done
