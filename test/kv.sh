#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kv.sh - the kv_server example with redis-cli, redis-benchmark and worse.
#
# Where a redis-server is installed, it has to give the same answers.
#
# From the environment, relative to the top of the repository:
#	EXAMPLES		the folder of the built examples
#	SANITIZE		how they were built
#	WEFT_TEST_SLOW=n	n times as long until something counts as hung
#	SEED=n			of the random commands and of the garbage

cd "$(dirname "$0")/.." || exit 1
client=$PWD/test/client/kv.pl
server=$(cd "${EXAMPLES:-build/examples}" && pwd)/kv_server || exit 1
slow=${WEFT_TEST_SLOW:-$([ -z "$SANITIZE" ] && echo 1 || echo 5)}
limit=$((120 * slow))
seed=${SEED:-$(date +%s)}
tmp=$(mktemp -d) || exit 1
export LC_ALL=C WEFT_LEAKS=1
pid=
redis=
trap '[ -z "$pid$redis" ] || kill -9 $pid $redis; rm -rf "$tmp"' EXIT

if ! command -v redis-cli >"$tmp/out" || ! command -v redis-benchmark \
    >"$tmp/out"; then
	echo '1..0 # SKIP redis-cli and redis-benchmark are not installed'
	exit 0
fi
echo "# seed $seed"

tests=0
failed=0

# result STATUS NAME: the line of one test; after a failure what got and err
# have.
result()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' $tests "$2"
		return
	fi
	printf 'not ok %d - %s\n' $tests "$2"
	failed=$((failed + 1))
	for f in got err; do
		[ ! -e "$tmp/$f" ] || tail -n 20 "$tmp/$f" | cut -c 1-200 |
			sed "s/^/# $f: /"
	done
}

# until_true COMMAND...: in the end it is true, if the server lives.
until_true()
{
	for _ in $(seq $((limit * 20))); do
		"$@" && return
		[ -z "$pid" ] || kill -0 $pid 2>"$tmp/waited" || return
		sleep 0.05
	done
	false
}

# It listens, or has ended.
started()
{
	grep -q listening "$tmp/listening" || ! kill -0 $pid 2>"$tmp/waited"
}

# start OPTION...: a server on a free port.
start()
{
	[ -z "$pid" ] || kill -9 $pid	# left by a test that failed
	: >"$tmp/listening"
	"$server" -p 0 "$@" >"$tmp/listening" 2>"$tmp/err" &
	pid=$!
	until_true started || return
	grep -q listening "$tmp/listening" || return
	port=$(sed 's/.*://' "$tmp/listening")
}

# stop SIGNAL: leaves the status.
stop()
{
	kill "-$1" $pid
	wait $pid 2>"$tmp/waited"
	status=$?
	pid=
}

# It ends well: no message, no coroutine left.
ends_well()
{
	stop TERM
	[ $status -eq 0 ] && [ ! -s "$tmp/err" ]
}

cli()
{
	timeout "$limit" redis-cli -p "$port" "$@"
}

says() # WANTED ARGUMENT...
{
	wanted=$1
	shift
	cli "$@" >"$tmp/got" 2>&1
	printf '%s\n' "$wanted" | cmp -s - "$tmp/got"
}

raw()
{
	timeout "$limit" "$client" "$port" raw
}

# The same commands to the server and to Redis, if it is there.
compare() # NAME COMMAND...: what to run with $port set; reads $tmp/in
{
	name=$1
	shift
	"$@" <"$tmp/in" >"$tmp/answers"
	ours=$port
	port=$redis_port
	"$@" <"$tmp/in" >"$tmp/wanted"
	port=$ours
	diff "$tmp/wanted" "$tmp/answers" >"$tmp/got"
	same=$?
	[ $same -eq 0 ] && [ -s "$tmp/answers" ]
	result $? "$name, as redis-server"
}

