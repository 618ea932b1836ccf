/* SPDX-License-Identifier: MIT */
/*
 * directory.h - another service that this one asks: who is user number n?
 */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "client.h"

/* Ask the directory at an address: 0 and the name; -ENOENT if there is nobody
 * of that number; -EPROTO if the answer makes no sense; or what went wrong
 * on the way, such as -ETIMEDOUT. */
int directory_find(wf_ctx *ctx, const char *address, int id, char *name,
    size_t size);

/* The service itself, as a handler, so that there is one to try.  It knows
 * users 1 to 5, is slow to answer about user 8, and garbles user 9. */
void directory_serve(struct client *c);

#endif
