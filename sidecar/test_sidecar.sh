#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_sidecar.sh: dtap-sidecar next to servers and clients that write dnstap
# themselves, and under load; as root, on the loopback.
#
# The oracle: Debian's unbound, named, knotd and kdig log what they see, each
# in its own way, while the sidecar watches them. Message by message the two
# must agree in addresses, ports, transport and octets; where they differ in
# the type, sidecar/README.md tells why, and the pairs that are explained there
# are listed below. Runs in the build directory, in a scratch directory.
#
# DTAP_SIDECAR_ONLY="oracle load" runs some cases alone, DTAP_SIDECAR_KEEP=1
# keeps the directory.
set -u
LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
export LC_ALL TZ PATH
build=$PWD
script=$(readlink -f "$0")
sidecar=$build/sidecar/dtap-sidecar
cat=$build/tools/cat/dtap-cat
client=$build/integrations/knot/knot_client

skip() {
	echo "SKIP: dtap-sidecar is NOT tested: $*"
	exit 77
}
[ -x "$sidecar" ] || skip "it was not built (Debian: apt-get install" \
	"libbpf-dev bpftool clang libcap-ng-dev libseccomp-dev)"
[ "$(id -u)" = 0 ] || skip "only root may load programs into the kernel"
while read -r program package; do
	command -v "$program" >/dev/null ||
		skip "$program is missing (Debian: apt-get install $package)"
done <<'END'
knotd knot
kdig knot-dnsutils
named bind9
unbound unbound
dnsperf dnsperf
jq jq
bpftool bpftool
END
[ -n "$(find /usr/lib -path '*/knot/modules-*/dnstap.so')" ] ||
	skip "knotd's own dnstap is missing (Debian: knot-module-dnstap)"

work=$(mktemp -d "${TMPDIR:-/tmp}/dtap-sidecar.XXXXXX") || exit 1
chmod 755 "$work"
cd "$work" || exit 1
declare -A pids
case=start
group=

