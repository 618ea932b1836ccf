/* SPDX-License-Identifier: MIT */
/*
 * pool.h - a few threads for calls that block.
 * Layer 6.  Uses: await.
 */
#ifndef WF__POOL_H
#define WF__POOL_H

/* The workers have ended: end the threads.  One whose call was abandoned and
 * goes on is left to end by itself. */
void wf__pool_stop(void);

#endif
