#!/bin/sh
# SPDX-License-Identifier: MIT
#
# examples.sh - every example, compared with what other programs say.
#
# From the environment, relative to the top of the repository:
#	EXAMPLES		the folder of the built examples
#	BUILD			the folder of libweft.a
#	CC, SANITIZE		to build copies of the examples in the same way
#	WEFT_TEST_SLOW=n	n times as long until an example counts as hung

cd "$(dirname "$0")/.." || exit 1
top=$PWD
examples=$(cd "${EXAMPLES:-build/examples}" && pwd) || exit 1
build=$(cd "${BUILD:-build}" && pwd) || exit 1
slow=${WEFT_TEST_SLOW:-$([ -z "$SANITIZE" ] && echo 1 || echo 5)}
limit=$((60 * slow))
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
export WEFT_LEAKS=1

# The examples read a copy of the sources, which nobody changes meanwhile.
cp -R LICENSE include lib examples test "$tmp" && cd "$tmp" || exit 1

# The thread sanitizer is slow where many coroutines are known to each other,
# and has room for some thousands only.
case $SANITIZE in
*thread*)
	crowd=2000
	primes='1:2 2:3 10:29 100:541 200:1223'
	;;
*)
	crowd=20000
	primes='1:2 2:3 10:29 1001:7927 2000:17389'
	;;
esac

tests=0
failed=0
all="worker_pool pipeline hub sieve million fetch_prices timeouts
    background_worker replay payments http_server gateway kv_server glib_fetch
    lua_host"

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
	echo "# ended with status $status"
	[ ! -e "$tmp/got" ] || diff "$tmp/want" "$tmp/got" >"$tmp/diff" 2>&1 ||
		head -n 10 "$tmp/diff" | sed 's/^/# wanted and got: /'
	for f in out err; do
		tail -n 20 "$tmp/$f" | sed "s/^/# $f: /"
	done
}

