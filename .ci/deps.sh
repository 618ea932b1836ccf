#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh - get what is missing to build weft (lib), its examples (examples),
# or to test it (test).
#
#	CC=cc CXX=c++ .ci/deps.sh lib examples test
#
# Looks first, and installs only what is not there, by the system's package
# manager.  The command is printed before it runs.  With DEPS=no nothing is
# installed: what is missing is said, and the exit status is 1.

CC=${CC:-cc}
CXX=${CXX:-c++}
missing=

have() {
	command -v "${1%% *}" >/dev/null 2>&1
}

have_header() {
	printf '#include <%s>\n' "$2" | $CC -pthread \
	    $(pkg-config --cflags "$1" 2>/dev/null) $CPPFLAGS \
	    -fsyntax-only -x c - 2>/dev/null
}

need_pkg_config() {
	have pkg-config || case $missing in
	*pkg-config*) ;;
	*) missing="$missing pkg-config" ;;
	esac
}

look() {
	case $1 in
	lib)
		have "$CC" || missing="$missing cc"
		have make || missing="$missing make"
		have "$CC" && have_header atomic_ops atomic_ops.h || {
			missing="$missing atomic_ops"
			have pkg-config || missing="$missing pkg-config"
		} ;;
	examples)
		have "$CC" && have_header sqlite3 sqlite3.h ||
			missing="$missing sqlite3"
		have "$CC" && have_header libcjson cjson/cJSON.h ||
			missing="$missing cjson"
		have "$CC" && have_header uthash uthash.h ||
			missing="$missing uthash"
		have "$CC" && have_header glib-2.0 glib.h ||
			missing="$missing glib"
		have "$CC" && have_header "${LUA:-lua5.4}" lua.h ||
			missing="$missing lua"
		need_pkg_config ;;
	test)
		have prove || missing="$missing prove"
		have curl || missing="$missing curl"
		have wrk || missing="$missing wrk"
		have redis-cli || missing="$missing redis-cli"
		have "$CXX" || missing="$missing c++"
		need_pkg_config ;;
	*)
		echo "usage: $0 lib|examples|test..." >&2
		exit 64 ;;
	esac
}

# The name of need $2 in the words of package manager $1.
package() {
	case $1:$2 in
	apt-get:cc) echo gcc libc6-dev ;;
	apt-get:atomic_ops) echo libatomic-ops-dev ;;
	apt-get:sqlite3) echo libsqlite3-dev ;;
	apt-get:cjson) echo libcjson-dev ;;
	apt-get:uthash) echo uthash-dev ;;
	apt-get:glib) echo libglib2.0-dev ;;
	apt-get:lua) echo liblua5.4-dev ;;
	apt-get:redis-cli) echo redis-tools ;;
	apt-get:prove) echo perl ;;
	apt-get:c++) echo g++ ;;
	dnf:cc) echo gcc ;;
	dnf:atomic_ops) echo libatomic_ops-devel ;;
	dnf:sqlite3) echo sqlite-devel ;;
	dnf:cjson) echo cjson-devel ;;
	dnf:uthash) echo uthash-devel ;;
	dnf:glib) echo glib2-devel ;;
	dnf:lua) echo lua-devel ;;
	dnf:pkg-config) echo pkgconf-pkg-config ;;
	dnf:prove) echo perl-Test-Harness ;;
	dnf:c++) echo gcc-c++ ;;
	apk:cc) echo gcc musl-dev ;;
	apk:atomic_ops) echo libatomic_ops-dev ;;
	apk:sqlite3) echo sqlite-dev ;;
	apk:cjson) echo cjson-dev ;;
	apk:uthash) echo uthash-dev ;;
	apk:glib) echo glib-dev ;;
	apk:lua) echo lua5.4-dev ;;
	apk:pkg-config) echo pkgconf ;;
	apk:prove) echo perl-utils ;;
	apk:c++) echo g++ ;;
	pacman:glib) echo glib2 ;;
	pacman:pkg-config) echo pkgconf ;;
	brew:pkg-config) echo pkgconf ;;
	*:cc | *:c++) echo gcc ;;
	*:atomic_ops) echo libatomic_ops ;;
	*:sqlite3) echo sqlite ;;
	*:prove) echo perl ;;
	*:redis-cli) echo redis ;;
	*) echo "$2" ;;
	esac
}

packages() {
	for need in $missing; do
		package "$1" "$need"
	done | tr '\n' ' ' | sed 's/ $//'
}

# The whole command for package manager $1.
command_of() {
	case $1 in
	apt-get)
		env='env DEBIAN_FRONTEND=noninteractive'
		echo "$as_root apt-get update -q;" \
		    "$as_root $env apt-get install -q -y" \
		    "--no-install-recommends $(packages apt-get)" ;;
	dnf) echo "$as_root dnf install -y $(packages dnf)" ;;
	apk) echo "$as_root apk add $(packages apk)" ;;
	pacman) echo "$as_root pacman -S --needed --noconfirm" \
	    "$(packages pacman)" ;;
	brew) echo "brew install $(packages brew)" ;;
	esac | sed 's/^ *//; s/; */; /g'
}

for part in "${@:-lib}"; do
	look "$part"
done
missing=${missing# }
[ "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
for manager in apt-get dnf apk pacman brew none; do
	have $manager && break
done
if [ $manager = none ]; then
	echo "weft: missing: $missing; please install: libatomic_ops (its" \
	    "headers), a C and a C++ compiler, make, pkg-config, prove;" \
	    "for the examples SQLite, cJSON, uthash, GLib and Lua 5.4, for" \
	    "the tests curl, wrk and redis-cli" >&2
	exit 1
fi
line=$(command_of $manager)
if [ "$DEPS" = no ]; then
	echo "weft: missing: $missing; to install it: $line" >&2
	exit 1
fi
if [ $manager != brew ] && [ "$as_root" ] && ! have sudo; then
	line=$(as_root= command_of $manager)
	echo "weft: missing: $missing; please run as root: $line" >&2
	exit 1
fi
echo "weft: missing: $missing"
echo "+ $line"
eval "$line" </dev/null || {
	echo "weft: this failed: $line" >&2
	exit 1
}
missing=
for part in "${@:-lib}"; do
	look "$part"
done
[ -z "$missing" ] || {
	echo "weft: still missing: $missing" >&2
	exit 1
}