finish() {
	local pid
	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	[ -z "$group" ] || rmdir "$group"
	[ -z "${DTAP_SIDECAR_KEEP:-}" ] || { echo "kept: $work"; return; }
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAIL: $case: $*"
	tail -n 15 ./*.log 2>/dev/null | cut -c 1-160
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

start() { # NAME COMMAND...
	local name=$1
	shift
	# Or what is waited for would be found in the log of the one before.
	rm -f "$name.log"
	"$@" >"$name.log" 2>&1 &
	pids[$name]=$!
}

stop() { # NAME
	kill -TERM "${pids[$1]}"
	wait "${pids[$1]}" || fail "$1 ended with status $?"
	unset "pids[$1]"
}

declare -A port
for name in knotd named unbound; do
	port[$name]=$("$client" port) || exit 1
	while [ "${port[$name]}" = "${port[knotd]}" ] && [ $name != knotd ] ||
		[ "${port[$name]}" = "${port[named]:-}" ] &&
		[ $name = unbound ]; do
		port[$name]=$("$client" port) || exit 1
	done
done
ports=(--port "${port[knotd]}" --port "${port[named]}" --port "${port[unbound]}")

# A leak checker would trace the process, which it no longer lets anyone do.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

start_sidecar() { # [OPTION...]
	rm -f sidecar.fstrm*
	start sidecar "$sidecar" --output "file:$work/sidecar.fstrm" \
		"${ports[@]}" "$@"
	until_true "start of the sidecar" grep -q ': captures ' sidecar.log
	grep -q 'captures at sockets' sidecar.log ||
		[[ "$*" == *"--capture packet"* ]] ||
		skip "this kernel has no hooks at sockets: $(cat sidecar.log)"
}

write_zones() {
	local zone
	for zone in one two three; do
		{
			echo "\$ORIGIN $zone."
			echo "\$TTL 0"
			echo "@ SOA ns hostmaster 1 3600 600 86400 0"
			echo "@ NS ns"
			echo "ns A 192.0.2.53"
			echo "* A 192.0.2.80"
			# More than fits into UDP, fewer than named takes.
			awk 'BEGIN { for (i = 0; i < 90; i++)
				printf "big TXT \"%0200d\"\n", i }'
		} >$zone.zone
	done
}

start_knotd() { # [own]
	cat >knot.conf <<-END
	server:
	    rundir: $work
	    listen: [ 127.0.0.1@${port[knotd]}, ::1@${port[knotd]} ]
	    udp-workers: 2
	    tcp-workers: 2
	    background-workers: 1
	database:
	    storage: $work
	log:
	  - target: stderr
	    any: info
	mod-dnstap:
	  - id: all
	    sink: $work/knotd.fstrm
	    log-queries: on
	    log-responses: on
	template:
	  - id: default
	    storage: $work
	    $([ "${1-}" != own ] || echo global-module: mod-dnstap/all)
	zone:
	  - domain: one.
	  - domain: two.
	END
	start knotd knotd -c knot.conf -s "$work/knot.sock"
	until_true "start of knotd" grep -q "server started" knotd.log
}

# Asks unbound, named and knotd each query; kdig logs it, too.
start_named() {
	cat >named.conf <<-END
	controls { };
	options {
		directory "$work";
		pid-file none; session-keyfile none; lock-file none;
		port ${port[named]};
		listen-on { 127.0.0.1; };
		listen-on-v6 { ::1; };
		recursion yes;
		allow-recursion { any; };
		dnssec-validation no;
		empty-zones-enable no;
		forward only;
		forwarders { 127.0.0.1 port ${port[knotd]}; };
		dnstap { all; };
		dnstap-output file "$work/named.fstrm";
		max-cache-ttl 1;
	};
	zone "three" { type primary; file "three.zone"; };
	END
	start named named -g -c named.conf -n 2
	until_true "start of named" grep -q ' running$' named.log
}

start_unbound() {
	cat >unbound.conf <<-END
	server:
	    interface: 127.0.0.1@${port[unbound]}
	    interface: ::1@${port[unbound]}
	    directory: "$work"
	    chroot: ""
	    username: ""
	    pidfile: "$work/unbound.pid"
	    use-syslog: no
	    logfile: ""
	    num-threads: 1
	    module-config: "iterator"
	    do-not-query-localhost: no
	    cache-max-ttl: 0
	    local-zone: "local." static
	    local-data: "www.local. 60 IN A 192.0.2.1"
	    access-control: ::1 allow
	    access-control: 127.0.0.1 allow
	    outgoing-interface: 127.0.0.1
	remote-control:
	    control-enable: no
	stub-zone:
	    name: "one."
	    stub-addr: 127.0.0.1@${port[knotd]}
	    stub-prime: no
	forward-zone:
	    name: "two."
	    forward-addr: 127.0.0.1@${port[named]}
	dnstap:
	    dnstap-enable: yes
	    dnstap-bidirectional: yes
	    dnstap-socket-path: "$work/unbound.sock"
	    dnstap-log-client-query-messages: yes
	    dnstap-log-client-response-messages: yes
	    dnstap-log-resolver-query-messages: yes
	    dnstap-log-resolver-response-messages: yes
	    dnstap-log-forwarder-query-messages: yes
	    dnstap-log-forwarder-response-messages: yes
	END
	start unbound-reader "$cat" -u "$work/unbound.sock" \
		-w "$work/unbound.fstrm"
	until_true "start of unbound's reader" [ -S unbound.sock ]
	start unbound unbound -d -c unbound.conf
	until_true "start of unbound" grep -q "start of service" unbound.log
}

# --- messages ---------------------------------------------------------------

# One line for each frame: end, transport, ports, octets, a tab, type. Only the
# port tells the two ends of a client apart: kdig and named log 0.0.0.0 for an
# address that they do not know.
lines() { # FILE [EXE]
	"$cat" --json "$1" >json || fail "dtap-cat cannot read $1"
	jq -r --arg exe "exe=${2-} " 'select($exe == "exe= " or
		((.extra // "") | contains($exe))) |
		select((.extra // "") | contains("event=") | not) | .message |
		[(if .type | endswith("_QUERY") then "Q" else "R" end),
		.socket_protocol, .query_port, .response_port,
		(if .type | endswith("_QUERY") then .query_message_base64
		else .response_message_base64 end), .type] |
		"\(.[0:5] | join(" "))\t\(.[5])"' json | sort
}

# What a program is known to tell wrongly is left out on both sides: unbound
# and named give their own TCP connections to other servers no port, or that of
# another socket.
mend() { # NAME
	case $1 in
	unbound | named) awk -v own="${port[$1]}" '$2 == "TCP" && $4 != own {
		sub(/ TCP [0-9]+ /, " TCP - ") } 1' | sort ;;
	*) cat ;;
	esac
}

# agree NAME: the sidecar's frames of a program and the program's own.
agree() {
	local equal all
	[ "$1" = kdig ] || lines "$1.fstrm" | mend "$1" >"$1.own"
	lines sidecar.fstrm "$1" | mend "$1" >"$1.seen"
	[ -s "$1.own" ] || fail "$1 has logged nothing itself"
	cut -f 1 "$1.own" | comm -23 - <(cut -f 1 "$1.seen") >"$1.missing"
	[ ! -s "$1.missing" ] ||
		fail "$1 saw $(wc -l <"$1.missing") messages that the sidecar" \
			"did not see: $(head -n 3 "$1.missing" | cut -c 1-120)"
	cut -f 1 "$1.own" | comm -13 - <(cut -f 1 "$1.seen") >"$1.more"
	join -t "$(printf '\t')" "$1.own" "$1.seen" >"$1.both"
	all=$(wc -l <"$1.both")
	equal=$(awk -F '\t' '$2 == $3' "$1.both" | wc -l)
	awk -F '\t' '$2 != $3 { print $2 " -> " $3 }' "$1.both" | sort |
		uniq -c | sed "s/^/    $1: /" >"$1.differ"
	printf '    %-8s %4d messages of its own, %4d seen by both, ' \
		"$1" "$(wc -l <"$1.own")" "$all"
	printf '%4d of one type (%d %%), %d only by the sidecar\n' "$equal" \
		$((100 * equal / all)) "$(wc -l <"$1.more")"
	cat "$1.differ"
	expect "messages of $1 that only the sidecar saw" \
		"$(wc -l <"$1.more")" 0
	# named calls what it forwards by the names of recursion.
	expect "types of $1 that nobody explains" "$(grep -v \
		'named: .* RESOLVER_\([A-Z]*\) -> FORWARDER_\1$' "$1.differ")" ""
}

types() { # FILE: how many of each
	"$cat" -q "$1" | awk '{ n[$3]++ } END { for (t in n) print t, n[t] }' |
		sort | tr '\n' ';'
}

metric() { # NAME
	sed -n "s/^dtap_sidecar_$1 //p" sidecar.log | tail -n 1
}

# Whether a counter that is asked for now has that value.
counts() { # NAME VALUE
	kill -USR2 "${pids[sidecar]}"
	sleep 0.1
	[ "$(metric "$1")" = "$2" ]
}

# --- the cases --------------------------------------------------------------

# kdig, and what its own dnstap says, to where the sidecar is compared.
ask() { # SERVER ARGUMENT...
	local server=$1
	shift
	asked=$((asked + 1))
	kdig -E "$work/kdig.$asked" @"$server" +retry=0 +timeout=5 "$@" \
		>kdig.out 2>&1 || fail "kdig @$server $*: $(cat kdig.out)"
}

case_oracle() {
	local address name
	start_knotd own
	start_named
	start_unbound
	start_sidecar --timeout 0
	asked=0
	for address in 127.0.0.1 ::1; do
		for name in knotd named unbound; do
			ask $address -p "${port[$name]}" a$asked.one
			ask $address -p "${port[$name]}" +tcp b$asked.one
			ask $address -p "${port[$name]}" c$asked.two AAAA
			ask $address -p "${port[$name]}" big.one TXT +tcp
			ask $address -p "${port[$name]}" +norec d$asked.one
		done
		ask $address -p "${port[named]}" www.three
		ask $address -p "${port[unbound]}" www.local
	done
	printf 'server %s %s\nzone three.\nadd x.three. 60 A 192.0.2.9\nsend\n' \
		127.0.0.1 "${port[named]}" | knsupdate >update.out 2>&1
	sleep 2 # unbound writes its dnstap once a second
	stop sidecar
	stop unbound
	kill -TERM "${pids[unbound-reader]}"
	wait "${pids[unbound-reader]}"
	unset "pids[unbound-reader]"
	stop named
	stop knotd
	for name in kdig.*[0-9]; do
		lines "$name"
	done | sort >kdig.own
	agree kdig
	agree unbound
	agree named
	agree knotd
}

# Both ends of every query, once, at 20,000/s over UDP and 5,000/s over TCP. The
# frames are those of dnsperf's sockets and of knotd's.
case_load() {
	local sent=0 transport rate
	echo "www.one A" >names
	start_knotd
	start_sidecar --timeout 0 --set ring-bytes=64M --latency-ms 5
	for transport in udp tcp; do
		rate=20000
		[ $transport = udp ] || rate=5000
		dnsperf -s 127.0.0.1 -p "${port[knotd]}" -d names \
			-m $transport -c 8 -T 1 -q 100 -Q $rate -l 2 \
			>dnsperf.out 2>&1 || fail "dnsperf: $(cat dnsperf.out)"
		grep -q 'Queries lost: *0 ' dnsperf.out ||
			fail "dnsperf has lost some: $(cat dnsperf.out)"
		sent=$((sent + $(awk '/Queries sent:/ { print $3 }' dnsperf.out)))
	done
	stop sidecar
	stop knotd
	expect "types" "$(types sidecar.fstrm)" \
		"AQ $sent;AR $sent;TQ $sent;TR $sent;"
	grep -q ' 0 lost in the kernel; .* 0 lost$' sidecar.log ||
		fail "something was lost: $(tail -n 1 sidecar.log)"
	echo "    $sent queries, $((4 * sent)) frames"
}

# A query that nobody answers is told of, at both ends; a late answer is not
# taken for an answer.
case_unanswered() {
	start_knotd
	start_sidecar --timeout 300
	kill -STOP "${pids[knotd]}"
	kdig @127.0.0.1 -p "${port[knotd]}" +retry=0 +timeout=1 silent.one \
		>kdig.out 2>&1
	kill -CONT "${pids[knotd]}"
	kdig @127.0.0.1 -p "${port[knotd]}" +retry=0 www.one >kdig.out 2>&1
	until_true "answers in the histogram" counts latency_seconds_count 2
	stop sidecar
	stop knotd
	expect "reports" "$("$cat" --json sidecar.fstrm |
		jq -r 'select(.extra | contains("event=unanswered")) |
			.message.type' | sort | tr '\n' ' ')" \
		"AUTH_QUERY TOOL_QUERY "
	expect "counter" "$(metric timeouts_total)" 2
}

# Nothing of root is left in it, nor of it in the kernel.
case_privileges() {
	local fields
	start_sidecar --user nobody
	kill -0 "${pids[sidecar]}" || fail "it has ended"
	fields=$(grep -hE '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):' \
		/proc/"${pids[sidecar]}"/task/*/status | tr '\t' ' ' | sort -u |
		tr '\n' ';')
	expect "status of all threads" "$fields" "CapBnd: 0000000000000000;$(:
		)CapEff: 0000000000000000;CapPrm: 0000000000000000;$(:
		)NoNewPrivs: 1;Seccomp: 2;Uid: $(id -u nobody) $(id -u nobody) $(:
		)$(id -u nobody) $(id -u nobody);"
	bpftool prog list | grep -q 'name owner_bind4' ||
		fail "bpftool does not know it: $(bpftool prog list)"
	kill -KILL "${pids[sidecar]}"
	wait "${pids[sidecar]}" 2>/dev/null
	unset "pids[sidecar]"
	until_true "nothing left in the kernel" eval \
		'! bpftool prog list | grep -q "name owner_bind4"'
}

