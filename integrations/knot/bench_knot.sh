#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR GPL-3.0-or-later
#
# bench_knot.sh: what dnstap costs Debian's knotd: without a module, with
# Knot's own mod-dnstap, with mod-dtap.
#
#     bench_knot.sh [ROUNDS [SECONDS]]            from the build directory
#
# The three take turns in each round, so that a machine that grows slower
# slows them all. dnsperf asks over loopback; the two modules write to the
# same kind of reader, fstrm_capture on a Unix socket. Prints medians and
# writes bench/out/knot.json. Each query makes two events; lost are those that
# the reader did not get of the queries that were answered.
#
# DTAP_KNOT_MODULE names another dtap.so than the build's, DTAP_KNOT_WORKERS
# the number of UDP workers (1), DTAP_KNOT_OPTIONS a list for `option`.
set -u
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

rounds=${1:-5}
seconds=${2:-3}
workers=${DTAP_KNOT_WORKERS:-1}
options=${DTAP_KNOT_OPTIONS:-}
module=${DTAP_KNOT_MODULE:-$PWD/integrations/knot/.libs/dtap.so}
client=${DTAP_KNOT_CLIENT:-$PWD/integrations/knot/knot_client}
out=bench/out
ticks=$(getconf CLK_TCK)

need() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "SKIP: $1 is missing (Debian: apt-get install $2)" >&2
	exit 77
}
need knotd knot
need dnsperf dnsperf
need fstrm_capture fstrm-bin
for file in "$module" "$client"; do
	[ -e "$file" ] || {
		echo "SKIP: $file was not built (make check builds it)" >&2
		exit 77
	}
done

# Memory, where there is some, so that no disk is measured.
base=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || base=/dev/shm
work=$(mktemp -d "$base/dtap-bench.XXXXXX") || exit 1
knot_pid=
reader_pid=
finish() {
	for pid in $knot_pid $reader_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

die() {
	echo "bench_knot: $*" >&2
	cat "$work/knotd.log" >&2
	exit 1
}

port=$("$client" port) || exit 1
{
	echo "\$ORIGIN bench."
	echo "\$TTL 60"
	echo "@ SOA ns hostmaster 1 3600 600 86400 60"
	echo "@ NS ns"
	echo "ns A 192.0.2.53"
	awk 'BEGIN { for (i = 0; i < 1000; i++)
		printf "n%d A 192.0.2.%d\n", i, i % 256 }'
} >"$work/bench.zone"
awk 'BEGIN { for (i = 0; i < 1000; i++) print "n" i ".bench A" }' \
	>"$work/queries"

write_config() { # MODE
	cat <<-EOF
	server:
	    rundir: $work
	    listen: 127.0.0.1@$port
	    udp-workers: $workers
	    tcp-workers: 1
	    background-workers: 1
	database:
	    storage: $work
	log:
	  - target: stderr
	    any: info
	EOF
	case $1 in
	mod-dnstap) printf '%s\n' "mod-dnstap:" "  - id: all" \
		"    sink: unix:$work/tap.sock" ;;
	mod-dtap) printf '%s\n' "module:" "  - id: mod-dtap" \
		"    file: $module" "mod-dtap:" "  - id: all" \
		"    sink: unix:$work/tap.sock"
		[ -z "$options" ] || echo "    option: [ $options ]" ;;
	esac
	printf '%s\n' "template:" "  - id: default" "    storage: $work"
	[ "$1" = off ] || echo "    global-module: $1/all"
	printf '%s\n' "zone:" "  - domain: bench."
}

# User and system time of a process, in clock ticks.
cpu_ticks() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

wait_for() {
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || die "waited in vain: $*"
		sleep 0.1
	done
}

stop() {
	kill -TERM "$1"
	wait "$1"
}

