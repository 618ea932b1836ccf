#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cxx.sh - cxx.cpp, a test program in C++17: built here, then run.

BUILD=${BUILD:-build}
CXX=${CXX:-c++}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

command -v "${CXX%% *}" >/dev/null ||
	{ echo '1..0 # SKIP no C++ compiler'; exit; }
sanitize=${SANITIZE:+-fsanitize=$SANITIZE -fno-sanitize-recover=all}
# shellcheck disable=SC2086 # both are lists of words
if ! $CXX -std=c++17 -O1 -g -Wall -Wextra -Wpedantic -Werror -pthread \
    $sanitize -Iinclude test/cxx.cpp "$BUILD/libweft.a" -lm -o "$tmp/cxx"; then
	echo 'not ok 1 - cxx.cpp compiles'
	echo '1..1'
	exit 1
fi
"$tmp/cxx"
