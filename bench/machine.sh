#!/bin/sh
# SPDX-License-Identifier: MIT
#
# machine.sh - where something was measured.  The other scripts read it; it does
# nothing by itself.

machine()
{
	cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	memory=$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' \
	    /proc/meminfo)
	guest=
	grep -qw hypervisor /proc/cpuinfo && guest=", virtual machine"
	echo "$(nproc) cores of ${cpu:-$(uname -m)}$guest, $memory GiB"
}

# Call it before the measurement: the load is that of other programs.
machine_lines()
{
	echo "- machine: $(machine)"
	echo "- load before the start: $(cut -d ' ' -f 1 /proc/loadavg)" \
	    "(other programs would disturb)"
	echo "- kernel: $(uname -sr)"
	echo "- C library: $(getconf GNU_LIBC_VERSION 2>/dev/null || echo '?')"
	echo "- weft: $("${build:-build}/bench/weft-bench" version), revision" \
	    "$(git describe --always --dirty 2>/dev/null || echo unknown)"
}
