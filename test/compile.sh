#!/bin/sh
# SPDX-License-Identifier: MIT
#
# compile.sh - what the compiler is to accept, silently, and what it is to
# reject; case 28 and the types of every other verb.
#
# Each bad line has a good twin in the same surroundings, so that none is
# rejected for another reason.  Where the message is weft's own, exactly one
# error says "weft:" and the text that is given here.  TAP; compilers that are
# not there are skipped.

cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
flags="-Iinclude -Wall -Wextra -Wpedantic -Werror -Wno-unused-parameter
    -Wno-unused-but-set-parameter"
tests=0
failed=0

# result STATUS NAME - one line of TAP; the compiler's output when it fails
result()
{
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $2"
		sed 's/^/# /' "$dir/out" | head -n 20
	fi
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# there COMPILER STD - does it exist, and know the standard?
there()
{
	command -v "$1" >"$dir/out" 2>&1 || return 1
	: >"$dir/empty.c"
	"$1" -x "$(language "$2")" -std="$2" -fsyntax-only "$dir/empty.c" \
	    >"$dir/out" 2>&1
}

language()
{
	case $1 in
	*++*) echo c++ ;;
	*) echo c ;;
	esac
}

# compile COMPILER STD FILE [FLAG...]
compile()
{
	compiler=$1 std=$2 file=$3
	shift 3
	# shellcheck disable=SC2086
	"$compiler" -x "$(language "$std")" -std="$std" $flags "$@" \
	    -fsyntax-only "$file" >"$dir/out" 2>&1
}

# silent COMPILER STD FILE NAME - compiles without a word
silent()
{
	compile "$1" "$2" "$3" && ! [ -s "$dir/out" ]
	result $? "$4: $1 $2"
}

c_compilers="gcc:gnu11 clang:gnu11"
cxx_compilers="g++:c++17 clang++:c++17"
every_standard="gcc:gnu11 gcc:gnu17 gcc:c11 gcc:c17 clang:gnu11 clang:gnu17
    clang:c11 clang:c17 g++:c++17 g++:gnu++17 g++:c++20 clang++:c++17
    clang++:gnu++17 clang++:c++20"

