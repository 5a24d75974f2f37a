#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_bind.sh: Debian's unmodified named with libdtap-bind.so, end to end.
#
# Real queries go to a real server on free loopback ports. What knot_client
# saw on its sockets is the truth for the side of the clients; for the side of
# the resolver it is what a knotd, which named asks, writes down with Knot's
# own mod-dnstap. What dnstap-read, dnstap-ldns and fstrm_capture find in
# named's stream must be the same, message by message and octet by octet.
#
# Runs in the build tree, in a directory of its own that goes away. The
# system's named, its files, ports and keys are not touched, and nothing leaves
# the loopback: the root of this Internet is on 127.0.0.2. Needs no privileges;
# with them it also tries -u and -t.
#
# DTAP_BIND_SHIM names another libdtap-bind.so than the build's,
# DTAP_BIND_KEEP=1 keeps the directory, DTAP_BIND_ONLY="roll stuck" runs some
# cases alone.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C TZ=UTC
export PATH LC_ALL TZ
unset DTAP_BIND_MEND DTAP_BIND_OPTIONS

top=$PWD
shim=${DTAP_BIND_SHIM:-$top/integrations/bind/.libs/libdtap-bind.so}
calls=$top/integrations/bind/bind_calls
client=$top/integrations/knot/knot_client

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: libdtap-bind is NOT tested: $1 is missing" \
		"(Debian: apt-get install $2)"
	exit 77
}
need named bind9
need rndc bind9
need nsupdate bind9-dnsutils
need dnstap-read bind9-dnsutils
need knotd knot
need dnsperf dnsperf
need fstrm_capture fstrm-bin
need dnstap-ldns dnstap-ldns
need nm binutils
if [ ! -e "$shim" ]; then
	echo "SKIP: libdtap-bind is NOT tested: $shim was not built" \
		"(Debian: apt-get install bind9-dev libfstrm-dev, then" \
		"configure again)"
	exit 77
fi
case $(named -v) in
*" 9.18."*) ;;
*)
	echo "SKIP: libdtap-bind is NOT tested: $(named -v) is not of" \
		"the series 9.18"
	exit 77
	;;
esac
# A shim built with a sanitizer needs its runtime in named from the start.
# What named itself may leak is not looked for.
preload=$shim
if grep -q __asan_init "$shim"; then
	cc=${CC:-gcc}
	runtime=$($cc -print-file-name=libclang_rt.asan-"$(uname -m)".so)
	case $runtime in
	/*) ;;
	*) runtime="$($cc -print-file-name=libasan.so)
		$($cc -print-file-name=libubsan.so)" ;;
	esac
	preload="$(echo $runtime) $shim"
	echo "note: named runs with $runtime"
	export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
elif grep -q __tsan_init "$shim"; then
	preload= # in a named without TSan all would be false alarms
fi
if [ -z "$preload" ]; then
	echo "SKIP: libdtap-bind is NOT tested: named cannot load a library" \
		"that was built with this sanitizer"
	exit 77
fi
# Knot's own module is the witness of what a resolver asks.
witness=yes
if ! find /usr/lib -path '*/knot/modules-*/dnstap.so' 2>/dev/null |
	grep -q .; then
	witness=no
	echo "note: no knot-module-dnstap: RESOLVER_* and FORWARDER_* are" \
		"NOT tested"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-bind.XXXXXX") || exit 1
named_pid=
knot_pid=
reader_pid=
load_pid=

finish() {
	status=$?
	for pid in $named_pid $knot_pid $reader_pid $load_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	if [ "${DTAP_BIND_KEEP:-0}" = 1 ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
	exit $status
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# Where this comes from, standard output may be a file.
exec 4>&1
fail() {
	echo "FAIL: $case: $*" >&4
	[ -e "$work/named.log" ] && tail -n 30 "$work/named.log" |
		sed 's/^/    named: /' >&4
	exit 1
}

expect() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1: got $2, wanted $3"
}

# Waits for a condition; each case says what it is that did not happen.
until_true() { # WHAT COMMAND...
	local what=$1 tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "$what: not within 20 s"
		sleep 0.05
	done
}

in_log() { # WHAT WORDS
	grep -q -- "$2" "$work/named.log" || fail "$1: no '$2' in the log"
}

# --- the server -----------------------------------------------------------

free_port() { # OTHER-PORT...
	local port
	while :; do
		port=$("$client" port) || return
		case " $* " in
		*" $port "*) ;;
		*)
			echo "$port"
			return
			;;
		esac
	done
}
port=$(free_port) && control_port=$(free_port "$port") &&
	stats_port=$(free_port "$port" "$control_port") || {
	echo "FAIL: no free port"
	exit 1
}
ip6=no
listen6="listen-on-v6 { none; };"
if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
	ip6=yes
	listen6="listen-on-v6 { ::1; };"
else
	echo "note: no IPv6 loopback here: IPv6 is NOT tested"
fi

