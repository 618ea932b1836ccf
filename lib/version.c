/* SPDX-License-Identifier: MIT */
/*
 * version.c - which weft this is.
 * Layer 8.  Uses: nothing.
 */
#include <weft/base.h>

WF_API const char *
wf_version(void)
{
	return WF_VERSION;
}
