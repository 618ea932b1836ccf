/* SPDX-License-Identifier: MIT */
/*
 * simhost.h - in a simulation: hosts, their addresses, and what is cut.
 * Layer 7.  Uses: resolve.
 *
 * Hosts go by numbers, 0 is localhost, in the order in which the program names
 * them.  Number n has the addresses 10.0.x.y and fd00::x.y with 256 x + y =
 * n + 1.
 */
#ifndef WF__SIMHOST_H
#define WF__SIMHOST_H

#include "resolve.h"

enum { WF__SIMHOST_NONE = -1 };

/* For each schedule anew; at the end of all. */
void wf__simhost_renew(void);
void wf__simhost_close(void);

/* Where the running coroutine is. */
int wf__simhost_here(void);
/* Whose address that is, seen from a host; or WF__SIMHOST_NONE. */
int wf__simhost_at(int here, const struct wf__address *a);
bool wf__simhost_are_cut(int a, int b);

bool wf__simhost_is_any(const struct wf__address *a);
bool wf__simhost_is_loopback(const struct wf__address *a);
/* A host's own address of this family. */
void wf__simhost_address(int host, int family, struct wf__address *a);

uint16_t wf__simhost_port(const struct wf__address *a);
void wf__simhost_set_port(struct wf__address *a, uint16_t port);
bool wf__simhost_same(const struct wf__address *a, const struct wf__address *b);
/* As text, by the host's name. */
void wf__simhost_text(const struct wf__address *a, char *text, size_t size);

/* For the table of socket.h. */
int wf__simhost_resolve(const struct wf__network *network, const char *host,
    const char *port, bool passive, struct wf__address *list);

#endif
