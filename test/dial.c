/* SPDX-License-Identifier: MIT */
/*
 * dial.c - names with several addresses: the race to connect (RFC 8305).
 *
 * The names are those of a getaddrinfo() of our own, so that each address can
 * be made to answer, to refuse, or to say nothing at all.
 */
#include "tap.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

static wf_ctx *
bg(void)
{
	return wf_ctx_background();
}

/* ---- places ---- */

enum { MOST = 20 };

struct place {
	int fd, queued;			/* -1: nobody waits to be accepted */
	struct sockaddr_in address;
};

/* A port of ours, where nobody listens yet. */
static void
open_refusing(struct place *p)
{
	socklen_t size = sizeof p->address;

	*p = (struct place){ .fd = socket(AF_INET, SOCK_STREAM, 0),
	    .queued = -1,
	    .address = { .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } } };
	check_eq(bind(p->fd, (struct sockaddr *)&p->address, size), 0);
	check_eq(getsockname(p->fd, (struct sockaddr *)&p->address, &size), 0);
}

static void
open_good(struct place *p)
{
	open_refusing(p);
	check_eq(listen(p->fd, 100), 0);
	check_eq(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
}

/* Its queue, of one, is full: who comes hears nothing. */
static void
open_silent(struct place *p)
{
	open_refusing(p);
	check_eq(listen(p->fd, 0), 0);
	p->queued = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check_eq(wf_connect(bg(), p->queued, (struct sockaddr *)&p->address,
	    sizeof p->address), 0);
	check_eq(wf_wait_fd(bg(), p->fd, WF_IN), WF_IN);
}

static void
close_place(struct place *p)
{
	if (p->queued >= 0)
		close(p->queued);
	close(p->fd);
}

/* How many have come. */
static int
count_visitors(struct place *p)
{
	int n = 0, fd;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		close(fd);
		n++;
	}
	return n;
}

/* ---- names ---- */

static struct {
	struct sockaddr_storage list[MOST];
	int n;
	int slow;		/* the answer waits until this is over */
	int asked, answered;
} name;

static void
add_place(const struct place *p)
{
	memcpy(&name.list[name.n++], &p->address, sizeof p->address);
}

/* In place of the C library's: it knows one name, of all that is asked for. */
int
getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **result)
{
	struct addrinfo *all;

	(void)host, (void)service;
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	__atomic_add_fetch(&name.asked, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&name.slow, __ATOMIC_ACQUIRE))
		usleep(100);
	all = calloc(MOST, sizeof *all);
	for (int i = 0; i < name.n; i++) {
		all[i].ai_family = name.list[i].ss_family;
		all[i].ai_addr = (struct sockaddr *)&name.list[i];
		all[i].ai_addrlen = all[i].ai_family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
		all[i].ai_next = i + 1 < name.n ? &all[i + 1] : NULL;
	}
	*result = all;
	__atomic_add_fetch(&name.answered, 1, __ATOMIC_ACQ_REL);
	return 0;
}

void
freeaddrinfo(struct addrinfo *all)
{
	free(all);
}

/* Of sockets: weft looks into a file of the system now and then. */
static int
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[64];
	int n = 0;

	while (d && (entry = readdir(d))) {
		ssize_t size = readlinkat(dirfd(d), entry->d_name, target,
		    sizeof target);

		n += size > 7 && !memcmp(target, "socket:", 7);
	}
	if (d)
		closedir(d);
	return n;
}

/* ---- tests ---- */

static void
open_place(struct place *p, char kind)
{
	if (kind == 'g')
		open_good(p);
	else if (kind == 'r')
		open_refusing(p);
	else
		open_silent(p);
}