http() { # REQUEST
	exec 3<>"/dev/tcp/127.0.0.1/$http_port" &&
		printf "$1" >&3 && timeout 5 cat <&3
	exec 3>&-
}

# The counters over HTTP, and those who ask for something else.
case_metrics() {
	http_port=$("$client" port)
	start_knotd
	start_sidecar --metrics "127.0.0.1:$http_port" --timeout 0
	kdig @127.0.0.1 -p "${port[knotd]}" nx.none >kdig.out 2>&1
	sleep 0.2
	http 'GET /metrics HTTP/1.0\r\n\r\n' >http.out
	grep -q '^HTTP/1.. 200' http.out || fail "GET: $(head -n 3 http.out)"
	grep -q '^dtap_sidecar_messages_total{type="AUTH_QUERY"} 1' http.out ||
		fail "no query counted: $(grep messages http.out)"
	grep -q '^dtap_sidecar_responses_total{rcode="5"} 2' http.out ||
		fail "REFUSED is not counted: $(grep responses http.out)"
	http 'DELETE / HTTP/1.0\r\n\r\n' | grep -q ' 405 ' || fail "DELETE"
	head -c 20000 /dev/urandom | tr -d '\0' >garbage
	http "$(tr -dc 'a-zA-Z' <garbage)" >http.out
	http 'GET / HTTP/1.0\r\n\r\n' | grep -q ' 200 ' || fail "after garbage"
	stop sidecar
	stop knotd
}

