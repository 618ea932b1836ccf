/* SPDX-License-Identifier: MIT */
/*
 * sim.h - the simulated world, in which one schedule is played.
 * Layer 7.  Uses: choice, order, story, sched.
 */
#ifndef WF__SIM_H
#define WF__SIM_H

#include <weft/sim.h>
#include "choice.h"
#include "order.h"
#include "sched.h"
#include "story.h"

/* What is played. */
struct wf__play {
	struct wf__entry entry;
	unsigned shape;
	uint64_t words[8];
};

struct wf__sim {
	const struct wf_sim_options *options;
	struct wf__worker *worker;
	struct wf__os_altstack altstack;
	struct wf__choice choice;
	struct wf__order order;
	struct wf__story story;
	uint64_t numbers;	/* of objects: the last from before */
	void (*ended)(struct wf__coro *c, int result);	/* the runtime's */

	/* Of the schedule that is played: */
	int64_t now;
	uint32_t steps;
	struct wf__vec ready;	/* struct wf__ready: who can go on, in order */
	struct wf__vec ids;	/* the same as a question asks it: uint32_t */
	struct wf__vec settlers;/* struct wf__task *: in wf_sim_settle() */
	struct wf__vec objects;	/* struct wf__sim_object: those alive */
	uint32_t running;	/* who runs, or has run last; 0: the clock */
	uint32_t next;		/* whom the last point has chosen, or 0 */
	bool preempted;		/* there was one */
	bool has_ended;		/* the one that ran has */
	bool main_ended, main_exited;
	enum wf_sim_outcome outcome;
	bool no_memory;
	char what[160];
};
extern struct wf__sim wf__sim;

struct wf__sim_object {
	void *p;
	size_t size;
};

/* The schedule ends with this outcome, unless it has one; and the running
 * coroutine never goes on. */
void wf__sim_end(enum wf_sim_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
WF__NORETURN void wf__sim_stop_here(void);
/* A line of the story: before, what, and the object's number unless it is 0. */
void wf__sim_tell(uint32_t who, const char *before, const char *what,
    uint64_t object);
bool wf__sim_in_coroutine(void);
/* One more step: false if that is too many, or all is over, or known. */
bool wf__sim_has_steps(void);

/* The worker is set up.  Afterwards the seam is the simulation's. */
void wf__sim_open(const struct wf_sim_options *options);
void wf__sim_close(void);

/* Play one schedule; with story, tell it.  The outcome, or -ENOMEM. */
int wf__sim_play(const struct wf__play *play, const struct wf__recipe *recipe,
    bool story);

#endif
