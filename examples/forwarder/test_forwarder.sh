#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_forwarder.sh: the example server between real clients and a real knotd.
#
# knot_client knows what clients sent and got; knotd's own mod-dnstap knows
# what came to the upstream and left it. The forwarder's frames must say the
# same, octet by octet, as dnstap-read reads them. Runs in the build
# directory, in a scratch directory, on free loopback ports.
set -u
LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
export LC_ALL TZ PATH
build=$PWD
forwarder=$build/examples/forwarder/forwarder
client=$build/integrations/knot/knot_client
peer=$build/tests/fault/fault_peer

while read -r program package; do
	command -v "$program" >/dev/null && continue
	echo "SKIP: the forwarder is NOT tested: $program is missing" \
		"(Debian: apt-get install $package)"
	exit 77
done <<'END'
knotd knot
kdig knot-dnsutils
dnsperf dnsperf
dnstap-read bind9-dnsutils
fstrm_capture fstrm-bin
jq jq
END
modules=$(dpkg-query -L knot-module-dnstap 2>/dev/null | grep 'dnstap\.so$')
[ -n "$modules" ] || {
	echo "SKIP: the forwarder is NOT tested: knotd's own dnstap is missing" \
		"(Debian: apt-get install knot-module-dnstap)"
	exit 77
}

work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-forwarder.XXXXXX") || exit 1
cd "$work" || exit 1
declare -A pids
case=start

finish() {
	local pid
	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT

fail() {
	echo "FAIL: $case: $*"
	tail -n 20 forwarder.log knotd.log 2>/dev/null
	exit 1
}

expect() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1: got $2, wanted $3"
}

until_true() { # WHAT COMMAND...
	local what=$1 tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		[ $((tries += 1)) -lt 200 ] || fail "$what: not within 20 s"
		sleep 0.1
	done
}

# --- the servers ------------------------------------------------------------

port=$("$client" port) || exit 1
upstream=$port
while [ "$upstream" = "$port" ]; do
	upstream=$("$client" port) || exit 1
done
addresses=(127.0.0.1)
listen=(--listen "127.0.0.1:$port")
if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
	addresses+=(::1)
	listen+=(--listen "[::1]:$port")
else
	echo "note: no IPv6 loopback here: IPv6 is NOT tested"
fi

start_knot() {
	cat >knot.conf <<-END
	server:
	    rundir: $work
	    listen: 127.0.0.1@$upstream
	    tcp-workers: 1
	    udp-workers: 1
	    background-workers: 1
	database:
	    storage: $work
	log:
	  - target: stderr
	    any: info
	mod-dnstap:
	  - id: all
	    sink: $work/upstream.fstrm
	    log-queries: on
	    log-responses: on
	template:
	  - id: default
	    storage: $work
	    global-module: mod-dnstap/all
	zone:
	  - domain: one.
	END
	{
		echo "\$ORIGIN one."
		echo "\$TTL 60"
		echo "@ SOA ns hostmaster 1 3600 600 86400 60"
		echo "@ NS ns"
		echo "ns A 192.0.2.53"
		echo "www A 192.0.2.80"
		# More than fits into UDP, less than into TCP.
		awk 'BEGIN { for (i = 0; i < 150; i++)
			printf "big TXT \"%0200d\"\n", i }'
	} >one.zone
	knotd -c knot.conf -s "$work/knot.sock" >knotd.log 2>&1 &
	pids[knot]=$!
	until_true "start of knotd" grep -q "server started" knotd.log
}

stop_knot() {
	kill -TERM "${pids[knot]}"
	wait "${pids[knot]}"
	unset "pids[knot]"
}

start_forwarder() { # [OPTION...]
	"$forwarder" "${listen[@]}" --upstream "127.0.0.1:$upstream" \
		--threads 2 "$@" >forwarder.out 2>forwarder.log &
	pids[forwarder]=$!
	until_true "start of the forwarder" \
		kdig @127.0.0.1 -p "$port" +tcp +retry=0 +timeout=1 www.one
}

# Its last line is the ledger.
stop_forwarder() {
	kill -TERM "${pids[forwarder]}"
	wait "${pids[forwarder]}" || fail "the forwarder ended with status $?"
	unset "pids[forwarder]"
}