/* Which one the connection goes to, or -1. */
static int
winner_of(wf_conn *c, const struct place *places, int n)
{
	struct sockaddr_in a;
	socklen_t size = sizeof a;

	if (getpeername(wf_conn_fd(c), (struct sockaddr *)&a, &size) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (places[i].address.sin_port == a.sin_port)
			return i;
	return -1;
}

/* Dial a name with a place for each letter: good, refuses, silent.  *winner is
 * the place that has answered, or -1. */
static int
dial_kinds(wf_ctx *ctx, const char *kinds, int64_t timeout, int *winner)
{
	struct wf_dialer d = { .timeout = timeout };
	struct place places[MOST];
	int n = (int)strlen(kinds), err;
	wf_conn *c;

	name.n = 0;
	for (int i = 0; i < n; i++) {
		open_place(&places[i], kinds[i]);
		add_place(&places[i]);
	}
	err = wf_dial_with(ctx, &d, "tcp", "several:80", &c);
	check_eq(c != NULL, err == 0);
	*winner = c ? winner_of(c, places, n) : -1;
	wf_conn_free(c);
	for (int i = 0; i < n; i++)
		close_place(&places[i]);
	return err;
}

/* The descriptors that are open when nothing but the poller is. */
static int
descriptors_at_rest(void)
{
	struct place silent;

	open_silent(&silent);
	close_place(&silent);
	return count_descriptors();
}

static int
first_to_answer(void)
{
	static const struct {
		const char *kinds;
		int winner;
	} table[] = { { "g", 0 }, { "rg", 1 }, { "rrrg", 3 }, { "sg", 1 },
	    { "srg", 2 }, { "rsg", 2 } };
	int open = descriptors_at_rest(), winner;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		check_eq(dial_kinds(bg(), table[i].kinds, 0, &winner), 0);
		if (!check_eq(winner, table[i].winner))
			tap_note("of %s", table[i].kinds);
	}
	check_eq(count_descriptors(), open);
	return 0;
}

/* The first has a head start: nobody else is bothered if it answers.  On a busy
 * machine it may come too late now and then. */
static int
head_start(void)
{
	struct place places[2];
	int alone = 0, first = 0;
	wf_conn *c;

	name.n = 0;
	for (int i = 0; i < 2; i++) {
		open_good(&places[i]);
		add_place(&places[i]);
	}
	for (int i = 0; i < 20; i++) {
		check_eq(wf_dial(bg(), "tcp", "several:80", &c), 0);
		first += winner_of(c, places, 2) == 0;
		wf_conn_free(c);
		count_visitors(&places[0]);
		alone += count_visitors(&places[1]) == 0;
	}
	check(alone > 0 && first >= alone);
	close_place(&places[0]);
	close_place(&places[1]);
	return 0;
}

static int
nobody_answers(void)
{
	wf_ctx *ctx;
	int open = descriptors_at_rest(), winner;

	check_eq(dial_kinds(bg(), "rr", 0, &winner), -ECONNREFUSED);
	check_eq(dial_kinds(bg(), "rrrr", WF_FOREVER, &winner),
	    -ECONNREFUSED);
	/* Too late is what it is, whatever some of them have said before. */
	check_eq(dial_kinds(bg(), "ss", 20 * WF_MS, &winner), -ETIMEDOUT);
	check_eq(dial_kinds(bg(), "rs", 20 * WF_MS, &winner), -ETIMEDOUT);
	check_eq(dial_kinds(bg(), "rsrs", 20 * WF_MS, &winner), -ETIMEDOUT);
	check_eq(dial_kinds(bg(), "ss", -1, &winner), -ETIMEDOUT);
	ctx = wf_ctx_with_cancel(bg());
	wf_ctx_cancel(ctx);
	check_eq(dial_kinds(ctx, "gg", 0, &winner), -ECANCELED);
	wf_ctx_free(ctx);
	check_eq(count_descriptors(), open);
	return 0;
}

static void
cancel_soon(wf_ctx *ctx)
{
	tap_await_parked("to dial connection", 1);
	wf_ctx_cancel(ctx);
	wf_ctx_free(ctx);
}

