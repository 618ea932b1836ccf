/* SPDX-License-Identifier: MIT */
/*
 * signals.h - what the runtime's stop has to tell.
 * Layer 6.  Uses: nothing of weft's.
 */
#ifndef WF__SIGNALS_H
#define WF__SIGNALS_H

/* The workers have ended: put everything back. */
void wf__signals_stop(void);

#endif
