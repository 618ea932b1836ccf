#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - random programs in weft and in Go: the same outcomes?
#
#	test/differential/run.sh	(after make; or make differential)
#
# Environment: PROGRAMS (200) from seed FIRST (1) on, RUNS (100) of each on
# weft's threads; GO, a go 1.23 or newer: build/go/bin/go as unpacked by
# bench/get-go.sh, else the one on the PATH.  BUILD, CC, CFLAGS as for make.
#
# weft's outcomes are all that its schedules can give.  What a run on threads
# gives, of weft or of Go, must be among them, and Go must give each of them
# (programs.c, main.go).  What differs is printed with the seed, and the status
# is 1; PROGRAMS=1 FIRST=seed shows it again.

here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
CC=${CC:-cc}
first=${FIRST:-1}
programs=${PROGRAMS:-200}
runs=${RUNS:-100}
out=$BUILD/differential

GO=${GO:-$(PATH=$PWD/build/go/bin:$PATH command -v go)}
if [ -z "$GO" ]; then
	echo "differential: there is no Go here: bench/get-go.sh unpacks one" \
	    "into build/go (Debian), or put yours on the PATH" >&2
	exit 1
fi
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
# shellcheck disable=SC2086,SC2046 # flags are words
$CC -std=gnu11 -pthread -Wall -Wextra ${CFLAGS:--O2 -g} -Iinclude -iquote lib \
    $(pkg-config --cflags atomic_ops 2>/dev/null) -o "$out/weft" \
    "$here/programs.c" "$BUILD/libweft.a" || exit 1
GOCACHE=${GOCACHE:-$out/cache} "$GO" build -o "$out/go" "$here/main.go" ||
	exit 1
# By way of a file: the status of both counts.
"$out/weft" "$first" "$programs" "$runs" >"$out/programs" &&
    "$out/go" -free "$runs" <"$out/programs"
