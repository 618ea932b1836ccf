#!/bin/sh
# SPDX-License-Identifier: MIT
#
# get-go.sh - unpack a current Go beside the system's own, for Debian.
#
#	bench/get-go.sh [VERSION]		(default 1.27)
#
# Takes golang-VERSION-go and golang-VERSION-src from Debian sid and unpacks
# them into build/go.  Nothing is installed and no file of the system is
# changed: apt works with its own folders under build/go/apt, the packages are
# checked against Debian's keys as usual.  Take it away with rm -r build/go.
#
# Environment: BUILD (build), SUITE (sid), MIRROR (the system's own).

set -eu

version=${1:-1.27}
suite=${SUITE:-sid}
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build}
keys=/usr/share/keyrings/debian-archive-keyring.gpg

die()
{
	echo "get-go.sh: $*" >&2
	exit 1
}

# The mirror that the system takes Debian itself from, as apt sees it.
system_mirror()
{
	# shellcheck disable=SC2016 # the fields are for apt
	apt-get indextargets 'Created-By: Packages' \
	    --format '$(LABEL) $(COMPONENT) $(REPO_URI)' |
	    awk '$1 == "Debian" && $2 == "main" { print $3; exit }'
}

for tool in apt-get dpkg awk; do
	command -v $tool >/dev/null ||
	    die "no $tool here: this script is for Debian; on other systems" \
	    "install Go and put it on the PATH"
done
[ -r $keys ] || die "no $keys: install debian-archive-keyring"
mirror=${MIRROR:-$(system_mirror)}
[ -n "$mirror" ] ||
    die "apt knows no mirror of Debian: run apt-get update, or set MIRROR"

mkdir -p "$build/go/apt"
go=$(cd "$build/go" && pwd)
apt=$go/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/deb" \
    "$apt/none"
: >"$apt/status"
echo "deb [signed-by=$keys] $mirror $suite main" >"$apt/sources.list"
# The system's apt.conf stays in force (it may name a proxy) but for its
# folders and for hooks, which could write outside of ours.
cat >"$apt/apt.conf" <<END
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/none";
Dir::Etc::preferencesparts "$apt/none";
Acquire::Languages "none";
Acquire::PDiffs "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
# As root, apt downloads as a user who may have no way into the folder.
[ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";' >>"$apt/apt.conf"

echo "reading the list of packages of Debian $suite ..."
apt-get -q -c "$apt/apt.conf" update
echo "fetching Go $version ..."
(cd "$apt/deb" && rm -f ./*.deb && apt-get -q -c "$apt/apt.conf" download \
    "golang-$version-go" "golang-$version-src") ||
    die "cannot fetch Go $version from $suite; other versions: $(apt-cache \
    -c "$apt/apt.conf" pkgnames golang-1. | sed -n 's/^golang-\(.*\)-go$/\1/p' |
    sort -V | tr '\n' ' ')"

echo "unpacking into $go ..."
rm -rf "${go:?}/usr" "${go:?}/bin"
for deb in "$apt"/deb/*.deb; do
	dpkg -x "$deb" "$go"
done
rm -rf "$apt"
ln -s "usr/lib/go-$version/bin" "$go/bin"
echo "$("$go/bin/go" version) is in $go/bin"