# One run; sets qps, cpu_us (per query) and lost.
run() { # MODE
	write_config "$1" >"$work/knot.conf"
	rm -f "$work/tap.sock"
	fstrm_capture -t protobuf:dnstap.Dnstap -u "$work/tap.sock" \
		-w "$work/tap.fstrm" >"$work/capture.log" 2>&1 &
	reader_pid=$!
	wait_for test -S "$work/tap.sock"
	knotd -c "$work/knot.conf" -s "$work/ctl" >"$work/knotd.log" 2>&1 &
	knot_pid=$!
	wait_for grep -q "server started" "$work/knotd.log"
	before=$(cpu_ticks $knot_pid)
	dnsperf -s 127.0.0.1 -p "$port" -d "$work/queries" -l "$seconds" \
		-c 10 -q 200 >"$work/dnsperf.out" 2>&1 || die "dnsperf"
	after=$(cpu_ticks $knot_pid)
	stop $knot_pid
	knot_pid=
	stop $reader_pid
	reader_pid=
	completed=$(sed -n 's/.*Queries completed: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	qps=$(sed -n 's/.*Queries per second: *\([0-9]*\).*/\1/p' \
		"$work/dnsperf.out")
	cpu_us=$(awk -v t=$((after - before)) -v hz="$ticks" \
		-v n="$completed" 'BEGIN { printf "%.2f", t / hz * 1e6 / n }')
	lost=0
	[ "$1" = off ] || lost=$((2 * completed -
		$("$client" frames "$work/tap.fstrm"))) || die "no stream"
}

median() {
	tr ' ' '\n' | sort -n | awk 'NF { v[++n] = $1 } END {
		print n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }'
}

modes="off mod-dtap"
if find /usr/lib -path '*/knot/modules-*/dnstap.so' 2>/dev/null |
	grep -q .; then
	modes="off mod-dnstap mod-dtap"
else
	echo "note: no knot-module-dnstap: mod-dnstap is left out" >&2
fi

# On a machine that others use, believe the CPU time rather than the rates.
load=$(cut -d' ' -f1 /proc/loadavg)
echo "load average before: $load"

round=1
while [ $round -le "$rounds" ]; do
	for mode in $modes; do
		run "$mode"
		echo "$mode $qps $cpu_us $lost $completed" >>"$work/results"
		printf 'round %d  %-10s %8d q/s  %5s us/q  %8d lost\n' \
			$round "$mode" "$qps" "$cpu_us" "$lost"
	done
	round=$((round + 1))
done

column() { # MODE COLUMN
	awk -v mode="$1" -v column="$2" '$1 == mode { print $column }' \
		"$work/results"
}

mkdir -p "$out"
{
	printf '{"knot":"%s","kernel":"%s","cpus":%d,' \
		"$(knotd -V | awk '{ print $NF; exit }')" "$(uname -r)" \
		"$(getconf _NPROCESSORS_ONLN)"
	printf '"load_before":%s,' "$load"
	printf '"rounds":%d,"seconds":%d,"udp_workers":%d,"modes":[' \
		"$rounds" "$seconds" "$workers"
	comma=
	for mode in $modes; do
		printf '%s{"mode":"%s","qps":%s,"cpu_us_per_query":%s,' \
			"$comma" "$mode" "$(column "$mode" 2 | median)" \
			"$(column "$mode" 3 | median)"
		printf '"events_lost":%d,"events":%d}' \
			"$(column "$mode" 4 | awk '{ n += $1 } END { print n }')" \
			"$(column "$mode" 5 | awk '{ n += 2 * $1 } END { print n }')"
		comma=,
	done
	echo ']}'
} >"$out/knot.json"
echo
base_qps=$(column off 2 | median)
printf '%-10s %10s %8s %10s %12s %10s\n' mode q/s change us/query events lost
for mode in $modes; do
	printf '%-10s %10.0f %7s%% %10s %12d %10d\n' "$mode" \
		"$(column "$mode" 2 | median)" \
		"$(column "$mode" 2 | median | awk -v base="$base_qps" \
			'{ printf "%+.1f", ($1 / base - 1) * 100 }')" \
		"$(column "$mode" 3 | median)" \
		"$(column "$mode" 5 | awk '{ n += 2 * $1 } END { print n }')" \
		"$(column "$mode" 4 | awk '{ n += $1 } END { print n }')"
done
echo "written: $out/knot.json"