# What the kernel has handed over before the end is not lost: more than one
# drain, as it has slept in the meantime.
case_end() {
	local kind
	for kind in cgroup packet; do
		start_sidecar --timeout 0 --capture $kind --set ring-bytes=64M
		kill -STOP "${pids[sidecar]}"
		for ((i = 0; i < 10000; i++)); do
			printf '%04d00000000' $i >"/dev/udp/127.0.0.1/${port[knotd]}"
		done
		kill -TERM "${pids[sidecar]}"
		kill -CONT "${pids[sidecar]}"
		wait "${pids[sidecar]}" || fail "it ended with status $?"
		unset "pids[sidecar]"
		expect "messages at a socket" "$("$cat" --json sidecar.fstrm |
			jq -r '.message.type' | grep -c '^STUB_QUERY$')" 10000
	done
}

# Whether the sidecar is there, but none of its hooks.
has_no_hooks() {
	ls -l "/proc/${pids[sidecar]}/fd" >descriptors
	grep -q signalfd descriptors && ! grep -q bpf.link descriptors
}

# The traffic goes on without hooks while the end waits for who reads frames.
case_detach() {
	start reader "$cat" -q -u "$work/reader.sock"
	until_true "start of the reader" [ -S reader.sock ]
	start sidecar "$sidecar" --output "unix:$work/reader.sock" \
		"${ports[@]}" --timeout 0
	until_true "start of the sidecar" grep -q ': captures ' sidecar.log
	printf '000000000000' >"/dev/udp/127.0.0.1/${port[knotd]}"
	until_true "the first frame" grep -q ' SQ ' reader.log
	kill -STOP "${pids[reader]}"
	for ((i = 0; i < 5000; i++)); do
		printf '%04d00000000' $i >"/dev/udp/127.0.0.1/${port[knotd]}"
	done
	has_no_hooks && fail "no hooks are seen: $(cat descriptors)"
	kill -TERM "${pids[sidecar]}"
	until_true "the end of the hooks" has_no_hooks
	kill -CONT "${pids[reader]}"
	ends_with 0
	kill -TERM "${pids[reader]}"
	wait "${pids[reader]}"
	unset "pids[reader]"
}

