/* SPDX-License-Identifier: MIT */
/* echo.c - the server of Echo: a coroutine for each connection. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static void
serve(wf_conn *c)
{
	wf_ctx *ctx = wf_ctx_background();
	char buf[1024];
	ssize_t n;

	while ((n = wf_conn_read(ctx, c, buf, sizeof buf)) > 0 &&
	    wf_conn_write(ctx, c, buf, (size_t)n) == n)
		;
	wf_conn_free(c);
}

int
bench_echo_server(void)
{
	wf_ctx *ctx = wf_ctx_background();
	char address[WF_ADDRESS_TEXT];
	wf_listener *l;
	wf_conn *c;

	BENCH_MUST(wf_listen(ctx, "tcp", "127.0.0.1:0", &l) == 0);
	BENCH_MUST(wf_listener_address(l, address, sizeof address) == 0);
	printf("port %s\n", strrchr(address, ':') + 1);
	fflush(stdout);
	while (wf_listener_accept(ctx, l, &c) == 0)
		BENCH_MUST(wf_spawn(serve, c) == 0);
	return 1;
}