write_zones() {
	local zone
	mkdir -p "$work/zones"
	for zone in one two big test fwd; do
		cat >"$work/zones/$zone.zone" <<-END
		\$ORIGIN $zone.
		\$TTL 60
		@ SOA ns hostmaster 1 3600 600 86400 60
		@ NS ns
		ns A 127.0.0.2
		www A 192.0.2.80
		alias CNAME www
		END
	done
	# More than one message when it is transferred, more than UDP carries.
	awk 'BEGIN { for (i = 1; i <= 3000; i++)
		printf "n%d TXT \"some text that takes up room %d\"\n", i, i
	}' >>"$work/zones/big.zone"
	awk 'BEGIN { for (i = 1; i <= 60; i++)
		printf "large TXT \"more than a datagram has room for %d\"\n", i
	}' | tee -a "$work/zones/fwd.zone" >>"$work/zones/test.zone"
	cat >"$work/zones/root.zone" <<-END
	\$TTL 60
	. SOA ns.root. hostmaster.root. 1 3600 600 86400 60
	. NS ns.root.
	ns.root. A 127.0.0.2
	test. NS ns.test.
	ns.test. A 127.0.0.2
	END
	printf '%s\n' ". 60 NS ns.root." "ns.root. 60 A 127.0.0.2" \
		>"$work/zones/root.hints"
}

# Lines for the options come from stdin, zones as an argument.
write_config() { # ZONES
	mkdir -p "$work/run"
	cp "$work/zones"/* "$work/run"
	rm -f "$work/run"/*.jnl
	{
		cat <<-END
		key k { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0"; };
		controls {
			inet 127.0.0.1 port $control_port
				allow { 127.0.0.1; } keys { k; };
		};
		statistics-channels {
			inet 127.0.0.1 port $stats_port allow { 127.0.0.1; };
		};
		options {
			directory "${chroot:-$work}/run";
			pid-file "${chroot:-$work}/run/named.pid";
			session-keyfile none;
			bindkeys-file "none";
			lock-file none;
			port $port;
			listen-on { 127.0.0.1; };
			$listen6
			dnssec-validation no;
			empty-zones-enable no;
			notify no;
			minimal-responses yes;
		END
		cat
		echo "};"
		cat <<<"${1-}"
	} | sed "s,@work@,${chroot:-$work},g" >"$work/named.conf"
	cat >"$work/rndc.conf" <<-END
	key k { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0"; };
	options {
		default-key k; default-server 127.0.0.1;
		default-port $control_port;
	};
	END
}
chroot=

zones='
zone "." { type hint; file "root.hints"; };
zone "one" { type primary; file "one.zone";
	allow-update { 127.0.0.1; ::1; }; allow-transfer { any; }; };
zone "two" { type primary; file "two.zone"; allow-transfer { none; }; };
zone "big" { type primary; file "big.zone"; allow-transfer { any; }; };
zone "broken" { type primary; file "missing.zone"; };
zone "fwd" { type forward; forward only; forwarders { 127.0.0.2; }; };
'

# Recursion is for 127.0.0.1 and not for ::1; what comes from stdin is added.
file_config() { # [SIZE, VERSIONS ...]
	{
		cat <<-END
		recursion yes;
		allow-recursion { 127.0.0.1; };
		dnstap-output file "tap.fstrm" ${1-};
		dnstap-identity "test";
		END
		cat
	} | write_config "$zones"
}

start_named() {
	: >"$work/named.log"
	LD_PRELOAD=$preload named -g -c "$work/named.conf" -n 2 \
		>"$work/named.log" 2>&1 &
	named_pid=$!
	until_true "start of named" has_started
	grep -q ' running$' "$work/named.log" || fail "named does not start"
}

has_started() {
	grep -q ' running$' "$work/named.log" || ! kill -0 "$named_pid"
}

stop_named() {
	kill -TERM "$named_pid"
	wait "$named_pid" || fail "named ended with status $?"
	named_pid=
}

control() {
	rndc -c "$work/rndc.conf" "$@" >"$work/rndc.out" 2>&1 ||
		fail "rndc $*: $(cat "$work/rndc.out")"
}

start_reader() { # FILE
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" -w "$1" \
		>"$work/capture.log" 2>&1 &
	reader_pid=$!
	until_true "start of fstrm_capture" [ -S "$work/tap.sock" ]
}

# fstrm_capture writes its file out when it is told to end.
stop_reader() {
	kill -TERM "$reader_pid"
	wait "$reader_pid"
	reader_pid=
	rm -f "$work/tap.sock"
}

# The other server: a root, and what lies under it.
start_knot() {
	local zone
	mkdir -p "$work/knot"
	cp "$work/zones"/{root,test,fwd}.zone "$work/knot"
	{
		cat <<-END
		server:
		    rundir: $work/knot
		    listen: 127.0.0.2@$port
		    udp-workers: 1
		    tcp-workers: 1
		    background-workers: 1
		database:
		    storage: $work/knot
		log:
		  - target: stderr
		    any: info
		mod-dnstap:
		  - id: all
		    sink: $work/knot.fstrm
		template:
		  - id: default
		    storage: $work/knot
		    global-module: mod-dnstap/all
		zone:
		END
		for zone in .:root test:test fwd:fwd; do
			echo "  - domain: ${zone%:*}"
			echo "    file: $work/knot/${zone#*:}.zone"
		done
	} >"$work/knot.conf"
	knotd -c "$work/knot.conf" -s "$work/knot.sock" \
		>"$work/knotd.log" 2>&1 &
	knot_pid=$!
	until_true "start of knotd" grep -q "server started" "$work/knotd.log"
}

stop_knot() {
	kill -TERM "$knot_pid"
	wait "$knot_pid"
	knot_pid=
}

# --- messages ---------------------------------------------------------------

# A frame of the stream in knot_client's words.
frames() { # FILE...
	local file
	for file; do
		dnstap-read -x "$file" >"$work/read.out" 2>"$work/read.err" ||
			fail "dnstap-read: $file: $(cat "$work/read.err")"
		awk 'NF > 1 { head = $3 " " $4 " " $6 " " $7; next }
			{ print head " " $1 }' "$work/read.out"
	done
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
	sed 's/#.*//; s/ //g; /^$/d' <<-'END'
	1001 0100 0001 0000 0000 0000 03 775777 03 4F6E65 00 0001 0001 # wWw.One
	1002 0100 0001 0000 0000 0000 04 6E6F6E65 03 6F6E65 00 0001 0001 # NXDOMAIN
	1003 0100 0001 0000 0000 0000 03 777777 03 6F6E65 00 001C 0001 # no data
	1004 0100 0001 0000 0000 0001 03 777777 03 74774F 00 0001 0001 00 0029 04D0 00 00 8000 0000 # EDNS, DO
	1005 0000 0001 0000 0000 0000 03 777777 03 6F6E65 00 0001 0001 # not RD
	1006 0100 0001 0000 0000 0000 06 62726F6B656E 00 0001 0001 # SERVFAIL
	1007 0000 0001 0000 0000 0000 06 62726F6B656E 00 0001 0001 # SERVFAIL
	1008 0100 0001 0000 0000 0000 05 616C696173 03 6F6E65 00 0001 0001 # CNAME
	1009 0100 0001 0000 0000 0000 07 76657273696F6E 04 62696E64 00 0010 0003 # CH TXT
	100A 2800 0001 0000 0000 0000 03 74776F 00 0006 0001 # UPDATE, refused
	100B 2800 0001 0000 0001 0000 03 6F6E65 00 0006 0001 03 6E6577 C00C 0001 0001 0000003C 0004 C0000209 # UPDATE
	END
}

