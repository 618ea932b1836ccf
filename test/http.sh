#!/bin/sh
# SPDX-License-Identifier: MIT
#
# http.sh - the servers among the examples, with curl and wrk as their clients.
#
# From the environment, relative to the top of the repository:
#	EXAMPLES		the folder of the built examples
#	SANITIZE		with which they were built
#	WEFT_TEST_SLOW=n	n times as long until something counts as hung
#	WEFT_TEST=full		load and fuzz for longer

cd "$(dirname "$0")/.." || exit 1
top=$PWD
examples=$(cd "${EXAMPLES:-build/examples}" && pwd) || exit 1
slow=${WEFT_TEST_SLOW:-$([ -z "$SANITIZE" ] && echo 1 || echo 5)}
limit=$((30 * slow))
[ "$WEFT_TEST" = full ] && seconds=20 || seconds=2
tmp=$(mktemp -d) || exit 1
servers=
trap 'kill -9 $servers 2>/dev/null; rm -rf "$tmp"' EXIT
export LC_ALL=C
export WEFT_LEAKS=1

if ! command -v curl >/dev/null || ! command -v wrk >/dev/null; then
	echo "1..0 # SKIP there is no curl, or no wrk: make deps"
	exit 0
fi

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
	for f in "$tmp"/*.log "$tmp/out"; do
		tail -n 20 "$f" 2>/dev/null | sed "s|^|# ${f##*/}: |"
	done
}

# start NAME PROGRAM ARGUMENT...: in the background, until it listens; leaves
# the process in pid_NAME and the address in at_NAME.
start()
{
	as=$1
	program=$2
	shift 2
	: >"$tmp/$as.log"
	"$examples/$program" -a 127.0.0.1:0 "$@" >"$tmp/$as.log" 2>&1 &
	servers="$servers $!"
	eval "pid_$as=$!"
	tries=$((limit * 20))
	until grep -q ' listening on ' "$tmp/$as.log"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 $! 2>/dev/null || break
		sleep 0.05
	done
	at=$(sed -n 's/.* listening on //p' "$tmp/$as.log")
	eval "at_$as=$at"
}

# stop NAME SIGNAL: the status of the server's end.
stop()
{
	eval "pid=\$pid_$1"
	kill "-$2" "$pid"
	wait "$pid"
}

# get WANTED NAME ARGUMENT...: by curl, and the status is the wanted one.
get()
{
	wanted=$1
	name=$2
	shift 2
	got=$(curl -s -m "$limit" -o "$tmp/out" -w '%{http_code}' "$@")
	[ "$got" = "$wanted" ] || echo "# status $got"
	[ "$got" = "$wanted" ]
	result $? "$name"
}

# The output of the last one.
says()
{
	[ "$(cat "$tmp/out")" = "$1" ]
	result $? "... $1"
}

# load NAME URL ARGUMENT...: by wrk, and nothing but good answers.
load()
{
	name=$1
	shift
	timeout "$limit" wrk -d "${seconds}s" --timeout "$limit" "$@" \
	    >"$tmp/out" 2>&1 &&
	    grep -q '^Requests/sec: *[1-9]' "$tmp/out" &&
	    ! grep -q 'Non-2xx\|Socket errors' "$tmp/out"
	result $? "$name"
}

# KiB in memory of a process.
memory()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

# Until the process has a client beside its listener, and a little longer.
await_client()
{
	tries=$((limit * 20))
	until [ "$(ls -l "/proc/$1/fd" 2>&1 | grep -c socket:)" -ge 2 ]; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || break
		sleep 0.05
	done
	sleep 0.5
}

awk 'BEGIN { for (i = 0; i < 150000; i++) print i }' >"$tmp/text"
head -c 1048576 "$tmp/text" >"$tmp/most"

# --- http_server ---

start a http_server
[ "$at_a" ]
result $? "it says where it listens"
url=http://$at_a
get 200 "curl: hello" "$url/"
says 'hello, world'
get 200 "curl: HEAD" -I "$url/"
grep -q '^Content-Length: 13' "$tmp/out" && ! grep -q hello "$tmp/out"
result $? "... the head only"
get 200 "curl: health" "$url/health"
get 200 "curl: HTTP/1.0" -0 "$url/"
get 200 "curl: a body" --data-binary "@$tmp/most" "$url/echo"
cmp -s "$tmp/most" "$tmp/out"
result $? "... comes back"
get 200 "curl: a body in chunks" -H 'Transfer-Encoding: chunked' \
    --data-binary "@$tmp/most" "$url/echo"
