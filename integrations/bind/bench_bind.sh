# SPDX-License-Identifier: Apache-2.0
#
# bench_bind.sh: Debian's named, with its own dnstap and with libdtap-bind
# preloaded; for integrations/bench-servers.
# shellcheck shell=bash disable=SC2154

bench_programs() {
	echo "named bind9"
}

bench_prepare() {
	export bind_shim=$build/integrations/bind/.libs/libdtap-bind.so
	built "$bind_shim" || return
	bench_zone >"$work/bench.zone"
}

bench_versions() {
	named -v | awk '{ print "named", $2; exit }'
}

bench_own() {
	echo "named's own"
}

bench_start() { # MODE
	{
		cat <<-END
		controls { };
		options {
			directory "$work";
			pid-file none; session-keyfile none; lock-file none;
			port $port;
			listen-on { 127.0.0.1; };
			listen-on-v6 { none; };
			recursion no;
			dnssec-validation no;
			notify no;
		END
		[ "$1" = off ] || cat <<-END
			dnstap { all; };
			dnstap-output unix "$work/tap.sock";
		END
		cat <<-END
		};
		zone "bench" { type primary; file "bench.zone"; };
		END
	} >"$work/named.conf"
	[ "$1" != ours ] || export LD_PRELOAD="$bind_shim"
	exec named -g -c "$work/named.conf" -n "$threads"
}