start_redis()
{
	command -v redis-server >"$tmp/out" || return
	for redis_port in $(seq $((20000 + $$ % 20000)) 40100); do
		redis-server --port "$redis_port" --save '' --dir "$tmp" \
			--bind 127.0.0.1 >"$tmp/redis" 2>&1 &
		redis=$!
		until_true eval 'grep -q -e "Ready to accept" \
			-e "Failed listening" "$tmp/redis"'
		grep -q 'Ready to accept' "$tmp/redis" && return
		wait $redis
		redis=
	done
}

# --- commands and answers ---

start
result $? 'the server starts on a free port'
start_redis

cat >"$tmp/in" <<'END'
PING | PONG
ping hello | hello
PING a b | ERR wrong number of arguments for 'ping' command|
ECHO hello | hello
ECHO | ERR wrong number of arguments for 'echo' command|
NOSUCH a b | ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' |
SELECT 0 | OK
SELECT x | ERR value is not an integer or out of range|
SELECT 1000 | ERR DB index is out of range|
GET k |
SET k v | OK
GET k | v
SET k w NX |
SET k w XX GET | v
GET k | w
SET n w XX |
SET k v EX 100 | OK
PERSIST k | 1
PERSIST k | 0
TTL k | -1
TTL none | -2
PTTL none | -2
SET k v PX 100000 | OK
SET k w KEEPTTL | OK
PERSIST k | 1
SET k v PXAT 99999999999999 | OK
SET k v EXAT 99999999999 | OK
SET k v | OK
TTL k | -1
SET k v EX | ERR syntax error|
SET k v EX 1 PX 1 | ERR syntax error|
SET k v EX 1 KEEPTTL | ERR syntax error|
SET k v NX XX | ERR syntax error|
SET k v WHAT | ERR syntax error|
SET k v EX x | ERR value is not an integer or out of range|
SET k v EX 0 | ERR invalid expire time in 'set' command|
SET k v PX -5 | ERR invalid expire time in 'set' command|
SET k v EX 9223372036854775807 | ERR invalid expire time in 'set' command|
SET k | ERR wrong number of arguments for 'set' command|
INCR k | ERR value is not an integer or out of range|
INCR i | 1
INCRBY i 41 | 42
INCRBY i x | ERR value is not an integer or out of range|
DECR i | 41
DECRBY i 2 | 39
DECRBY i -9223372036854775808 | ERR decrement would overflow|
SET i 9223372036854775807 | OK
INCR i | ERR increment or decrement would overflow|
SET i 9223372036854775808 | OK
INCR i | ERR value is not an integer or out of range|
SET i -9223372036854775808 | OK
DECR i | ERR increment or decrement would overflow|
INCR i | -9223372036854775807
SET i " 1" | OK
INCR i | ERR value is not an integer or out of range|
SET i 01 | OK
INCR i | ERR value is not an integer or out of range|
SET i "" | OK
INCR i | ERR value is not an integer or out of range|
STRLEN i | 0
APPEND i abc | 3
APPEND i "d e" | 6
GET i | abcd e
STRLEN i | 6
STRLEN none | 0
APPEND new x | 1
MSET a 1 b 2 c 3 a 4 | OK
MSET a 1 b | ERR wrong number of arguments for 'mset' command|
GET a | 4
EXISTS a b c none a | 4
DEL a a none | 1
DEL b c | 2
EXISTS a | 0
EXPIRE k 100 | 1
EXPIRE none 100 | 0
EXPIRE k 50 GT | 0
EXPIRE k 50 LT | 1
EXPIRE k 50 NX | 0
EXPIRE new 50 XX | 0
EXPIRE new 50 GT | 0
EXPIRE new 50 NX | 1
EXPIRE k 50 NX GT | ERR NX and XX, GT or LT options at the same time are not@|
EXPIRE k 50 LT GT | ERR GT and LT options at the same time are not@|
EXPIRE k 50 WHAT | ERR Unsupported option WHAT|
EXPIRE k x | ERR value is not an integer or out of range|
EXPIRE k 9223372036854775807 | ERR invalid expire time in 'expire' command|
PEXPIRE k 9223372036854775807 | ERR invalid expire time in 'pexpire' command|
PEXPIRE k 100000 | 1
EXPIREAT k 1 | 1
EXISTS k | 0
SET k v | OK
PEXPIREAT k 99999999999999 | 1
EXPIRE k -1 | 1
DBSIZE | 2
CONFIG NOSUCH | ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.|
CONFIG GET | ERR wrong number of arguments for 'config|get' command|
PUBLISH nobody x | 0
FLUSHALL | OK
FLUSHALL WHAT | ERR syntax error|
FLUSHALL ASYNC | OK
DBSIZE | 0
END
# An error is followed by an empty line, which the table shows by a bar.
sed 's/^[^|]* |$//; s/^[^|]* | //; s/|$/\n/; s/@/ compatible/' "$tmp/in" \
	>"$tmp/wanted"
