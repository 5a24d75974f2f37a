# SPDX-License-Identifier: Apache-2.0
#
# bench_recursor.sh: Debian's PowerDNS Recursor, with libfstrm and with
# libdtap-fstrm in its place; for integrations/bench-servers. It logs what it
# asks, not what it is asked, so it asks a knotd that lets nothing be cached:
# two events for each query that it sends and gets an answer to, as it counts
# them itself.
# shellcheck shell=bash disable=SC2154

bench_programs() {
	echo "pdns_recursor pdns-recursor"
	echo "knotd knot"
}

bench_prepare() {
	export fstrm_library=$build/integrations/fstrm/.libs/libdtap-fstrm.so
	built "$fstrm_library" || return
	back=$("$client" port) || return
	export back
	awk 'BEGIN { for (i = 0; i < 100000; i++) print "n" i ".bench A" }' \
		>"$work/queries"
	printf '%s\n' "\$ORIGIN bench." "\$TTL 0" \
		"@ SOA ns hostmaster 1 3600 600 86400 0" "@ NS ns" \
		"ns A 192.0.2.53" "* A 192.0.2.80" >"$work/bench.zone"
	cat >"$work/knot.conf" <<-END
	server:
	    rundir: $work
	    listen: 127.0.0.1@$back
	    udp-workers: 1
	    tcp-workers: 1
	    background-workers: 1
	database:
	    storage: $work
	log:
	  - target: stderr
	    any: info
	template:
	  - id: default
	    storage: $work
	zone:
	  - domain: bench.
	END
	start back knotd -c "$work/knot.conf" -s "$work/knot.sock"
	wait_for answers "$back"
}

bench_versions() {
	dpkg-query -W -f 'pdns_recursor ${Version}' pdns-recursor
}

bench_own() {
	echo libfstrm
}

bench_events() { # QUERIES; but its own count is the better one
	rec_control --config-dir="$work" --socket-dir="$work" \
		get all-outqueries outgoing-timeouts |
		awk 'NR == 1 { n = 2 * $1 } NR == 2 { n -= $1 } END { print n }'
}

bench_start() { # MODE
	cat >"$work/recursor.conf" <<-END
	local-address=127.0.0.1
	local-port=$port
	forward-zones=bench=127.0.0.1:$back, .=127.0.0.1:$back
	lua-config-file=$work/recursor.lua
	socket-dir=$work
	threads=$threads
	dnssec=off
	dont-query=
	security-poll-suffix=
	disable-packetcache=yes
	quiet=yes
	setuid=
	setgid=
	END
	{
		[ "$1" = off ] ||
			echo "dnstapFrameStreamServer({\"$work/tap.sock\"}," \
				"{logQueries=true, logResponses=true})"
	} >"$work/recursor.lua"
	[ "$1" != ours ] || export LD_PRELOAD="$fstrm_library"
	exec pdns_recursor --config-dir="$work" --daemon=no
}
