/* SPDX-License-Identifier: MIT */
/*
 * echo.c - the server of Echo on libuv: one loop, callbacks, an answer tried
 * at once (uv_try_write) as who wants it fast does it.
 *
 *	uv-echo			prints its port, serves until killed
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static char buffer[4096];	/* one loop, and nothing is kept in it */

static void
must(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
	exit(1);
}

static void
give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(buffer, sizeof buffer);
}

static void
forget(uv_handle_t *handle)
{
	free(handle);
}

static void
answer(uv_stream_t *client, ssize_t n, const uv_buf_t *buf)
{
	uv_buf_t out = uv_buf_init(buf->base, n > 0 ? (unsigned)n : 0);

	if (n == 0)
		return;
	if (n < 0 || uv_try_write(client, &out, 1) != n)
		uv_close((uv_handle_t *)client, forget);
}

static void
take_client(uv_stream_t *listener, int status)
{
	uv_tcp_t *client = malloc(sizeof *client);

	must(status, "listen");
	if (!client)
		exit(1);
	uv_tcp_init(listener->loop, client);
	must(uv_accept(listener, (uv_stream_t *)client), "accept");
	uv_tcp_nodelay(client, 1);
	must(uv_read_start((uv_stream_t *)client, give_buffer, answer), "read");
}

int
main(void)
{
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_in a;
	int size = sizeof a;
	uv_tcp_t listener;

	uv_ip4_addr("127.0.0.1", 0, &a);
	uv_tcp_init(loop, &listener);
	must(uv_tcp_bind(&listener, (struct sockaddr *)&a, 0), "bind");
	must(uv_listen((uv_stream_t *)&listener, 4096, take_client), "listen");
	uv_tcp_getsockname(&listener, (struct sockaddr *)&a, &size);
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
