#!/bin/sh
# SPDX-License-Identifier: MIT
#
# peers.sh - build the peers.  The other scripts read it; it does nothing by
# itself.
#
# Each function builds one peer, or says what is missing and how to get it, and
# returns 1.  Nothing is installed.  They use root, build (a folder, relative
# to root) and work ($build/bench), and work from root.
#
# Environment: GO (build/go/bin/go, then go on the PATH), CXX (c++), CC (cc).

absent()
{
	echo "${0##*/}: $*" >&2
	return 1
}

# Sets go to its absolute path.
find_go()
{
	go=${GO:-$build/go/bin/go}
	[ -x "$go" ] || go=$(command -v go) || go=
	case $go in
	'' | /*) ;;
	*) go=$PWD/$go ;;
	esac
	[ "$go" ] || absent "no Go here, so it is left out." \
	    "bench/get-go.sh fetches one on Debian"
}

# With any Go there is.  The language version in go.mod is raised to that of
# the toolchain: Go reads its defaults from it.
build_go()
{
	find_go || return 1
	case $build in
	/*) abs=$build ;;
	*) abs=$PWD/$build ;;
	esac
	mkdir -p "$abs/bench"
	language=$("$go" env GOVERSION | sed 's/^go\([0-9]*\.[0-9]*\).*/\1/')
	sed "s/^go .*/go $language/" bench/peers/go/go.mod >"$abs/bench/go.mod"
	(cd bench/peers/go && GOCACHE="$abs/bench/gocache" GOTOOLCHAIN=local \
	    GOPROXY=off GOFLAGS='' GOWORK=off GO111MODULE=on CGO_ENABLED=0 \
	    "$go" build -modfile="$abs/bench/go.mod" \
	    -o "$abs/bench/go-bench" .) ||
		absent "the Go peer does not build with $("$go" version)"
}

# has_header NAME STANDARD: whether a C++ compiler finds it.
has_header()
{
	echo "#include <$1>" | ${CXX:-c++} -std="$2" -fsyntax-only -x c++ - \
	    2>/dev/null
}

# boost and cxx20 are compiled with what a good user of either would say.
build_boost()
{
	has_header boost/fiber/all.hpp c++17 ||
		absent "no Boost.Fiber here, so it is left out; in Debian:" \
		    "libboost-fiber-dev, libboost-context-dev" || return 1
	newer_than "$work/boost-bench" bench/peers/boost bench/peers/cxx ||
		return 0
	${CXX:-c++} -std=c++17 -O3 -DNDEBUG -pthread -Ibench/peers/cxx \
	    -o "$work/boost-bench" bench/peers/boost/*.cpp \
	    -lboost_fiber -lboost_context ||
		absent "the Boost peer does not build"
}

build_cxx20()
{
	has_header coroutine c++20 ||
		absent "no C++20 coroutines in ${CXX:-c++}, so they are" \
		    "left out" || return 1
	newer_than "$work/cxx20-bench" bench/peers/cxx20 bench/peers/cxx ||
		return 0
	${CXX:-c++} -std=c++20 -O3 -DNDEBUG -Ibench/peers/cxx \
	    -o "$work/cxx20-bench" bench/peers/cxx20/*.cpp ||
		absent "the C++20 peer does not build"
}

# The client of Echo, and a server around epoll.
build_c()
{
	mkdir -p "$work"
	${CC:-cc} -O2 -o "$work/echo" bench/peers/c/echo.c
}

build_uv()
{
	echo '#include <uv.h>' | ${CC:-cc} -fsyntax-only -x c - 2>/dev/null ||
		absent "no libuv here, so it is left out; in Debian:" \
		    "libuv1-dev" || return 1
	mkdir -p "$work"
	${CC:-cc} -O2 -o "$work/uv-echo" bench/peers/uv/echo.c -luv ||
		absent "the libuv peer does not build"
}

# newer_than PROGRAM FOLDER...: whether a source is newer than the program.
newer_than()
{
	program=$1
	shift
	[ ! -e "$program" ] ||
		[ "$(find "$@" -newer "$program" -type f | head -n 1)" ]
}