# A cgroup that goes takes its hooks along; its successor needs privileges.
case_cgroup() {
	group=$(awk '$3 == "cgroup2" { print $2; exit }' \
		/proc/self/mounts)/dtap-sidecar.$$
	mkdir "$group" || fail "a cgroup cannot be made"
	start_sidecar --cgroup "$group" --timeout 0
	rmdir "$group" && group=
	ends_with 1
	grep -q ': the cgroup is gone$' sidecar.log || fail "it does not say why"
}

# --print alone: a line for each message, with its process.
case_print() {
	start_knotd
	start sidecar "$sidecar" --print "${ports[@]}" --role kdig=stub
	until_true "start of the sidecar" grep -q ': captures ' sidecar.log
	kdig @127.0.0.1 -p "${port[knotd]}" www.one >kdig.out 2>&1
	until_true "four lines" eval '[ "$(grep -c "www.one" sidecar.log)" = 4 ]'
	stop sidecar
	stop knotd
	grep -q ' SQ 127.0.0.1:.* UDP .*www.one. IN A .*exe=kdig .*told' \
		sidecar.log || fail "no SQ"
	grep -q ' AR 127.0.0.1:.* NOERROR [0-9.]*ms .*exe=knotd .*known' \
		sidecar.log || fail "no AR"
}