# Asks all of them over all transports; each answer is awaited.
ask_all() {
	local count
	count=$(queries | wc -l)
	queries | "$client" udp 127.0.0.1 "$port" &&
		queries | "$client" tcp 127.0.0.1 "$port" "$count" || fail "the client"
	[ $ip6 = no ] && return
	queries | "$client" udp ::1 "$port" &&
		queries | "$client" tcp ::1 "$port" "$count" || fail "the client"
}

# What knot_client shows as A or U is C when recursion is desired and
# available: from 127.0.0.1, and not in class CH, whose view has none.
classify() { # [RECURSIVE-CLIENT]
	awk -v who="${1-}" '{
		desired = index("13579BDF", substr($5, 6, 1)) > 0
		from = $2
		sub(/:[0-9]*$/, "", from)
		if (from == who && desired && $1 ~ /^A/ &&
		    substr($5, 1, 4) != "1009")
			sub(/^A/, "C")
		print
	}'
}

# Asks again and again, whole seconds, until what is to happen under load has
# happened: a dnsperf that is interrupted loses the answers under way.
offer_load() { # QUERIES-PER-SECOND
	printf '%s\n' "www.one A" "none.one A" "www.two A" "n1.big TXT" \
		>"$work/load"
	rm -f "$work/load.end"
	while [ ! -e "$work/load.end" ]; do
		dnsperf -s 127.0.0.1 -p "$port" -d "$work/load" -l 1 -Q "$1" \
			-q 50 -c 4 2>&1 || break
	done >"$work/dnsperf.out" &
	load_pid=$!
	sleep 0.3
}

# Sets completed; a query that dnsperf missed would make it a guess.
end_load() {
	touch "$work/load.end"
	wait $load_pid
	load_pid=
	completed=$(sum_of completed)
	expect "queries without an answer" "$completed" "$(sum_of sent)"
	[ "$completed" -gt 500 ] || fail "only $completed queries"
}

sum_of() { # WORD
	sed -n "s/.*Queries $1: *\([0-9]*\).*/\1/p" "$work/dnsperf.out" |
		awk '{ n += $1 } END { print n + 0 }'
}

# The counters of dnstap in the statistics channel.
counter() { # NAME
	exec 3<>"/dev/tcp/127.0.0.1/$stats_port" || fail "no statistics channel"
	printf 'GET /json/v1/server HTTP/1.0\r\n\r\n' >&3
	cat <&3 >"$work/stats.json"
	exec 3<&-
	sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$work/stats.json"
}

counter_is() { # NAME VALUE
	[ "$(counter "$1")" = "$2" ]
}

# --- the cases --------------------------------------------------------------

# The shim shows the functions that it stands in for, wants no library of
# BIND's, and does no harm in a program that has none.
case_shim() {
	nm -D --defined-only "$shim" >"$work/symbols" || fail "nm"
	expect "foreign symbols" "$(awk '{ print $3 }' "$work/symbols" |
		grep -vE '^(dns_dt|fstrm_iothr_options)_')" ""
	expect "functions" "$(grep -c ' dns_dt_' "$work/symbols")" 9
	expect "functions of libfstrm" "$(grep -c ' fstrm_' "$work/symbols")" 10
	expect "symbols of libdtap" \
		"$(nm -D -u "$shim" | grep ' U dtap_')" ""
	expect "libraries of BIND" "$(ldd "$shim" | grep -E 'lib(dns|isc)')" ""
	LD_PRELOAD=$preload sh -c : || fail "sh does not run with the shim"
}