sed -i 's/ |.*//' "$tmp/in"
cli <"$tmp/in" >"$tmp/answers"
diff "$tmp/wanted" "$tmp/answers" >"$tmp/got"
result $? 'every command, as the table says'
[ -z "$redis" ] || compare 'every command' cli

cli mset one 1 two 2 'o]e' 3 >"$tmp/out"
for pattern in '*' 'o*e' '[no]ne' '[^t]*' 't?o' 'o\]e' '[a-o]ne' 'x*' '*o*'; do
	echo "KEYS $pattern" >>"$tmp/keys"
done
keys()
{
	while read -r line; do
		# shellcheck disable=SC2086 # a pattern is an argument
		set -f && cli $line | sort && set +f
	done <"$tmp/keys"
}
keys >"$tmp/got"
[ "$(wc -w <"$tmp/got")" -eq 14 ]
result $? 'keys by patterns'
[ "$(cli command count)" -gt 30 ] &&
	cli command | grep -q pexpireat && cli info | grep -q '^db0:keys=3'
result $? 'the commands and the state are told'

# What awk makes of the seed; no reply depends on the time or on an order.
random_commands()
{
	awk -v seed="$seed" -v n="$1" '
	function pick(list, a) { return a[1 + int(rand() * split(list, a))] }
	function key() { return pick("a b c d e f") }
	function number() {
		return pick("0 1 -1 7 x 100 9223372036854775807 007 \"\"")
	}
	function option() {
		return pick("NX XX GET KEEPTTL EX~900 PX~900000 EX PXAT~1")
	}
	BEGIN {
		srand(seed)
		while (n-- > 0) {
			verb = pick("SET SET SET GET GET INCR DECR INCRBY " \
			    "DECRBY APPEND STRLEN DEL EXISTS MGET MSET " \
			    "EXPIRE PERSIST TOUCHY PEXPIREAT")
			line = verb
			if (verb ~ /SET$/) {
				line = line " " key() " " number()
				for (; rand() < 0.3; )
					line = line " " option()
			} else if (verb ~ /INCRBY|DECRBY|APPEND/)
				line = line " " key() " " number()
			else if (verb ~ /DEL|EXISTS|MGET/)
				for (i = rand() * 4; i > 0; i--)
					line = line " " key()
			else if (verb ~ /^EXPIRE/)
				line = line " " key() " " \
				    pick("900 900 -1 x") " " \
				    pick("NX XX \"\"")
			else if (verb == "PEXPIREAT")
				line = line " " key() " " \
				    pick("1 99999999999999")
			else
				line = line " " key()
			gsub(/ ""$/, "", line)
			gsub(/~/, " ", line)
			print line
		}
	}'
}

if [ -n "$redis" ]; then
	cli flushall >"$tmp/out"
	random_commands 5000 >"$tmp/in"
	compare '5,000 random commands' cli
fi

# --- the protocol ---

