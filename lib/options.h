/* SPDX-License-Identifier: MIT */
/*
 * options.h - options from the program and from the environment.
 * Layer 8.  Uses: nothing.
 */
#ifndef WF__OPTIONS_H
#define WF__OPTIONS_H

#include <weft/runtime.h>

/* 0, or -EINVAL for what is out of range. */
int wf__options_check(const struct wf_options *o);

/* Replace each zero: the number of workers by workers, if that is not zero,
 * the environment, the machine's (then true); the rest by the environment. */
bool wf__options_fill_in(struct wf_options *o, int workers);

#endif
