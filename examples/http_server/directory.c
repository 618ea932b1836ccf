/* SPDX-License-Identifier: MIT */
/*
 * directory.c - another service that this one asks: JSON over HTTP.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "directory.h"

/* ---- the one who asks ---- */

/* Send a request, read to the end: bytes of the answer, or -errno. */
static ssize_t
converse(wf_ctx *ctx, wf_conn *conn, const char *host, int id, char *buf,
    size_t size)
{
	size_t have = 0;
	ssize_t n = snprintf(buf, size, "GET /directory?id=%d HTTP/1.1\r\n"
	    "Host: %s\r\nConnection: close\r\n\r\n", id, host);

	if ((n = wf_conn_write(ctx, conn, buf, (size_t)n)) < 0)
		return n;
	while (have < size &&
	    (n = wf_conn_read(ctx, conn, buf + have, size - have)) > 0)
		have += (size_t)n;
	return n < 0 ? n : (ssize_t)have;
}

static int
decode(const char *json, size_t size, char *name, size_t room)
{
	cJSON *user = cJSON_ParseWithLength(json, size);
	const char *value = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(user, "name"));

	if (value)
		snprintf(name, room, "%s", value);
	cJSON_Delete(user);
	return value ? 0 : -EPROTO;
}

int
directory_find(wf_ctx *ctx, const char *address, int id, char *name,
    size_t size)
{
	struct http_head head;
	char answer[4096];
	wf_conn *conn;
	ssize_t n = wf_dial(ctx, "tcp", address, &conn);

	if (n < 0)
		return (int)n;
	n = converse(ctx, conn, address, id, answer, sizeof answer);
	wf_conn_free(conn);
	if (n < 0)
		return (int)n;
	http_begin(&head);
	if (http_parse_response(&head, answer, (size_t)n) != 1)
		return -EPROTO;
	if (head.status == 404)
		return -ENOENT;
	if (head.status != 200 || head.length < 0 || head.length > n)
		return -EPROTO;
	return decode(answer + head.size, (size_t)n - head.size, name, size);
}

/* ---- the one who answers ---- */

void
directory_serve(struct client *c)
{
	static const char *const names[] = { "Ada Lovelace", "Grace Hopper",
	    "Barbara Liskov", "Frances Allen", "Radia Perlman" };
	char text[16];
	int id = http_query(&c->request, "id", text, sizeof text) > 0 ?
	    atoi(text) : 0;
	int n = snprintf(NULL, 0, "%d", id);
	char json[128];

	if (id == 8)
		wf_sleep_ctx(client_ctx(c), 10 * WF_SEC);
	if (id == 9) {
		reply(c, 200, "application/json", "{\"id\":9,\"na", 10);
		return;
	}
	if (id < 1 || id > 5) {
		reply_error(c, 404);
		return;
	}
	n = snprintf(json, sizeof json, "{\"id\":%d,\"name\":\"%s\"}", id,
	    names[id - 1]);
	reply(c, 200, "application/json", json, (size_t)n);
}
