#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
#
# test_knot.sh: Debian's unmodified knotd with mod-dtap, from end to end.
#
# Real queries go to a real server on free loopback ports. What knot_client
# and kdig saw on their sockets is the truth; what dnstap-read, dnstap-ldns
# and fstrm_capture find in the stream must be the same, message by message
# and octet by octet. Runs in the build tree, in a directory of its own that
# goes away; needs no privileges.
#
# DTAP_KNOT_MODULE names another dtap.so than the build's, DTAP_KNOT_KEEP=1
# keeps the directory, DTAP_KNOT_ONLY="reload stuck" runs some cases alone.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C TZ=UTC
export PATH LC_ALL TZ

top=$PWD
module=${DTAP_KNOT_MODULE:-$top/integrations/knot/.libs/dtap.so}
drop_in=$(dirname "$module")/dnstap.so
client=${DTAP_KNOT_CLIENT:-$top/integrations/knot/knot_client}

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: mod-dtap is NOT tested: $1 is missing" \
		"(Debian: apt-get install $2)"
	exit 77
}
need knotd knot
need knotc knot
need kdig knot-dnsutils
need knsupdate knot-dnsutils
need dnsperf dnsperf
need fstrm_capture fstrm-bin
need dnstap-read bind9-dnsutils
need dnstap-ldns dnstap-ldns
need nm binutils
if [ ! -e "$module" ]; then
	echo "SKIP: mod-dtap is NOT tested: $module was not built" \
		"(Debian: apt-get install libknot-dev, then configure again)"
	exit 77
fi
# A module built with gcc's sanitizer needs its runtime in knotd from the
# start. What Knot itself may leak is not looked for.
preload=
if grep -q __asan_init "$module"; then
	preload=$(${CC:-gcc} -print-file-name=libasan.so)
elif grep -q __tsan_init "$module"; then
	preload=none # RCU in a Knot without TSan would be all false alarms