# run NAME ARGUMENT...: an example; leaves its status, out and err.
run()
{
	program=$1
	shift
	rm -f "$tmp/want" "$tmp/got"
	timeout "$limit" "$examples/$program" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# It ended well: no message, and no coroutine left.
clean()
{
	[ "$status" -eq 0 ] && [ ! -s "$tmp/err" ]
}

# It ended well, and what was got is what was wanted, which is something.
same()
{
	clean && [ -s "$tmp/want" ] && cmp -s "$tmp/want" "$tmp/got"
}

# refuses NAME ARGUMENT...: a usage error.
refuses()
{
	run "$@"
	[ "$status" -eq 2 ] && [ ! -s "$tmp/out" ] &&
		grep -q "^usage: $program " "$tmp/err"
	result $? "usage error: $*"
}

# --- worker_pool ---

# What wc and cksum say about files: lines words bytes cksum name.
count_files()
{
	for f; do
		echo "$(wc <"$f") $(cksum <"$f" | cut -d' ' -f1) $f"
	done | tr -s ' ' | sed 's/^ //' | sort
}

# The same from the output of worker_pool.
counted()
{
	sed -e 1d -e '/^ total/d' -e 's/^ *[0-9]* *//' "$tmp/out" |
		tr -s ' ' | sort
}

# The workers in the output are among these.
workers_are()
{
	sed -e 1d -e '/^ total/d' "$tmp/out" |
		awk -v most="$1" '$1 < 1 || $1 > most { exit 1 }'
}

sources=$(find include lib examples test -name '*.[chS]')
for workers in 1 3 16; do
	run worker_pool -w $workers
	# shellcheck disable=SC2086 # names without spaces
	count_files $sources >"$tmp/want"
	counted >"$tmp/got"
	same && workers_are $workers
	result $? "worker_pool: the sources, -w $workers, as wc and cksum"
done
# shellcheck disable=SC2086
cat $sources | wc | awk '{ print $1, $2, $3 }' >"$tmp/want"
awk '$1 == "total" { print $2, $3, $4 }' "$tmp/out" >"$tmp/got"
same
result $? "worker_pool: the total"

mkdir "$tmp/odd"
: >"$tmp/odd/empty"
printf 'no newline at the end' >"$tmp/odd/open"
printf ' \t two\v words \f\r\n\n\n' >"$tmp/odd/white"
yes 'a long file' | head -n 100000 >"$tmp/odd/long"
run worker_pool "$tmp/odd/empty" "$tmp/odd/open" "$tmp/odd/white" \
	"$tmp/odd/long"
count_files "$tmp/odd/"* >"$tmp/want"
counted >"$tmp/got"
same
result $? "worker_pool: empty, long and odd files"

run worker_pool "$tmp/missing" LICENSE "$tmp"
count_files LICENSE >"$tmp/want"
counted >"$tmp/got"
[ "$status" -eq 1 ] && cmp -s "$tmp/want" "$tmp/got" &&
	[ "$(wc -l <"$tmp/err")" -eq 2 ] &&
	grep -q "^worker_pool: $tmp/missing: " "$tmp/err" &&
	grep -q "^worker_pool: $tmp: " "$tmp/err"
result $? "worker_pool: says what cannot be read, and counts the rest"

# --- pipeline ---

cat include/*.h include/weft/*.h lib/*.[ch] LICENSE >"$tmp/text"

# All words of the text that are long enough, one a line.
words()
{
	tr -cs A-Za-z '\n' <"$tmp/text" | tr '[:upper:]' '[:lower:]' |
		awk -v n="$1" 'length >= n'
}

# The most frequent of them.
rank()
{
	sort | uniq -c | sort -k1,1nr -k2 | head -n "$1" >"$tmp/want"
}

# The ranking from the output of pipeline, which ends with an empty line.
ranked()
{
	sed '/^$/,$d' "$tmp/out" >"$tmp/got"
}

for width in 1 4 50; do
	run pipeline -w $width "$tmp/text"
	words 4 | rank 10
	ranked
	same
	result $? "pipeline: a text, -w $width, as sort and uniq"
done
grep -q "^$(words 4 | wc -l) words, $(words 4 | sort -u | wc -l) of them" \
	"$tmp/out"
result $? "pipeline: the number of words"

run pipeline -l 1 -n 1000000 <"$tmp/text"
words 1 | rank 1000000
ranked
same
result $? "pipeline: all words of standard input"

run pipeline include/weft.h "$tmp/missing" LICENSE
cat include/weft.h LICENSE | tr -cs A-Za-z '\n' |
	tr '[:upper:]' '[:lower:]' | grep .... | rank 10
ranked
[ "$status" -eq 1 ] && cmp -s "$tmp/want" "$tmp/got" &&
	[ "$(wc -l <"$tmp/err")" -eq 1 ] &&
	grep -q "^pipeline: $tmp/missing: " "$tmp/err"
result $? "pipeline: goes on after a file that cannot be read"

run pipeline -w 1 -m 700 -n 1000 "$tmp/text"
words 4 | head -n 700 | rank 1000
ranked
same
result $? "pipeline: stopped early, the first words"

for width in 1 8; do
	run pipeline -w $width -m 700 -n 1000 "$tmp/text"
	ranked
	clean && [ "$(awk '{ n += $1 } END { print n }' "$tmp/got")" -eq 700 ]
	result $? "pipeline: stopped early, -w $width, as many words"
done

# Only a head that is told to stop ends here.
yes 'what is sent belongs to the receiver' |
	timeout "$limit" "$examples/pipeline" -m 4000 >"$tmp/out" 2>"$tmp/err"
status=$?
clean && grep -q '^4000 words' "$tmp/out"
result $? "pipeline: stopped early, on a text without end"

run pipeline </dev/null
clean && grep -q '^0 words, 0 of them' "$tmp/out"
result $? "pipeline: no text"

# --- hub ---

run hub
sed -n '/^name/,$p' "$tmp/out" >"$tmp/got"
cat >"$tmp/want" <<-END
	name         said   heard  dropped
	ann             5      15        0
	bob             5      15        0
	cleo            5      15        0
	sleepy          0       8        7
END
same && [ "$(grep -c '^\* sleepy' "$tmp/out")" -eq 1 ]
result $? "hub: the summary; only the slow client loses messages"
for name in ann bob cleo; do
	for line in 'I must go, see you tomorrow' 'I slept through it' \
	    'did you hear the rain last night?' 'hello, all' \
	    'the tea is ready'; do
		echo "<$name> $line"
	done
done | sort >"$tmp/want"
grep '^<' "$tmp/out" | sort >"$tmp/got"
same
result $? "hub: every line arrives"

run hub -c 40 -l 10 -q 1
sed -n '/^ann/,/^guest 40/p' "$tmp/out" |
	awk '{ print $(NF - 2), $(NF - 1), $NF }' | sort | uniq -c >"$tmp/got"
echo '     40 10 400 0' >"$tmp/want"
same && grep -q '^sleepy  *0  *1  *399$' "$tmp/out"
result $? "hub: many clients"

run hub -c 2 -l 3 -q 6
clean && grep -q '^sleepy  *0  *6  *0$' "$tmp/out" &&
	! grep -q '^\*' "$tmp/out"
result $? "hub: a large inbox loses nothing"

# --- sieve ---

for pair in $primes; do
	run sieve -n "${pair%:*}"
	clean && grep '^prime' "$tmp/out" | tail -n 1 |
		grep -qx "prime ${pair%:*} is ${pair#*:}"
	result $? "sieve: prime ${pair%:*}"
done

# --- million ---

run million -n $crowd
clean &&
	grep -q "^$crowd coroutines parked in .*: [0-9]* tho" "$tmp/out" &&
	grep -q '^each takes [0-9]* bytes of memory' "$tmp/out" &&
	grep -q "^$crowd coroutines woken" "$tmp/out"
result $? "million: $crowd of them"

run million -n 300 -s 1024
clean && grep -q '^300 coroutines woken' "$tmp/out"
result $? "million: another stack size"

# The memory that the sanitizers reserve is more than any such limit.
# shellcheck disable=SC3045 # not in every shell: then it is left out
if [ -z "$SANITIZE" ] && (ulimit -v 1500000) 2>"$tmp/err"; then
	(ulimit -v 1500000 && exec timeout "$limit" "$examples/million" \
		-n 60000) >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ "$status" -eq 1 ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] &&
		grep -q '^million: no more than [1-9][0-9]* of 60000 ' \
			"$tmp/err" &&
		grep -q '^[1-9][0-9]* coroutines woken and ended' "$tmp/out"
	result $? "million: says when there is no room, and ends"
fi

# --- fetch_prices ---

quotes=examples/fetch_prices/quotes

# What is printed of symbols, from their files.
prices()
{
	for symbol; do
		awk -F, -v s="$symbol" 'NR > 1 {
			before = close_; close_ = $5; sum += $5; date = $1
		}
		END {
			n = NR - 1
			printf "%-8s  %s %7.2f  %+.2f %%  %7.2f of %d days\n",
			    s, date, close_, 100 * (close_ / before - 1),
			    sum / n, n
		}' "$quotes/$symbol.csv"
	done
}

run fetch_prices -d "$quotes" WEFT LOOM WARP HEDDLE REED SHUTTLE LOOM
prices WEFT LOOM WARP HEDDLE REED SHUTTLE LOOM >"$tmp/want"
sed 1d "$tmp/out" >"$tmp/got"
same
result $? "fetch_prices: in the order asked for, as awk"

mkdir "$tmp/quotes"
cp "$quotes/WEFT.csv" "$quotes/REED.csv" "$tmp/quotes"
echo date >"$tmp/quotes/NEW.csv"
sed '5s/,/;/' "$quotes/LOOM.csv" >"$tmp/quotes/BAD.csv"
run fetch_prices -d "$tmp/quotes" BAD WEFT SILK NEW REED
prices WEFT REED >"$tmp/want"
sed 1d "$tmp/out" >"$tmp/got"
[ "$status" -eq 1 ] && cmp -s "$tmp/want" "$tmp/got" &&
	[ "$(wc -l <"$tmp/err")" -eq 3 ] &&
	grep -qx 'fetch_prices: BAD: line 5 is no quote' "$tmp/err" &&
	grep -qx 'fetch_prices: SILK: No such file or directory' "$tmp/err" &&
	grep -q '^fetch_prices: NEW: ' "$tmp/err"
result $? "fetch_prices: says what cannot be had, and gives the rest"

# --- timeouts ---

# The answers without their times, which differ.
answers()
{
	sed -e '/ requests, /d' -e 's/ *([0-9.]* s)$//' "$tmp/out" | sort
}

run timeouts -t 600000 1 x 3 9999 2 0 11 ''
cat >"$tmp/want" <<-END
	200  user 1 is Ada Lovelace
	200  user 2 is Grace Hopper
	200  user 3 is Barbara Liskov
	400  '' is not a user number
	400  '0' is not a user number
	400  'x' is not a user number
	404  user 11: there is nobody of that number
	404  user 9999: there is nobody of that number
END
answers >"$tmp/got"
same && grep -qx '8 requests, 0 too late; coroutines left: 0' "$tmp/out"
result $? "timeouts: all in time"

run timeouts -t 50 -c 1 900 901 902 y
for user in 900 901 902; do
	echo "504  user $user: directory: deadline exceeded"
done >"$tmp/want"
echo "400  'y' is not a user number" | sort - "$tmp/want" >"$tmp/sorted"
mv "$tmp/sorted" "$tmp/want"
answers >"$tmp/got"
same && grep -qx '4 requests, 3 too late; coroutines left: 0' "$tmp/out"
result $? "timeouts: for an answer and for a connection; nobody is left"

# --- background_worker ---

# work ARGUMENT...: a worker on the jobs of standard input.
work()
{
	rm -f "$tmp/want" "$tmp/got"
	timeout "$limit" "$examples/background_worker" -f "$tmp/jobs.db" "$@" \
		>"$tmp/out" 2>"$tmp/err"
	status=$?
	grep -v '^[0-9]* accepted' "$tmp/err" >"$tmp/said"
	mv "$tmp/said" "$tmp/err"
}

# Until the command succeeds; false if the victim ends before, or hangs.
await()
{
	for _ in $(seq $((limit * 20))); do
		"$@" && return 0
		kill -0 "$victim" 2>"$tmp/alive" || return 1
		sleep 0.05
	done
	kill -9 "$victim"
	return 1
}

accepted()
{
	[ "$(grep -c 'accepted$' "$tmp/out")" -eq "$1" ]
}

# The sum at the end is this, and nothing was complained of.
summed()
{
	clean && [ "$(tail -n 1 "$tmp/out")" = "$1" ]
}

for i in 1 2 3 4 5 6 7 8; do
	echo "echo $i >>$tmp/ran"
done | work
sort "$tmp/ran" >"$tmp/got"
printf '%s\n' 1 2 3 4 5 6 7 8 >"$tmp/want"
same && summed '8 accepted, 8 done, 0 failed, 0 retried; 0 left'
result $? "background_worker: runs all jobs"

# One that succeeds the third time, and one that never does.
cat >"$tmp/flaky" <<-END
	echo x >>$tmp/tries
	[ "\$(wc -l <$tmp/tries)" -ge 3 ]
END
printf 'sh %s\nexit 7' "$tmp/flaky" | work -a 3
summed '2 accepted, 1 done, 1 failed, 4 retried; 0 left' &&
	[ "$(wc -l <"$tmp/tries")" -eq 3 ] &&
	grep -q 'status 7, given up after 3 attempts' "$tmp/out"
result $? "background_worker: tries again what fails"

# Killed while some run and some wait: what was accepted is run.
rm -f "$tmp/ran"
mkfifo "$tmp/fifo"
"$examples/background_worker" -f "$tmp/jobs.db" -w 2 <"$tmp/fifo" \
	>"$tmp/out" 2>"$tmp/err" &
victim=$!
exec 3>"$tmp/fifo"
for i in 1 2 3 4 5 6 7 8 9; do
	echo "sleep 0.0$i; echo $i >>$tmp/ran" >&3
done
await accepted 9 && kill -9 $victim
exec 3>&-
wait $victim
work </dev/null
sort -u "$tmp/ran" >"$tmp/got"
printf '%s\n' 1 2 3 4 5 6 7 8 9 >"$tmp/want"
same && tail -n 1 "$tmp/out" | grep -q '; 0 left$'
result $? "background_worker: a kill -9 loses no accepted job"

# Told to stop: what runs is finished, the rest is left, and nothing is lost.
rm -f "$tmp/ran"
"$examples/background_worker" -f "$tmp/jobs.db" -w 1 <"$tmp/fifo" \
	>"$tmp/out" 2>"$tmp/err" &
victim=$!
exec 3>"$tmp/fifo"
echo "touch $tmp/began; while [ -e $tmp/began ]; do sleep 0.02; done
echo 1 >>$tmp/ran
echo 2 >>$tmp/ran" | sed '1N; s/\n/; /' >&3
await [ -e "$tmp/began" ] && await accepted 2 && kill -TERM $victim
await grep -q 'finishing what runs' "$tmp/err"
rm -f "$tmp/began"
wait $victim
status=$?
exec 3>&-
[ "$status" -eq 0 ] && [ "$(cat "$tmp/ran")" = 1 ] &&
	tail -n 1 "$tmp/out" | grep -q '^2 accepted, 1 done.*; 1 left$'
result $? "background_worker: SIGTERM, and what runs is finished"
work </dev/null
summed '0 accepted, 1 done, 0 failed, 0 retried; 0 left' &&
	[ "$(sort "$tmp/ran" | tr '\n' ' ')" = '1 2 ' ]
result $? "background_worker: the rest is done the next time"

echo 'not a database, but long enough to be taken for one' >"$tmp/bad.db"
run background_worker -f "$tmp/bad.db" </dev/null
[ "$status" -eq 1 ] && grep -q '^background_worker: store: ' "$tmp/err"
result $? "background_worker: a file that is no store"

# --- glib_fetch ---

# From a server whose answers curl gets as well.
"$examples/http_server" -a 127.0.0.1:0 >"$tmp/served" 2>&1 &
victim=$!
await grep -q ' listening on ' "$tmp/served"
at=http://$(sed -n 's/.* listening on //p' "$tmp/served")
for path in / '/user?id=2' '/slow?ms=50'; do
	echo "$(curl -s "$at$path" | sha256sum | cut -d' ' -f1)  $at$path"
done >"$tmp/expected"

run glib_fetch "$at/" "$at/user?id=2" "$at/slow?ms=50"
mv "$tmp/expected" "$tmp/want"
cp "$tmp/out" "$tmp/got"
same
result $? "glib_fetch: as curl and sha256sum, in the order asked for"

run glib_fetch -c 1 -p 20 "$at/slow?ms=100" "$at/nothing" ftp://x/
[ "$status" -eq 1 ] && [ "$(wc -l <"$tmp/out")" -eq 1 ] &&
	grep -q '^[0-2] of 3 done, ' "$tmp/err" &&
	grep -qx "glib_fetch: $at/nothing: answered 404" "$tmp/err" &&
	grep -q '^glib_fetch: ftp://x/: ' "$tmp/err"
result $? "glib_fetch: the loop shows the progress; what cannot be had"

run glib_fetch -t 50 "$at/slow?ms=60000"
[ "$status" -eq 1 ] && grep -q ': too late$' "$tmp/err"
result $? "glib_fetch: a time limit"
kill $victim
wait $victim

# --- lua_host ---

# A check that waits for its neighbour's file: they run at the same time.
run lua_host examples/lua_host/checks.lua 60 \
	"until [ -e $tmp/one ]; do sleep 0.02; done" "touch $tmp/one"
sed 's/ [0-9.]* s / /' "$tmp/out" | sort >"$tmp/got"
cat >"$tmp/want" <<-END
	2 of 2 passed
	ok       touch $tmp/one
	ok       until [ -e $tmp/one ]; do sleep 0.02; done
END
same
result $? "lua_host: commands at the same time"

run lua_host examples/lua_host/checks.lua 60 'exit 3' 'echo x'
[ "$status" -eq 1 ] && grep -q '^FAILED .* exit 3: status 3$' "$tmp/out" &&
	grep -qx '1 of 2 passed' "$tmp/out"
result $? "lua_host: what fails"
run lua_host examples/lua_host/checks.lua 0.1 'sleep 60'
[ "$status" -eq 1 ] && grep -qx '0 of 1 passed' "$tmp/out" &&
	grep -q '^FAILED .* sleep 60: timed out$' "$tmp/out"
result $? "lua_host: what takes too long"

cat >"$tmp/sum.lua" <<-'END'
	local n, c, sum = tonumber((...)), weft.channel(3), 0
	for i = 1, n do
		weft.spawn(function(by)
			weft.sleep(math.random() / 50)
			c:send({ value = i * by })
		end, 2)
	end
	for _ = 1, n do sum = sum + c:recv().value end
	c:close()
	print(sum, n * (n + 1), c:recv())
	print(pcall(weft.sleep, {}))
	coroutine.wrap(function() weft.sleep(0.001) end)()
END
run lua_host "$tmp/sum.lua" 2000
cat >"$tmp/want" <<-END
	4002000	4002000	nil	false
	false	bad argument #1 to '?' (number expected, got table)
END
cp "$tmp/out" "$tmp/got"
same
result $? "lua_host: many tasks, channels, errors, Lua's own coroutines"

run lua_host -i <<-'END'
	c = weft.channel()
	function show() for v in c:values() do print(v) end print "over" end
	weft.spawn(show)
	c:send(1) c:send("two") c:close()
	error("mine")
END
[ "$status" -eq 1 ] && [ "$(cat "$tmp/out")" = "1
two
over" ] && grep -q '^lua_host: stdin:1: mine$' "$tmp/err"
result $? "lua_host: lines that are typed"

cat >"$tmp/stuck.lua" <<-'END'
	local c = weft.channel()
	weft.spawn(function()
		c:recv()
	end)
	c:send(c:recv())
END
run lua_host "$tmp/stuck.lua"
[ "$status" -eq 1 ] && grep -q 'all tasks wait for each other' "$tmp/err" &&
	grep -q 'task (.*stuck.lua:2): parked .* to receive' "$tmp/err"
result $? "lua_host: tasks that wait for each other are named"

# --- replay ---

# The line to see it again, without the command.
recipe()
{
	sed -n "s/.*to see this again: WEFT_SIM_SEED='\([^']*\)'.*/\1/p" \
	    "$tmp/err"
}

