#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_unbound.sh: Debian's unbound with libdtap-unbound, from end to end.
#
# A real unbound answers a real client from its cache, its local data, an
# authoritative server and a forwarder; both are one knotd with two zones. What
# knot_client saw on its sockets, and what Debian's mod-dnstap saw inside
# knotd, is the truth; what dnstap-read, dnstap-ldns and fstrm_capture find in
# unbound's stream must be the same, message by message and octet by octet.
# Everything happens on free loopback ports, in a directory that goes away.
#
# `make check-unbound` runs it, and builds the server first (see build), which
# takes about a minute the first time. DTAP_UNBOUND_KEEP=1 keeps the directory,
# DTAP_UNBOUND_ONLY="reload stuck" runs some cases alone.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C TZ=UTC
export PATH LC_ALL TZ

top=$PWD
here=$(cd "$(dirname "$0")" && pwd) || exit 1
client=${DTAP_KNOT_CLIENT:-$top/integrations/knot/knot_client}
: "${DTAP_UNBOUND_DIR:=$top/integrations/unbound/work}"
export DTAP_UNBOUND_DIR

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: unbound is NOT tested: $1 is missing" \
		"(Debian: apt-get install $2)"
	exit 77
}
need knotd knot
need dig bind9-dnsutils
need dnsperf dnsperf
need fstrm_capture fstrm-bin
need dnstap-read bind9-dnsutils
need dnstap-ldns dnstap-ldns
need readelf binutils
find /usr/lib -path '*/knot/modules-*/dnstap.so' 2>/dev/null | grep -q . || {
	echo "SKIP: unbound is NOT tested: there is no mod-dnstap" \
		"(Debian: apt-get install knot-module-dnstap)"
	exit 77
}
"$here/build" || exit
bin=$(cd "$DTAP_UNBOUND_DIR/bin" && pwd) || exit 1

# With the sanitizer only the shim and the library are looked at.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-unbound.XXXXXX") || exit 1
unbound_pid=
knot_pid=
reader_pid=
load_pid=

finish() {
	status=$?
	for pid in $unbound_pid $knot_pid $reader_pid $load_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	if [ "${DTAP_UNBOUND_KEEP:-0}" = 1 ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
	exit $status
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

case=start
fail() {
	echo "FAIL: $case: $*"
	[ -e "$work/unbound.log" ] && tail -n 30 "$work/unbound.log" |
		sed 's/^/    unbound: /'
	exit 1
}

expect() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1: got $2, wanted $3"
}

until_true() { # WHAT COMMAND...
	what=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "$what: not within 20 s"
		sleep 0.1
	done
}

# --- the servers ------------------------------------------------------------

port=$("$client" port) || { echo "FAIL: no free port"; exit 1; }
ip6=no
interfaces="interface: 127.0.0.1@$port"
if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
	ip6=yes
	interfaces="$interfaces
    interface: ::1@$port"
else
	echo "note: no IPv6 loopback here: IPv6 is NOT tested"
fi
# The next one that is free for both transports.
knot_port=$(sh -c "sleep 0.1; exec \"$client\" port") || exit 1

# Zone dead is configured and has no file: SERVFAIL, and at once.
start_knot() {
	for zone in rec fwd; do
		{
			echo "\$ORIGIN $zone."
			echo "\$TTL 600"
			echo "@ SOA ns hostmaster 1 3600 600 86400 60"
			echo "@ NS ns"
			echo "ns A 127.0.0.1"
			echo "www A 192.0.2.80"
			echo "alias CNAME www"
			awk 'BEGIN { for (i = 0; i < 40; i++) printf \
			"big TXT \"text that takes up some room %02d\"\n", i }'
			awk 'BEGIN { for (i = 0; i < 500; i++)
				printf "n%d A 192.0.2.%d\n", i, i % 256 }'
		} >"$work/$zone.zone"
	done
	cat >"$work/knot.conf" <<-EOF
	server:
	    rundir: $work
	    listen: 127.0.0.1@$knot_port
	    udp-workers: 1
	    tcp-workers: 1
	    background-workers: 1
	database:
	    storage: $work
	log:
	  - target: stderr
	    any: info
	mod-dnstap:
	  - id: all
	    sink: $work/truth.fstrm
	template:
	  - id: default
	    storage: $work
	    global-module: mod-dnstap/all
	zone:
	  - domain: rec.
	  - domain: fwd.
	  - domain: dead.
	EOF
	knotd -c "$work/knot.conf" -s "$work/knot.sock" \
		>"$work/knotd.log" 2>&1 &
	knot_pid=$!
	until_true "start of knotd" grep -q "server started" "$work/knotd.log"
}