fi
case $preload in
/*)
	echo "note: knotd runs with $preload"
	export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	;;
?*)
	echo "SKIP: mod-dtap is NOT tested: knotd cannot load a module that" \
		"was built with this sanitizer"
	exit 77
	;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-knot.XXXXXX") || exit 1
knot_pid=
reader_pid=
load_pid=

finish() {
	status=$?
	for pid in $knot_pid $reader_pid $load_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	if [ "${DTAP_KNOT_KEEP:-0}" = 1 ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
	exit $status
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAIL: $case: $*"
	[ -e "$work/knotd.log" ] && tail -n 30 "$work/knotd.log" |
		sed 's/^/    knotd: /'
	exit 1
}

expect() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1: got $2, wanted $3"
}

# Waits for a condition; each case says what it is that did not happen.
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

# --- the server -----------------------------------------------------------

port=$("$client" port) || { echo "FAIL: no free port"; exit 1; }
ip6=no
listen="127.0.0.1@$port"
if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
	ip6=yes
	listen="$listen, ::1@$port"
else
	echo "note: no IPv6 loopback here: IPv6 is NOT tested"
fi

write_zones() {
	for zone in one two big; do
		{
			echo "\$ORIGIN $zone."
			echo "\$TTL 60"
			echo "@ SOA ns hostmaster 1 3600 600 86400 60"
			echo "@ NS ns"
			echo "ns A 192.0.2.53"
			echo "www A 192.0.2.80"
			echo "*.wild TXT \"synthesised\""
		} >"$work/$zone.zone"
	done
	# Some twenty messages of 16 KiB when it is transferred.
	awk 'BEGIN { for (i = 1; i <= 6000; i++)
		printf "n%d TXT \"some text that takes up room %d\"\n", i, i
	}' >>"$work/big.zone"
}

# The instances come from stdin; they are global unless zone modules are
# given as "zone=instance".
write_config() { # GLOBAL-INSTANCE [ZONE=INSTANCE...]
	global=$1
	shift
	{
		cat <<-EOF
		server:
		    rundir: $work
		    listen: [ $listen ]
		    udp-workers: 2
		    tcp-workers: 1
		    background-workers: 1
		database:
		    storage: $work
		log:
		  - target: stderr
		    any: info
		module:
		  - id: mod-dtap
		    file: $module
		key:
		  - id: key
		    algorithm: hmac-sha256
		    secret: c2VjcmV0c2VjcmV0
		acl:
		  - id: loopback
		    address: [ 127.0.0.1, ::1 ]
		    action: transfer
		  - id: signed
		    key: key
		    action: [ transfer, update ]
		mod-dtap:
		EOF
		cat
		cat <<-EOF
		template:
		  - id: default
		    storage: $work
		    acl: [ signed, loopback ]
		    zonefile-sync: -1
		    zonefile-load: difference
		    journal-content: changes
		EOF
		[ -z "$global" ] || echo "    global-module: mod-dtap/$global"
		echo "zone:"
		for zone in one two big; do
			echo "  - domain: $zone."
			for pair in "$@"; do
				[ "${pair%%=*}" != $zone ] ||
					echo "    module: mod-dtap/${pair#*=}"
			done
		done
	} >"$work/knot.conf"
}

# Replaces the shell it runs in, so that $! is the server itself.
exec_knot() { # PROGRAM ARGUMENTS...
	[ -z "$preload" ] || export LD_PRELOAD="$preload"
	exec "$@"
}

start_knot() {
	rm -rf "$work/journal" "$work/timers" "$work/catalog" "$work/keys"
	: >"$work/knotd.log"
	exec_knot knotd -c "$work/knot.conf" -s "$work/knot.sock" \
		>>"$work/knotd.log" 2>&1 &
	knot_pid=$!
	until_true "start of knotd" grep -q "server started" "$work/knotd.log"
}

stop_knot() {
	kill -TERM $knot_pid
	wait $knot_pid || fail "knotd ended with status $?"
	knot_pid=
}

control() {
	knotc -s "$work/knot.sock" "$@" >"$work/knotc.out" 2>&1 ||
		fail "knotc $*: $(cat "$work/knotc.out")"
}

start_reader() { # FILE
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" -w "$1" \
		>"$work/capture.log" 2>&1 &
	reader_pid=$!
	until_true "start of fstrm_capture" [ -S "$work/tap.sock" ]
}

# fstrm_capture writes its file out when it is told to end.
stop_reader() {
	kill -TERM $reader_pid
	wait $reader_pid
	reader_pid=
	rm -f "$work/tap.sock"
}

# --- messages ---------------------------------------------------------------

# A frame of the stream in knot_client's words.
frames() {
	dnstap-read -x "$1" >"$work/read.out" 2>"$work/read.err" ||
		fail "dnstap-read cannot read $1: $(cat "$work/read.err")"
	awk 'NF > 1 { head = $3 " " $4 " " $6 " " $7; next }
		{ print head " " $1 }' "$work/read.out"
}

count_frames() { # FILE [TYPE]
	frames "$1" | grep -c "^${2:-}"
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
	1001 0100 0001 0000 0000 0000 03 775777 03 4F6E65 00 0001 0001 # wWw.One
	1002 0100 0001 0000 0000 0000 04 6E6F6E65 03 6F6E65 00 0001 0001 # NXDOMAIN
	1003 0100 0001 0000 0000 0000 03 777777 03 6F6E65 00 001C 0001 # no data
	1004 0100 0001 0000 0000 0001 03 777777 03 74774F 00 0001 0001 00 0029 04D0 00 00 8000 0000 # EDNS, DO
	1005 0100 0001 0000 0000 0000 03 777777 04 656C7365 00 0001 0001 # REFUSED
	1006 0100 0001 0000 0000 0000 07 76657273696F6E 04 62696E64 00 0010 0003 # CH TXT
	1007 0100 0001 0000 0000 0000 01 41 04 57696C64 03 6F6E45 00 0010 0001 # wildcard
	1008 2000 0001 0000 0000 0000 03 6F6E65 00 0006 0001 # NOTIFY
	1009 2800 0001 0000 0000 0000 03 6F6E65 00 0006 0001 # UPDATE, refused
	100A 1000 0001 0000 0000 0000 03 6F6E65 00 0006 0001 # STATUS
	100B 0100 0001 0000 0000 0000 03 775777 03 4F6E65 00 0001 0001 FFFF # trailing octets
	EOF
}

transfer() { # ID TYPE: of zone big
	echo "${1}0000000100000000000003626967000${2}0001"
}

file_sink() {
	write_config all <<-EOF
	  - id: all
	    sink: $work/tap.fstrm
	    identity: test
	    version: "knot under test"
	EOF
}

# --- the cases --------------------------------------------------------------

# The module stands alone: it shows Knot one symbol and wants no libdtap.
case_module() {
	nm -D "$module" >"$work/symbols" || fail "nm cannot read $module"
	expect "exported symbols" \
		"$(awk 'NF == 3 { print $3 }' "$work/symbols")" \
		knotd_mod_api
	expect "symbols of libdtap" "$(grep ' U dtap_' "$work/symbols")" ""
}

# Every kind of message, over every transport, with its addresses, ports and
# octets.
case_messages() {
	file_sink
	start_knot
	queries >"$work/queries"
	for transport in udp tcp; do
		"$client" $transport 127.0.0.1 "$port" <"$work/queries" || exit 1
		[ $ip6 = no ] ||
			"$client" $transport ::1 "$port" <"$work/queries" || exit 1
	done >"$work/sent"
	stop_knot
	expect "messages of knot_client" "$(wc -l <"$work/sent")" \
		$((22 * ip6_factor * 2))
	frames "$work/tap.fstrm" >"$work/seen"
	compare messages "$work/sent" "$work/seen"
	expect "UPDATE responses" "$(grep -c ^UR "$work/seen")" \
		$((ip6_factor * 2))
}

# query_time in both events of a pair, response_time not before it, identity,
# version and zone.
case_fields() {
	file_sink
	start_knot
	before=$(date -u +'%Y-%m-%d %H:%M:%S.000000')
	queries | head -n 4 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	sleep 1.1
	after=$(date -u +'%Y-%m-%d %H:%M:%S.000000')
	stop_knot
	dnstap-ldns -y -r "$work/tap.fstrm" >"$work/yaml" ||
		fail "dnstap-ldns cannot read the file"
	sed -n 's/^  *\(query\|response\)_time: !!timestamp /\1 /p' \
		"$work/yaml" >"$work/times"
	awk -v before="$before" -v after="$after" '
		{ time = $2 " " $3; n++ }
		time < before || time > after { bad = bad " outside:" time }
		n % 3 == 1 { query = time; if ($1 != "query") bad = "order" }
		n % 3 == 2 && time != query { bad = bad " unequal:" time }
		n % 3 == 0 && ($1 != "response" || time < query) {
			bad = bad " response before query:" time
		}
		END { if (n != 12) bad = bad " " n " times"; print bad }
		' "$work/times" >"$work/bad"
	expect "wrong times" "$(cat "$work/bad")" ""
	expect "identities" "$(grep -c '^identity: "test"' "$work/yaml")" 8
	expect "versions" \
		"$(grep -c '^version: "knot under test"' "$work/yaml")" 8
	expect "zone one" "$(grep -c 'query_zone: "one."' "$work/yaml")" 6
	expect "zone two" "$(grep -c 'query_zone: "two."' "$work/yaml")" 2
}

# Without its keywords: the host's name and Knot's version. And what is not
# to be logged is not. dnstap-ldns gives up on UPDATE and on malformed
# messages, so the last three are left out.
case_choice() {
	for choice in log-queries log-responses responses-with-queries; do
		value=off
		[ $choice != responses-with-queries ] || value=on
		write_config all <<-EOF
		  - id: all
		    sink: file:$work/tap.fstrm
		    $choice: $value
		EOF
		start_knot
		queries | head -n 8 |
			"$client" udp 127.0.0.1 "$port" >"$work/sent" || exit 1
		stop_knot
		frames "$work/tap.fstrm" >"$work/seen"
		case $choice in
		log-queries) grep '^.R' "$work/sent" >"$work/wanted" ;;
		log-responses) grep '^.Q' "$work/sent" >"$work/wanted" ;;
		*) break ;;
		esac
		compare $choice "$work/wanted" "$work/seen"
	done
	# The last round: each response with its query.
	dnstap-ldns -y -r "$work/tap.fstrm" >"$work/yaml" ||
		fail "dnstap-ldns cannot read the file"
	expect "query messages" "$(grep -c '^  query_message:' "$work/yaml")" 16
	expect "response messages" \
		"$(grep -c '^  response_message:' "$work/yaml")" 8
	expect "host names" \
		"$(grep -c "^identity: \"$(hostname)" "$work/yaml")" 16
	expect "Knot's version" "$(grep -c '^version: "Knot DNS' "$work/yaml")" 16
}

# One query event for a transfer of many messages: alone, twice on one
# connection with the same ID, and after a client has left in the middle.
case_transfers() {
	file_sink
	start_knot
	{ transfer 2001 0FC; } | "$client" tcp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	[ "$(wc -l <"$work/sent")" -gt 10 ] || fail "the transfer is too short"
	{ transfer 2001 0FC; transfer 2001 0FC; queries | head -n 1; } |
		"$client" tcp 127.0.0.1 "$port" >>"$work/sent" || exit 1
	for _ in 1 2 3; do
		transfer 2001 0FC | "$client" tcp 127.0.0.1 "$port" 1 \
			>>"$work/left" || exit 1
	done
	transfer 2001 0FC | "$client" tcp 127.0.0.1 "$port" >>"$work/sent" ||
		exit 1
	stop_knot
	frames "$work/tap.fstrm" >"$work/seen"
	expect "transfer queries" "$(grep -c ^AQ "$work/seen")" \
		$(($(grep -c ^AQ "$work/sent") + 3))
	# What a client that left did not read was sent all the same.
	cut -d' ' -f2 "$work/left" | sort -u | sed 's/.*/ & /' >"$work/ports"
	grep -v -F -f "$work/ports" "$work/seen" >"$work/stayed"
	compare transfers "$work/sent" "$work/stayed"
	grep -F -f "$work/ports" "$work/seen" >"$work/gone"
	sort -u "$work/left" | while read -r line; do
		grep -q -x -F "$line" "$work/gone" || echo "$line"
	done >"$work/missing"
	expect "messages of clients that left" "$(cat "$work/missing")" ""
}