static int
cancelled(void)
{
	int open = descriptors_at_rest(), winner;

	for (int i = 0; i < 5; i++) {
		wf_ctx *ctx = wf_ctx_with_cancel(bg());
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, cancel_soon, wf_ctx_ref(ctx));
		check_eq(dial_kinds(ctx, i % 2 ? "ss" : "rs", 0, &winner),
		    -ECANCELED);
		wf_waitgroup_wait(&wg);		/* not in the end of the run */
		wf_ctx_free(ctx);
	}
	check_eq(count_descriptors(), open);
	return 0;
}

/* Descriptors run out in the middle: the attempts that can be made are.  No
 * thread of weft's opens and closes a file meanwhile. */
static int
few_descriptors(void)
{
	struct place places[2];
	struct rlimit old, low;
	wf_conn *c;
	int top;

	name.n = 0;
	open_silent(&places[0]);
	open_good(&places[1]);
	for (int i = 0; i < 2; i++)
		add_place(&places[i]);
	top = dup(0);
	close(top);
	check_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)top;
	check_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	check_eq(wf_dial(bg(), "tcp", "several:80", &c), -EMFILE);
	check(!c);
	check_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	check_eq(wf_dial(bg(), "tcp", "several:80", &c), 0);
	wf_conn_free(c);
	close_place(&places[0]);
	close_place(&places[1]);
	return 0;
}

/* A server of names that takes its time: nobody else waits for it, and neither
 * does who has had enough. */

static int
load(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

static void
cancel_when_asked(wf_ctx *ctx, int before)
{
	while (load(&name.asked) == before)
		wf_yield();
	wf_ctx_cancel(ctx);
	wf_ctx_free(ctx);
}

static int
slow_names(void)
{
	struct sockaddr_storage list[1];
	wf_conn *c;

	name.n = 1;
	name.list[0].ss_family = AF_INET;
	__atomic_store_n(&name.slow, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < 4; i++) {
		wf_ctx *ctx = wf_ctx_with_cancel(bg());
		wf_waitgroup wg = {0};

		wf_waitgroup_spawn(&wg, cancel_when_asked, wf_ctx_ref(ctx),
		    load(&name.asked));
		if (i % 2)
			check_eq(wf_dial(ctx, "tcp", "several:80", &c),
			    -ECANCELED);
		else
			check_eq(wf_resolve(ctx, "tcp", "several:80", list,
			    1), -ECANCELED);
		wf_waitgroup_wait(&wg);
		wf_ctx_free(ctx);
	}
	check(load(&name.answered) < load(&name.asked));
	__atomic_store_n(&name.slow, 0, __ATOMIC_RELEASE);
	while (load(&name.answered) < load(&name.asked))
		wf_yield();
	return 0;
}

/* Families alternate, the first one first; of too many the rest is left. */
static int
alternating(void)
{
	struct sockaddr_storage list[MOST];
	static const int mixed[] = { 6, 6, 6, 4, 4 };
	static const int wanted[] = { 6, 4, 6, 4, 6 };

	name.n = 0;
	for (int i = 0; i < 5; i++)
		name.list[name.n++].ss_family = mixed[i] == 6 ? AF_INET6 :
		    AF_INET;
	check_eq(wf_resolve(bg(), "tcp", "several:80", list, MOST), 5);
	for (int i = 0; i < 5; i++)
		check_eq(list[i].ss_family, wanted[i] == 6 ? AF_INET6 :
		    AF_INET);
	for (name.n = 0; name.n < MOST; name.n++)
		name.list[name.n].ss_family = AF_INET;
	check_eq(wf_resolve(bg(), "tcp", "several:80", list, MOST), 16);
	check_eq(wf_resolve(bg(), "tcp", "several:80", list, 3), 3);
	return 0;
}

int
main(void)
{
	tap_count_memory();
	tap_test_workers("the first to answer wins", first_to_answer);
	tap_test_workers("with a head start", head_start);
	tap_test_workers("nobody answers", nobody_answers);
	tap_test_workers("a context ends the race", cancelled);
	tap_test_pumped("no descriptors left", few_descriptors);
	tap_test_workers("a name takes its time", slow_names);
	tap_test("families alternate", alternating);
	tap_plain("all memory is given back", tap_all_freed);
	return tap_end();
}
