/* SPDX-License-Identifier: MIT */
/*
 * still.h - two workers that do not run, and a timer that is seen to fire: for
 * tests that take the steps of a worker one by one.
 */
#ifndef WF__TEST_STILL_H
#define WF__TEST_STILL_H

#include "sched.h"

static struct wf__worker self, other;
static struct wf__timer timer;
static int fired;

static inline void
note_fired(struct wf__timer *t, bool expired)
{
	(void)t;
	(void)expired;
	fired++;
}

static inline void
still_set_up(void)
{
	memset(&wf__sched, 0, sizeof wf__sched);
	memset(&self, 0, sizeof self);
	memset(&other, 0, sizeof other);
	memset(&timer, 0, sizeof timer);
	wf__runq_init(&self.queue);
	wf__runq_init(&other.queue);
	wf__timerq_init(&self.timers);
	wf__timerq_init(&other.timers);
	wf__store_relaxed(&wf__sched.workers[0], (wf__word)&self);
	wf__store_relaxed(&wf__sched.workers[1], (wf__word)&other);
	wf__store_relaxed(&wf__sched.n_workers, 2);
	timer.fire = note_fired;
	fired = 0;
}

static inline void
still_take_down(void)
{
	wf__timerq_drop(&self.timers);
	wf__timerq_drop(&other.timers);
	memset(&wf__sched, 0, sizeof wf__sched);
}

#endif
