#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh - an hour of all that can be drawn anew.
#
#	make soak [SOAK=seconds]
#
# In rounds, in an order by lot, each run with a seed of its own:
#
#	full	the tests, with their full counts, by 1 to 64 workers
#	linear	histories against sequential models: 1.4 million schedules
#	sim	tests of channels and select, simulated
#	chaos	the tests in the build that yields and migrates everywhere
#	check	the tests in the build that walks the invariants
#	off	the tests, with threads kept off their cores (off.c)
#	go	random programs, in weft and in Go, if there is a Go
#
# Each minute a line says how far it is.  The first failure ends it with what
# was printed, and the line to run it again.  The run that is under way when
# the time is over comes to its end.  PLAIN=1 leaves out chaos and check, which
# have to be built.  ONLY=text takes the runs with that text in their name.

export LC_ALL=C
BUILD=${BUILD:-build}
soak=${SOAK:-3600}
log=$BUILD/soak.log
runs=0
schedules=0
rounds=0
said=0

random() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }

# The command for run "kind name", drawn anew.
command_of() {
	local seed workers=(1 2 3 4 8 16 64)

	seed=$(random)
	case $1 in
	full) echo "WEFT_SEED=$seed WEFT_TEST=full WEFT_TEST_SLOW=20" \
	    "WEFT_WORKERS=${workers[RANDOM % 7]} $BUILD/test/$2" ;;
	linear) echo "WEFT_SEED=$seed WEFT_TEST=full WEFT_TEST_SLOW=20" \
	    "$BUILD/test/linear" ;;
	sim) echo "WEFT_SEED=$seed WEFT_TEST_SIM=200 WEFT_TEST_SLOW=20" \
	    "$BUILD/test/$2" ;;
	chaos | check) echo "WEFT_SEED=$seed WEFT_TEST_SLOW=20" \
	    "WEFT_WORKERS=${workers[RANDOM % 7]} $BUILD/${1^^}/test/$2" ;;
	off) echo "WEFT_SEED=$seed WEFT_TEST_SLOW=20" \
	    "WEFT_WORKERS=${workers[RANDOM % 7]}" \
	    "$BUILD/off -s $seed $BUILD/test/$2" ;;
	go) echo "FIRST=$seed PROGRAMS=50 RUNS=200 BUILD=$BUILD" \
	    "test/differential/run.sh" ;;
	esac
}

# Those that bear to be traced.
traceable() { tests | grep -vx -e process -e signals -e stalls; }

tests() {
	local f

	for f in test/*.c; do
		basename "$f" .c
	done
}

has_go() {
	PATH=$PWD/build/go/bin:$PATH command -v "${GO:-go}" >/dev/null
}

# A round's runs, "kind name" on each line.
a_round() {
	local t

	for t in $(tests); do
		echo "full $t"
		[ "${PLAIN:-}" ] || printf 'chaos %s\ncheck %s\n' "$t" "$t"
	done
	printf 'off %s\n' $(traceable)
	printf 'sim %s\n' chan select select_ctx
	printf 'linear %s\n' 1 2 3 4 5 6 7 8 9 10
	! has_go || printf 'go %s\n' 1 2 3
}

built() {
	local mode jobs

	jobs=-j$(nproc)
	make -s "$jobs" BUILD="$BUILD" all tests &&
	    ${CC:-cc} -O2 -o "$BUILD/off" test/soak/off.c || return
	[ "${PLAIN:-}" ] || for mode in CHAOS CHECK; do
		make -s "$jobs" $mode=1 BUILD="$BUILD/$mode" all tests ||
			return
	done
}

progress() {
	local s=$SECONDS

	printf 'soak: %d:%02d:%02d, round %d: %d runs, %d schedules%s\n' \
	    $((s / 3600)) $((s / 60 % 60)) $((s % 60)) $rounds $runs \
	    $schedules "$1"
	said=$s
}

failed() {
	tail -n 60 "$log"
	progress ", and one failure: $2"
	echo "soak: to see this again: $1"
	exit 1
}

one() {
	local line status

	line=$(command_of "$1" "$2")
	echo "$line" >"$BUILD/soak.now"
	env $line >"$log" 2>&1 </dev/null
	status=$?
	if [ $status != 0 ] || grep -q '^not ok' "$log"; then
		failed "$line" "$1 $2, status $status"
	fi
	runs=$((runs + 1))
	schedules=$((schedules + $(awk '/^# [0-9]+ schedules/ { n += $2 }
	    END { print n + 0 }' "$log")))
	[ $((SECONDS - said)) -lt 60 ] || progress "; the last: $1 $2"
}

built || exit 1
SECONDS=0
if ! has_go; then
	echo "soak: without Go: bench/get-go.sh unpacks one"
fi
while [ $SECONDS -lt "$soak" ]; do
	rounds=$((rounds + 1))
	while read -r kind name; do
		[ $SECONDS -lt "$soak" ] || break
		one "$kind" "$name"
	done < <(a_round | grep -e "${ONLY:-}" | shuf)
done
[ $runs -gt 0 ] || exit 1
progress ': passed'