# kdig's own dnstap file is the witness for signed messages. Its query
# address is 0.0.0.0 over UDP, so only the port is compared.
by_port() {
	frames "$1" | sed 's/^.\(.\) [^ ]*:\([0-9]*\) /\1 \2 /'
}

# TSIG, which Knot takes off the query before a module sees it; IXFR; and an
# UPDATE that is granted, whose answer comes later and not through a hook.
case_signed() {
	file_sink
	start_knot
	secret="hmac-sha256:key:c2VjcmV0c2VjcmV0"
	for how in "www.one A" "+tcp www.one A" "+tcp big AXFR" "one SOA"; do
		# shellcheck disable=SC2086
		kdig -E "$work/kdig.$((n = ${n:-0} + 1))" -y "$secret" \
			@127.0.0.1 -p "$port" $how >"$work/kdig.out" 2>&1 ||
			fail "kdig $how: $(cat "$work/kdig.out")"
	done
	printf '%s\n' "server 127.0.0.1 $port" "zone one." \
		"key $secret" "update add new.one. 60 A 192.0.2.9" send |
		sed 's/hmac-sha256:key:/hmac-sha256:key /' \
		>"$work/update"
	knsupdate "$work/update" >"$work/update.out" 2>&1 ||
		fail "knsupdate: $(cat "$work/update.out")"
	kdig -E "$work/kdig.ixfr" +tcp @127.0.0.1 -p "$port" one IXFR=1 \
		>"$work/kdig.out" 2>&1 || fail "kdig IXFR"
	grep -q 192.0.2.9 "$work/kdig.out" || fail "no IXFR came"
	stop_knot
	for file in "$work"/kdig.[0-9] "$work/kdig.ixfr"; do
		by_port "$file"
	done >"$work/sent"
	by_port "$work/tap.fstrm" >"$work/seen.all"
	frames "$work/tap.fstrm" | grep '^U' >"$work/updates"
	expect "UPDATE events" "$(cut -c 1-2 "$work/updates")" UQ
	update_port=$(sed 's/^UQ [^ ]*:\([0-9]*\) .*/\1/' "$work/updates")
	grep -v "^. $update_port " "$work/seen.all" >"$work/seen"
	compare "signed messages" "$work/sent" "$work/seen"
}