cmp -s "$tmp/most" "$tmp/out"
result $? "... comes back"
get 200 "curl: a body that was waited for" -H 'Expect: 100-continue' \
    -d hello "$url/echo"
says hello
cat "$tmp/most" "$tmp/text" >"$tmp/large"
get 413 "curl: a body too large" --data-binary "@$tmp/large" "$url/echo"
get 413 "curl: the same in chunks" -H 'Transfer-Encoding: chunked' \
    --data-binary "@$tmp/large" "$url/echo"
get 404 "curl: no such path" "$url/no"
get 405 "curl: a method that is not allowed" -X DELETE "$url/"
get 501 "curl: a method that nobody knows" -X BREW "$url/"
get 417 "curl: an odd expectation" -H 'Expect: wonders' "$url/"
get 400 "curl: no host" -H 'Host:' "$url/"
get 400 "curl: length and chunks at once" -H 'Transfer-Encoding: chunked' \
    -H 'Content-Length: 5' -d hello "$url/echo"
get 414 "curl: a long target" "$url/$(head -c 12000 "$tmp/text" | tr -d '\n' |
    head -c 8300)"
get 431 "curl: a long field" -H "A: $(head -c 12000 "$tmp/text" | tr -d '\n')" \
    "$url/"
curl -s -m "$limit" -w '%{num_connects} ' -o "$tmp/1" -o "$tmp/2" -o "$tmp/3" \
    "$url/" "$url/" "$url/" >"$tmp/out"
[ "$(cat "$tmp/out")" = '1 0 0 ' ] && cmp -s "$tmp/1" "$tmp/3"
result $? "curl: three requests on one connection"

get 200 "slow: 50 ms" "$url/slow?ms=50"
get 400 "slow: how long?" "$url/slow"
get 400 "user: no number" "$url/user?id=x"
says 'id: a number from 1 to 9999'
get 200 "user: found" "$url/user?id=2"
says 'user 2 is Grace Hopper'
get 404 "user: not found" "$url/user?id=77"
get 500 "user: an answer that makes no sense" "$url/user?id=9"
get 504 "user: a directory that takes too long" "$url/user?id=8"
says 'user 8: directory: deadline exceeded'

load "wrk: 64 connections" -t 1 -c 64 "$url/"
cat >"$tmp/pipeline.lua" <<'END'
wrk.headers["Host"] = "weft"
init = function(args)
	local r = {}
	for i = 1, 16 do r[i] = wrk.format(nil, "/") end
	all = table.concat(r)
end
request = function() return all end
END
load "wrk: pipelines of 16" -t 1 -c 16 -s "$tmp/pipeline.lua" "$url/"

# Memory grows to what the crowd needs, and then no more.
load "wrk: 500 connections, with contexts" -t 1 -c 500 "$url/slow?ms=1"
before=$(memory "$pid_a")
load "wrk: once more" -t 1 -c 500 "$url/slow?ms=1"
after=$(memory "$pid_a")
echo "# $before KiB, then $after KiB"
[ "$SANITIZE" ] || [ $((after - before)) -lt 4096 ]
result $? "its memory does not grow"

# A request that runs is not interrupted, and another one cannot come.
curl -s -m "$limit" "$url/slow?ms=4000" >"$tmp/slow" &
client=$!
await_client "$pid_a"
stop a TERM
result $? "SIGTERM: it ends well"
wait $client
[ "$(cat "$tmp/slow")" = 'that took 4000 ms' ]
result $? "... after the request that was running"
grep -q 'closing, 1 request running' "$tmp/a.log" &&
    grep -q 'closed, 0 requests cut off' "$tmp/a.log" &&
    [ "$(wc -l <"$tmp/a.log")" -eq 3 ]
result $? "... and says so, and nothing else"

start b http_server -g 100
curl -s -m "$limit" "http://$at_b/slow?ms=600000" >"$tmp/slow" &
await_client "$pid_b"
stop b INT
[ $? -eq 0 ] && grep -q 'closed, 1 request cut off' "$tmp/b.log"
result $? "SIGINT: a request that takes too long is cut off"

start c http_server -d 127.0.0.1:1
get 500 "user: no directory" "http://$at_c/user?id=2"
says 'user 2: directory: Connection refused'
"$examples/http_server" -a "$at_c" >"$tmp/out" 2>&1
[ $? -eq 1 ] && grep -q "^http_server: $at_c: Address already in use" \
    "$tmp/out"
result $? "an address in use"
stop c TERM
result $? "... SIGTERM"