printf '%s' 'PING' >"$tmp/in"
printf '\r\nECHO "a\\x41 \\n\\"" \r\n  \r\nGET '"'"'a"b\\'"'"'c'"'"'\n' \
	>>"$tmp/in"
printf '*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n' \
	>>"$tmp/in"
printf '*3\r\n$3\r\nSET\r\n$4\r\n\0\r\n\1\r\n$2\r\n\r\n\r\n' >>"$tmp/in"
printf '*2\r\n$3\r\nget\r\n$4\r\n\0\r\n\1\r\nset q 1\r\nget q\r\nQUIT\r\nx\n' \
	>>"$tmp/in"
raw <"$tmp/in" >"$tmp/got"
printf '+PONG\r\n$5\r\naA \n"\r\n$-1\r\n+PONG\r\n$0\r\n\r\n+OK\r\n' \
	>"$tmp/wanted"
printf '$2\r\n\r\n\r\n+OK\r\n$1\r\n1\r\n+OK\r\n' >>"$tmp/wanted"
cmp "$tmp/wanted" "$tmp/got" >"$tmp/out"
result $? 'pipelined and inline requests, zero bytes, quit'
[ -z "$redis" ] || compare 'pipelined and inline requests' raw

for bytes in '*2000000000\r\n' '*x\r\n' '*1\r\n+x\r\n' '*1\r\n$-1\r\n' \
    '*1\r\n$999999999999\r\n' 'GET "x\r\n' "GET 'x'y\r\n" '*\r\n' \
    '*1\r\n$1x\r\n'; do
	# shellcheck disable=SC2059
	printf "PING\r\n$bytes" >"$tmp/in"
	raw <"$tmp/in" >"$tmp/got"
	grep -q '^-ERR Protocol error: ' "$tmp/got" &&
		grep -q '^+PONG' "$tmp/got"
	result $? "a protocol error: $bytes"
	case $redis/$bytes in
	/* | */*2000000000*) ;;
	*) compare "a protocol error" raw ;;
	esac
done
head -c 70000 /dev/zero | tr '\0' x | raw 2>&1 | cut -c 1-60 >"$tmp/got"
grep -q '^-ERR Protocol error: too big inline request' "$tmp/got"
result $? 'a line without end'

head -c 30000000 /dev/zero | tr '\0' y >"$tmp/large"
cli -x set large <"$tmp/large" >"$tmp/out"
cli --raw get large | head -c 30000000 | cmp - "$tmp/large" >"$tmp/got" 2>&1
result $? 'a value of 30 MB'

# --- load ---

for pipeline in 1 16; do
	timeout "$limit" redis-benchmark -p "$port" -q -n 2000 -r 100 \
		-P $pipeline -t ping,set,get,incr,mset >"$tmp/got" 2>&1
	[ $? -eq 0 ] && [ "$(tr '\r' '\n' <"$tmp/got" |
		grep -c 'requests per second')" -eq 6 ] &&
		! grep -qi -e error -e warning "$tmp/got"
	result $? "redis-benchmark -P $pipeline"
done
cli set counter 0 >"$tmp/out"
for _ in 1 2 3 4; do
	timeout "$limit" redis-benchmark -p "$port" -q -n 2000 -P 8 \
		incr counter >"$tmp/out" 2>&1 &
	echo $! >>"$tmp/jobs"
done
# shellcheck disable=SC2046
wait $(cat "$tmp/jobs")
says 8000 get counter
result $? 'no increment is lost'

timeout "$limit" "$client" "$port" unread 1000 >"$tmp/unread" 2>"$tmp/out" &
unread=$!
[ "$(timeout "$limit" "$client" "$port" many 1000)" = 1000 ]
result $? '1,000 connections at once'
says PONG ping
result $? 'beside a client that reads nothing of 30 GB'
kill $unread 2>"$tmp/out"
wait $unread 2>"$tmp/out"