stop_knot() {
	kill -TERM $knot_pid
	wait $knot_pid
	knot_pid=
}

# Nothing may leave the host: what is not ours is asked of knotd as well.
write_config() { # lines of the dnstap section from stdin
	cat >"$work/unbound.conf" <<-EOF
	server:
	    $interfaces
	    outgoing-interface: 127.0.0.1
	    directory: "$work"
	    chroot: ""
	    username: ""
	    pidfile: "$work/unbound.pid"
	    use-syslog: no
	    logfile: ""
	    log-time-ascii: yes
	    num-threads: ${threads:-2}
	    module-config: "iterator"
	    do-not-query-localhost: no
	    max-udp-size: 1232
	    local-zone: "loc." static
	    local-data: "www.loc. 60 IN A 192.0.2.1"
	    ${more:-}
	remote-control:
	    control-enable: yes
	    control-interface: "$work/control.sock"
	    control-use-cert: no
	stub-zone:
	    name: "rec."
	    stub-addr: 127.0.0.1@$knot_port
	stub-zone:
	    name: "dead."
	    stub-addr: 127.0.0.1@$knot_port
	forward-zone:
	    name: "."
	    forward-addr: 127.0.0.1@$knot_port
	dnstap:
	    dnstap-enable: yes
	EOF
	sed 's/^/    /' >>"$work/unbound.conf"
	"$bin/unbound-checkconf" "$work/unbound.conf" \
		>"$work/checkconf.out" 2>&1 ||
		fail "unbound-checkconf: $(cat "$work/checkconf.out")"
}

log_all='dnstap-log-client-query-messages: yes
dnstap-log-client-response-messages: yes
dnstap-log-resolver-query-messages: yes
dnstap-log-resolver-response-messages: yes
dnstap-log-forwarder-query-messages: yes
dnstap-log-forwarder-response-messages: yes'

# The section that most cases use.
tap_to() { # DESTINATION [LINE...]
	write_config <<-EOF
	dnstap-socket-path: "$1"
	${2:-}
	$log_all
	EOF
}

start_unbound() { # [PROGRAM]
	: >"$work/unbound.log"
	"$bin/${1:-unbound}" -d -c "$work/unbound.conf" \
		>"$work/unbound.log" 2>&1 &
	unbound_pid=$!
	until_true "start of unbound" grep -q "start of service" \
		"$work/unbound.log"
}

stop_unbound() {
	kill -TERM "$unbound_pid"
	wait "$unbound_pid" || fail "unbound ended with status $?"
	unbound_pid=
}

control() {
	"$bin/unbound-control" -q -c "$work/unbound.conf" "$@" \
		>"$work/control.out" 2>&1 ||
		fail "unbound-control $*: $(cat "$work/control.out")"
}

start_reader() { # FILE [ARGUMENTS...]
	file=$1
	shift
	[ $# -gt 0 ] || set -- -u "$work/tap.sock"
	fstrm_capture -t protobuf:dnstap.Dnstap -d "$@" -w "$file" \
		>"$work/capture.log" 2>&1 &
	reader_pid=$!
	until_true "start of fstrm_capture" grep -q "opened\|listening" \
		"$work/capture.log"
}

# fstrm_capture writes its file out when it is told to end.
stop_reader() {
	kill -TERM $reader_pid
	wait $reader_pid
	reader_pid=
	rm -f "$work/tap.sock"
}

# --- messages ---------------------------------------------------------------

# A frame of a stream in knot_client's words.
frames() {
	dnstap-read -x "$1" >"$work/read.out" 2>"$work/read.err" ||
		fail "dnstap-read cannot read $1: $(cat "$work/read.err")"
	awk 'NF > 1 { head = $3 " " $4 " " $6 " " $7; next }
		{ print head " " $1 }' "$work/read.out"
}

count_frames() { # FILE TYPE
	frames "$1" | grep -c "^$2"
}

# knot_client and mod-dnstap speak of a server that is authoritative.
from_client() {
	sed 's/^[AU]/C/' "$@"
}

# Both sides of the traffic between unbound and knotd, without unbound's port,
# of which it tells nothing: F where RD is set, else R.
outside() {
	awk '/^[AFR][QR] / {
		flags = substr($5, 6, 1)
		type = index("13579BDF", flags) ? "F" : "R"
		sub(/:[0-9]+$/, "", $2)
		print type substr($1, 2), $2, $3, $4, $5 }'
}

