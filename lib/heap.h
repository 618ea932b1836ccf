/* SPDX-License-Identifier: MIT */
/*
 * heap.h - an intrusive pairing heap, smallest key first.
 * Layer 0.  Uses: base.
 *
 * Insert is O(1), removal of any node O(log n) amortised, and nothing is ever
 * allocated.  After M. Fredman, R. Sedgewick, D. Sleator, R. Tarjan, "The
 * pairing heap: a new form of self-adjusting heap", Algorithmica 1, 1986.
 *
 *   A node's children form a list: child, then next of each.  prev of the
 *   first child is the parent, of the others the sibling before; prev of the
 *   root is NULL.  No child has a smaller key than its parent.
 */
#ifndef WF__HEAP_H
#define WF__HEAP_H

#include "base.h"

struct wf__heap_node {
	struct wf__heap_node *child, *next, *prev;
	int64_t key;
};

struct wf__heap {
	struct wf__heap_node *root;
};

/* Join two roots; the one with the larger key becomes the first child. */
static inline struct wf__heap_node *
wf__heap_meld(struct wf__heap_node *a, struct wf__heap_node *b)
{
	struct wf__heap_node *t;

	if (b->key < a->key) {
		t = a;
		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child)
		a->child->prev = b;
	a->child = b;
	return a;
}

/* Join a list of siblings into one root: pairs first, then from the last to
 * the first, which is what the amortised bound rests on. */
static inline struct wf__heap_node *
wf__heap_join(struct wf__heap_node *list)
{
	struct wf__heap_node *a, *b, *pairs = NULL, *root;

	while ((a = list)) {
		list = NULL;
		if ((b = a->next)) {
			list = b->next;
			a = wf__heap_meld(a, b);
		}
		a->next = pairs;
		pairs = a;
	}
	if (!(root = pairs))
		return NULL;
	pairs = root->next;
	while ((a = pairs)) {
		pairs = a->next;
		root = wf__heap_meld(root, a);
	}
	root->next = root->prev = NULL;
	return root;
}

static inline void
wf__heap_insert(struct wf__heap *h, struct wf__heap_node *n)
{
	n->child = n->next = n->prev = NULL;
	h->root = h->root ? wf__heap_meld(h->root, n) : n;
	h->root->next = h->root->prev = NULL;
}

static inline void
wf__heap_remove(struct wf__heap *h, struct wf__heap_node *n)
{
	struct wf__heap_node *rest = wf__heap_join(n->child);

	if (n == h->root) {
		h->root = rest;
		return;
	}
	if (n->prev->child == n)
		n->prev->child = n->next;
	else
		n->prev->next = n->next;
	if (n->next)
		n->next->prev = n->prev;
	if (rest)
		h->root = wf__heap_meld(h->root, rest);
}

#endif