memory()
{
	awk '/^VmRSS/ { print $2 }' /proc/$pid/status
}
cli flushall >"$tmp/out"
timeout "$limit" "$client" "$port" garbage 500 "$seed" >"$tmp/out"
cli flushall >"$tmp/out"
before=$(memory)
[ "$(timeout "$limit" "$client" "$port" garbage 4000 "$seed")" = done ] &&
	cli flushall >"$tmp/out" && says PONG ping
result $? '4,000 connections with garbage'
echo "memory $before $(memory)" >"$tmp/got"
[ -n "$SANITIZE" ] || [ "$(memory)" -lt $((before + 4000)) ]
result $? 'the memory stays flat'

# --- expiry ---

cli set k v px 30 >"$tmp/out"
until_true says '' get k && until_true says 0 dbsize
result $? 'expired: gone for readers, and from the store'
says -2 pttl k && cli set k v ex 100 >"$tmp/out" && cli ttl k >"$tmp/got" &&
	[ "$(cat "$tmp/got")" -gt 0 ] && cli expire k 200 >"$tmp/out" &&
	[ "$(cli pttl k)" -gt 100000 ]
result $? 'the time to live'
seq 2000 | sed 's/.*/set k& v px 20/' | cli >"$tmp/out"
until_true says 1 dbsize
result $? '2,000 keys expire'

# --- publish, subscribe ---

redis-cli -p "$port" subscribe a b >"$tmp/sub" </dev/null &
sub=$!
redis-cli -p "$port" psubscribe 'a*' '[x-z]' >"$tmp/psub" </dev/null &
psub=$!
until_true says 2 publish a hello && until_true says 1 publish z zz &&
	cli publish c cc >"$tmp/out" && until_true grep -q hello "$tmp/sub" &&
	until_true grep -q zz "$tmp/psub"
tail -n 3 "$tmp/sub" >"$tmp/got"
printf '%s\n' message a hello | cmp -s - "$tmp/got" &&
	tail -n 8 "$tmp/psub" | tr '\n' ' ' >"$tmp/got" &&
	grep -q '^pmessage a\* a hello pmessage \[x-z\] z zz $' "$tmp/got"
result $? 'messages reach channels and patterns'
kill $sub $psub 2>"$tmp/out"
wait $sub $psub 2>"$tmp/out"
until_true says 0 publish a hello
result $? 'who has gone gets nothing'

cat >"$tmp/in" <<'END'
PING
SUBSCRIBE a b a
PING
PING x
GET k
PSUBSCRIBE a*
UNSUBSCRIBE b
UNSUBSCRIBE
UNSUBSCRIBE
UNSUBSCRIBE q
PUNSUBSCRIBE
PING
QUIT
END
sed -i 's/$/\r/' "$tmp/in"
raw <"$tmp/in" >"$tmp/got"
[ "$(tail -n 2 "$tmp/got" | tr -d '\r\n')" = '+PONG+OK' ]
result $? 'the answers to a subscriber come in order'
# Which channel goes first when all are left is not said.
in_order()
{
	raw | awk 'BEGIN { RS = "\n[*]3\r\n" } /unsubscribe/ {
		sub(/\r\n[ab]\r/, "\r\nX\r") } { print }'
}
[ -z "$redis" ] || compare 'the answers to a subscriber' in_order

timeout "$limit" "$client" "$port" slow "$tmp/asleep" >"$tmp/slow" 2>&1 &
asleep=$!
until_true test -e "$tmp/asleep" &&
	timeout "$limit" "$client" "$port" flood 600 100000 >"$tmp/got" &&
	grep -q ' 600$' "$tmp/got"
result $? 'a subscriber that does not read stops nobody'
grep -q '^2 1 ' "$tmp/got" && until_true grep -q 'does not read' "$tmp/err" &&
	rm "$tmp/asleep" && wait $asleep