# --- messages ---------------------------------------------------------------

# A frame as knot_client would print it.
frames() { # FILE TYPES
	dnstap-read -x "$1" >read.out 2>read.err ||
		fail "dnstap-read cannot read $1: $(cat read.err)"
	awk 'NF > 1 { head = $3 " " $4 " " $6 " " $7; next }
		{ print head " " $1 }' read.out | grep -E "^($2) "
}

compare() { # WHAT TRUTH SEEN
	sort "$2" >truth.sorted
	sort "$3" >seen.sorted
	diff truth.sorted seen.sorted >diff.out ||
		fail "$1: true (<) and logged (>) differ: $(cut -c 1-160 diff.out)"
}

queries() {
	sed 's/#.*//; s/ //g; /^$/d' <<-'EOF'
	1001 0100 0001 0000 0000 0000 03 775777 03 4F6E65 00 0001 0001 # wWw.One
	1002 0100 0001 0000 0000 0000 04 6E6F6E65 03 6F6E65 00 0001 0001 # NXDOMAIN
	1003 0100 0001 0000 0000 0000 03 777777 03 6F6E65 00 001C 0001 # no data
	1004 0100 0001 0000 0000 0001 03 777777 03 6F6E65 00 0001 0001 00 0029 04D0 00 00 8000 0000 # EDNS, DO
	1005 0100 0001 0000 0000 0000 03 777777 04 656C7365 00 0001 0001 # REFUSED
	1006 0100 0001 0000 0000 0000 03 626967 03 6F6E65 00 0010 0001 # big: TC, or 31 KiB
	EOF
}

# --- the cases --------------------------------------------------------------

# Every message at both sides, once each, with its ends and octets.
case=messages
start_knot
start_forwarder --dnstap "file:$work/tap.fstrm"
for address in "${addresses[@]}"; do
	for transport in udp tcp; do
		queries >queries
		if [ $transport = tcp ]; then # one at a time on a connection
			while read -r query; do
				echo "$query" | "$client" tcp "$address" "$port"
			done <queries
		else
			"$client" udp "$address" "$port" <queries
		fi || fail "no answer over $transport from $address"
	done
