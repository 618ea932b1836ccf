/* SPDX-License-Identifier: MIT */
/*
 * upstream.c - the servers behind the gateway, and the connections to them.
 *
 * Connections in use are counted by a semaphore.  A new one is made only when
 * none is idle, so that those in use and idle together are no more than that.
 * The one that was used last is taken first: in quiet times the others grow
 * old, and are closed.
 */
#include "upstream.h"

#include <errno.h>
#include <string.h>

void
upstreams_open(struct upstreams *all)
{
	for (int i = 0; i < all->n; i++)
		wf_sem_init(&all->all[i].room, all->connections);
}

/* Take out those that are idle since then, or longer. */
static void
close_old(struct upstream *u, int64_t then)
{
	wf_conn *old[IDLE_MAX];
	int n = 0;

	wf_mutex_lock(&u->lock);
	while (n < u->n_idle && u->idle[n].since <= then) {
		old[n] = u->idle[n].conn;
		n++;
	}
	u->n_idle -= n;
	memmove(u->idle, u->idle + n, (size_t)u->n_idle * sizeof *u->idle);
	wf_mutex_unlock(&u->lock);
	while (n > 0)
		wf_conn_free(old[--n]);
}

void
upstreams_tend(struct upstreams *all, wf_ctx *ctx)
{
	while (wf_sleep_ctx(ctx, all->idle_time / 2) == 0)
		for (int i = 0; i < all->n; i++)
			close_old(&all->all[i], wf_now() - all->idle_time);
	for (int i = 0; i < all->n; i++)
		close_old(&all->all[i], WF_FOREVER);
}

struct upstream *
upstreams_next(struct upstreams *all)
{
	unsigned n = (unsigned)all->n, turn = atomic_fetch_add(&all->turn, 1);
	int64_t now = wf_now();

	for (unsigned i = 0; i < n; i++) {
		struct upstream *u = &all->all[(turn + i) % n];

		if (atomic_load(&u->down_until) <= now)
			return u;
	}
	return &all->all[turn % n];
}

static int
connect_to(wf_ctx *ctx, struct upstream *u, wf_conn **conn)
{
	const struct wf_dialer dialer = { .timeout = CONNECT_TIME };
	int err = wf_dial_with(ctx, &dialer, "tcp", u->address, conn);

	if (err && !wf_ctx_err(ctx))
		atomic_store(&u->down_until, wf_now() + DOWN_TIME);
	return err;
}

/* Nothing has come since the last answer, and the end has not either. */
static bool
is_quiet(wf_conn *conn)
{
	char c;

	return recv(wf_conn_fd(conn), &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    errno == EAGAIN;
}

/* The youngest idle one that is quiet, or NULL. */
static wf_conn *
take_idle(struct upstream *u)
{
	wf_conn *conn;

	do {
		wf_mutex_lock(&u->lock);
		conn = u->n_idle ? u->idle[--u->n_idle].conn : NULL;
		wf_mutex_unlock(&u->lock);
		if (!conn || is_quiet(conn))
			return conn;
		wf_conn_free(conn);
	} while (true);
}

int
upstream_take(wf_ctx *ctx, struct upstream *u, bool fresh, wf_conn **conn,
    bool *used)
{
	int err = wf_sem_acquire_ctx(ctx, &u->room, 1);

	if (err)
		return err;
	*conn = take_idle(u);
	/* One that is kept for nothing would be one too many. */
	if (*conn && fresh) {
		wf_conn_free(*conn);
		*conn = NULL;
	}
	*used = *conn != NULL;
	if (!*conn)
		err = connect_to(ctx, u, conn);
	if (err)
		wf_sem_release(&u->room, 1);
	return err;
}

void
upstream_give(struct upstream *u, wf_conn *conn, bool good)
{
	wf_mutex_lock(&u->lock);
	good = good && u->n_idle < IDLE_MAX;
	if (good) {
		u->idle[u->n_idle].conn = conn;
		u->idle[u->n_idle++].since = wf_now();
	}
	wf_mutex_unlock(&u->lock);
	if (!good)
		wf_conn_free(conn);
	wf_sem_release(&u->room, 1);
}
