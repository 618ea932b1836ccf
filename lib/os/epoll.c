/* SPDX-License-Identifier: MIT */
/*
 * os/epoll.c - readiness of descriptors, by epoll.
 * Layer 1.  Uses: os.
 *
 * Wake is an eventfd, watched for edges: it is written to and never read.  The
 * alarm is a timerfd, made when first set, and likewise.  In the child of
 * a fork the instance is the parent's as well: the child closes its copies and
 * changes nothing in it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "../os.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <weft/time.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

enum { EVENTS = 128 };
#define WAKE UINT64_MAX			/* the key of what only wakes */

static int epoll = -1, alarm_bell = -1, alarm_clock = -1;

static void
close_all(void)
{
	int saved = errno;

	if (epoll >= 0)
		close(epoll);
	if (alarm_bell >= 0)
		close(alarm_bell);
	if (alarm_clock >= 0)
		close(alarm_clock);
	epoll = alarm_bell = alarm_clock = -1;
	errno = saved;
}

static int
control(int op, int fd, uint32_t events, uint64_t key)
{
	struct epoll_event e = { .events = events, .data = { .u64 = key } };

	if (wf__os_fault())
		return -ENOMEM;
	return epoll_ctl(epoll, op, fd, &e) < 0 ? -errno : 0;
}

int
wf__os_poll_open(void)
{
	static bool forks;
	int saved = errno, err = 0;

	if (wf__os_fault())
		return -EMFILE;
	if (!forks)
		forks = pthread_atfork(NULL, NULL, close_all) == 0;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	alarm_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (epoll < 0 || alarm_bell < 0)
		err = -errno;
	else
		err = control(EPOLL_CTL_ADD, alarm_bell, EPOLLIN | EPOLLET,
		    WAKE);
	if (err)
		close_all();
	errno = saved;
	return err;
}

void
wf__os_poll_close(void)
{
	close_all();
}

int
wf__os_poll_watch(int fd, uint64_t key)
{
	int saved = errno;
	int err = control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP |
	    EPOLLPRI | EPOLLET, key);

	errno = saved;
	return err;
}

int
wf__os_poll_arm(int fd, unsigned what, uint64_t key)
{
	uint32_t events = EPOLLONESHOT;
	int saved = errno, err;

	if (what & WF__OS_IN)
		events |= EPOLLIN | EPOLLRDHUP | EPOLLPRI;
	if (what & WF__OS_OUT)
		events |= EPOLLOUT;
	err = control(EPOLL_CTL_MOD, fd, events, key);
	if (err == -ENOENT)
		err = control(EPOLL_CTL_ADD, fd, events, key);
	errno = saved;
	return err;
}

void
wf__os_poll_forget(int fd)
{
	struct epoll_event unused = { 0 };
	int saved = errno;

	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused);
	errno = saved;
}

/* In nanoseconds where the kernel can (5.11). */
static int
wait_until(struct epoll_event *events, int n, int64_t deadline)
{
	static wf__word no_pwait2;
	int64_t left = deadline, ms;
	struct timespec t;
	int got;

	if (deadline == 0)
		return epoll_wait(epoll, events, n, 0);
	if (deadline == WF_FOREVER)
		return epoll_wait(epoll, events, n, -1);
	left = deadline - wf__os_now();
	left = left > 0 ? left : 0;
	/* Relaxed: only a hint that the kernel does not know the call. */
	if (!wf__load_relaxed(&no_pwait2)) {
		t.tv_sec = left / WF_SEC;
		t.tv_nsec = left % WF_SEC;
		got = (int)syscall(SYS_epoll_pwait2, epoll, events, n, &t,
		    NULL, 0);
		if (got >= 0 || (errno != ENOSYS && errno != EPERM))
			return got;
		wf__store_relaxed(&no_pwait2, 1);
	}
	ms = (left + WF_MS - 1) / WF_MS;
	return epoll_wait(epoll, events, n, ms < 1000000 ? (int)ms : 1000000);
}

static unsigned
what_of(uint32_t events)
{
	unsigned what = 0;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
		what |= WF__OS_IN;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		what |= WF__OS_OUT;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
		what |= WF__OS_END;
	return what;
}

int
wf__os_poll_wait(struct wf__os_event *events, int n, int64_t deadline,
    bool *woken)
{
	struct epoll_event got[EVENTS];
	int saved = errno, count = 0, all;

	all = wf__os_fault() ? 0 :
	    wait_until(got, n < EVENTS ? n : EVENTS, deadline);
	errno = saved;
	*woken = false;
	for (int i = 0; i < all; i++)
		if (got[i].data.u64 == WAKE)
			*woken = true;
		else
			events[count++] = (struct wf__os_event){
			    got[i].data.u64, what_of(got[i].events) };
	return count;
}

void
wf__os_poll_wake(void)
{
	uint64_t one = 1;
	int saved = errno;

	if (write(alarm_bell, &one, sizeof one) < 0)
		errno = saved;
	errno = saved;
}

int
wf__os_poll_fd(void)
{
	return epoll;
}

static int
make_alarm_clock(void)
{
	int err;

	if (wf__os_fault())
		return -EMFILE;
	alarm_clock = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	if (alarm_clock < 0)
		return -errno;
	err = control(EPOLL_CTL_ADD, alarm_clock, EPOLLIN | EPOLLET, WAKE);
	if (err) {
		close(alarm_clock);
		alarm_clock = -1;
	}
	return err;
}

int
wf__os_poll_alarm(int64_t when)
{
	struct itimerspec t = { 0 };
	int saved = errno, err = 0;

	if (alarm_clock < 0)
		err = make_alarm_clock();
	if (when != WF_FOREVER) {
		when = when > 0 ? when : 1;	/* zero would be never */
		t.it_value.tv_sec = when / WF_SEC;
		t.it_value.tv_nsec = when % WF_SEC;
	}
	if (!err && timerfd_settime(alarm_clock, TFD_TIMER_ABSTIME, &t,
	    NULL) < 0)
		err = -errno;
	errno = saved;
	return err;
}
