/* SPDX-License-Identifier: MIT */
/*
 * simnet.h - the network of a simulation: its sockets.
 * Layer 7.  Uses: socket, poller, timerq, vec.
 */
#ifndef WF__SIMNET_H
#define WF__SIMNET_H

#include <weft/sim.h>
#include <weft/time.h>
#include "poller.h"
#include "socket.h"
#include "timerq.h"
#include "vec.h"

enum wf__simsock_state {
	WF__SIM_FRESH,
	WF__SIM_LISTENS,		/* or is bound, for datagrams */
	WF__SIM_CONNECTS,		/* tries, at try_at again */
	WF__SIM_CONNECTED,
	WF__SIM_CLOSED
};

/* What is on its way to a socket. */
enum wf__simpiece_kind { WF__SIM_BYTES, WF__SIM_END, WF__SIM_RESET };

struct wf__simpiece {
	int64_t at;			/* when it arrives */
	size_t size;
	enum wf__simpiece_kind kind;
};

struct wf__simsock {
	enum wf__simsock_state state;
	int fd;
	int type, host;
	bool inet;			/* not in memory: it has a way to go */
	bool tcp;			/* and is a stream */
	bool both;			/* a v6 address that takes v4 */
	struct wf__address local, remote;
	struct wf__simsock *peer;	/* as long as that is not closed */
	struct wf__pollee *pollee;	/* or NULL: not accepted yet, closed */
	struct wf__timer timer;		/* for the first of what is to come */

	/* What a listener has: struct wf__simsock *. */
	struct wf__vec clients;

	/* While it connects. */
	int64_t try_at;
	unsigned tries;

	/* What comes in: the first so many bytes have been read, then so many
	 * have arrived; the rest, and what follows it, is on its way. */
	struct wf__vec bytes, pieces;
	size_t taken, arrived;
	struct wf__vec packets;		/* instead, of a socket for datagrams;
					 * so many have arrived */
	bool ended;			/* no more will come */
	bool shut_read, shut_write, refused;
	bool dead;			/* was reset */
	bool unwanted;			/* nobody has accepted it */
	int err;			/* that a call has not given yet */
	int64_t write_at;		/* no room before; 0: not limited */
	int64_t dies_at;		/* by the cut, or WF_FOREVER */
};

/* ---- for the simulation ---- */

extern const struct wf__sockets wf__simnet_sockets;
void wf__simnet_open(const struct wf_sim_net *options);
void wf__simnet_renew(void);
void wf__simnet_close(void);
/* " (its addresses)" of who has this number in stories, or "". */
void wf__simnet_text(uint64_t number, char *text, size_t size);
void wf__simnet_cuts_changed(void);

/* ---- for each other: simnet.c, simdial.c, simflow.c ---- */

extern struct wf_sim_net wf__simnet_options;	/* with the defaults in */

/* No memory: the schedule ends.  -ENOMEM. */
int wf__simnet_no_memory(void);
/* A line in the story. */
void wf__simnet_tell(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* A lot: 0, or with this chance in 1000 one of the others. */
unsigned wf__simnet_mishap(unsigned n, unsigned chance);
/* How long the way takes, by lot. */
int64_t wf__simnet_delay(const struct wf__simsock *s);
/* A new one, fresh, or NULL without memory; the one of a descriptor, or NULL:
 * it is none of them; the i-th, or NULL after the last. */
struct wf__simsock *wf__simsock_new(int family, int type, int host);
struct wf__simsock *wf__simsock_of(int fd);
struct wf__simsock *wf__simsock_each(int i);
/* Two of them are connected from now on. */
void wf__simsock_join(struct wf__simsock *a, struct wf__simsock *b);
void wf__simsock_close(struct wf__simsock *s);
/* As in a story: "a:1 to b:2". */
void wf__simsock_text(const struct wf__simsock *s, char *text, size_t size);

/* Let time do what is due to s, and set the timer for the next; or only the
 * latter. */
void wf__simsock_run(struct wf__simsock *s);
void wf__simsock_set_timer(struct wf__simsock *s);
/* Sides of s have changed: bits of os.h. */
void wf__simsock_change(struct wf__simsock *s, unsigned what);
static inline bool
wf__simsock_is_cut(const struct wf__simsock *s)
{
	return s->dies_at != WF_FOREVER;
}

/* What is due arrives: what changed, as bits. */
unsigned wf__simflow_arrive(struct wf__simsock *s);
/* What is on its way to s is lost. */
void wf__simflow_lose(struct wf__simsock *s);
/* Of the table. */
int wf__simdial_bind(const struct wf__address *a, int type, bool both);
int wf__simdial_connect(int fd, const struct wf__address *a);
int wf__simdial_connected(int fd);
int wf__simdial_accept(int fd);
/* A try to connect: what changed, as bits. */
unsigned wf__simdial_attempt(struct wf__simsock *s);
/* It does not listen any more. */
void wf__simdial_refuse_all(struct wf__simsock *l);
void wf__simdial_renew(void);

/* Who gets datagrams for a, from there, on this host; or NULL. */
struct wf__simsock *wf__simdial_bound(int host, const struct wf__address *a,
    const struct wf__address *from);

/* Datagrams: in simpacket.c. */
ssize_t wf__simpacket_receive(struct wf__simsock *s, struct msghdr *m);
ssize_t wf__simpacket_send(struct wf__simsock *s, const struct msghdr *m);
int64_t wf__simpacket_next(struct wf__simsock *s);
unsigned wf__simpacket_arrive(struct wf__simsock *s);
void wf__simpacket_forget(struct wf__simsock *s, bool memory);

/* Streams: in simflow.c.  The bytes of a message, and n of them to a row, or
 * back (out). */
size_t wf__simflow_size(const struct msghdr *m);
void wf__simflow_copy(const struct msghdr *m, char *row, size_t n, bool out);
ssize_t wf__simflow_receive(struct wf__simsock *s, struct msghdr *m);
ssize_t wf__simflow_send(struct wf__simsock *s, const struct msghdr *m);
/* The error that was not given yet, or 0. */
int wf__simflow_error(struct wf__simsock *s);
int wf__simflow_shut(struct wf__simsock *s, int how);
/* It is closed: what the other end hears of it. */
void wf__simflow_end(struct wf__simsock *s);

#endif