# What every line below stands in.
surround()
{
	cat <<'END'
#include <weft.h>

struct pair { int a, b; };

void nothing(void);
void one_int(int);
void one_size(size_t);
void one_double(double);
void one_float(float);
void one_text(const char *);
void one_void(const void *);
void one_pair(struct pair *);
void one_chan(wf_chan(int));
void one_in(wf_chan_in(int));
void two(size_t, const char *);
void eight(int, int, int, int, int, int, int, int);
int returns(int);
int app(void);
int app_two(int, char **);
int int_size(size_t);
extern wf_ctx_key(struct pair) pair_key;
extern wf_ctx_key(struct pair) pair_key;
void no_app(void);

void line(wf_chan(int), wf_chan(double), wf_chan(struct pair),
    wf_chan_in(int), wf_chan_out(int), wf_ctx *, wf_waitgroup *, wf_group *);
void
line(wf_chan(int) c, wf_chan(double) d, wf_chan(struct pair) p,
    wf_chan_in(int) in, wf_chan_out(int) out, wf_ctx *ctx, wf_waitgroup *wg,
    wf_group *group)
{
	int i = 0;
	double x = 0;
	struct pair pair = { 1, 2 };
	bool ok = false;
	size_t size = 1;
	char text[] = "text";

	(void)i, (void)x, (void)pair, (void)ok, (void)size, (void)text;
#ifdef BAD
END
	printf '\t%s;\n#else\n\t%s;\n#endif\n}\n' "$2" "$1"
}

# twins COMPILERS NAME GOOD BAD [TEXT]
twins()
{
	surround "$3" "$4" >"$dir/line.c"
	for how in $1; do
		compiler=${how%%:*} std=${how#*:}
		if ! there "$compiler" "$std"; then
			skip "$2: $how" "no $compiler with $std"
			continue
		fi
		silent "$compiler" "$std" "$dir/line.c" "$2, the good one"
		rejected "$compiler" "$std" "$2" "${5-}"
	done
}

# rejected COMPILER STD NAME TEXT - line.c, in its bad form
rejected()
{
	if compile "$1" "$2" "$dir/line.c" -DBAD; then
		status=1
	elif ! grep -q 'error:' "$dir/out"; then
		status=1
	elif [ -n "$4" ]; then
		[ "$(grep -c 'error:.*weft: ' "$dir/out")" = 1 ] &&
		    grep -q "error:.*weft: .*$4" "$dir/out"
		status=$?
	else
		status=0
	fi
	result $status "$3 is rejected: $1 $2"
}

c_twins()
{
	twins "$c_compilers" "$@"
}

all_twins()
{
	twins "$c_compilers $cxx_compilers" "$@"
}

# Whole programs that compile silently everywhere.
good_program()
{
	for how in $every_standard; do
		if there "${how%%:*}" "${how#*:}"; then
			silent "${how%%:*}" "${how#*:}" "$1" "$2"
		else
			skip "$2: $how" "no such compiler or standard"
		fi
	done
}

cat >"$dir/good.c" <<'END'
#include <weft.h>

struct result { int worker, task; };
#ifdef __cplusplus
#define RESULT(a, b) (result{ a, b })
#else
#define RESULT(a, b) ((struct result){ a, b })
#endif

static void
work(int id, wf_chan(int) tasks, wf_chan(struct result) results)
{
	int task;

	while (wf_recv(tasks, &task)) {
		wf_sleep(WF_MS);
		wf_send(results, RESULT(id, task));
	}
}

static void
of_all_kinds(float f, double d, const char *s, wf_chan_out(int) out, size_t n,
    struct result *r, bool b, char c)
{
	(void)f, (void)d, (void)s, (void)n, (void)r, (void)b, (void)c;
	wf_close(out);
}

static void
nothing(void)
{
	wf_yield();
}

static int
sets(wf_chan(int) c, wf_chan(struct result) results, wf_ctx *ctx)
{
	struct result r;
	int id = 1;
	bool ok;
	struct wf_case set[] = {
		wf_case_recv(c, &id), wf_case_recv_ok(c, &id, &ok),
		wf_case_send(c, &id), wf_case_send_ok(c, &id, &ok),
		wf_case_done(ctx), wf_case_timeout(WF_SEC),
		wf_case_default(), wf_case_recv(wf_in(c), NULL),
		wf_case_send(wf_out(c), &id),
	};

	switch (wf_select(wf_on_recv(c, &id), wf_on_recv(c, NULL),
	    wf_on_send_ok(results, RESULT(1, 2), &ok),
	    wf_on_send(wf_out(c), 2), wf_on_recv(wf_in(c), &id),
	    wf_on_recv_ok(results, &r, &ok), wf_on_done(ctx),
	    wf_on_timeout(5), wf_on_default())) {
	case 0:
		return wf_selectv(set, sizeof set / sizeof *set);
	default:
		return wf_select_ordered(wf_on_recv(c, NULL));
	}
}

static int
app(int argc, char **argv)
{
	wf_chan(int) tasks = wf_chan_make(int, 100);
	wf_chan(struct result) results = wf_chan_make(struct result, 100);
	wf_chan_in(int) in = wf_in(tasks);
	wf_chan_out(int) out = wf_out(tasks);
	wf_ctx *ctx = wf_ctx_with_timeout(wf_ctx_background(), WF_SEC);
	static wf_waitgroup wg;
	static struct wf_attr attr;
	struct result r;
	int id = 1;

	(void)argc, (void)argv;
	attr.name = "worker";
	wf_spawn(nothing);
	wf_spawn(work, 1, tasks, results);
	wf_spawn_with(&attr, work, id, tasks, results);
	wf_waitgroup_spawn(&wg, work, id, tasks, results);
	wf_waitgroup_spawn(&wg, nothing);
	wf_spawn(of_all_kinds, 1.0f, 2.0, "text", out, (size_t)1, &r,
	    (bool)true, (char)'c');
	wf_try_send(tasks, 1);
	wf_send_ctx(ctx, out, 2);
	wf_try_recv(in, &id);
	wf_recv_ctx(ctx, in, NULL);
	id = wf_close(tasks) + (int)wf_len(in) + (int)wf_cap(out) +
	    sets(tasks, results, ctx);
	wf_ctx_free(ctx);
	wf_chan_free(tasks);
	wf_chan_free(results);
	return id;
}

int
main(int argc, char **argv)
{
	return wf_run(app, argc, argv);
}
END
good_program "$dir/good.c" "a whole program"

# The same type, written in two files.
cat >"$dir/two.c" <<'END'
#include <weft.h>

typedef wf_chan(int) ints;
ints make(void);
void use(wf_chan(int) c);

ints
make(void)
{
	return wf_chan_make(int, 1);
}

void
use(ints c)
{
	wf_chan(int) same = make();
	ints *p = &same;

	(void)p;
	wf_send(same, 1);
	same = c;
	wf_recv(same, NULL);
}
END
good_program "$dir/two.c" "two of the same type are one type"

for header in include/weft/*.h include/weft.h; do
	printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' \
	    "$PWD/$header" "$PWD/$header" >"$dir/alone.c"
	good_program "$dir/alone.c" "${header#include/} alone, twice"
done

# Spawning: number and types of the arguments, and the result.
cast="cast each argument"
c_twins "too few arguments" 'wf_spawn(two, size, "x")' \
    'wf_spawn(two, size)' "$cast"
c_twins "too many arguments" 'wf_spawn(one_int, 1)' \
    'wf_spawn(one_int, 1, 2)' "$cast"
c_twins "an argument for none" 'wf_spawn(nothing)' 'wf_spawn(nothing, 1)' \
    "$cast"
c_twins "none for an argument" 'wf_spawn(one_int, 1)' 'wf_spawn(one_int)' \
    "no arguments"
c_twins "an int for a size_t" 'wf_spawn(one_size, (size_t)1)' \
    'wf_spawn(one_size, 1)' "$cast"
c_twins "an int for a double" 'wf_spawn(one_double, 1.0)' \
    'wf_spawn(one_double, 1)' "$cast"
c_twins "a double for an int" 'wf_spawn(one_int, 1)' \
    'wf_spawn(one_int, 1.0)' "$cast"
c_twins "a double for a float" 'wf_spawn(one_float, 1.0f)' \
    'wf_spawn(one_float, 1.0)' "$cast"
all_twins "an int for a text" 'wf_spawn(one_text, text)' \
    'wf_spawn(one_text, i)'
all_twins "a pointer to another type" 'wf_spawn(one_pair, &pair)' \
    'wf_spawn(one_pair, &i)'
all_twins "a pointer that loses const" 'wf_spawn(one_pair, &pair)' \
    'wf_spawn(one_pair, (const struct pair *)&pair)'
all_twins "a channel of another type" 'wf_spawn(one_chan, c)' \
    'wf_spawn(one_chan, d)'
all_twins "a view for a channel" 'wf_spawn(one_in, in)' \
    'wf_spawn(one_chan, in)'
all_twins "a channel for a view" 'wf_spawn(one_in, wf_in(c))' \
    'wf_spawn(one_in, c)'
all_twins "a struct by value" 'wf_spawn(one_pair, &pair)' \
    'wf_spawn(one_pair, pair)'
all_twins "nine arguments" 'wf_spawn(eight, 1, 2, 3, 4, 5, 6, 7, 8)' \
    'wf_spawn(eight, 1, 2, 3, 4, 5, 6, 7, 8, 9)'
c_twins "a call made later" 'wf_after_func(1, two, size, "x")' \
    'wf_after_func(1, two, size)' "$cast"
all_twins "a send to a timer" 'wf_recv(wf_timer_chan(0), NULL)' \
    'wf_send(wf_timer_chan(0), 1)'
all_twins "a timer's value" '{ int64_t v; wf_recv(wf_after(1), &v); }' \
    '{ int v; wf_recv(wf_after(1), &v); }'
all_twins "a ticker for a timer" 'wf_timer_stop((wf_timer *)0)' \
    'wf_timer_stop((wf_ticker *)0)'
all_twins "a function that returns something" 'wf_spawn(one_int, 1)' \
    'wf_spawn(returns, 1)'
c_twins "the same, said readably" 'wf_spawn(one_int, 1)' \
    'wf_spawn(returns, 1)' "returns void"
c_twins "in a waitgroup" 'wf_waitgroup_spawn(wg, one_size, (size_t)1)' \
    'wf_waitgroup_spawn(wg, one_size, 1)' "$cast"
twins "$cxx_compilers" "too few arguments" 'wf_spawn(two, 1, "x")' \
    'wf_spawn(two, 1)' "wrong number of arguments"
twins "$cxx_compilers" "too many arguments" 'wf_spawn(one_int, 1)' \
    'wf_spawn(one_int, 1, 2)' "wrong number of arguments"
all_twins "what is no waitgroup" 'wf_waitgroup_spawn(wg, nothing)' \
    'wf_waitgroup_spawn(&i, nothing)'

# Groups, calls after a context, values.
c_twins "a child that returns nothing" 'wf_group_spawn(group, app)' \
    'wf_group_spawn(group, nothing)' "returns int"
c_twins "an int for a child's size_t" \
    'wf_group_try_spawn(group, int_size, (size_t)1)' \
    'wf_group_try_spawn(group, int_size, 1)' "$cast"
all_twins "what is no group" 'wf_group_spawn(group, app)' \
    'wf_group_spawn(ctx, app)'
all_twins "a child with an argument too many" \
    'wf_group_spawn(group, returns, 1)' 'wf_group_spawn(group, returns, 1, 2)'
all_twins "a call that returns something" \
    '(void)wf_ctx_after(ctx, one_int, 1)' '(void)wf_ctx_after(ctx, returns, 1)'
c_twins "an argument of a call" '(void)wf_ctx_after(ctx, one_size, size)' \
    '(void)wf_ctx_after(ctx, one_size, 1)' "$cast"
all_twins "a value of another type" \
    '(void)wf_ctx_with_value(ctx, pair_key, &pair)' \
    '(void)wf_ctx_with_value(ctx, pair_key, &i)'
all_twins "a value that loses const" \
    '(void)wf_ctx_with_value(ctx, pair_key, &pair)' \
    '(void)wf_ctx_with_value(ctx, pair_key, (const struct pair *)&pair)'
all_twins "a value read as another type" \
    'struct pair *q = wf_ctx_value(ctx, pair_key); (void)q' \
    'int *q = wf_ctx_value(ctx, pair_key); (void)q'
all_twins "a key that is none" '(void)wf_ctx_value(ctx, pair_key)' \
    '(void)wf_ctx_value(ctx, i)'
all_twins "a cause that is too long" \
    'struct wf_cause k = { 1, "short" }; (void)k' \
    'struct wf_cause k = { 1, "far too many words for them to stand in it" \
	"s text" }; (void)k'

# Running.
c_twins "an app that returns nothing" 'wf_run(app)' 'wf_run(no_app)' \
    "returns int"
c_twins "an app with arguments it does not get" \
    'wf_run(app_two, 1, (char **)NULL)' 'wf_run(app_two, 1)' "$cast"
all_twins "an app that is no function" 'wf_run(app)' 'wf_run(i)'

c_twins "a simulation that returns nothing" 'wf_sim(NULL, app)' \
    'wf_sim(NULL, no_app)' "returns int"
c_twins "a simulation with arguments it does not get" \
    'wf_sim(NULL, app_two, 1, (char **)NULL)' 'wf_sim(NULL, app_two, 1)' \
    "$cast"
all_twins "options that are none" 'wf_sim(NULL, app)' 'wf_sim(i, app)'

# Sending and receiving: the element's type.
all_twins "a text sent as an int" 'wf_send(c, 1)' 'wf_send(c, "text")'
all_twins "a struct sent as an int" 'wf_send(c, pair.a)' 'wf_send(c, pair)'
all_twins "an int sent as a struct" 'wf_send(p, pair)' 'wf_send(p, 5)'
all_twins "a pointer sent as a struct" 'wf_send(p, pair)' 'wf_send(p, &pair)'
all_twins "the same by try" 'wf_try_send(p, pair)' 'wf_try_send(p, 5)'
all_twins "the same with a context" 'wf_send_ctx(ctx, p, pair)' \
    'wf_send_ctx(ctx, p, 5)'
all_twins "the same in a select" 'wf_select(wf_on_send(p, pair))' \
    'wf_select(wf_on_send(p, 5))'
all_twins "another destination" 'wf_recv(c, &i)' 'wf_recv(c, &x)'
all_twins "no address as destination" 'wf_recv(c, &i)' 'wf_recv(c, i)'
all_twins "another destination by try" 'wf_try_recv(d, &x)' \
    'wf_try_recv(d, &i)'
all_twins "another destination with a context" 'wf_recv_ctx(ctx, d, &x)' \
    'wf_recv_ctx(ctx, d, &i)'
all_twins "another destination in a select" \
    'wf_select(wf_on_recv(p, &pair))' 'wf_select(wf_on_recv(p, &i))'
all_twins "ok that is no bool" 'wf_select(wf_on_recv_ok(c, &i, &ok))' \
    'wf_select(wf_on_recv_ok(c, &i, &i))'
all_twins "another source in a set" \
    'struct wf_case a = wf_case_send(d, &x); (void)a' \
    'struct wf_case a = wf_case_send(d, &i); (void)a'
all_twins "what is no context" 'wf_recv_ctx(ctx, c, &i)' \
    'wf_recv_ctx(&i, c, &i)'
all_twins "a context that is none, in a select" \
    'wf_select(wf_on_done(ctx))' 'wf_select(wf_on_done(&i))'
all_twins "a channel that is none" 'wf_len(c)' 'wf_send(i, 1)'

# Channels: their own type.
all_twins "a channel of int from one of double" \
    'wf_chan(int) n = wf_chan_make(int, 1); (void)n' \
    'wf_chan(int) n = wf_chan_make(double, 1); (void)n'
all_twins "an assignment of another type" 'c = wf_chan_make(int, 0)' 'c = d'
all_twins "a channel used as a pointer" 'wf_recv(c, &i)' 'i = *c'
all_twins "elements over 64 KiB" \
    'struct b { char a[65536]; }; (void)wf_chan_make(struct b, 1)' \
    'struct b { char a[65537]; }; (void)wf_chan_make(struct b, 1)' \
    "at most 64 KiB"

# Case 28: directions.
all_twins "receive from a view for sending" 'wf_recv(in, &i)' \
    'wf_recv(out, &i)' "is a view for sending only"
all_twins "try to receive from it" 'wf_try_recv(in, &i)' \
    'wf_try_recv(out, &i)' "is a view for sending only"
all_twins "receive from it with a context" 'wf_recv_ctx(ctx, in, &i)' \
    'wf_recv_ctx(ctx, out, &i)' "is a view for sending only"
all_twins "select to receive from it" 'wf_select(wf_on_recv(in, &i))' \
    'wf_select(wf_on_recv(out, &i))' "is a view for sending only"
all_twins "loop over it" 'while (wf_recv(in, &i)) i++' \
    'while (wf_recv(out, &i)) i++' "is a view for sending only"
all_twins "send to a view for receiving" 'wf_send(out, 1)' 'wf_send(in, 1)' \
    "is a view for receiving only"
all_twins "try to send to it" 'wf_try_send(out, 1)' 'wf_try_send(in, 1)' \
    "is a view for receiving only"
all_twins "send to it with a context" 'wf_send_ctx(ctx, out, 1)' \
    'wf_send_ctx(ctx, in, 1)' "is a view for receiving only"
all_twins "select to send to it" 'wf_select(wf_on_send(out, 1))' \
    'wf_select(wf_on_send(in, 1))' "is a view for receiving only"
all_twins "close it" 'wf_close(out)' 'wf_close(in)' \
    "is a view for receiving only"
all_twins "a view of a view, across" 'wf_chan_in(int) v = wf_in(c); (void)v' \
    'wf_chan_in(int) v = wf_in(out); (void)v' "is a one-way view already"
all_twins "a view of a view, back" 'wf_chan_out(int) v = wf_out(c); (void)v' \
    'wf_chan_out(int) v = wf_out(in); (void)v' "is a one-way view already"
all_twins "a view assigned to the other" 'out = wf_out(c)' 'out = in'
all_twins "a view assigned to a channel" 'c = wf_chan_make(int, 1)' 'c = in'
all_twins "the other view assigned to a channel" \
    'c = wf_chan_make(int, 1)' 'c = out'
all_twins "a channel assigned to a view without asking" 'in = wf_in(c)' \
    'in = c'
all_twins "a view of another type" 'in = wf_in(c)' 'in = wf_in(d)'

echo "1..$tests"
[ "$failed" = 0 ] && [ "$tests" != 0 ]