cat "$tmp/slow" >"$tmp/got"
[ "$(cut -d' ' -f1 "$tmp/slow")" -lt 60000000 ]
result $? 'and is cut off'

stop TERM
[ $status -eq 0 ] && [ "$(wc -l <"$tmp/err")" -eq 1 ]
result $? 'ends well on SIGTERM'
for workers in 1 16; do
	WEFT_WORKERS=$workers start
	cli set large "$(head -c 100000 "$tmp/large")" >"$tmp/out"
	timeout "$limit" "$client" "$port" unread 1000 >"$tmp/unread" 2>&1 &
	unread=$!
	timeout "$limit" redis-benchmark -p "$port" -q -n 2000 -P 16 \
		-t set,get,incr >"$tmp/out" 2>&1
	stop INT
	[ $status -eq 0 ] && ! grep -qv 'cut off' "$tmp/err"
	result $? "$workers workers; ends while a client does not read"
	kill $unread 2>"$tmp/out"
	wait $unread 2>"$tmp/out"
done

# --- the log ---

log=$tmp/kv.log
for policy in no everysec always; do
	rm -f "$log"
	start -l "$log" -f $policy
	timeout "$limit" redis-benchmark -p "$port" -q -n 1600 -P 16 \
		incr count >"$tmp/out" 2>&1
	cli mset a 1 b 2 c 3 >"$tmp/out"
	cli append a 5 >"$tmp/out"
	cli del b >"$tmp/out"
	cli set e v ex 1000 >"$tmp/out"
	cli set gone v px 1 >"$tmp/out"
	until_true says '' get gone
	cli append gone x >"$tmp/out"
	cli persist e >"$tmp/out"
	cli expire e 2000 >"$tmp/out"
	stop KILL
	start -l "$log" -f $policy
	says 1600 get count && says 15 get a && says '' get b &&
		says 3 get c && says x get gone && says -1 ttl gone &&
		[ "$(cli ttl e)" -gt 1500 ] && ends_well
	result $? "killed and started again: -f $policy"
done

dump()
{
	for key in $(cli keys '*' | sort); do
		echo "$key $(cli get "$key")"
	done
}
start -l "$log"
dump >"$tmp/wanted"
"$server" -p 0 -l "$log" >"$tmp/out" 2>"$tmp/second"
[ $? -eq 1 ] && grep -q "^kv_server: $log: " "$tmp/second"
result $? 'a log has one server'
ends_well
size=$(wc -c <"$log")
multi='*1\r\n$5\r\nMULTI\r\n'
for torn in '*3\r\n$3\r\nSET\r\n$1\r\na' '*' \
    "$multi"'*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n0\r\n'; do
	# shellcheck disable=SC2059
	printf "$torn" >>"$log"
	start -l "$log"
	dump >"$tmp/got"
	stop TERM
	cmp -s "$tmp/wanted" "$tmp/got" &&
		grep -q "^kv_server: $log: cut off .* bytes" "$tmp/err" &&
		[ "$(wc -c <"$log")" -eq "$size" ]
	result $? "a torn end: $torn"
done
cp "$log" "$tmp/bad.log"
echo 'hello' >>"$tmp/bad.log"
cat "$log" >>"$tmp/bad.log"
timeout "$limit" "$server" -p 0 -l "$tmp/bad.log" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ] && grep -q "no log of commands: byte $size\$" "$tmp/err"
result $? 'a file that is no log is left alone'
timeout "$limit" "$server" -p 0 -l "$tmp" >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ] && grep -q "^kv_server: $tmp: " "$tmp/err"
result $? 'neither is a folder'

idle()
{
	cli info | grep -q '^aof_rewrite_in_progress:0'
}

# rewrite: begin, and wait for the end.
rewrite()
{
	cli bgrewriteaof >"$tmp/got"
	until_true idle
}

# Every value of counter:*, in the order of the keys.
counters()
{
	cli keys 'counter:*' | sort | sed 's/^/get /' | cli
}