# The functions one by one, linked with the shim before libdns.
case_calls() {
	local mend
	for mend in yes no; do
		DTAP_BIND_MEND=$mend "$calls" "$work" >"$work/calls.out" 2>&1 ||
			fail "mend $mend: $(cat "$work/calls.out")"
	done
}

# What named.conf and the environment may say, and what the log says to that.
case_config() {
	file_config <<-'END'
	dnstap { all; };
	fstrm-set-buffer-hint 4096;
	fstrm-set-flush-timeout 2;
	fstrm-set-input-queue-size 1024;
	fstrm-set-output-notify-threshold 16;
	fstrm-set-output-queue-model spsc;
	fstrm-set-output-queue-size 128;
	fstrm-set-reopen-interval 3;
	END
	DTAP_BIND_OPTIONS="ring-bytes=256K nonsense=1  loss-report" \
		DTAP_BIND_MEND=perhaps start_named
	in_log buffer-hint "fstrm-set-buffer-hint has no effect"
	in_log threshold "fstrm-set-output-notify-threshold has no effect"
	in_log model "fstrm-set-output-queue-model has no effect"
	in_log output-queue "fstrm-set-output-queue-size has no effect"
	in_log flush "fstrm-set-flush-timeout is taken as latency-ms 100"
	in_log input-queue "input-queue-size is taken as ring-bytes 524288"
	in_log reopen "reopen-interval is taken as reconnect-max-ms 3000"
	in_log options "DTAP_BIND_OPTIONS.*nonsense"
	in_log pairs "DTAP_BIND_OPTIONS.*name=value"
	in_log mend "DTAP_BIND_MEND: yes or no"
	stop_named
	# Not named in named.conf: the model is not said to have been set.
	file_config <<<"dnstap { all; };"
	start_named
	stop_named
	expect "what nobody set" "$(grep -c 'no effect' "$work/named.log")" 0
	write_config "$zones" <<-'END'
	dnstap { all; };
	dnstap-output unix "tcp:localhost:6000";
	END
	LD_PRELOAD=$preload named -g -c "$work/named.conf" -n 2 \
		>"$work/named.log" 2>&1 && fail "named takes a wrong output"
	in_log "wrong output" "dnstap-output: .*addresses are numeric"
	write_config "$zones" <<-END
	dnstap { all; };
	dnstap-output file "$work/run/tap.fstrm";
	dnstap-identity "$(printf %0300d 0)";
	END
	start_named
	in_log "identity" "dnstap.*identity"
	stop_named
	case_config_relative
}

