/* SPDX-License-Identifier: MIT */
/*
 * server.h - the hub for clients on the network, such as nc or telnet.
 */
#ifndef SERVER_H
#define SERVER_H

/* Listen on address, such as 127.0.0.1:7777, until SIGINT or SIGTERM.  Each
 * client has room for so many messages that he has not read, and is cut off
 * when he has read nothing for so many seconds.  0, or -errno after it was
 * said. */
int server_run(const char *address, int room, int patience);

#endif
