/* SPDX-License-Identifier: MIT */
/*
 * weft/errno.h - an errno that is safe on both sides of a wait.
 *
 * The C library declares the address of errno constant within a function, so
 * a compiler may keep it across a call that moves the coroutine to another
 * thread.  A function that reads errno before and after such a call includes
 * this header (after errno.h), or calls wf_pin().
 */
#ifndef WEFT_ERRNO_H
#define WEFT_ERRNO_H

#include <errno.h>
#include <weft/base.h>

WF__BEGIN
WF_API int *wf__errno_address(void);
WF__END

#undef errno
#define errno (*wf__errno_address())

#endif
