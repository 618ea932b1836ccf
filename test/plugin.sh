#!/bin/sh
# SPDX-License-Identifier: MIT
#
# plugin.sh - weft as a guest of a guest: in a plugin that brings its own and
# comes and goes, and in two libraries that share libweft.so.
#
#	test/plugin.sh		(from the top of the tree; BUILD=build)

BUILD=${BUILD:-build}
CC=${CC:-cc}
if [ "$SANITIZE" ]; then
	echo '1..0 # SKIP a sanitizer does not take libraries that go'
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat >"$tmp/plugin.c" <<'END'
#include <weft.h>

static void
send_all(wf_chan(int) c)
{
	for (int i = 0; i < 100; i++)
		wf_send(c, i);
	wf_close(c);
}

int NAME(void);
int
NAME(void)
{
	wf_chan(int) c = wf_chan_make(int, 0);
	int v, sum = 0;

	wf_spawn(send_all, c);
	while (wf_recv(c, &v))
		sum += v;
	wf_chan_free(c);
	wf_sleep(WF_MS);
	return STOP ? wf_stop(WF_FOREVER) ? -1 : sum : sum;
}
END

cat >"$tmp/host.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>

static long
mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	long n = 0;
	int c;

	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

int
main(int argc, char **argv)
{
	long before = 0;
	int status;

	(void)argc;
	for (int i = 0; i < 60; i++) {
		void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
		int (*fn)(void) = plugin ?
		    (int (*)(void))dlsym(plugin, "play") : NULL;

		if (!fn || fn() != 4950 || dlclose(plugin) != 0)
			return fprintf(stderr, "# %d: failed\n", i), 1;
		if (dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD))
			return fprintf(stderr, "# it did not go\n"), 1;
		if (i == 20)
			before = mappings();
	}
	if (mappings() > before + 10)
		return fprintf(stderr, "# %ld mappings, then %ld\n", before,
		    mappings()), 1;
	/* Nothing of it is called at a fork any more. */
	if (fork() == 0)
		_exit(0);
	return wait(&status) < 0 || status != 0;
}
END

cat >"$tmp/two.c" <<'END'
#include <stdio.h>
#include <weft.h>

int one(void);
int two(void);

int
main(void)
{
	struct wf_stats stats;

	wf_workers(2);
	if (one() != 4950 || two() != 4950)
		return 1;
	wf_stats(&stats);	/* one runtime, of two workers, for both */
	if (stats.workers != 2 || stats.spawned != 2)
		return 1;
	return wf_stop(WF_FOREVER) != 0;
}
END

n=0
failed=0
test_is() {
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$tmp/out" >&2
		failed=1
	fi
}

vendored() {
	$CC -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -Iinclude \
	    -DNAME='__attribute__((visibility("default"))) play' -DSTOP=1 \
	    "$tmp/plugin.c" lib/weft.c lib/arch/switch.S -pthread \
	    -o "$tmp/plugin.so" &&
	$CC -std=gnu11 "$tmp/host.c" -ldl -pthread -o "$tmp/host" &&
	timeout 60 "$tmp/host" "$tmp/plugin.so"
}

shared() {
	for lib in one two; do
		$CC -std=gnu11 -fPIC -shared -Iinclude -DNAME=$lib -DSTOP=0 \
		    "$tmp/plugin.c" -L"$BUILD" -lweft -pthread \
		    -o "$tmp/lib$lib.so" || return 1
	done
	$CC -std=gnu11 -Iinclude "$tmp/two.c" -L"$tmp" -lone -ltwo \
	    -L"$BUILD" -lweft -pthread -o "$tmp/two" &&
	LD_LIBRARY_PATH=$tmp:$BUILD timeout 60 "$tmp/two"
}

echo 1..2
test_is 'a plugin with a weft of its own comes and goes' vendored
if [ -e "$BUILD/libweft.so" ]; then
	test_is 'two libraries share libweft.so' shared
else
	echo 'ok 2 # SKIP there is no libweft.so: run make first'
fi
exit $failed