# again EXAMPLE: the failure that has just been told, told a second time by its
# recipe; which stays set, for the mended form to pass it.
again()
{
	seed=$(recipe)
	grep '^    ' "$tmp/err" >"$tmp/story"
	export WEFT_SIM_SEED="$seed"
	run "$1"
	grep '^    ' "$tmp/err" >"$tmp/got"
	mv "$tmp/story" "$tmp/want"
	[ "$status" -eq 1 ] && [ "$seed" ] && [ -s "$tmp/want" ] &&
		cmp -s "$tmp/want" "$tmp/got"
	result $? "$1: the same story again"
}

run replay
[ "$status" -eq 1 ] && grep -qx 'sold twice: there is a bug' "$tmp/out" &&
	grep -q 'customer 1 has the seat' "$tmp/err" &&
	grep -q 'customer 2 has the seat' "$tmp/err"
result $? "replay: the race is found and told"

again replay

run replay -f
[ "$status" -eq 0 ] && grep -qx '1 schedules: never sold twice' "$tmp/out"
result $? "replay: mended, it passes this schedule"
unset WEFT_SIM_SEED

run replay -f -n 3000
echo '3000 schedules: never sold twice' >"$tmp/want"
cp "$tmp/out" "$tmp/got"
same
result $? "replay: and 3000 others"

