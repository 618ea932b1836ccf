/* SPDX-License-Identifier: MIT */
/*
 * routes.h - what the server has to offer.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "client.h"

/* Up to one without a path. */
extern const struct route routes[];

#endif