# --- gateway ---

start d http_server
start e http_server
# shellcheck disable=SC2154 # set by start
start f gateway -t 300 "$at_d"
get 504 "gateway: a request that takes too long" "http://$at_f/slow?ms=600000"
stop f TERM
result $? "... SIGTERM"
# shellcheck disable=SC2154
start g gateway -u 32 "$at_d" "$at_e"
url=http://$at_g
get 200 "gateway: hello" "$url/"
says 'hello, world'
get 200 "gateway: HEAD" -I "$url/"
get 200 "gateway: a body" --data-binary "@$tmp/most" "$url/echo"
cmp -s "$tmp/most" "$tmp/out"
result $? "... comes back"
get 200 "gateway: a body in chunks" -H 'Transfer-Encoding: chunked' \
    --data-binary "@$tmp/most" "$url/echo"
cmp -s "$tmp/most" "$tmp/out"
result $? "... comes back"
get 413 "gateway: a body too large for the server" \
    --data-binary "@$tmp/large" "$url/echo"
get 405 "gateway: the server's refusals" -X DELETE "$url/"
load "gateway: wrk, 64 connections" -t 1 -c 64 "$url/"
load "gateway: wrk, more than to the servers" -t 1 -c 300 "$url/slow?ms=1"
stop e TERM
result $? "gateway: one server ends well"
get 200 "gateway: the other one goes on" "$url/"
load "gateway: wrk, one server only" -t 1 -c 16 "$url/"
curl -s -m "$limit" "$url/slow?ms=4000" >"$tmp/slow" &
client=$!
await_client "$pid_d"
stop g TERM
result $? "gateway: SIGTERM, it ends well"
wait $client
[ "$(cat "$tmp/slow")" = 'that took 4000 ms' ] &&
    grep -q 'closing, requests running: 1' "$tmp/g.log" &&
    grep -q 'closed, requests cut off: 0' "$tmp/g.log" &&
    [ "$(wc -l <"$tmp/g.log")" -eq 3 ]
result $? "... after the request that was running"
stop d TERM
result $? "gateway: the other server ends well"

start h gateway "$at_d"
get 502 "gateway: no server at all" "http://$at_h/"
stop h TERM
result $? "... SIGTERM"

"$examples/gateway" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 2 ] && grep -q '^usage: gateway ' "$tmp/err"
result $? "usage error: gateway"
"$examples/gateway" -u 257 127.0.0.1:1 >"$tmp/out" 2>"$tmp/err"
[ $? -eq 2 ] && grep -q '^usage: gateway ' "$tmp/err"
result $? "usage error: gateway -u 257"

for f in http.c http.h server.c server.h; do
	cmp -s "examples/http_server/$f" "examples/gateway/$f" || echo "# $f"
done >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? "the copies are copies"

# --- all of them ---

for name in http_server gateway; do
	for wrong in -z -c '-c 0' '-c x' '-g -1'; do
		# shellcheck disable=SC2086 # some are two words
		"$examples/$name" $wrong >"$tmp/out" 2>"$tmp/err"
		[ $? -eq 2 ] && [ ! -s "$tmp/out" ] &&
		    grep -q "^usage: $name " "$tmp/err"
		result $? "usage error: $name $wrong"
	done
done

"$examples/http_server" word >"$tmp/out" 2>"$tmp/err"
[ $? -eq 2 ] && grep -q "^usage: http_server " "$tmp/err"
result $? "usage error: http_server word"

# --- the parser ---

if clang --version >"$tmp/out" 2>&1 && clang -std=gnu11 -O1 -g -DWEFT_FUZZ \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -o "$tmp/fuzz" "$top/test/http_parser.c" >"$tmp/out" 2>&1; then
	mkdir "$tmp/corpus"
	printf '%s\r\n' 'POST /a?b HTTP/1.1' 'Host: a' \
	    'Transfer-Encoding: chunked' '' 3 abc 0 '' \
	    >"$tmp/corpus/chunks"
	printf 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc' \
	    >"$tmp/corpus/response"
	(cd "$tmp" && timeout "$((limit + 10 * seconds))" ./fuzz -seed=1 \
	    -max_len=600 -max_total_time="$((2 * seconds))" corpus) \
	    >"$tmp/out" 2>&1
	result $? "the parser, under a fuzzer"
else
	tests=$((tests + 1))
	echo "ok $tests - the parser # SKIP no clang with a fuzzer"
fi

echo "1..$tests"
[ "$failed" -eq 0 ]
