/* SPDX-License-Identifier: MIT */
/*
 * admin.c - the commands about the connection, its subscriptions, and the
 * server.
 */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the connection ---- */

void
admin_ping(struct session *s)
{
	if (s->argc > 2) {
		resp_error(&s->out, "ERR wrong number of arguments for "
		    "'ping' command");
	} else if (s->subscriber && s->subscriber->count > 0) {
		resp_array(&s->out, 2);
		resp_text(&s->out, "pong");
		resp_string(&s->out, s->args[1 % s->argc].data,
		    s->argc == 2 ? s->args[1].size : 0);
	} else if (s->argc == 2) {
		resp_string(&s->out, s->args[1].data, s->args[1].size);
	} else
		resp_status(&s->out, "PONG");
}

void
admin_echo(struct session *s)
{
	resp_string(&s->out, s->args[1].data, s->args[1].size);
}

void
admin_quit(struct session *s)
{
	resp_status(&s->out, "OK");
	s->quit = true;
}

void
admin_select(struct session *s)
{
	int64_t n;

	if (!arg_number(&s->args[1], &n))
		resp_error(&s->out, NO_INTEGER);
	else if (n != 0)
		resp_error(&s->out, "ERR DB index is out of range");
	else
		resp_status(&s->out, "OK");
}

/* ---- publish, subscribe ---- */

void
admin_publish(struct session *s)
{
	resp_number(&s->out, pubsub_publish(s->server->pubsub, &s->args[1],
	    &s->args[2]));
}

void
admin_subscribe(struct session *s)
{
	bool pattern = s->command->name[0] == 'p';

	if (!session_subscribe(s)) {
		s->quit = true;
		return;
	}
	session_flush(s);		/* the replies before come first */
	for (int i = 1; i < s->argc; i++)
		pubsub_subscribe(s->server->pubsub, s->subscriber, pattern,
		    &s->args[i]);
}

void
admin_unsubscribe(struct session *s)
{
	bool pattern = s->command->name[0] == 'p';

	if (!session_subscribe(s)) {
		s->quit = true;
		return;
	}
	session_flush(s);
	if (s->argc == 1)
		pubsub_unsubscribe(s->server->pubsub, s->subscriber, pattern,
		    NULL);
	for (int i = 1; i < s->argc; i++)
		pubsub_unsubscribe(s->server->pubsub, s->subscriber, pattern,
		    &s->args[i]);
}

/* ---- the server ---- */

static void
config_get(struct session *s)
{
	static const char *const policies[] = { "no", "everysec", "always" };
	const struct options *o = s->server->options;
	char port[16], clients[16];
	const char *const pairs[][2] = {
		{ "appendfsync", policies[o->policy] },
		{ "appendonly", o->log ? "yes" : "no" },
		{ "bind", o->address }, { "databases", "1" },
		{ "maxclients", clients }, { "maxmemory", "0" },
		{ "port", port }, { "proto-max-bulk-len", "536870912" },
		{ "save", "" } };
	size_t at = s->out.used, n = 0;

	snprintf(port, sizeof port, "%d", o->port);
	snprintf(clients, sizeof clients, "%d", o->clients);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (int word = 2; word < s->argc; word++)
			if (glob(s->args[word].data, s->args[word].size,
			    pairs[i][0], strlen(pairs[i][0]))) {
				resp_text(&s->out, pairs[i][0]);
				resp_text(&s->out, pairs[i][1]);
				n += 2;
				break;
			}
	resp_array_at(&s->out, at, n);
}

void
admin_config(struct session *s)
{
	if (arg_is(&s->args[1], "GET") && s->argc > 2)
		config_get(s);
	else if (arg_is(&s->args[1], "RESETSTAT") && s->argc == 2)
		resp_status(&s->out, "OK");
	else if (arg_is(&s->args[1], "GET"))
		resp_error(&s->out, "ERR wrong number of arguments for "
		    "'config|get' command");
	else
		reply_unknown_subcommand(s, "CONFIG");
}

void
admin_info(struct session *s)
{
	struct server *server = s->server;
	char text[1024];
	int64_t n;

	store_lock(server->store, ALL_SHARDS, false);
	n = count_keys(server);
	store_unlock(server->store, ALL_SHARDS, false);
	snprintf(text, sizeof text,
	    "# Server\r\nserver_name:kv_server\r\nprocess_id:%d\r\n"
	    "tcp_port:%d\r\nuptime_in_seconds:%" PRId64 "\r\n"
	    "weft_version:%s\r\nworkers:%d\r\n\r\n"
	    "# Clients\r\nconnected_clients:%" PRId64 "\r\n\r\n"
	    "# Persistence\r\naof_enabled:%d\r\n"
	    "aof_rewrite_in_progress:%d\r\naof_last_write_status:%s\r\n\r\n"
	    "# Stats\r\ntotal_connections_received:%" PRId64 "\r\n"
	    "total_commands_processed:%" PRId64 "\r\n\r\n"
	    "# Keyspace\r\ndb0:keys=%" PRId64 "\r\n", (int)getpid(),
	    server->options->port, (wf_now() - server->started) / WF_SEC,
	    wf_version(), wf_workers(0), server->clients, server->log != NULL,
	    (int)server->rewriting,
	    server->log && log_error(server->log) < 0 ? "err" : "ok",
	    server->connections, server->commands, n);
	resp_text(&s->out, text);
}

static void
rewrite(struct server *server)
{
	log_rewrite(server->log, server->store);
	atomic_store(&server->rewriting, false);
}

void
admin_rewrite(struct session *s)
{
	struct server *server = s->server;

	if (!server->log)
		resp_error(&s->out, "ERR there is no append only file");
	else if (atomic_exchange(&server->rewriting, true))
		resp_error(&s->out, "ERR Background append only file "
		    "rewriting already in progress");
	else if (wf_waitgroup_spawn(&server->background, rewrite, server)) {
		atomic_store(&server->rewriting, false);
		resp_error(&s->out, NO_MEMORY);
	} else
		resp_status(&s->out,
		    "Background append only file rewriting started");
}