done | sed 's/^A/C/' >clients
stop_forwarder
stop_knot
# What start_forwarder asked is in the frames, too.
expect "messages of the clients" "$(wc -l <clients)" \
	$((24 * ${#addresses[@]}))
frames tap.fstrm 'CQ|CR' >seen.all
grep -F -x -f clients seen.all >seen
expect "messages besides" $(($(wc -l <seen.all) - $(wc -l <seen))) 2
compare "clients' side" clients seen
frames upstream.fstrm 'AQ|AR' | sed 's/^A/F/' >truth
frames tap.fstrm 'FQ|FR' >seen
compare "upstream's side" truth seen
expect "client's queries and upstream's" \
	"$(frames tap.fstrm CQ | wc -l)" "$(frames tap.fstrm FQ | wc -l)"
echo "ok: $case: $(wc -l <clients) at the clients', $(wc -l <truth) upstream"

# Both times in responses, and in order.
case=times
"$build/tools/cat/dtap-cat" --json tap.fstrm >json || fail "dtap-cat"
jq -e -s '[.[].message | select(.type | endswith("_RESPONSE"))] |
	length >= 48 and all(.query_time != null and
	.query_time <= .response_time)' json >/dev/null ||
	fail "a response lacks a time: $(head -n 3 json | cut -c 1-400)"
echo "ok: $case"

# An upstream that is silent, and one that is not there: SERVFAIL, no FR.
case=servfail
rm -f tap.fstrm
start_knot
start_forwarder --dnstap "file:$work/tap.fstrm" --timeout 300
kill -STOP "${pids[knot]}"
kdig @127.0.0.1 -p "$port" +retry=0 +timeout=5 +noall +header silent.one \
	>kdig.out
grep -q 'status: SERVFAIL' kdig.out || fail "silence: $(cat kdig.out)"
kdig @127.0.0.1 -p "$port" +tcp +retry=0 +timeout=5 +noall +header silent.one \
	>kdig.out
grep -q 'status: SERVFAIL' kdig.out || fail "TCP silence: $(cat kdig.out)"
kill -CONT "${pids[knot]}"
stop_knot
kdig @127.0.0.1 -p "$port" +retry=0 +timeout=5 +noall +header gone.one >kdig.out
grep -q 'status: SERVFAIL' kdig.out || fail "absence: $(cat kdig.out)"
stop_forwarder
expect "SERVFAILs" "$(frames tap.fstrm CR | cut -d ' ' -f 5 |
	grep -c '^....8182')" 3
echo "ok: $case"

# Garbage from clients harms nobody, and zone transfers are not begun.
case=garbage
start_knot
rm -f tap.fstrm
start_forwarder --dnstap "file:$work/tap.fstrm"
for bytes in 0 1 11 12 13 40 512 60000; do
	head -c $bytes /dev/urandom >"/dev/udp/127.0.0.1/$port"
	head -c $bytes /dev/urandom >"/dev/tcp/127.0.0.1/$port" \
		2>head.log # it may be reset
done
exec 3<>"/dev/tcp/127.0.0.1/$port" # half a length, and no more of it
printf '\0' >&3
exec 4<>"/dev/tcp/127.0.0.1/$port" # half a message
printf '\0\100abc' >&4
kdig @127.0.0.1 -p "$port" +retry=0 www.one +short >kdig.out
expect "answer in the midst of it" "$(cat kdig.out)" 192.0.2.80
kdig @127.0.0.1 -p "$port" +tcp +retry=0 AXFR one >kdig.out 2>&1
grep -q NOTIMPL kdig.out || fail "AXFR: $(cat kdig.out)"
exec 3>&- 4>&-
stop_forwarder
echo "ok: $case"

# Under load from many sockets, each query has four frames; the reader is
# absent at first, comes, and no frame is lost.
case=load
echo "www.one A" >names
start_forwarder --dnstap "unix:$work/tap.sock" --set ring-bytes=16M
for transport in udp tcp; do
	dnsperf -s 127.0.0.1 -p "$port" -d names -m $transport \
		-c 8 -T 2 -q 64 -Q 4000 -l 1 >dnsperf.$transport 2>&1 || fail "dnsperf: $(tail -n 5 dnsperf.$transport)"
	[ $transport = tcp ] && break
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" \
		-w load.fstrm >capture.log 2>&1 &
	pids[capture]=$!
	until_true "start of fstrm_capture" [ -S tap.sock ]
done
stop_forwarder
kill -TERM "${pids[capture]}"
wait "${pids[capture]}"
unset "pids[capture]"
sent=$(cat dnsperf.udp dnsperf.tcp |
	awk '/Queries sent:/ { n += $3 } END { print n }')
[ "${sent:-0}" -ge 2000 ] || fail "dnsperf sent only ${sent:-nothing}"
frames load.fstrm 'CQ|CR|FQ|FR' | cut -d ' ' -f 1 | sort | uniq -c >types
# The query of start_forwarder is there as well.
while read -r count type; do
	[ "$count" -ge "$sent" ] && [ "$count" -le $((sent + 9)) ] ||
		fail "$count of $type for $sent queries: $(cat types)"
done <types
expect "types" "$(wc -l <types)" 4
grep -q ' 0 lost$' forwarder.out || fail "lost: $(cat forwarder.out)"
echo "ok: $case: $sent queries, $(awk '{ n += $1 } END { print n }' types) frames"

# A reader that is stuck holds up neither answers nor the end.
case=stuck
"$peer" --read 4096 "unix:$work/stuck.sock" >peer.out &
pids[peer]=$!
until_true "start of the stuck reader" grep -q ready peer.out
start_forwarder --dnstap "unix:$work/stuck.sock"
dnsperf -s 127.0.0.1 -p "$port" -d names -Q 4000 -l 1 >dnsperf.stuck 2>&1
grep -q 'Queries lost: *0 ' dnsperf.stuck || fail "$(cat dnsperf.stuck)"
kill -TERM "${pids[forwarder]}"
timeout 20 tail --pid="${pids[forwarder]}" -f /dev/null ||
	fail "does not end"
wait "${pids[forwarder]}" || fail "ended with status $?"
unset "pids[forwarder]"
echo "ok: $case: $(cat forwarder.out)"
echo "PASS: forwarder"
