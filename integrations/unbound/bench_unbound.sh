# SPDX-License-Identifier: Apache-2.0
#
# bench_unbound.sh: unbound, with its own dnstap and with libdtap-unbound; for
# integrations/bench-servers. The two are one source, compiled once and linked
# twice (see build). The answers are local data, so that two events for each
# query are weighed against the least work that unbound can have with one.
# shellcheck shell=bash disable=SC2154

bench_programs() {
	echo "dpkg-source dpkg-dev"
}

bench_prepare() {
	: "${DTAP_UNBOUND_DIR:=$build/integrations/unbound/work}"
	export DTAP_UNBOUND_DIR
	"$here/unbound/build" >"$work/unbound-build.log" 2>&1 || {
		tail -n 5 "$work/unbound-build.log" >&2
		echo "SKIP: unbound could not be built" >&2
		return 77
	}
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf \
		"    local-data: \"n%d.bench. 60 IN A 192.0.2.%d\"\n", i,
			i % 256 }' >"$work/local-data"
}

bench_versions() {
	"$DTAP_UNBOUND_DIR/bin/unbound" -V | sed -n 's/^Version /unbound /p'
}

bench_own() {
	echo "unbound's own"
}

bench_start() { # MODE
	local program=unbound
	[ "$1" != own ] || program=unbound-stock
	{
		cat <<-END
		server:
		    interface: 127.0.0.1@$port
		    directory: "$work"
		    chroot: ""
		    username: ""
		    pidfile: "$work/unbound.pid"
		    use-syslog: no
		    logfile: ""
		    num-threads: $threads
		    module-config: "iterator"
		    local-zone: "bench." static
		END
		cat "$work/local-data"
		[ "$1" = off ] || cat <<-END
		dnstap:
		    dnstap-enable: yes
		    dnstap-socket-path: "$work/tap.sock"
		    dnstap-send-identity: yes
		    dnstap-send-version: yes
		    dnstap-log-client-query-messages: yes
		    dnstap-log-client-response-messages: yes
		END
	} >"$work/unbound.conf"
	exec "$DTAP_UNBOUND_DIR/bin/$program" -d -c "$work/unbound.conf"
}