check_config() {
	(exec_knot knotc -c "$work/knot.conf" conf-check) >"$work/check" 2>&1
}

# A wrong section is refused with a sentence that tells what is wrong.
case_config() {
	while read -r line words; do
		write_config all <<-EOF
		  - id: all
		    $(echo "$line" | sed 's/_/ /g')
		EOF
		check_config &&
			fail "conf-check accepts '$line'"
		grep -q -- "$words" "$work/check" ||
			fail "'$line': no '$words' in: $(cat "$work/check")"
	done <<-'EOF'
	identity:_x no sink
	sink:_"" no sink
	sink:_tcp:127.0.0.1 output
	sink:_tcp:localhost@6000 output
	sink:_unix: output
	sink:_/x\n____option:_nonsense name=value
	sink:_tls:127.0.0.1:6000 output
	EOF
	write_config all <<-EOF
	  - id: all
	    sink: $work/tap.fstrm
	    identity: "$(printf %0300d 0)"
	EOF
	check_config && fail "conf-check accepts an identity of 300 octets"
	grep -q identity "$work/check" || fail "identity: $(cat "$work/check")"
	for sink in "$work/tap.fstrm" "file:$work/tap.fstrm" \
		"unix:$work/tap.sock" tcp:127.0.0.1@6000 tcp:::1@6000 \
		tcp:127.0.0.1:6000 'tcp:[::1]:6000'; do
		write_config all <<-EOF
		  - id: all
		    sink: "$sink"
		    option: [ "ring-bytes=256K", "types=AQ,AR" ]
		EOF
		check_config ||
			fail "conf-check refuses $sink: $(cat "$work/check")"
	done
	while read -r option words; do
		write_config all <<-EOF
		  - id: all
		    sink: $work/tap.fstrm
		    option: [ "types=all", "$option" ]
		EOF
		check_config && fail "conf-check accepts option $option"
		grep -q -- "$words" "$work/check" ||
			fail "option $option: no '$words' in" \
				"$(cat "$work/check")"
	done <<-'EOF'
	nonsense=1 nonsense
	ring-bytes=1000 ring-bytes
	ring-bytes name=value
	output=file:/x keyword sink
	EOF
}

