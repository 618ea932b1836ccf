#!/bin/sh
# SPDX-License-Identifier: MIT
#
# faults.sh - the servers among the examples, and clients that do them no good:
# too many, too slow, gone in the middle, senseless.  What is asked of each of
# them is the same: it goes on, it takes no more memory the second time, no
# descriptor stays open, and it ends well.
#
# From the environment, relative to the top of the repository:
#	EXAMPLES		the folder of the built examples
#	SANITIZE		with which they were built
#	SEED=n			of the senseless ones
#	WEFT_TEST_SLOW=n	n times as long until something counts as hung
#	WEFT_TEST=full		ten times as many

cd "$(dirname "$0")/.." || exit 1
client=$PWD/test/client/faults.pl
examples=$(cd "${EXAMPLES:-build/examples}" && pwd) || exit 1
slow=${WEFT_TEST_SLOW:-$([ -z "$SANITIZE" ] && echo 1 || echo 5)}
limit=$((60 * slow))
seed=${SEED:-$(date +%s)}
[ "$WEFT_TEST" = full ] && times=10 || times=1
tmp=$(mktemp -d) || exit 1
mkfifo "$tmp/hold" || exit 1
pids=
trap 'kill -9 $pids 2>/dev/null; rm -rf "$tmp"' EXIT
export LC_ALL=C WEFT_LEAKS=1
echo "# SEED=$seed"

tests=0
failed=0

# result STATUS NAME: the line of one test.
result()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	echo "not ok $tests - $2"
	failed=$((failed + 1))
	for f in said out; do
		tail -n 20 "$tmp/$f" 2>/dev/null | cut -c 1-200 |
			sed "s/^/# $f: /"
	done
}

until_true()
{
	tries=$((limit * 20))
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# It listens, or has ended.
started()
{
	grep -q 'listening on' "$1" || ! kill -0 "$pid" 2>"$tmp/waited"
}

# start FILE DESCRIPTORS PROGRAM ARGUMENT...: leaves pid and port.
start()
{
	said=$1
	descriptors=$2
	program=$3
	shift 3
	: >"$said"
	(
		ulimit -n "$descriptors"
		exec "$examples/$program" "$@" >"$said" 2>&1
	) &
	pid=$!
	pids="$pids $pid"
	until_true started "$said"
	port=$(sed -n 's/.*listening on .*://p' "$said")
}

# By program: how it is started, and what its clients speak.
server()
{
	case $1 in
	http_server) protocol=http; set -- "$@" -a 127.0.0.1:0 ;;
	gateway) protocol=http
		set -- "$@" -a 127.0.0.1:0 -i 100 "$behind" ;;
	kv_server) protocol=kv; set -- "$@" -p 0 ;;
	hub) protocol=hub; set -- "$@" -a 127.0.0.1:0 -q 1000 ;;
	esac
	program=$1
	descriptors=$2
	shift 2
	start "$tmp/said" "$descriptors" "$program" "$@"
}

ends_well()
{
	kill -TERM "$pid"
	wait "$pid"
}

faults()
{
	timeout "$limit" "$client" "$protocol" "$port" "$@" >"$tmp/out" 2>&1
}

done_with()
{
	faults "$@" && [ "$(cat "$tmp/out")" = "done" ]
}

# Three clients in good order.
serves()
{
	echo 'for now' >"$tmp/now"
	faults crowd 3 "$tmp/now" && [ "$(cat "$tmp/out")" = 3 ]
}

descriptors()
{
	find "/proc/$pid/fd" -type l | wc -l
}

closed_again()
{
	[ "$(descriptors)" -le "$at_rest" ]
}

# KiB in memory.
memory()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

start "$tmp/behind" 1000 http_server -a 127.0.0.1:0
behind=127.0.0.1:$port
behind_pid=$pid
for name in http_server gateway kv_server hub; do
	server $name 64
	begun=$(date +%s)
	faults crowd 200 "$tmp/said" && [ "$(cat "$tmp/out")" = 200 ]
	result $? "$name: descriptors run out, and all are served"
	times_said=$(grep -c 'for now' "$tmp/said")
	[ "$times_said" -ge 1 ] && [ "$times_said" -le \
		$((1 + ($(date +%s) - begun) / 60)) ]
	result $? '... it is said once, in a minute'
	ends_well
	result $? '... and it ends well'

	server $name 1000
	serves
	at_rest=$(descriptors)
	# Half requests stay open while all else is done.
	timeout "$limit" "$client" "$protocol" "$port" silent 50 \
		>"$tmp/silent" <"$tmp/hold" &
	sleeper=$!
	exec 3>"$tmp/hold"
	until_true grep -q there "$tmp/silent"
	for round in 1 2 3; do
		done_with reset $((100 * times)) "$seed" &&
			done_with nonsense $((500 * times)) "$seed" && serves
		result $? "$name: resets and nonsense, round $round"
		[ $round -ne 1 ] || before=$(memory)
	done
	growth=$(($(memory) - before))
	echo "# $before KiB, and then $growth more"
	[ "$SANITIZE" ] || [ $growth -lt 4096 ]
	result $? '... its memory does not grow'
	exec 3>&-
	wait $sleeper
	until_true closed_again
	result $? '... no descriptor stays open'
	# The hub tells whose messages it drops.
	ends_well && [ "$(grep -vc 'not keep up' "$tmp/said")" -le 3 ]
	result $? '... it ends well, and has said nothing'
done
pid=$behind_pid
ends_well
result $? 'the server behind the gateway ends well'

echo "1..$tests"
[ "$failed" -eq 0 ]
