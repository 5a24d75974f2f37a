#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# interop_readers.sh: what dtap-gen sends, and what readers that others have
# written get: fstrm_capture and fstrm_dump (fstrm-bin), dnstap-ldns, and
# BIND's dnstap-read. The same frames, the same number, the same order.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=$PWD
for need in 'fstrm_capture fstrm-bin' 'fstrm_dump fstrm-bin' \
	'dnstap-ldns dnstap-ldns' 'dnstap-read bind9-dnsutils'; do
	# Two words on purpose.
	# shellcheck disable=SC2086
	"$source/scripts/need" $need || exit $?
done

gen=$build/tools/gen/dtap-gen
audit=$build/tests/interop/stream_audit
peer=$build/tests/fault/fault_peer
events=$((20000 * ${DTAP_STRESS_FACTOR:-1}))
# Rings that hold everything: nothing may be dropped here.
roomy='--set ring-bytes=64M --set reconnect-min-ms=10
	--set reconnect-max-ms=50'
children=
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dtap-XXXXXX") || exit 1

leave() {
	# Two at most, and only our own.
	# shellcheck disable=SC2086
	[ -z "$children" ] || kill -9 $children 2>/dev/null
	rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 1' INT TERM
cd "$scratch" || exit 1

fail() {
	echo "FAIL: $test: $*"
	for log in *.log; do
		[ -s "$log" ] && tail -n 5 "$log" | sed "s/^/$log: /"
	done
	exit 1
}

# The value of NAME in a line of name=value pairs.
value() {
	echo " $2" | sed -n "s/.* $1=\([0-9]*\).*/\1/p"
}

# same WHAT A B
same() {
	[ "$2" = "$3" ] || fail "$1: $2, and $3 was expected"
}

# until_true SECONDS COMMAND...: polls.
until_true() {
	rounds=$(($1 * 50))
	shift
	while ! "$@"; do
		rounds=$((rounds - 1))
		[ $rounds -gt 0 ] || fail "never came true: $*"
		sleep 0.02
	done
}

# Holds more than a beginning.
is_large() {
	[ -e "$1" ] && [ "$(wc -c <"$1")" -gt 4096 ]
}

# The options of fstrm_capture that go with $uri, in $listen.
set_listen() {
	case $uri in
	unix:*) listen="-u ${uri#unix:}" ;;
	*) listen="-a $address -p $port" ;;
	esac
}

start_capture() {
	# shellcheck disable=SC2086
	fstrm_capture -t protobuf:dnstap.Dnstap $listen -w "$1" \
		2>>capture.log &
	capture=$!
	children="$children $capture"
}

end_capture() {
	kill -TERM "$capture"
	wait "$capture"
	children=
}

# What all streams, of all readers together, must hold.
expect_all() {
	total=$("$audit" "$@" 2>audit.log) || fail "a stream is malformed"
	same "events written" "$(value written "$ledger")" "$events"
	same "frames read" "$(value frames "$total")" "$events"
	same "missing" "$(value missing "$total")" 0
	same "twice" "$(value repeated "$total")" 0
	same "out of order" "$(value late "$total")" 0
}

# --- A file, and everybody who reads files.
test='file'
# shellcheck disable=SC2086
ledger=$("$gen" -o file:x.fstrm -n "$events" -t 3 $roomy 2>gen.log) ||
	fail "dtap-gen: $ledger"
expect_all x.fstrm
same confirmed "$(value confirmed "$ledger")" "$events"
same stops "$(value stops "$total")" 1
"$audit" --names expected x.fstrm >audit.log || fail "no names"
names='t[0-9a-f]\{4\}-s[0-9a-f]\{12\}'
fstrm_dump x.fstrm 2>dump.log | grep -ao "$names" | cmp - expected ||
	fail "fstrm_dump sees something else"
same "fstrm_dump's frames" "$(grep -c '^Data frame' dump.log)" "$events"
same "fstrm_dump's STOP" "$(grep -c 'CONTROL_STOP' dump.log)" 1
dnstap-ldns -r x.fstrm -q 2>ldns.log | grep -ao "$names" | cmp - expected ||
	fail "dnstap-ldns sees something else"
dnstap-read x.fstrm 2>read.log | grep -ao "$names" | cmp - expected ||
	fail "dnstap-read sees something else"
echo "$test: $events events, the same in fstrm_dump, dnstap-ldns and" \
	"dnstap-read"

# --- fstrm_capture behind each kind of socket.
for test in unix tcp4 tcp6; do
	port=$("$peer" --free-port)
	address=127.0.0.1
	uri=tcp:127.0.0.1:$port
	[ $test = unix ] && uri=unix:sock
	[ $test = tcp6 ] && address=::1 uri="tcp:[::1]:$port"
	set_listen

	# It is there from the beginning.
	start_capture "$test.fstrm"
	# shellcheck disable=SC2086
	ledger=$("$gen" -o "$uri" -n "$events" -t 3 $roomy 2>gen.log) ||
		fail "dtap-gen: $ledger"
	end_capture
	expect_all "$test.fstrm"
	same confirmed "$(value confirmed "$ledger")" "$events"
	same stops "$(value stops "$total")" 1
	same names "$(fstrm_dump "$test.fstrm" 2>/dev/null |
		grep -ao "$names" | sort | cksum)" "$(sort expected | cksum)"

	# It comes late, and is exchanged for another while frames flow.
	rm -f sock
	# shellcheck disable=SC2086
	"$gen" -o "$uri" -n "$events" -r 20000 -t 3 $roomy >ledger 2>gen.log &
	children=$!
	producer=$!
	until_true 20 grep -q 'will try again' gen.log
	start_capture "$test.1"
	until_true 20 is_large "$test.1"
	first=$capture
	kill -TERM "$first"
	wait "$first"
	rm -f sock
	start_capture "$test.2"
	wait "$producer" || fail "dtap-gen: $(cat ledger)"
	ledger=$(cat ledger)
	end_capture
	total=$("$audit" "$test.1" "$test.2" 2>audit.log) ||
		fail "a stream is malformed"
	same "written" "$(value written "$ledger")" "$events"
	same "twice" "$(value repeated "$total")" 0
	same "out of order" "$(value late "$total")" 0
	same "broken sessions" "$(value broken_sessions "$ledger")" 1
	frames=$(value frames "$total")
	[ "$frames" -le "$events" ] || fail "$frames of $events events"
	[ "$frames" -ge "$(value confirmed "$ledger")" ] ||
		fail "confirmed, and only $frames read: $ledger"
	echo "$test: $events events; with another reader half-way, $frames of" \
		"them, $(value confirmed "$ledger") confirmed"
done

# --- A reader in one direction.
for test in one-way-unix one-way-tcp; do
	uri=unix:one-way
	[ $test = one-way-tcp ] && uri=tcp:0
	"$peer" --quiet --record "$test" "$uri" >peer.log 2>&1 &
	children=$!
	until_true 20 grep -q '^ready' peer.log
	port=$(sed 's/^ready //' peer.log)
	[ $test = one-way-tcp ] && uri=tcp:127.0.0.1:$port
	# shellcheck disable=SC2086
	ledger=$("$gen" -o "$uri" -n "$events" -t 3 $roomy \
		--set bidirectional=no 2>gen.log) || fail "dtap-gen: $ledger"
	until_true 20 test -e "$test.1.end"
	expect_all "$test.1"
	same confirmed "$(value confirmed "$ledger")" 0
	same stops "$(value stops "$total")" 1
	# shellcheck disable=SC2086
	kill $children
	children=
	echo "$test: $events events"
done