# --- payments ---

run payments -r
echo 'on the real network: balance 30' >"$tmp/want"
cp "$tmp/out" "$tmp/got"
same
result $? "payments: on the real network all is well"

run payments
[ "$status" -eq 1 ] && grep -qx 'paid twice: there is a bug' "$tmp/out" &&
	grep -q 'finds the connection reset' "$tmp/err" &&
	grep -q 'payment 2 of 20 is made' "$tmp/err"
result $? "payments: the bug is found and told"

again payments

run payments -f
[ "$status" -eq 0 ] && grep -qx '1 schedules: never paid twice' "$tmp/out"
result $? "payments: mended, it passes this schedule"
unset WEFT_SIM_SEED

run payments -f -n 3000
echo '3000 schedules: never paid twice' >"$tmp/want"
cp "$tmp/out" "$tmp/got"
same
result $? "payments: and 3000 others"

# --- all of them ---

for name in $all; do
	refuses $name -z
	run $name -h
	clean && head -n 1 "$tmp/out" | grep -q "^usage: $name "
	result $? "help: $name"
done
refuses worker_pool -w 0
refuses worker_pool -w
refuses pipeline -m 10x
refuses pipeline -n ''
refuses hub -c -1
refuses hub chat
refuses sieve -n 0
refuses sieve 10
refuses million -n many
refuses million -s 0
refuses million 1000
refuses fetch_prices
refuses timeouts
refuses timeouts -t 0 1
refuses timeouts -c x 1
refuses background_worker -w 0
refuses background_worker job
refuses glib_fetch
refuses glib_fetch -c 0 http://127.0.0.1/
refuses lua_host
refuses replay -n 0
refuses replay 1
refuses payments -n 0
refuses payments 1

