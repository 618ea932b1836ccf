#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kv.sh - measure a server of keys and values: redis-benchmark on one core, the
# server on another one.
#
#	bench/kv.sh [-n RUNS] [-r REQUESTS] [-w WORKERS] [-l]
#
#	-n RUNS		runs of each, taking turns (5)
#	-r REQUESTS	of a run (200000; sixteen times as many in batches)
#	-w WORKERS	of kv_server and Go; 2: both cores for all (1)
#	-l		with a log (kv_server and Redis only)
#
# The servers are weft's (examples/kv_server), Go's (bench/peers/go/kv.go) and
# redis-server; those that are not there are left out.  The table, of medians,
# goes to stdout.  Environment: BUILD (build), GO (build/go/bin/go, then on the
# PATH).

set -eu

cd "$(dirname "$0")/.."
build=${BUILD:-build}
work=$build/bench
runs=5
requests=200000
workers=1
log=

say()
{
	echo "kv.sh: $*" >&2
}

while getopts n:r:w:lh option; do
	case $option in
	n) runs=$OPTARG ;;
	r) requests=$OPTARG ;;
	w) workers=$OPTARG ;;
	l) log=1 ;;
	*) sed -n 's/^#	//p' bench/kv.sh >&2; exit 2 ;;
	esac
done

command -v redis-benchmark >/dev/null ||
	{ say "skipped: there is no redis-benchmark"; exit 0; }
[ "$(nproc)" -gt 1 ] || { say "skipped: two cores are needed"; exit 0; }
. bench/peers.sh
make -s BUILD="$build" "$build/examples/kv_server"
peers=weft
base=weft
if [ -z "$log" ] && build_go; then
	peers="$peers go"
	base=go
fi
if command -v redis-server >/dev/null; then
	peers="$peers redis"
	base=redis
fi

export GOMAXPROCS="$workers" WEFT_WORKERS="$workers"
on_server=0
on_client=1
[ "$workers" -eq 1 ] || on_server=0,1 on_client=0,1
tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$tmp"' EXIT
redis_port=$((20000 + $$ % 20000))

server()
{
	case $1 in
	weft) exec taskset -c $on_server "$build/examples/kv_server" -p 0 \
	    ${log:+-l "$tmp/kv.log"} ;;
	go) exec taskset -c $on_server "$work/go-bench" kv-server ;;
	redis) exec taskset -c $on_server redis-server --port $redis_port \
	    --bind 127.0.0.1 --save '' --dir "$tmp" \
	    --appendonly "$([ -z "$log" ] && echo no || echo yes)" ;;
	esac
}

# Nanoseconds of all threads of process $1.
cpu()
{
	cat /proc/"$1"/task/*/schedstat | awk '{ n += $1 } END { print n }'
}

for p in $peers; do
	: >"$tmp/said"
	server "$p" >"$tmp/said" &
	pids="$pids $!"
	until grep -q -e listening -e '^port' -e 'Ready to' "$tmp/said"; do
		kill -0 $!
		sleep 0.05
	done
	port=$(sed -n 's/.*listening.*:\([0-9]*\)$/\1/p; s/^port //p' \
	    "$tmp/said")
	echo "$p $! ${port:-$redis_port}"
	rm "$tmp/said"
done >"$tmp/servers"

# one SERVER PID PORT NAME ARGUMENT...: a run; its line for rates.awk.
one()
{
	p=$1 pid=$2 port=$3 name=$4
	shift 4
	before=$(cpu "$pid")
	taskset -c $on_client redis-benchmark -p "$port" -c 50 -r 100000 \
	    --csv "$@" 2>/dev/null </dev/null | tr -d '"' |
	    awk -F , -v line="$name $p" -v before="$before" '
		NR > 1 { rate = $2; half = 1e3 * $5; most = 1e3 * $7 }
		END { print line, rate, half, most, before }' >"$tmp/line"
	echo "$(cat "$tmp/line") $(cpu "$pid")"
}

echo "$workers worker(s)${log:+, with a log}"
for pipeline in 1 16; do
	for verb in set get; do
		run=0
		while [ $run -lt "$runs" ]; do
			while read -r p pid port; do
				one "$p" "$pid" "$port" \
				    "$verb,-P,$pipeline" -t $verb \
				    -P $pipeline -n $((requests * pipeline))
			done <"$tmp/servers"
			run=$((run + 1))
		done
	done >"$tmp/raw"
	echo
	awk -v requests=$((requests * pipeline)) -v base=$base -v what=test \
	    -f bench/rates.awk "$tmp/raw"
done