# Nothing is incremented any more.
still()
{
	counters >"$tmp/wanted"
	counters | cmp -s - "$tmp/wanted"
}

# killed_as_it_was DUMP: what DUMP prints is the same after a crash.
killed_as_it_was()
{
	"$@" >"$tmp/wanted"
	dbsize=$(cli dbsize)
	stop KILL
	start -l "$log"
	"$@" >"$tmp/got"
	[ -s "$tmp/wanted" ] && cmp -s "$tmp/wanted" "$tmp/got" &&
		[ ! -e "$log.new" ] && says "$dbsize" dbsize
}

# It takes a while, and the increments before, during and after it count.
start -l "$log"
timeout "$limit" redis-benchmark -p "$port" -q -n 30000 -r 30000 -d 500 -P 16 \
	-t set >"$tmp/out" 2>&1
timeout "$limit" redis-benchmark -p "$port" -q -n 100000000 -r 500 -P 4 \
	-t incr >"$tmp/out" 2>&1 &
load=$!
until_true test -s "$tmp/out"
for _ in 1 2 3; do
	rewrite
done
kill $load
wait $load 2>"$tmp/waited"
until_true still && killed_as_it_was counters
result $? 'the log is written anew, under load, and nothing is lost'

timeout "$limit" redis-benchmark -p "$port" -q -n 2000 -P 16 \
	set again and-again >"$tmp/out" 2>&1
size=$(wc -c <"$log")
rewrite
[ "$(wc -c <"$log")" -lt "$size" ] && killed_as_it_was counters
result $? 'it gets shorter'
if [ -n "$redis" ]; then
	redis-cli -p "$redis_port" flushall >"$tmp/out"
	redis-cli -p "$redis_port" --pipe <"$log" >"$tmp/got" 2>&1
	[ "$(redis-cli -p "$redis_port" dbsize)" = "$dbsize" ]
	result $? 'Redis can read the log'
fi
ends_well
result $? 'ends well'

# A file may have a block of 512 bytes: what is more cannot be written.
rm -f "$log"
: >"$tmp/listening"
(
	trap '' XFSZ
	ulimit -f 1
	exec "$server" -p 0 -l "$log" >"$tmp/listening" 2>"$tmp/err"
) &
pid=$!
until_true started
port=$(sed 's/.*://' "$tmp/listening")
cli set a 1 >"$tmp/out" 2>&1
cli set b "$(head -c 2000 "$tmp/large")" >"$tmp/out" 2>&1
cli set c 1 >"$tmp/got" 2>&1
grep -q '^MISCONF Errors writing to the AOF file: File too large' \
	"$tmp/got" && says 1 get a && grep -q 'changes are refused' "$tmp/err"
result $? 'a full disk: changes are refused, reading goes on'
stop TERM
[ $status -eq 1 ]
result $? 'and the end says so'

# --- options ---

start -c 3
[ "$(timeout "$limit" "$client" "$port" many 5)" -eq 3 ] &&
	until_true says PONG ping
result $? 'no more clients than allowed'
timeout "$limit" "$server" -p "$port" >"$tmp/out" 2>"$tmp/second"
[ $? -eq 1 ] && grep -q "^kv_server: 127.0.0.1:$port: " "$tmp/second"
result $? 'a port that is taken'
ends_well
result $? 'ends well'

for options in -z '-p 65536' '-p x' '-p' '-f sometimes' '-c 0' more; do
	# shellcheck disable=SC2086
	timeout "$limit" "$server" $options >"$tmp/out" 2>"$tmp/err"
	[ $? -eq 2 ] && [ ! -s "$tmp/out" ] &&
		grep -q '^usage: kv_server ' "$tmp/err"
	result $? "usage error: $options"
done

[ -z "$redis" ] || { kill $redis; wait $redis; redis=; } 2>"$tmp/out"
echo "1..$tests"
[ "$failed" -eq 0 ]