# A sink that is fine to write down, but cannot be opened: the log says so, and
# all queries are answered.
case_unopenable() {
	write_config all <<-EOF
	  - id: all
	    sink: /no/such/folder/tap.fstrm
	EOF
	start_knot
	queries | head -n 4 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	# The log speaks when a query comes.
	until_true "a line in the log" eval 'queries | head -n 1 |
		"$client" udp 127.0.0.1 "$port" && grep -q \
		"/no/such/folder/tap.fstrm: .*No such file" "$work/knotd.log"'
	stop_knot
	expect "messages" "$(wc -l <"$work/sent")" 8
}

# What knotc stats tells is what the file holds.
case_counters() {
	file_sink
	start_knot
	queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" || exit 1
	control -f stats mod-dtap
	expect "accepted" "$(sed -n \
		's/^mod-dtap.events\[accepted\] = //p' "$work/knotc.out")" 22
	for word in filtered dropped-full dropped-other; do
		expect $word "$(sed -n "s/^mod-dtap.events\[$word\] = //p" \
			"$work/knotc.out")" 0
	done
	sleep 1.1
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	control -f stats mod-dtap
	expect "written, seen by a later query" "$(sed -n \
		's/^mod-dtap.sink\[written\] = //p' "$work/knotc.out")" 22
	stop_knot
	grep -q "events submitted 24, written 24, dropped 0, lost 0" \
		"$work/knotd.log" || fail "no ledger in the log"
}

