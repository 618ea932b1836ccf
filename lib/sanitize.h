/* SPDX-License-Identifier: MIT */
/*
 * sanitize.h - what the sanitizers and Valgrind are told about stacks.
 * Layer 0.  Uses: base.
 *
 * AddressSanitizer follows the stack pointer and keeps a fake stack,
 * ThreadSanitizer keeps a clock for each fiber, Valgrind must know that
 * a jump of the stack pointer is a switch.  In a build without them every
 * verb here is empty.  Birth, switch and death of every stack come by here.
 */
#ifndef WF__SANITIZE_H
#define WF__SANITIZE_H

#include "base.h"

#if defined __SANITIZE_ADDRESS__
#define WF__ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define WF__ASAN 1
#endif
#endif

#if defined __SANITIZE_THREAD__
#define WF__TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define WF__TSAN 1
#endif
#endif

/* One side of a switch: a coroutine's stack or a thread's own. */
struct wf__fiber {
#ifdef WF__ASAN
	void *fake;		/* ASan's fake stack while switched away */
	const void *low;	/* the stack's lowest address and size; */
	size_t size;		/* of a thread's: as ASan told us */
#endif
#ifdef WF__TSAN
	void *tsan;
#endif
	unsigned valgrind;
};

#ifdef WF__ASAN
void __sanitizer_start_switch_fiber(void **fake, const void *low, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **low,
    size_t *size);
void __asan_unpoison_memory_region(const volatile void *p, size_t size);
#endif

#ifdef WF__TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/* What happens in between is meant: that a descriptor is closed while others
 * use it. */
#ifdef WF__TSAN
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define wf__race_is_meant() AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define wf__race_is_over() AnnotateIgnoreWritesEnd(__FILE__, __LINE__)
#else
#define wf__race_is_meant() ((void)0)
#define wf__race_is_over() ((void)0)
#endif

/* Threads of the sanitizer's own in every process. */
#ifdef WF__TSAN
#define WF__SANITIZER_THREADS 1
#else
#define WF__SANITIZER_THREADS 0
#endif

#ifdef WEFT_VALGRIND
#include <valgrind/valgrind.h>
#endif

/* A coroutine's stack [low, low + size) comes to life. */
static inline void
wf__fiber_birth(struct wf__fiber *f, void *low, size_t size)
{
	(void)low;
	(void)size;
	f->valgrind = 0;
#ifdef WF__ASAN
	f->fake = NULL;
	f->low = low;
	f->size = size;
#endif
#ifdef WF__TSAN
	f->tsan = __tsan_create_fiber(0);
#endif
#ifdef WEFT_VALGRIND
	f->valgrind = VALGRIND_STACK_REGISTER(low, (char *)low + size);
#endif
}

/* It is no longer used, and what ASan marked on it is forgotten.  Called from
 * another stack. */
static inline void
wf__fiber_death(struct wf__fiber *f)
{
	(void)f;
#ifdef WF__ASAN
	__asan_unpoison_memory_region(f->low, f->size);
#endif
#ifdef WF__TSAN
	__tsan_destroy_fiber(f->tsan);
#endif
#ifdef WEFT_VALGRIND
	VALGRIND_STACK_DEREGISTER(f->valgrind);
#endif
}

/* The calling thread's own stack. */
static inline void
wf__fiber_thread(struct wf__fiber *f)
{
	f->valgrind = 0;
#ifdef WF__ASAN
	f->fake = NULL;
	f->low = NULL;
	f->size = 0;
#endif
#ifdef WF__TSAN
	f->tsan = __tsan_get_current_fiber();
#endif
}

/* Just before the switch from one to the other; ending: from never comes
 * back. */
static inline void
wf__fiber_leave(struct wf__fiber *from, struct wf__fiber *to, bool ending)
{
	(void)from;
	(void)to;
	(void)ending;
#ifdef WF__ASAN
	__sanitizer_start_switch_fiber(ending ? NULL : &from->fake, to->low,
	    to->size);
#endif
#ifdef WF__TSAN
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
}

/* Just after a switch, on self's stack.  thread: the thread's own fiber, whose
 * bounds become known at the first switch away from it; or NULL. */
static inline void
wf__fiber_arrive(struct wf__fiber *self, struct wf__fiber *thread)
{
	(void)self;
	(void)thread;
#ifdef WF__ASAN
	const void *low;
	size_t size;

	__sanitizer_finish_switch_fiber(self->fake, &low, &size);
	if (thread && !thread->low) {
		thread->low = low;
		thread->size = size;
	}
#endif
}

#endif
