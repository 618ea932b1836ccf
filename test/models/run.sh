#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - check the models by Spin.
#
#	test/models/run.sh		all, by prove with PROVEFLAGS
#	test/models/run.sh FILE...	TAP of these
#
# Environment: BUILD (build), CC (cc).  The head of a model says what is run:
#
#	holds	[-DNAME...]	no error may be found
#	breaks	-DNAME ...	the protocol with this mistake: an error must
#				be found, else the model could not fail
#
# A search that is not complete is a failure.  What Spin said, with the steps
# to the error, is left in build/models.

LC_ALL=C
export LC_ALL
CC=${CC:-cc}
here=$(cd "$(dirname "$0")" && pwd)
out=${BUILD:-build}/models
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
n=0
failed=0

command -v spin >/dev/null || {
	echo "Bail out!  There is no spin: install Debian's package spin, or" \
	    "take it from https://spinroot.com"
	exit 1
}
# shellcheck disable=SC2086 # flags are words
[ $# -gt 0 ] || exec prove -e "$here/run.sh" $PROVEFLAGS "$here"/*.pml

# Check model $1 with flags $2, in a folder of its own; talks about it.  An
# error is found sooner than the search for it is optimized: $3.
check() {
	rm -rf "$out/$1" && mkdir "$out/$1" && cd "$out/$1" &&
	    cp "$here/$1.pml" "$here/tso.inc" . || return
	# shellcheck disable=SC2086 # flags are words
	if ! spin -a $2 "$1.pml" ||
	    ! $CC "$3" -w -DSAFETY -DMEMLIM=2048 -o pan pan.c ||
	    ! ./pan -m1000000; then
		echo 'verdict: it did not run'
	elif [ -e "$1.pml.trail" ]; then
		spin -t -p $2 "$1.pml"
	fi
}

verdict_of() {
	if grep -q 'errors: [1-9]' "$1"; then
		echo breaks
	elif grep -q 'errors: 0$' "$1" &&
	    ! grep -qE 'Search not completed|depth too small' "$1"; then
		echo holds
	else
		echo 'gives no result'
	fi
}

# Run model $1: $2 is to be the verdict with flags $3.
run() {
	n=$((n + 1))
	log=$out/$1$(printf '%s' "$3" | tr -d ' ').log
	[ "$2" = breaks ] && level=-O0 || level=-O1
	(check "$1" "$3" $level) >"$log" 2>&1
	verdict=$(verdict_of "$log")
	states=$(awk '/states, stored/ { print $1 }' "$log")
	if [ "$verdict" = "$2" ]; then
		echo "ok $n - $1 $verdict $3($states states)"
	else
		echo "not ok $n - $1 $verdict $3"
		echo "# see $log" >&2
		failed=1
	fi
}

for file; do
	model=$(basename "$file" .pml)
	sed -n '1,/^ \*\//s/^ \*	\(holds\|breaks\)/\1/p' \
	    "$here/$model.pml" >"$out/$model.runs"
	while read -r how rest; do
		run "$model" "$how" "$(printf '%s\n' "$rest" |
		    grep -o -- '-D[A-Z_]*' | tr '\n' ' ')"
	done <"$out/$model.runs"
	n=$((n + 1))
	if grep -q '^holds' "$out/$model.runs" &&
	    grep -q '^breaks' "$out/$model.runs"; then
		echo "ok $n - $model says what holds, and can break"
	else
		echo "not ok $n - $model says what holds, and can break"
		failed=1
	fi
done
echo "1..$n"
exit $failed
