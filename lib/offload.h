/* SPDX-License-Identifier: MIT */
/*
 * offload.h - a few threads for calls that block.
 * Layer 6.  Uses: await.
 */
#ifndef WF__OFFLOAD_H
#define WF__OFFLOAD_H

/* The workers have ended: end the threads.  One whose call was abandoned and
 * goes on is left to end by itself. */
void wf__offload_stop(void);

#endif