# What unbound itself calls them has to be the same.
outside_named() {
	sed -n 's/^\([FR][QR] [^ ]*\):[0-9]* /\1 /p' "$@"
}

compare() { # WHAT SENT SEEN
	sort "$2" >"$work/sent.sorted"
	sort "$3" >"$work/seen.sorted"
	diff "$work/sent.sorted" "$work/seen.sorted" >"$work/diff.out" ||
		fail "$1: sent (<) and logged (>) differ:
$(cut -c 1-200 "$work/diff.out")"
}

queries() {
	sed 's/#.*//; s/ //g; /^$/d' <<-'EOF'
	1001 0100 0001 0000 0000 0000 03 775777 03 526563 00 0001 0001 # wWw.Rec
	1002 0100 0001 0000 0000 0000 03 777777 03 726563 00 0001 0001 # cache
	1003 0100 0001 0000 0000 0000 04 6E6F6E65 03 726563 00 0001 0001 # NXDOMAIN
	1004 0100 0001 0000 0000 0000 03 777777 03 726563 00 001C 0001 # no data
	1005 0100 0001 0000 0000 0001 05 616C696173 03 667764 00 0001 0001 00 0029 04D0 00 00 8000 0000 # forwarded, CNAME, EDNS, DO
	1006 0100 0001 0000 0000 0000 03 777777 03 667764 00 0001 0001 # forwarded
	1007 0100 0001 0000 0000 0000 01 61 04 64656164 00 0001 0001 # SERVFAIL
	1008 0100 0001 0000 0000 0000 03 777777 03 6C6F63 00 0001 0001 # local data
	1009 0100 0001 0000 0000 0000 04 6E6F6E65 03 6C6F63 00 0001 0001 # local, NXDOMAIN
	100A 0100 0001 0000 0000 0000 03 626967 03 726563 00 0010 0001 # truncated
	100B 0100 0001 0000 0000 0000 07 76657273696F6E 04 62696E64 00 0010 0003 # CH TXT
	100C 0000 0001 0000 0000 0000 03 6E7878 03 726563 00 0001 0001 # RD clear
	100D 0100 0001 0000 0000 0000 02 6E31 03 726563 00 0001 0001 # n1.rec
	100E 0100 0001 0000 0000 0001 02 6E32 03 667764 00 0001 0001 00 0029 FFFF 00 00 0000 0000 # n2.fwd
	EOF
}
query_count=$(queries | wc -l)

ask() { # TRANSPORT... : all queries from 127.0.0.1 and ::1
	for transport in "$@"; do
		queries | "$client" "$transport" 127.0.0.1 "$port" || exit 1
		[ $ip6 = no ] || queries | "$client" "$transport" ::1 "$port" ||
			exit 1
	done
}

ask_once() {
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port"
}

offer_load() { # SECONDS QUERIES-PER-SECOND
	awk 'BEGIN { for (i = 0; i < 500; i++)
		print "n" i (i % 2 ? ".rec A" : ".fwd A")
		print "www.loc A"; print "none.loc A" }' >"$work/load"
	dnsperf -s 127.0.0.1 -p "$port" -d "$work/load" -l "$1" -Q "$2" -q 50 \
		-c 8 -t 3 >"$work/dnsperf.out" 2>&1 &
	load_pid=$!
}

