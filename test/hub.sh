#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hub.sh - the hub example as a server.
#
# From the environment, relative to the top of the repository:
#	EXAMPLES		the folder of the built examples
#	SANITIZE		how they were built
#	WEFT_TEST_SLOW=n	n times as long until something counts as hung

cd "$(dirname "$0")/.." || exit 1
client=$PWD/test/client/hub.pl
hub=$(cd "${EXAMPLES:-build/examples}" && pwd)/hub || exit 1
slow=${WEFT_TEST_SLOW:-$([ -z "$SANITIZE" ] && echo 1 || echo 5)}
limit=$((120 * slow))
tmp=$(mktemp -d) || exit 1
export LC_ALL=C WEFT_LEAKS=1
pid=
trap '[ -z "$pid" ] || kill -9 $pid; rm -rf "$tmp"' EXIT

tests=0
failed=0
status='not asked for'
ended='not asked for'

# result STATUS NAME: the line of one test.
result()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	echo "not ok $tests - $2"
	echo "# status: of the client $ended, of the hub $status"
	failed=$((failed + 1))
	for f in got out err; do
		[ ! -e "$tmp/$f" ] || tail -n 20 "$tmp/$f" | cut -c 1-200 |
			sed "s/^/# $f: /"
	done
}

# It listens, or has ended.
started()
{
	grep -q listening "$tmp/out" || ! kill -0 $pid 2>"$tmp/waited"
}

start()
{
	[ -z "$pid" ] || kill -9 $pid	# left by a test that failed
	: >"$tmp/out"
	"$hub" -a 127.0.0.1:0 "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	for _ in $(seq $((limit * 20))); do
		started && break
		sleep 0.05
	done
	port=$(sed -n 's/.*listening.*://p' "$tmp/out")
}

ends_well()
{
	kill -TERM $pid
	wait $pid
	status=$?
	pid=
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ]
}

run()
{
	timeout "$limit" "$client" "$port" "$@" >"$tmp/got" 2>&1
	ended=$?
	[ $ended -eq 0 ]
}

start
long=$(printf '%0600d' 7)
printf 'ann\nhello\r\n\n  a\tb\033[1m\n%s\nbye' "$long" | run raw
printf '<ann> hello\n<ann>   a b [1m\n<ann> %.111s\n<ann> %.90s\n' "$long" \
	"$(printf '%090d' 7 | tail -c 89)" >"$tmp/want"
head -n 3 "$tmp/want" >"$tmp/want3"
head -n 3 "$tmp/got" | cmp -s - "$tmp/want3" &&
	[ "$(wc -l <"$tmp/got")" -eq 4 ] && ! grep -q bye "$tmp/got"
result $? 'lines of all kinds come back, fit to print'
printf '\nhello\n' | run raw && [ ! -s "$tmp/got" ] &&
	printf '' | run raw && [ ! -s "$tmp/got" ] &&
	printf 'a name that is far too long\nhello\n' | run raw &&
	echo '<a name that is > hello' | cmp -s - "$tmp/got"
result $? 'names: none, none at all, and a long one'
ends_well
result $? 'ends well on SIGTERM'

for workers in 1 4; do
	# Not cut off before messages are dropped, on a slow machine.
	WEFT_WORKERS=$workers start -p 3600
	run crowd 1000 100 && grep -qx 'all heard all' "$tmp/got"
	result $? "$workers workers, 1,000 clients, one never reads"
	grep -v listening "$tmp/out" >"$tmp/got"
	echo '* sleepy does not keep up: messages are dropped' |
		cmp -s - "$tmp/got"
	result $? 'only for that one messages are dropped'
	run raw </dev/null
	ends_well
	result $? 'ends well'
done

start -q 1
printf 'ann\nhello\n' | run raw && echo '<ann> hello' | cmp -s - "$tmp/got"
result $? 'room for one message'
timeout "$limit" "$hub" -a "127.0.0.1:$port" >"$tmp/got" 2>"$tmp/second"
[ $? -eq 1 ] && grep -q "^hub: 127.0.0.1:$port: " "$tmp/second"
result $? 'an address that is taken'
timeout "$limit" "$client" "$port" stay >"$tmp/got" 2>&1 &
eve=$!
for _ in $(seq $((limit * 20))); do
	grep -q hello "$tmp/got" && break
	sleep 0.05
done
ends_well && wait $eve && echo '<eve> hello' | cmp -s - "$tmp/got"
result $? 'ends while clients are there'
timeout "$limit" "$hub" -a '' >"$tmp/got" 2>"$tmp/err"
[ $? -eq 2 ] && grep -q '^usage: hub ' "$tmp/err"
result $? 'usage error: no address'
timeout "$limit" "$hub" -a 127.0.0.1:0 -p 0 >"$tmp/got" 2>"$tmp/err"
[ $? -eq 2 ] && grep -q '^usage: hub ' "$tmp/err"
result $? 'usage error: no patience'

echo "1..$tests"
[ "$failed" -eq 0 ]