print_into() { # FIFO
	rm -f sidecar.log
	"$sidecar" --print --timeout 0 "${ports[@]}" >"$1" 2>sidecar.log &
	pids[sidecar]=$!
	until_true "start of the sidecar" grep -q ': captures ' sidecar.log
	for ((i = 0; i < 2000; i++)); do
		printf '%04d00000000' $i >"/dev/udp/127.0.0.1/${port[knotd]}"
	done
}

ends_with() { # STATUS
	timeout 20 tail --pid="${pids[sidecar]}" -f /dev/null ||
		fail "it does not end"
	wait "${pids[sidecar]}"
	expect "status" $? "$1"
	unset "pids[sidecar]"
}

# Who reads no further ends it, and who does not read cannot keep it.
case_reader() {
	mkfifo fifo
	head -n 1 fifo >first &
	print_into fifo
	ends_with 0
	expect "lines of head" "$(wc -l <first)" 1
	sleep 100 <fifo &
	pids[stuck]=$!
	print_into fifo
	kill -TERM "${pids[sidecar]}"
	ends_with 1
	kill "${pids[stuck]}"
	wait "${pids[stuck]}" 2>/dev/null
	unset "pids[stuck]"
}

# Mistakes are told, with what to do.
case_usage() {
	local line words status
	while IFS='|' read -r status line words; do
		# shellcheck disable=SC2086
		"$sidecar" $line >usage.out 2>&1
		expect "status of '$line'" $? "$status"
		grep -q -- "$words" usage.out ||
			fail "'$line': no '$words' in: $(cat usage.out)"
	done <<-'END'
	2||output or --print
	2|-p --port 0|not a number
	2|-p --port 65536|not a number
	2|-p --role x|EXECUTABLE=ROLE
	2|-p --capture x|auto, cgroup or packet
	2|-p --ring-bytes 100000|power of two
	2|-p --cgroup /no/such|No such file
	2|-p --unit no-such-unit|No such file
	2|-o nonsense|output
	2|-p --set nonsense=1|nonsense
	2|-p --metrics 0.0.0.0:80|127.0.0.1
	1|-p --user no-such-user|no-such-user
	0|--list-hooks|cgroup_skb/ingress
	0|--help|Usage
	END
	setpriv --bounding-set -all --inh-caps -all "$sidecar" -p \
		>usage.out 2>&1
	expect "status without privileges" $? 3
	grep -q 'CAP_\|root' usage.out || fail "no remedy: $(cat usage.out)"
}

