/* SPDX-License-Identifier: MIT */
/*
 * floor.c - what this machine itself costs, in nanoseconds: below this no
 * library gets.
 *
 *	floor			prints "name ns" lines
 */
#define _GNU_SOURCE

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 10000000, TRIPS = 200000, PAGES = 20000 };

static _Alignas(128) _Atomic uint64_t word;
static _Alignas(128) _Atomic uint64_t turn;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Each with nobody else: the cost of the instruction. */
#define TELL(name, times, statement) do { \
	double start = now(); \
	for (long n = 0; n < (times); n++) { statement; } \
	printf("%s %.2f\n", name, (now() - start) / (double)(times)); \
} while (0)

static void
plain(void)
{
	uint64_t v = atomic_load_explicit(&word, memory_order_relaxed);

	atomic_store_explicit(&word, v + 1, memory_order_release);
}

static void
cas(void)
{
	uint64_t v = atomic_load_explicit(&word, memory_order_relaxed);

	atomic_compare_exchange_strong(&word, &v, v + 1);
}

/* Lock by an exchange, unlock by a store. */
static void
lock_pair(void)
{
	while (atomic_exchange_explicit(&word, 1, memory_order_acquire))
		;
	atomic_store_explicit(&word, 0, memory_order_release);
}

#ifdef __x86_64__
/* Two stacks that switch to each other, and do nothing else. */
void floor_switch(void **save, void *load);
__asm__(
	".text\n.type floor_switch, @function\nfloor_switch:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n"
	"	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rsp, (%rdi)\n	mov %rsi, %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop %r12\n	pop %rbx\n	pop %rbp\n"
	"	ret\n.size floor_switch, . - floor_switch\n");

static void *here, *there;
static _Alignas(16) char stack[65536];

/* In life a switch stands in a call or two; they are part of the cost, as the
 * returns are predicted wrongly. */
__attribute__((noinline)) static void
leave(void **save, void **load)
{
	floor_switch(save, *load);
	__asm__ volatile ("" ::: "memory");
}

static void
other(void)
{
	for (;;)
		leave(&there, &here);
}

static void
switches(void)
{
	uintptr_t *top = (uintptr_t *)(void *)(stack + sizeof stack);
	double start;

	*--top = 0;
	*--top = (uintptr_t)other;
	there = top - 6;
	/* There and back are two. */
	start = now();
	for (long n = 0; n < TIMES / 2; n++)
		leave(&here, &there);
	printf("switch %.2f\n", (now() - start) / TIMES);
}
#else
static void
switches(void)
{
}
#endif

static void *
answer(void *unused)
{
	for (uint64_t n = 0; n < TRIPS; n++) {
		while (atomic_load_explicit(&turn, memory_order_acquire) !=
		    2 * n + 1)
			;
		atomic_store_explicit(&turn, 2 * n + 2, memory_order_release);
	}
	return unused;
}

/* A cache line to the other core and back. */
static void
line_there_and_back(void)
{
	pthread_t thread;
	double start;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 ||
	    pthread_create(&thread, NULL, answer, NULL))
		return;
	start = now();
	for (uint64_t n = 0; n < TRIPS; n++) {
		atomic_store_explicit(&turn, 2 * n + 1, memory_order_release);
		while (atomic_load_explicit(&turn, memory_order_acquire) !=
		    2 * n + 2)
			;
	}
	printf("line %.2f\n", (now() - start) / TRIPS);
	pthread_join(thread, NULL);
}

static void
first_touch(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, PAGES * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return;
	madvise(p, PAGES * size, MADV_NOHUGEPAGE);
	TELL("page", PAGES, p[(size_t)n * size] = 1);
	munmap(p, PAGES * size);
}

/* A connection to oneself: *in is the accepted end; false without one. */
static bool
connect_to_oneself(int *out, int *in)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof to;
	int l = socket(AF_INET, SOCK_STREAM, 0);

	*out = socket(AF_INET, SOCK_STREAM, 0);
	return !bind(l, (void *)&to, size) && !listen(l, 1) &&
	    !getsockname(l, (void *)&to, &size) &&
	    !connect(*out, (void *)&to, size) &&
	    (*in = accept(l, NULL, NULL)) >= 0 && !close(l);
}

/* 64 bytes into a connection and out of it: what a server's answer to
 * a request takes in the kernel, with nobody to be woken. */
static void
write_and_read(void)
{
	char bytes[64] = { 0 };
	int out, in;

	if (!connect_to_oneself(&out, &in))
		return;
	TELL("tcp", TRIPS, if (write(out, bytes, sizeof bytes) < 0 ||
	    read(in, bytes, sizeof bytes) < 0) return);
	close(out);
	close(in);
}

int
main(void)
{
	struct timespec t;

	TELL("load-store", TIMES, plain());
	TELL("cas", TIMES, cas());
	TELL("add", TIMES, atomic_fetch_add(&word, 1));
	word = 0;
	TELL("lock-pair", TIMES, lock_pair());
	TELL("clock", TIMES / 4, clock_gettime(CLOCK_MONOTONIC, &t));
	TELL("syscall", TIMES / 20, syscall(SYS_getppid));
	switches();
	line_there_and_back();
	first_touch();
	write_and_read();
	return 0;
}