offer_load() { # SECONDS QUERIES-PER-SECOND
	for zone in one two big; do
		echo "www.$zone A"
		echo "none.$zone A"
	done >"$work/load"
	dnsperf -s 127.0.0.1 -p "$port" -d "$work/load" -l "$1" -Q "$2" -q 50 \
		-c 4 >"$work/dnsperf.out" 2>&1 &
	load_pid=$!
}

# Sets completed; a query that dnsperf missed would make it a guess.
end_load() {
	wait $load_pid || fail "dnsperf: $(cat "$work/dnsperf.out")"
	load_pid=
	completed=$(sed -n 's/.*Queries completed: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	expect "queries without an answer" "$completed" \
		"$(sed -n 's/.*Queries sent: *\([0-9]*\).*/\1/p' \
			"$work/dnsperf.out")"
	[ "$completed" -gt 1000 ] || fail "only $completed queries"
}

# Reloads under load: one file, every event once, and the new identity.
case_reload() {
	file_sink
	start_knot
	offer_load 5 3000
	for _ in 1 2 3 4; do
		sleep 0.6
		control reload
	done
	sed 's/identity: test/identity: other/' "$work/knot.conf" \
		>"$work/knot.new" && mv "$work/knot.new" "$work/knot.conf"
	control reload
	end_load
	stop_knot
	expect "queries" "$(count_frames "$work/tap.fstrm" AQ)" "$completed"
	expect "responses" "$(count_frames "$work/tap.fstrm" AR)" "$completed"
	dnstap-ldns -y -r "$work/tap.fstrm" >"$work/yaml"
	before=$(grep -c '^identity: "test"' "$work/yaml")
	after=$(grep -c '^identity: "other"' "$work/yaml")
	expect "identities" $((before + after)) $((2 * completed))
	[ "$before" -gt 0 ] || fail "no event with the first identity"
	[ "$after" -gt 0 ] ||
		fail "identities: $before before, $after after the reload"
	expect "sinks closed" "$(grep -c ' closed, ' "$work/knotd.log")" 1
	echo "    $completed queries, 5 reloads"
}

# A reload moves to another sink under load, and back to the first, whose file
# is moved aside: no event falls between.
case_sinks() {
	file_sink
	start_knot
	offer_load 4 3000
	for sink in other tap; do
		sleep 1
		sed "s,sink: .*,sink: $work/$sink.fstrm," "$work/knot.conf" \
			>"$work/knot.new"
		mv "$work/knot.new" "$work/knot.conf"
		control reload
	done
	end_load
	stop_knot
	total=0
	for file in "$work"/*.fstrm*; do
		frames=$("$client" frames "$file") || fail "$file is cut off"
		total=$((total + frames))
	done
	expect "files" "$(echo "$work"/*.fstrm* | wc -w)" 3
	expect "events in all files" $total $((2 * completed))
}

# What cannot change while the stream runs does not, and the log says so.
case_conflict() {
	file_sink
	start_knot
	sed 's/identity: test/option: ring-bytes=2M/' "$work/knot.conf" \
		>"$work/knot.new" && mv "$work/knot.new" "$work/knot.conf"
	control reload
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	stop_knot
	grep -q 'warning: .* goes on as it was .*ring-bytes' \
		"$work/knotd.log" || fail "no warning in the log"
	dnstap-ldns -y -r "$work/tap.fstrm" >"$work/yaml"
	expect "identities" "$(grep -c '^identity: "test"' "$work/yaml")" 2
}

# A global instance and two zones that share a sink of their own.
case_zones() {
	write_config all one=some two=some <<-EOF
	  - id: all
	    sink: $work/all.fstrm
	  - id: some
	    sink: $work/some.fstrm
	    log-responses: off
	EOF
	start_knot
	for _ in 1 2 3; do
		queries | "$client" udp 127.0.0.1 "$port" || exit 1
		transfer 2001 0FC | "$client" tcp 127.0.0.1 "$port" || exit 1
		control reload
	done >"$work/sent"
	stop_knot
	frames "$work/all.fstrm" >"$work/seen"
	compare "global instance" "$work/sent" "$work/seen"
	# Of the first twelve: the queries that reach zone one or two.
	grep -E '^[AU]Q .* (1001|1002|1003|1004|1007|1008|1009|100A)' "$work/sent" \
		>"$work/wanted"
	frames "$work/some.fstrm" >"$work/seen"
	compare "instances of zones" "$work/wanted" "$work/seen"
}

# fstrm_capture listens before, or long after, the server starts.
case_socket() {
	write_config all <<-EOF
	  - id: all
	    sink: unix:$work/tap.sock
	EOF
	start_reader "$work/first.fstrm"
	start_knot
	queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" || exit 1
	stop_knot
	stop_reader
	frames "$work/first.fstrm" >"$work/seen"
	compare "reader present" "$work/sent" "$work/seen"

	start_knot
	queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" || exit 1
	sleep 0.5
	start_reader "$work/second.fstrm"
	queries | "$client" tcp 127.0.0.1 "$port" >>"$work/sent" || exit 1
	sleep 6 # the longest wait before the writer tries again is 5 s
	stop_reader
	queries | "$client" udp 127.0.0.1 "$port" >>"$work/sent" || exit 1
	start_reader "$work/third.fstrm"
	sleep 6
	stop_knot
	stop_reader
	{ frames "$work/second.fstrm"; frames "$work/third.fstrm"; } \
		>"$work/seen"
	compare "reader absent, killed and restarted" "$work/sent" "$work/seen"
}

# A reader that stands still costs the clients nothing, and the end of the
# server two seconds.
case_stuck() {
	write_config all <<-EOF
	  - id: all
	    sink: unix:$work/tap.sock
	    option: [ "ring-bytes=64K", "write-timeout-ms=600000" ]
	EOF
	start_reader "$work/stuck.fstrm"
	start_knot
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	sleep 0.5
	kill -STOP $reader_pid
	offer_load 2 5000
	end_load
	began=$(date +%s%N)
	stop_knot
	took_ms=$((($(date +%s%N) - began) / 1000000))
	kill -CONT $reader_pid
	stop_reader
	echo "    knotd ended after $took_ms ms"
	[ $took_ms -lt 4000 ] || fail "knotd took $took_ms ms to end"
	grep -q "events submitted $((2 * completed + 2))," "$work/knotd.log" ||
		fail "the ledger does not tell $((2 * completed + 2)) events"
	grep -q 'warning: .*closed, events submitted' "$work/knotd.log" ||
		fail "no warning about events that were lost"
}

# Two instances, each with a sink of its own, a file and a TCP connection: every
# message goes to both.
case_several() {
	tcp_port=$("$client" port) || fail "no free port"
	fstrm_capture -t protobuf:dnstap.Dnstap -a 127.0.0.1 -p "$tcp_port" \
		-w "$work/tcp.fstrm" >"$work/capture.log" 2>&1 &
	reader_pid=$!
	write_config one <<-EOF
	  - id: one
	    sink: $work/tap.fstrm
	  - id: two
	    sink: tcp:127.0.0.1@$tcp_port
	EOF
	sed 's|mod-dtap/one$|[ mod-dtap/one, mod-dtap/two ]|' \
		"$work/knot.conf" >"$work/knot.new" &&
		mv "$work/knot.new" "$work/knot.conf"
	start_knot
	queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" || exit 1
	queries | "$client" tcp 127.0.0.1 "$port" >>"$work/sent" || exit 1
	stop_knot
	stop_reader
	for sink in tap tcp; do
		frames "$work/$sink.fstrm" >"$work/seen"
		compare "sink $sink" "$work/sent" "$work/seen"
	done
}

# Under the name of Knot's own module, in its place, with a section that was
# written for it. Both cannot be there: so in a view of the files of its own.
case_dropin() {
	own=$(find /usr/lib -path '*/knot/modules-*/dnstap.so')
	if [ -z "$own" ] || [ ! -e "$drop_in" ] ||
		! unshare -m mount --bind "$drop_in" "$own" 2>/dev/null; then
		echo "SKIP: mod-dtap in the place of mod-dnstap is NOT tested:" \
			"root, unshare and knot-module-dnstap are needed"
		return
	fi
	write_config all <<-EOF
	  - id: all
	    sink: $work/tap.fstrm
	    identity: "drop-in"
	    log-queries: on
	    log-responses: on
	    responses-with-queries: on
	EOF
	sed '/^module:/,/file:/d; s/mod-dtap/mod-dnstap/' "$work/knot.conf" \
		>"$work/knot.new" && mv "$work/knot.new" "$work/knot.conf"
	grep -q mod-dtap "$work/knot.conf" && fail "a line names mod-dtap"
	: >"$work/knotd.log"
	exec_knot unshare -m sh -c \
		'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh \
		"$drop_in" "$own" knotd -c "$work/knot.conf" \
		-s "$work/knot.sock" >"$work/knotd.log" 2>&1 &
	knot_pid=$!
	until_true "start of knotd" grep -q "server started" "$work/knotd.log"
	queries | head -n 4 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	stop_knot
	# Responses have the query as well; here only what was sent is compared.
	expect "frames" "$("$client" frames "$work/tap.fstrm")" 8
	dnstap-ldns -y -r "$work/tap.fstrm" >"$work/yaml" ||
		fail "dnstap-ldns cannot read the file"
	expect "identities" "$(grep -c '^identity: "drop-in"' "$work/yaml")" 8
	expect "query messages" "$(grep -c 'query_message: |' "$work/yaml")" 8
	expect "response messages" \
		"$(grep -c 'response_message: |' "$work/yaml")" 4
	grep -q 'libdtap\|frames flow' "$work/knotd.log" ||
		fail "it is not our module that speaks"
}

# knotd -d forks before it loads the module.
case_daemon() {
	write_config all <<-EOF
	  - id: all
	    sink: $work/tap.fstrm
	EOF
	sed "s,target: stderr,target: $work/daemon.log," "$work/knot.conf" \
		>"$work/knot.new" && mv "$work/knot.new" "$work/knot.conf"
	(exec_knot knotd -d -c "$work/knot.conf" -s "$work/knot.sock") \
		>"$work/knotd.log" 2>&1 || fail "knotd -d"
	until_true "start of knotd -d" \
		grep -q "server started as a daemon" "$work/daemon.log"
	knot_pid=$(cat "$work/knot.pid")
	queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" || exit 1
	kill -TERM "$knot_pid"
	until_true "end of knotd -d" eval "! kill -0 $knot_pid"
	knot_pid=
	frames "$work/tap.fstrm" >"$work/seen"
	compare "daemon" "$work/sent" "$work/seen"
}

ip6_factor=1
[ $ip6 = no ] || ip6_factor=2
write_zones
for case in ${DTAP_KNOT_ONLY:-module config unopenable messages fields choice transfers signed \
	counters zones reload sinks conflict several dropin socket stuck daemon}; do
	rm -f "$work"/*.fstrm* "$work"/left
	"case_$case"
	echo "ok: $case"
done