# Sets completed.
end_load() {
	wait $load_pid || fail "dnsperf: $(cat "$work/dnsperf.out")"
	load_pid=
	completed=$(sed -n 's/.*Queries completed: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	lost=$(sed -n 's/.*Queries lost: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	[ "$completed" -gt 1000 ] || fail "only $completed queries"
}

# --- the cases --------------------------------------------------------------

# No patched source, no protobuf-c, no libdtap to install; the .so shows only
# what unbound links to.
case_linkage() {
	for program in unbound unbound-shared; do
		readelf -d "$bin/$program" | grep NEEDED >"$work/needed"
		grep -q 'protobuf\|fstrm\|libdtap\.' "$work/needed" &&
			fail "$program: $(cat "$work/needed")"
		readelf -sW --dyn-syms "$bin/$program" |
			grep -q 'GLOBAL DEFAULT .* dtap_' &&
			fail "$program shows symbols of the library"
	done
	grep -q 'libdtap-unbound\.so' "$work/needed" ||
		fail "unbound-shared does not need libdtap-unbound.so"
	readelf -W --dyn-syms "$DTAP_UNBOUND_DIR/shim/libdtap-unbound.so" |
		awk '$5 == "GLOBAL" && $7 ~ /^[0-9]+$/ { print $8 }' |
		sort >"$work/shown"
	sed -n 's/^\t\t\([a-z_]*\);$/\1/p' "$here/libdtap-unbound.map" |
		sort >"$work/listed"
	expect "symbols that are not listed" \
		"$(comm -23 "$work/shown" "$work/listed")" ""
	[ "$(wc -l <"$work/shown")" -ge 17 ] || fail "symbols are missing"
}

# Every kind of exchange over every transport, on both sides of unbound.
run_messages() { # PROGRAM
	rm -f "$work"/*.fstrm*
	start_knot
	tap_to "file:$work/tap.fstrm"
	start_unbound "$1"
	ask udp tcp >"$work/sent.knot"
	stop_unbound
	stop_knot
	from_client "$work/sent.knot" >"$work/sent"
	expect "messages of knot_client" "$(wc -l <"$work/sent")" \
		$((query_count * 2 * ip6_factor * 2))
	frames "$work/tap.fstrm" >"$work/seen"
	grep '^C' "$work/seen" >"$work/seen.client"
	compare "client messages" "$work/sent" "$work/seen.client"
	frames "$work/truth.fstrm" | outside >"$work/truth"
	outside_named "$work/seen" >"$work/seen.outside"
	compare "upstream messages" "$work/truth" "$work/seen.outside"
	for what in "^RQ .* UDP" "^RR .* UDP" "^RQ .* TCP" "^RR .* TCP" \
		"^FQ .* UDP" "^FR .* UDP"; do
		grep -q "$what" "$work/seen" || fail "no $what was seen"
	done
	echo "    $1: $(grep -c '^C' "$work/seen") messages with clients," \
		"$(wc -l <"$work/truth") with servers"
}

case_messages() {
	run_messages unbound
	run_messages unbound-shared
}

# STATUS and UPDATE. unbound has no hook where it answers FORMERR or NOTIMP
# before it looks at the question: the query is in the stream, the response is
# not.
case_unknown() {
	rm -f "$work"/*.fstrm*
	start_knot
	tap_to "file:$work/tap.fstrm"
	start_unbound
	printf '%s\n' 200110000001000000000000037265630000060001 \
		200228000001000000000000037265630000060001 |
		"$client" udp 127.0.0.1 "$port" | from_client >"$work/sent" ||
		exit 1
	stop_unbound
	stop_knot
	expect "answers" "$(grep -c '^CR' "$work/sent")" 2
	grep '^CQ' "$work/sent" >"$work/wanted"
	frames "$work/tap.fstrm" >"$work/seen"
	compare "queries of unknown kinds" "$work/wanted" "$work/seen"
}

# One line for each frame: type, ID, query time, response time, zone,
# identity, version; "-" for what is absent. IDs are the client's or unbound's.
tabulate() {
	dnstap-ldns -y -r "$1" >"$work/yaml" ||
		fail "dnstap-ldns cannot read $1"
	awk '
	function show() {
		if (type != "")
			print type, port, id, q, r, zone, name, version
		type = ""; port = id = q = r = zone = name = version = "-"
	}
	BEGIN { show() }
	/^---/ { show() }
	/^identity: / { name = $2 }
	/^version: / { $1 = ""; gsub(/ /, "_"); version = $0 }
	/^  type: / { type = $2 }
	/^  query_port: / { port = $2 }
	/^  query_time: / { q = $3 "_" $4 }
	/^  response_time: / { r = $3 "_" $4 }
	/^  query_zone: / { zone = $2 }
	/->>HEADER<<-/ { id = $NF }
	END { show() }' "$work/yaml"
}

# A time in every frame, in its window and order; in each response to a client
# the time of its query. Zones, identity, version.
case_fields() {
	rm -f "$work"/*.fstrm*
	start_knot
	write_config <<-EOF
	dnstap-socket-path: "file:$work/tap.fstrm"
	dnstap-send-identity: yes
	dnstap-send-version: yes
	dnstap-identity: "test"
	dnstap-version: "unbound under test"
	$log_all
	EOF
	start_unbound
	before=$(date -u +'%Y-%m-%d_%H:%M:%S.000000')
	ask udp tcp >"$work/sent"
	sleep 1.1
	after=$(date -u +'%Y-%m-%d_%H:%M:%S.000000')
	stop_unbound
	stop_knot
	tabulate "$work/tap.fstrm" >"$work/table"
	expect "frames" "$(wc -l <"$work/table")" \
		"$(frames "$work/tap.fstrm" | wc -l)"
	awk -v before="$before" -v after="$after" '
	$4 < before || $4 > after { print "query time:", $0 }
	$1 ~ /QUERY/ && $5 != "-" { print "response time:", $0 }
	$1 ~ /RESPONSE/ && ($5 < $4 || $5 > after) { print "order:", $0 }
	$1 == "CLIENT_QUERY" { came[$2, $3] = $4; queries++ }
	$1 == "CLIENT_RESPONSE" {
		if (came[$2, $3] != $4)
			print "not its query:", $0
		delete came[$2, $3]
		responses++
	}
	$7 != "\"test\"" || $8 != "_\"unbound_under_test\"" {
		print "identity or version:", $0 }
	$1 ~ /CLIENT/ && $6 != "-" { print "zone:", $0 }
	$1 ~ /RESOLVER/ && $6 !~ /^"(rec|dead)\."$/ { print "zone:", $0 }
	$1 ~ /FORWARDER/ && $6 != "\".\"" { print "zone:", $0 }
	END { if (queries != responses || !queries)
		print queries + 0, responses + 0 }' "$work/table" >"$work/bad"
	expect "wrong fields" "$(head -n 5 "$work/bad")" ""
}

# Each switch alone; and query_time in responses when queries are not logged.
case_switches() {
	start_knot
	for pair in client-query:CQ client-response:CR resolver-query:RQ \
		resolver-response:RR forwarder-query:FQ forwarder-response:FR
	do
		rm -f "$work"/tap.fstrm*
		write_config <<-EOF
		dnstap-socket-path: "file:$work/tap.fstrm"
		dnstap-send-identity: yes
		dnstap-send-version: yes
		dnstap-log-${pair%:*}-messages: yes
		EOF
		start_unbound
		queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
			exit 1
		stop_unbound
		frames "$work/tap.fstrm" >"$work/seen"
		expect "types with only ${pair%:*}" \
			"$(cut -c 1-2 "$work/seen" | sort -u)" "${pair#*:}"
		tabulate "$work/tap.fstrm" >"$work/table"
		expect "identity and version" \
			"$(cut -d' ' -f7- "$work/table" | sort -u)" \
			"\"$(hostname)\" _\"unbound_1.$(version_tail)\""
		[ "${pair#*:}" != CR ] ||
			expect "responses without query_time" \
				"$(awk '$4 == "-"' "$work/table")" ""
	done
	rm -f "$work"/tap.fstrm*
	write_config <<-EOF
	dnstap-socket-path: "file:$work/tap.fstrm"
	EOF
	start_unbound
	ask_once >"$work/sent" || exit 1
	stop_unbound
	stop_knot
	expect "frames with all switches off" \
		"$(frames "$work/tap.fstrm")" ""
}

version_tail() {
	"$bin/unbound" -V | sed -n 's/^Version 1\.//p'
}

# What cannot be had is said in the log, and the server answers all the same.
case_refusals() {
	tap_port=$("$client" port)
	while read -r lines; do
		rm -f "$work"/tap.fstrm*
		{
			echo "$log_all"
			echo "$lines" | cut -d'|' -f1 | tr ';' '\n'
		} | write_config
		start_unbound
		dig +short @127.0.0.1 -p "$port" www.loc >"$work/dig.out"
		control reload
		dig +short @127.0.0.1 -p "$port" www.loc >>"$work/dig.out"
		stop_unbound
		expect "answers" "$(grep -c 192.0.2.1 "$work/dig.out")" 2
		expect "'$lines': lines in the log" "$(grep -c \
			"error: dnstap: .*$(echo "$lines" | cut -d'|' -f2)" \
			"$work/unbound.log")" 2
		grep -q "runs without dnstap" "$work/unbound.log" ||
			fail "'$lines': the log does not tell the consequence"
	done <<-EOF
	dnstap-ip: 127.0.0.1@$tap_port|dnstap-tls: yes
	dnstap-ip: 127.0.0.1@$tap_port;dnstap-tls: yes|dnstap-tls: no
	dnstap-socket-path: "tls:127.0.0.1:6000"|output
	dnstap-socket-path: "tcp:localhost:6000"|output
	dnstap-socket-path: "file:"|output
	dnstap-socket-path: "file:x?nonsense=1"|nonsense
	dnstap-socket-path: ""|no dnstap-socket-path
	dnstap-socket-path: "file:x";dnstap-ip: 127.0.0.1@$tap_port;dnstap-tls: yes|dnstap-tls: no
	dnstap-socket-path: "file:x";dnstap-send-identity: yes;dnstap-identity: "$(printf %0300d 0)"|identity
	EOF
}

# A sink that is fine to write down, but cannot be opened: a folder that is not
# there, as after a chroot. The log says so, and all queries are answered.
case_unopenable() {
	tap_to "file:/no/such/folder/tap.fstrm"
	start_unbound
	dig +short @127.0.0.1 -p "$port" www.loc >"$work/dig.out"
	until_true "a line in the log" grep -q \
		"/no/such/folder/tap.fstrm: .*No such file" "$work/unbound.log"
	stop_unbound
	expect "answer" "$(cat "$work/dig.out")" 192.0.2.1
}

# TCP by dnstap-ip and by URI, and both readers of either handshake.
case_destinations() {
	start_knot
	tap_port=$("$client" port)
	while read -r lines; do
		rm -f "$work"/*.fstrm
		{
			echo "$log_all"
			echo "$lines" | tr ';' '\n'
		} | write_config
		start_reader "$work/tap.fstrm" -a 127.0.0.1 -p "$tap_port"
		start_unbound
		ask udp | from_client >"$work/sent"
		stop_unbound
		stop_reader
		frames "$work/tap.fstrm" | grep '^C' >"$work/seen"
		compare "$lines" "$work/sent" "$work/seen"
	done <<-EOF
	dnstap-ip: 127.0.0.1@$tap_port;dnstap-tls: no
	dnstap-socket-path: "tcp:127.0.0.1:$tap_port"
	EOF
	for handshake in yes no; do
		tap_to "unix:$work/tap.sock" "dnstap-bidirectional: $handshake"
		"$DTAP_UNBOUND_DIR/tree/unbound-dnstap-socket" \
			-u "$work/tap.sock" -vvvv >"$work/lines" \
			2>"$work/reader.log" &
		reader_pid=$!
		until_true "start of unbound-dnstap-socket" \
			test -S "$work/tap.sock"
		start_unbound
		ask udp >"$work/sent"
		stop_unbound
		stop_reader
		expect "bidirectional: $handshake: client messages" \
			"$(grep -c '^CLIENT_' "$work/lines")" "$(wc -l <"$work/sent")"
		wanted=0
		[ $handshake = no ] || wanted=1
		expect "bidirectional: $handshake: handshakes" \
			"$(grep -c 'info: bidirectional stream' \
			"$work/reader.log")" $wanted
	done
	stop_knot
}

# fstrm_capture listens before, or long after, the server starts; it goes and
# comes back. Nothing is lost: the ring is large enough for what is sent.
case_socket() {
	start_knot
	rm -f "$work"/*.fstrm
	tap_to "unix:$work/tap.sock?reconnect-max-ms=500"
	start_reader "$work/first.fstrm"
	start_unbound
	ask udp | from_client >"$work/sent"
	stop_unbound
	stop_reader
	frames "$work/first.fstrm" | grep '^C' >"$work/seen"
	compare "reader present" "$work/sent" "$work/seen"

	start_unbound
	ask udp | from_client >"$work/sent"
	sleep 0.5
	start_reader "$work/second.fstrm"
	ask tcp | from_client >>"$work/sent"
	sleep 1.5 # the longest wait before the writer tries again, and more
	stop_reader
	ask udp | from_client >>"$work/sent"
	start_reader "$work/third.fstrm"
	sleep 1.5
	stop_unbound
	stop_reader
	stop_knot
	{ frames "$work/second.fstrm"; frames "$work/third.fstrm"; } |
		grep '^C' >"$work/seen"
	compare "reader absent, killed and restarted" "$work/sent" "$work/seen"
}

# Reloads under load: each ends the stream and begins another; every answer
# that a client got is there once, with its query.
case_reload() {
	start_knot
	rm -f "$work"/*.fstrm
	tap_to "$work/tap.sock"
	start_reader "$work/tap.fstrm"
	start_unbound
	offer_load 6 2000
	for _ in 1 2 3 4; do
		sleep 0.8
		control reload
	done
	sed 's/dnstap-socket/dnstap-identity: "other"\n    dnstap-send-identity: yes\n    &/' \
		"$work/unbound.conf" >"$work/unbound.new" &&
		mv "$work/unbound.new" "$work/unbound.conf"
	sleep 0.5
	control reload
	end_load
	stop_unbound
	stop_reader
	stop_knot
	frames "$work/tap.fstrm" >"$work/seen"
	responses=$(grep -c '^CR' "$work/seen")
	expect "responses" "$responses" "$completed"
	# A query that waited for knotd when unbound reloaded gets no answer.
	unanswered=$(($(grep -c '^CQ' "$work/seen") - responses))
	[ $unanswered -ge 0 ] && [ $unanswered -le "$lost" ] ||
		fail "$unanswered queries without response, dnsperf lost $lost"
	expect "ledgers in the log" "$(grep -c 'dropped 0, lost 0' \
		"$work/unbound.log")" 6
	submitted=$(sed -n 's/.*events submitted \([0-9]*\),.*/\1/p' \
		"$work/unbound.log" | awk '{ n += $1 } END { print n }')
	expect "frames" "$(wc -l <"$work/seen")" "$submitted"
	tabulate "$work/tap.fstrm" >"$work/table"
	[ "$(awk '$7 == "\"other\""' "$work/table" | wc -l)" -gt 0 ] ||
		fail "the new identity is in no frame"
	echo "    $completed queries answered, $lost lost by unbound," \
		"6 streams, $submitted frames"
}

# The queries of all threads, with a reader that keeps up.
case_threads() {
	start_knot
	for threads in 1 2 4; do
		rm -f "$work"/*.fstrm
		tap_to "$work/tap.sock"
		start_reader "$work/tap.fstrm"
		start_unbound
		offer_load 2 15000
		end_load
		stop_unbound
		stop_reader
		expect "lost by dnsperf" "$lost" 0
		frames "$work/tap.fstrm" >"$work/seen"
		expect "queries" "$(grep -c '^CQ' "$work/seen")" "$completed"
		expect "responses" "$(grep -c '^CR' "$work/seen")" "$completed"
		# dnsperf uses each ID once on each of its sockets.
		expect "frames that are there twice" \
			"$(grep '^C' "$work/seen" | sort | uniq -d | wc -l)" 0
		grep -q 'dropped 0, lost 0' "$work/unbound.log" ||
			fail "the ledger tells of a loss"
		used=$(grep -c 'server stats for thread [0-9]*: [1-9]' \
			"$work/unbound.log")
		echo "    $threads threads, $used of them busy: $completed queries"
	done
	threads=
	stop_knot
}

# A reader that stands still costs the clients nothing, and the end of the
# server, or a reload, two seconds.
case_stuck() {
	start_knot
	rm -f "$work"/*.fstrm
	tap_to "unix:$work/tap.sock?ring-bytes=64K&write-timeout-ms=600000"
	start_reader "$work/stuck.fstrm"
	start_unbound
	ask_once >"$work/sent" || exit 1
	sleep 0.5
	kill -STOP $reader_pid
	offer_load 2 5000
	end_load
	expect "lost by dnsperf" "$lost" 0
	for how in reload stop; do
		began=$(date +%s%N)
		if [ $how = reload ]; then
			before=$(grep -c "start of service" "$work/unbound.log")
			control reload
			until_true "reload" eval '[ "$(grep -c \
				"start of service" "$work/unbound.log")" -gt \
				"$before" ]'
			ask_once >"$work/sent" || exit 1
		else
			stop_unbound
		fi
		took_ms=$((($(date +%s%N) - began) / 1000000))
		echo "    $how took $took_ms ms"
		[ $took_ms -lt 4000 ] || fail "$how took $took_ms ms"
	done
	kill -CONT $reader_pid
	stop_reader
	stop_knot
	grep -q 'warning: dnstap: events submitted .* lost [1-9]' \
		"$work/unbound.log" || fail "no warning about events lost"
}

# In a chroot and as another user: the socket and the file are those inside.
case_chroot() {
	if [ "$(id -u)" != 0 ]; then
		echo "note: only root can chroot: that is NOT tested"
		return
	fi
	start_knot
	root=$work/root
	mkdir -p "$root/out"
	chown nobody "$root/out"
	chmod 755 "$work"
	ask_in_chroot() { # DESTINATION
		tap_to "$1"
		sed "s,chroot: .*,chroot: \"$root\",
			s,username: .*,username: \"nobody\",
			s,directory: .*,directory: \"$root\",
			s,control-enable: yes,control-enable: no,
			s,pidfile: .*,pidfile: \"$root/unbound.pid\"," \
			"$work/unbound.conf" >"$root/unbound.conf"
		cp "$root/unbound.conf" "$work/unbound.conf"
		start_unbound
		ask udp tcp | from_client >"$work/sent"
		expect "user of unbound" \
			"$(stat -c %U "/proc/$unbound_pid/task")" nobody
		stop_unbound
	}
	ask_in_chroot "file:$root/out/tap.fstrm"
	frames "$root/out/tap.fstrm" | grep '^C' >"$work/seen"
	compare "file in the chroot" "$work/sent" "$work/seen"
	expect "owner of the file" "$(stat -c %U "$root/out/tap.fstrm")" nobody

	start_reader "$work/tap.fstrm" -u "$root/tap.sock"
	chmod 777 "$root/tap.sock"
	ask_in_chroot "$root/tap.sock"
	stop_reader
	frames "$work/tap.fstrm" | grep '^C' >"$work/seen"
	compare "socket in the chroot" "$work/sent" "$work/seen"
	stop_knot
}

# Without -d unbound forks before it makes the tap.
case_daemon() {
	start_knot
	rm -f "$work"/*.fstrm* "$work/unbound.pid"
	tap_to "file:$work/tap.fstrm"
	sed "s,logfile: .*,logfile: \"$work/unbound.log\"," \
		"$work/unbound.conf" >"$work/unbound.new" &&
		mv "$work/unbound.new" "$work/unbound.conf"
	: >"$work/unbound.log"
	"$bin/unbound" -c "$work/unbound.conf" || fail "unbound ended with $?"
	until_true "start of unbound" grep -q "start of service" \
		"$work/unbound.log"
	unbound_pid=$(cat "$work/unbound.pid")
	ask udp | from_client >"$work/sent"
	kill -TERM "$unbound_pid"
	until_true "end of unbound" eval "! kill -0 $unbound_pid"
	unbound_pid=
	stop_knot
	frames "$work/tap.fstrm" | grep '^C' >"$work/seen"
	compare "daemon" "$work/sent" "$work/seen"
}

ip6_factor=1
[ $ip6 = no ] || ip6_factor=2
for case in ${DTAP_UNBOUND_ONLY:-linkage messages unknown fields switches \
	refusals unopenable destinations socket reload threads stuck chroot daemon}; do
	"case_$case"
	echo "ok: $case"
done