# A path is relative to the directory that named.conf had at first, and is no
# pattern.
case_config_relative() {
	file_config <<<"dnstap { all; };"
	sed -i 's/"tap.fstrm"/"100%d.fstrm"/' "$work/named.conf"
	start_named
	mkdir -p "$work/other"
	cp "$work"/run/*.{hints,zone} "$work/other"
	sed -i '/^	*directory/s,/run",/other",' "$work/named.conf"
	control reconfig
	control dnstap -roll
	until_true "roll after a change of directory" \
		[ -s "$work/run/100%d.fstrm.0" ]
	stop_named
	[ -s "$work/run/100%d.fstrm" ] || fail "no file 100%d.fstrm"
	write_config "$zones" <<-'END'
	dnstap { all; };
	dnstap-output unix "file:@work@/run/%Y.fstrm";
	END
	start_named
	stop_named
	ls "$work/run"/20??.fstrm >"$work/ls.out" || fail "no file of the year"
	rm -f "$work"/run/*.fstrm
}

# Every kind of message, over every transport, with its addresses, ports and
# octets.
case_messages() {
	file_config <<<"dnstap { all; };"
	start_named
	ask_all >"$work/client"
	stop_named
	expect "messages" "$(wc -l <"$work/client")" $((2 * 22 * ip6_factor))
	classify 127.0.0.1 <"$work/client" >"$work/sent"
	frames "$work/run/tap.fstrm" >"$work/seen"
	compare messages "$work/sent" "$work/seen"
	for type in CQ CR AQ AR UQ UR; do
		grep -q "^$type" "$work/seen" || fail "no $type"
	done
}

# A server without recursion: a client that wishes for it gets an
# AUTH_RESPONSE to its AUTH_QUERY. BIND itself calls it CLIENT_RESPONSE.
case_authority() {
	file_config <<<"dnstap { all; };"
	sed -i 's/recursion yes/recursion no/' "$work/named.conf"
	start_named
	ask_all >"$work/sent"
	stop_named
	frames "$work/run/tap.fstrm" >"$work/seen"
	compare authority "$work/sent" "$work/seen"
	rm -f "$work/run/tap.fstrm"
	DTAP_BIND_MEND=no start_named
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	stop_named
	expect "types that are not mended" \
		"$(frames "$work/run/tap.fstrm" | cut -d' ' -f1 | xargs)" "AQ CR"
}

# query_time in both events of a pair and the same, by a clock that is finer
# than BIND's; response_time not before it; identity, version and zone.
case_fields() {
	local before after
	file_config <<-'END'
	dnstap { all; };
	dnstap-version "named under test";
	END
	start_named
	before=$(date -u +'%Y-%m-%d %H:%M:%S.000000')
	queries | head -n 5 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	sleep 1.1
	after=$(date -u +'%Y-%m-%d %H:%M:%S.000000')
	stop_named
	dnstap-ldns -y -r "$work/run/tap.fstrm" >"$work/yaml" ||
		fail "dnstap-ldns cannot read the file"
	sed -n 's/^  *\(query\|response\)_time: !!timestamp /\1 /p' \
		"$work/yaml" >"$work/times"
	awk -v before="$before" -v after="$after" '
		{ time = $2 " " $3; n++ }
		time < before || time > after { bad = bad " outside:" time }
		n % 3 == 1 { query = time; if ($1 != "query") bad = "order" }
		n % 3 == 2 && time != query { bad = bad " unequal:" time }
		n % 3 == 0 && ($1 != "response" || time <= query) {
			bad = bad " response not after query:" time
		}
		END { if (n != 15) bad = bad " " n " times"; print bad }
		' "$work/times" >"$work/bad"
	expect "wrong times" "$(cat "$work/bad")" ""
	expect "identities" "$(grep -c '^identity: "test"' "$work/yaml")" 10
	expect "versions" \
		"$(grep -c '^version: "named under test"' "$work/yaml")" 10
	# BIND gives the zone with an AUTH_RESPONSE.
	expect "zone one" "$(grep -c 'query_zone: "one."' "$work/yaml")" 1
}

# Without their statements: the host's name and BIND's version. What is not
# wanted is not logged, and each view has a dnstap statement of its own.
case_choice() {
	write_config '
	view "four" {
		match-destinations { 127.0.0.1; };
		dnstap { client query; auth response; };
		zone "." { type hint; file "root.hints"; };
		zone "broken" { type primary; file "missing.zone"; };
		zone "one" { type primary; file "one.zone"; };
		zone "two" { type primary; file "two.zone"; };
	};
	view "six" {
		match-destinations { any; };
		dnstap { update; };
		zone "." { type hint; file "root.hints"; };
		zone "broken" { type primary; file "missing.zone"; };
		zone "one" { type primary; file "one.copy";
			allow-update { ::1; }; };
		zone "two" { type primary; file "two.copy"; };
	};
	' <<<'
	recursion yes;
	allow-recursion { 127.0.0.1; };
	dnstap-output file "tap.fstrm";
	'
	cp "$work/run/one.zone" "$work/run/one.copy"
	cp "$work/run/two.zone" "$work/run/two.copy"
	start_named
	ask_all >"$work/client"
	stop_named
	frames "$work/run/tap.fstrm" >"$work/seen"
	{
		grep ' 127.0.0.1:' "$work/client" | classify 127.0.0.1 |
			grep -E '^(CQ|AR)'
		grep ' ::1:' "$work/client" | grep -E '^U'
	} >"$work/sent"
	# The view of class CH has no dnstap statement: no CH, no 1009.
	grep -v ' 1009[^ ]*$' "$work/sent" >"$work/wanted"
	compare choice "$work/wanted" "$work/seen"
	dnstap-read -y "$work/run/tap.fstrm" >"$work/yaml"
	expect "host names" \
		"$(grep -c "^identity: $(hostname)\$" "$work/yaml")" \
		"$(wc -l <"$work/seen")"
	expect "BIND's version" "$(grep -c '^version: BIND 9.18' "$work/yaml")" \
		"$(wc -l <"$work/seen")"
}

transfer() { # ID TYPE: of zone big
	echo "${1}0000000100000000000003626967000${2}0001"
}

# BIND shows the query of a transfer, and none of its messages; the clients
# that UPDATE by a tool of BIND's own, over UDP and TCP.
case_tools() {
	file_config <<<"dnstap { all; };"
	start_named
	transfer 2001 0FC | "$client" tcp 127.0.0.1 "$port" 2 >"$work/sent" ||
		exit 1
	for option in '' -v; do
		printf '%s\n' "server 127.0.0.1 $port" "zone one." \
			"update add n$option.one. 60 TXT x" send |
			nsupdate $option >"$work/nsupdate.out" 2>&1 ||
			fail "nsupdate: $(cat "$work/nsupdate.out")"
	done
	stop_named
	frames "$work/run/tap.fstrm" >"$work/seen"
	grep '^AQ' "$work/sent" >"$work/wanted"
	grep -v '^U' "$work/seen" >"$work/rest"
	compare transfer "$work/wanted" "$work/rest"
	expect updates "$(grep '^U' "$work/seen" |
		awk '{ print $1 $4 }' | xargs)" "UQUDP URUDP UQTCP URTCP"
}

# What named asks a forwarder, and a root and a zone below it, is what that
# server says that it was asked and has answered: port, octets, transport.
case_resolver() {
	[ $witness = yes ] || return 0
	local name
	start_knot
	file_config <<<"dnstap { all; };"
	start_named
	for name in www none alias large; do
		for zone in test fwd; do
			dig +ignore +tries=1 +time=10 @127.0.0.1 -p "$port" $name.$zone \
				TXT >"$work/dig.out" || fail "dig $name.$zone"
			dig +ignore +tries=1 +time=10 @127.0.0.1 -p "$port" $name.$zone \
				A >"$work/dig.out" || fail "dig $name.$zone"
		done
	done
	stop_named
	stop_knot
	frames "$work/run/tap.fstrm" >"$work/all"
	frames "$work/knot.fstrm" |
		awk '{ sub(/^A/, $5 ~ /0366776400/ ? "F" : "R", $1); print }' |
		forget_local >"$work/sent"
	grep '^[RF]' "$work/all" | forget_local >"$work/seen"
	compare resolver "$work/sent" "$work/seen"
	for type in "RQ.*UDP" "RR.*UDP" "FQ.*UDP" "FR.*UDP" \
		"RQ.*TCP" "RR.*TCP" "FQ.*TCP" "FR.*TCP"; do
		grep -q "^$type" "$work/seen" || fail "no $type"
	done
	expect "queries of the clients" "$(grep -c '^CQ' "$work/all")" 16
	expect "responses to the clients" "$(grep -c '^CR' "$work/all")" 16
	case_resolver_unmended
}

# BIND gives 0.0.0.0 and the port for its own end over UDP, and over TCP
# nothing at all.
forget_local() {
	awk '{ sub(/.*:/, "", $2); if ($4 == "TCP") $2 = "-"; print }'
}

# `dnstap { forwarder; }` alone works because the type is mended first; and
# what BIND itself would say.
case_resolver_unmended() {
	local mend
	for mend in yes no; do
		rm -f "$work/run/tap.fstrm"
		file_config <<<"dnstap { forwarder; };"
		start_knot
		DTAP_BIND_MEND=$mend start_named
		dig +ignore +tries=1 +time=10 @127.0.0.1 -p "$port" www.fwd \
			>"$work/dig.out" || fail "dig www.fwd"
		stop_named
		stop_knot
		frames "$work/run/tap.fstrm" | cut -d' ' -f1 | xargs
	done >"$work/types"
	expect "types of a forwarder" "$(paste -sd/ "$work/types")" "FQ FR/"
}

# What the statistics channel tells is what the file holds; what a reader
# that is not there makes the server drop, it tells as well.
case_counters() {
	local total
	file_config <<<"dnstap { all; };"
	start_named
	queries | "$client" udp 127.0.0.1 "$port" >"$work/sent" || fail "the client"
	until_true "DNSTAPsuccess 22" counter_is DNSTAPsuccess 22
	expect DNSTAPdropped "$(counter DNSTAPdropped)" ""
	stop_named
	in_log "ledger" "events submitted 22, written 22, dropped 0, lost 0"
	write_config "$zones" <<-'END'
	dnstap { all; };
	dnstap-output unix "@work@/tap.sock";
	END
	DTAP_BIND_OPTIONS=ring-bytes=64K start_named
	offer_load 3000
	end_load
	expect "DNSTAPsuccess without a reader" "$(counter DNSTAPsuccess)" ""
	total=$(counter DNSTAPdropped)
	[ "${total:-0}" -gt 100 ] || fail "dropped: $total"
	stop_named
	in_log "ledger" "submitted $((2 * completed)), written 0, dropped $total"
}

# BIND's names for files, newest first, and as many as are to be kept; no frame
# lost or doubled, however a new file comes about.
case_roll() {
	local how
	file_config 'versions 3' <<<"dnstap { all; };"
	start_named
	: >"$work/sent"
	for how in "-roll" "-roll" "-roll 4" "-reopen" moved; do
		ask_two
		case $how in
		moved)
			mv "$work/run/tap.fstrm" "$work/run/kept"
			control dnstap -reopen
			;;
		*) roll_and_wait "$how" ;;
		esac
	done
	until_true "new file" [ -e "$work/run/tap.fstrm" ]
	ask_two
	stop_named
	# The fourth, -reopen, kept three of the four backups, and the oldest
	# is the one that went.
	expect files "$(cd "$work/run" && echo tap.fstrm*)" \
		"tap.fstrm tap.fstrm.0 tap.fstrm.1 tap.fstrm.2"
	tail -n +9 "$work/sent" | head -n 4 >"$work/wanted"
	tail -n +5 "$work/sent" | head -n 4 >"$work/second"
	frames "$work/run/tap.fstrm.1" >"$work/seen"
	compare "third file" "$work/wanted" "$work/seen"
	frames "$work/run/tap.fstrm.2" >"$work/seen"
	compare "second file" "$work/second" "$work/seen"
	frames "$work/run"/tap.fstrm{.2,.1,.0} "$work/run/kept" \
		"$work/run/tap.fstrm" >"$work/seen"
	tail -n +5 "$work/sent" >"$work/wanted"
	compare "all files" "$work/wanted" "$work/seen"
	case_roll_restart
}

ask_two() {
	queries | head -n 2 | "$client" udp 127.0.0.1 "$port" |
		classify 127.0.0.1 >>"$work/sent" || fail "the client"
	# So that they are in the file before the next roll.
	sleep 0.2
}

roll_and_wait() { # ARGUMENTS
	local before
	before=$(stat -c %i "$work/run/tap.fstrm")
	# shellcheck disable=SC2086
	control dnstap $1
	until_true "new file" roll_is_over "$before"
}

roll_is_over() { # INODE
	[ "$(stat -c %i "$work/run/tap.fstrm" 2>/dev/null)" != "$1" ] &&
		[ -s "$work/run/tap.fstrm" ]
}

# A restart keeps what was there; an empty file, of logrotate, is no backup;
# `versions 0` keeps nothing, and a timestamp is what it should be.
case_roll_restart() {
	rm -f "$work/run"/tap.fstrm* "$work/run/kept"
	file_config 'versions 3' <<<"dnstap { all; };"
	: >"$work/sent"
	for _ in 1 2; do
		start_named
		ask_two
		stop_named
	done
	expect "files after a restart" \
		"$(cd "$work/run" && echo tap.fstrm*)" "tap.fstrm tap.fstrm.0"
	frames "$work/run"/tap.fstrm* >"$work/seen"
	compare "both files" "$work/sent" "$work/seen"
	mv "$work/run/tap.fstrm" "$work/run/kept"
	: >"$work/run/tap.fstrm"
	start_named
	stop_named
	expect "files after logrotate" \
		"$(cd "$work/run" && echo tap.fstrm*)" "tap.fstrm tap.fstrm.0"
	file_config 'versions 0' <<<"dnstap { all; };"
	start_named
	ask_two
	control dnstap -roll 0
	until_true "a file with START alone" holds_start_alone
	stop_named
	expect "files of versions 0" \
		"$(cd "$work/run" && echo tap.fstrm*)" "tap.fstrm tap.fstrm.0"
	rm -f "$work/run"/tap.fstrm*
	file_config 'versions 2 suffix timestamp' <<<"dnstap { all; };"
	start_named
	for _ in 1 2 3 4; do
		roll_and_wait -roll\ 2
	done
	stop_named
	# shellcheck disable=SC2012
	expect "timestamps" "$(ls "$work/run"/tap.fstrm.20* | wc -l)" 2
}

holds_start_alone() {
	local bytes
	bytes=$(stat -c %s "$work/run/tap.fstrm") &&
		[ "$bytes" -gt 0 ] && [ "$bytes" -lt 60 ]
}

# size and versions under load: bounded files, nothing lost.
case_size() {
	local total=0 file frames bytes
	file_config 'size 200k versions unlimited' <<<"dnstap { all; };"
	start_named
	offer_load 3000
	sleep 2
	end_load
	stop_named
	for file in "$work/run"/tap.fstrm*; do
		frames=$("$client" frames "$file") || fail "$file is cut off"
		bytes=$(stat -c %s "$file")
		[ "$bytes" -lt 2000000 ] || fail "$file has $bytes octets"
		total=$((total + frames))
	done
	expect "events in all files" $total $((2 * completed))
	files=$(echo "$work/run"/tap.fstrm* | wc -w)
	[ "$files" -gt 2 ] || fail "only $files files"
	echo "    $completed queries, $files files"
}

# Reconfigurations under load: one file, every event once, the new identity.
case_reload() {
	local before after
	file_config <<<"dnstap { all; };"
	start_named
	offer_load 2000
	for _ in 1 2 3; do
		sleep 0.5
		control reconfig
	done
	control reload
	sed -i 's/identity "test"/identity "other"/' "$work/named.conf"
	control reconfig
	sleep 0.5
	end_load
	stop_named
	expect "queries" "$(count_frames "$work/run/tap.fstrm" CQ)" "$completed"
	expect "responses" "$(count_frames "$work/run/tap.fstrm" CR)" \
		"$completed"
	dnstap-ldns -y -r "$work/run/tap.fstrm" >"$work/yaml"
	before=$(grep -c '^identity: "test"' "$work/yaml")
	after=$(grep -c '^identity: "other"' "$work/yaml")
	expect "identities" $((before + after)) $((2 * completed))
	[ "$before" -gt 0 ] && [ "$after" -gt 0 ] ||
		fail "identities: $before before, $after after"
	expect "environments" "$(grep -c 'opening dnstap' "$work/named.log")" 1
	echo "    $completed queries, 5 reconfigurations"
}

# dnstap comes, goes and comes again by reconfiguration.
case_late() {
	local types
	: >"$work/sent"
	file_config <<<""
	start_named
	for types in all none all; do
		file_config <<<"dnstap { $types; };"
		[ "$types" != none ] ||
			sed -i '/dnstap { none/d' "$work/named.conf"
		control reconfig
		if [ $types = none ]; then
			queries | "$client" udp 127.0.0.1 "$port" \
				>"$work/unseen" || fail "the client"
		else
			ask_two
		fi
	done
	stop_named
	frames "$work/run/tap.fstrm" >"$work/seen"
	compare late "$work/sent" "$work/seen"
}

socket_config() {
	write_config "$zones" <<-'END'
	recursion yes;
	allow-recursion { 127.0.0.1; };
	dnstap { all; };
	dnstap-output unix "../tap.sock";
	fstrm-set-reopen-interval 1;
	END
}

# fstrm_capture is absent when the server starts, is killed, and comes back.
case_socket() {
	socket_config
	start_named
	queries | "$client" udp 127.0.0.1 "$port" >"$work/client" || fail "the client"
	start_reader "$work/first.fstrm"
	queries | "$client" udp 127.0.0.1 "$port" >>"$work/client" || fail "the client"
	sleep 2 # the longest wait before the writer tries again is 1 s
	stop_reader
	queries | "$client" udp 127.0.0.1 "$port" >>"$work/client" || fail "the client"
	start_reader "$work/second.fstrm"
	sleep 2
	control dnstap -reopen
	queries | "$client" udp 127.0.0.1 "$port" >>"$work/client" || fail "the client"
	stop_named
	stop_reader
	frames "$work/first.fstrm" "$work/second.fstrm" >"$work/seen"
	classify 127.0.0.1 <"$work/client" >"$work/sent"
	compare "reader absent, killed and restarted" "$work/sent" "$work/seen"
}

# An output that BIND does not have.
case_tcp() {
	local tcp_port
	tcp_port=$(free_port "$port" "$control_port" "$stats_port")
	fstrm_capture -t protobuf:dnstap.Dnstap -a 127.0.0.1 -p "$tcp_port" \
		-w "$work/tcp.fstrm" >"$work/capture.log" 2>&1 &
	reader_pid=$!
	write_config "$zones" <<-END
	recursion yes;
	allow-recursion { 127.0.0.1; };
	dnstap { all; };
	dnstap-output unix "tcp:127.0.0.1:$tcp_port";
	END
	start_named
	queries | "$client" udp 127.0.0.1 "$port" >"$work/client" || fail "the client"
	stop_named
	stop_reader
	frames "$work/tcp.fstrm" >"$work/seen"
	classify 127.0.0.1 <"$work/client" >"$work/sent"
	compare tcp "$work/sent" "$work/seen"
}

# A reader that stands still costs the clients nothing, not at `rndc dnstap
# -reopen` either, and the end of the server two seconds.
case_stuck() {
	local began took_ms
	socket_config
	start_reader "$work/stuck.fstrm"
	DTAP_BIND_OPTIONS="ring-bytes=64K write-timeout-ms=600000" start_named
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		exit 1
	sleep 0.5
	kill -STOP "$reader_pid"
	offer_load 3000
	for _ in 1 2 3; do
		sleep 0.5
		control dnstap -reopen
	done
	end_load
	began=$(date +%s%N)
	stop_named
	took_ms=$((($(date +%s%N) - began) / 1000000))
	kill -CONT "$reader_pid"
	stop_reader
	echo "    $completed queries answered; named ended after $took_ms ms"
	[ $took_ms -lt 6000 ] || fail "named took $took_ms ms to end"
	in_log "ledger" "events submitted $((2 * completed + 2)),"
	grep -q ' closed, events .*dropped [1-9]' "$work/named.log" ||
		fail "nothing was dropped: the reader was not stuck"
}

# A named of another series runs, without dnstap, and says so.
case_series() {
	local libdns before=$preload
	libdns=$(ldd "$(command -v named)" | awk '/libdns-/ { print $3 }')
	cp "$libdns" "$work/libdns-9.20.99.so"
	file_config <<<"dnstap { all; };"
	preload="$preload $work/libdns-9.20.99.so"
	start_named
	preload=$before
	queries | head -n 1 | "$client" udp 127.0.0.1 "$port" >"$work/sent" ||
		fail "the client"
	control reconfig
	rndc -c "$work/rndc.conf" dnstap -reopen >"$work/rndc.out" 2>&1 &&
		fail "there is something to reopen"
	stop_named
	in_log "other series" "9.20.99.so: the server runs WITHOUT dnstap"
	expect "warnings" "$(grep -c 'WITHOUT dnstap' "$work/named.log")" 1
	[ ! -e "$work/run/tap.fstrm" ] || fail "there is a file"
}

# named as a daemon, as another user and in another root.
case_daemon() {
	if [ "$(id -u)" != 0 ] || ! getent passwd bind >/dev/null; then
		echo "    note: not root, or no user bind: -u and -t are NOT" \
			"tested"
		return
	fi
	chroot=/jail
	file_config <<<"dnstap { all; };"
	chroot=
	mkdir -p "$work/jail/etc"
	mv "$work/run" "$work/jail/run"
	mv "$work/named.conf" "$work/jail/etc"
	mkdir -p "$work/jail/jail"
	ln -s ../run "$work/jail/jail/run"
	chown -R bind "$work/jail"
	chmod 755 "$work"
	LD_PRELOAD=$preload named -u bind -t "$work/jail" -n 2 \
		-c /etc/named.conf -L /run/named.log || fail "named -u -t"
	named_pid=$(cat "$work/jail/run/named.pid") || fail "no pid"
	queries | "$client" udp 127.0.0.1 "$port" >"$work/client" || fail "the client"
	control dnstap -roll
	until_true "backup" [ -e "$work/jail/run/tap.fstrm.0" ]
	until_true "new file" [ -e "$work/jail/run/tap.fstrm" ]
	kill -TERM "$named_pid"
	until_true "end of named" eval "! kill -0 $named_pid"
	named_pid=
	cp "$work/jail/run/named.log" "$work/named.log"
	expect "owner" "$(stat -c %U "$work/jail/run/tap.fstrm.0")" bind
	classify 127.0.0.1 <"$work/client" >"$work/sent"
	frames "$work/jail/run"/tap.fstrm.0 "$work/jail/run/tap.fstrm" \
		>"$work/seen"
	compare daemon "$work/sent" "$work/seen"
}

ip6_factor=1
[ $ip6 = no ] || ip6_factor=2
write_zones
for case in ${DTAP_BIND_ONLY:-shim calls config messages authority fields \
	choice tools resolver counters roll size late reload socket tcp \
	stuck series daemon}; do
	rm -rf "$work"/*.fstrm* "$work/run"
	"case_$case"
	echo "ok: $case, at $SECONDS s"
done