# full NAME ARGUMENT...: what cannot be written is an error.
full()
{
	program=$1
	shift
	timeout "$limit" "$examples/$program" "$@" >/dev/full 2>"$tmp/err"
	status=$?
	: >"$tmp/out"
	[ "$status" -eq 1 ] &&
	    grep -q "^$program: the output cannot be written" "$tmp/err"
	result $? "full disk: $program"
}

if [ -c /dev/full ]; then
	full worker_pool LICENSE
	full pipeline LICENSE
	full hub
	full sieve -n 10
	full million -n 10
	full fetch_prices -d "$quotes" WEFT
	full timeouts 0
	full background_worker -f "$tmp/full.db" </dev/null
	full lua_host examples/lua_host/checks.lua true
	full replay -f
	full payments -f
fi

# Each folder is a template: it builds wherever it is copied to.
cat >"$tmp/weft.pc" <<END
Name: weft
Description: the weft of this build
Version: 0
Libs: $build/libweft.a -pthread
Cflags: -I$top/include -pthread
END
for name in $all; do
	PKG_CONFIG_PATH=$tmp timeout "$limit" make -C "$tmp/examples/$name" \
		CC="${CC:-cc}" CFLAGS="-Wall -Wextra -Werror \
		${SANITIZE:+-fsanitize=$SANITIZE}" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ "$status" -eq 0 ] &&
		"$tmp/examples/$name/$name" -h >"$tmp/out" 2>&1 &&
		make -C "$tmp/examples/$name" clean >"$tmp/out" 2>&1 &&
		[ ! -e "$tmp/examples/$name/$name" ]
	result $? "a copy builds: $name"
done

echo "1..$tests"
[ "$failed" -eq 0 ]