# DNS over TLS in the clear, when asked for: unbound with OpenSSL, kdig with
# GnuTLS, each message at both ends.
case_tls() {
	local tls_port
	tls_port=$("$client" port)
	command -v openssl >/dev/null || {
		echo "SKIP: DNS over TLS is NOT tested: openssl is missing" \
			"(Debian: apt-get install openssl)"
		return
	}
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout tls.key -out tls.pem -days 2 -subj /CN=localhost \
		>openssl.out 2>&1 || fail "openssl: $(cat openssl.out)"
	cat >tls.conf <<-END
	server:
	    interface: 127.0.0.1@$tls_port
	    tls-port: $tls_port
	    tls-service-key: "$work/tls.key"
	    tls-service-pem: "$work/tls.pem"
	    directory: "$work"
	    chroot: ""
	    username: ""
	    pidfile: "$work/tls.pid"
	    use-syslog: no
	    logfile: ""
	    local-zone: "local." static
	    local-data: "www.local. 60 IN A 192.0.2.1"
	remote-control:
	    control-enable: no
	END
	start unbound unbound -d -c tls.conf
	until_true "start of unbound" grep -q "start of service" unbound.log
	start_sidecar --tls-plaintext --tls-port "$tls_port" --timeout 0
	kdig @127.0.0.1 -p "$tls_port" +tls +retry=0 +timeout=5 +short \
		www.local >kdig.out 2>&1
	expect "answer" "$(cat kdig.out)" 192.0.2.1
	sleep 0.5
	stop sidecar
	stop unbound
	expect "frames" "$(types sidecar.fstrm)" "CQ 1;CR 1;TQ 1;TR 1;"
	expect "protocols and ports" "$("$cat" --json sidecar.fstrm |
		jq -r '.message | "\(.socket_protocol) \(.response_port)"' |
		sort -u)" "DOT $tls_port"
}

# The calls of a set, as systemd-analyze lists it, or of a name.
calls() { # NAME...
	local name
	for name in "$@"; do
		case $name in
		@*) # shellcheck disable=SC2046
			calls $(systemd-analyze --no-pager syscall-filter \
				"$name" | sed -n 's/^    \([a-z0-9_@-]*\)$/\1/p') ;;
		*) echo "$name" ;;
		esac
	done
}

# What a unit's SystemCallFilter= lines leave, in their order.
allowed_calls() { # UNIT
	local words
	calls @default | sort -u >calls
	sed -n 's/^SystemCallFilter=//p' "$1" | while read -r words; do
		# shellcheck disable=SC2086
		case $words in
		~*) calls ${words#\~} | sort -u | comm -23 calls - >calls.next ;;
		*) calls $words | sort -u - calls >calls.next ;;
		esac
		mv calls.next calls
	done
	cat calls
}

# The unit is hardened, with a score of 2.0 at most, and what is left of the
# system's calls and privileges is enough.
case_unit() {
	local unit privileges='-all,+bpf,+perfmon,+net_admin'
	unit=$(dirname "$script")/dtap-sidecar.service
	command -v systemd-analyze >/dev/null || {
		echo "SKIP: dtap-sidecar.service is NOT judged: systemd-analyze" \
			"is missing (Debian: apt-get install systemd)"
		return
	}
	systemd-analyze security --offline=yes --threshold=20 --no-pager \
		"$unit" >unit.out 2>&1 || fail "$(tail -n 1 unit.out)"
	allowed_calls "$unit" >unit.calls
	start sidecar setpriv --inh-caps $privileges --bounding-set $privileges \
		"$build/sidecar/only_calls" unit.calls "$sidecar" \
		--output "unix:$work/nobody.sock" "${ports[@]}"
	until_true "start under the unit's filter" \
		grep -q ': captures ' sidecar.log
	stop sidecar
}

for case in ${DTAP_SIDECAR_ONLY:-usage oracle load unanswered privileges \
	metrics end detach cgroup print reader tls unit}; do
	[ -e one.zone ] || write_zones
	"case_$case"
	echo "ok: $case"
done
