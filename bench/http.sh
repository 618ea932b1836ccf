#!/bin/sh
# SPDX-License-Identifier: MIT
#
# http.sh - measure HTTP: a server on one core, wrk on another one.
#
#	bench/http.sh [-n RUNS] [-s SECONDS] [-c CONNECTIONS]
#
#	-n RUNS		runs of each, taking turns (5)
#	-s SECONDS	length of a run (2)
#	-c CONNECTIONS	numbers of connections, such as 1,64 (64)
#
# The servers are weft's (examples/http_server), Go's net/http, and a loop in Go
# that reads and writes without knowing HTTP (bench/peers/go/http.go).  The
# table, of medians, goes to stdout.  Without wrk or Go there is none.
# Environment: BUILD (build), GO (build/go/bin/go, then on the PATH).

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
work=$build/bench
runs=5
seconds=2
connections=64

say()
{
	echo "http.sh: $*" >&2
}

while getopts n:s:c:h option; do
	case $option in
	n) runs=$OPTARG ;;
	s) seconds=$OPTARG ;;
	c) connections=$OPTARG ;;
	*) sed -n 's/^#	//p' bench/http.sh >&2; exit 2 ;;
	esac
done

. bench/peers.sh
command -v wrk >/dev/null || { say "skipped: there is no wrk"; exit 0; }
[ "$(nproc)" -gt 1 ] || { say "skipped: two cores are needed"; exit 0; }
build_go || { say "skipped"; exit 0; }
make -s BUILD="$build" "$build/examples/http_server"

export GOMAXPROCS=1 WEFT_WORKERS=1
server()
{
	case $1 in
	weft) exec taskset -c 0 "$build/examples/http_server" \
	    -a 127.0.0.1:0 ;;
	net/http) exec taskset -c 0 "$work/go-bench" http-server ;;
	go-loop) exec taskset -c 0 "$work/go-bench" http-loop ;;
	esac
}

# Nanoseconds of all threads of process $1.
cpu()
{
	cat /proc/"$1"/task/*/schedstat | awk '{ n += $1 } END { print n }'
}

# Requests a second, and the two latencies in microseconds.
figures()
{
	awk '
	function us(text) {
		return text * (text ~ /us$/ ? 1 : text ~ /ms$/ ? 1e3 : 1e6)
	}
	$1 == "50%" { half = us($2) }
	$1 == "99%" { most = us($2) }
	/^Requests\/sec/ { rate = $2 }
	/Non-2xx|Socket errors/ { exit 1 }
	END { print rate, half, most }' "$1"
}

tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$tmp"' EXIT
for p in weft net/http go-loop; do
	: >"$tmp/said"
	server "$p" >"$tmp/said" &
	pids="$pids $!"
	until [ -s "$tmp/said" ]; do
		kill -0 $!
		sleep 0.05
	done
	line=$(cat "$tmp/said")
	rm "$tmp/said"
	echo "$p $! ${line##*[ :]}"
done >"$tmp/servers"

for c in $(echo "$connections" | tr ',' ' '); do
	run=0
	while [ $run -lt "$runs" ]; do
		while read -r p pid port; do
			before=$(cpu "$pid")
			taskset -c 1 wrk -t 1 -c "$c" -d "$seconds" --latency \
			    "http://127.0.0.1:$port/" >"$tmp/out" </dev/null
			echo "$c $p $(figures "$tmp/out") $before $(cpu "$pid")"
		done <"$tmp/servers"
		run=$((run + 1))
	done
done >"$tmp/raw"
awk -v seconds="$seconds" -v base=net/http -f bench/rates.awk "$tmp/raw"
