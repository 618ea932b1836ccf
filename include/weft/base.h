/* SPDX-License-Identifier: MIT */
/*
 * weft/base.h - what every other header of weft stands on: the version, the
 * visibility mark, and the source location that reports name.
 */
#ifndef WEFT_BASE_H
#define WEFT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WF_VERSION_MAJOR 0
#define WF_VERSION_MINOR 1
#define WF_VERSION_PATCH 0
#define WF_VERSION "0.1.0"

#if !defined __GNUC__
#error "weft needs gcc or clang: statement expressions and __typeof__"
#endif

#define WF_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define WF__BEGIN extern "C" {
#define WF__END }
#define WF__STATIC_ASSERT static_assert
#define WF__NORETURN [[noreturn]]
#else
#define WF__BEGIN
#define WF__END
#define WF__STATIC_ASSERT _Static_assert
#define WF__NORETURN _Noreturn
#endif

#define WF__CAT(a, b) WF__CAT_(a, b)
#define WF__CAT_(a, b) a##b

WF__BEGIN

/* Where in the program something was made.  Static; never freed. */
struct wf_site {
	const char *file;
	const char *what;	/* the function's name as it was written */
	int line;
};

/* The version of the library that is linked, as "major.minor.patch".  Any
 * thread; never blocks. */
WF_API const char *wf_version(void);

WF__END

#endif
