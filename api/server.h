/* server: one libmicrohttpd daemon of one loop, driven by the loop's epoll.
 *
 * Requests wait "pending": the handler returns without an answer and is called again at every
 * server_run (engine.md, trap 1). Parking and answering stand here and nowhere else. */
#ifndef ALICERCE_SERVER_H
#define ALICERCE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

struct server;

/* Listens on HOST:PORT, shared between the loops (SO_REUSEPORT). NULL with errno. */
struct server *server_new(struct loop *loop);
/* Ends connections; requests still parked complete without an answer. */
void server_free(struct server *s);
/* Lets libmicrohttpd work when an answer is ready or bytes have come. In every pass of the loop. */
void server_run(struct server *s);
/* Something was answered since the last run. */
void server_poke(struct server *s);
/* Called within server_run: a stream has more to send. */
void server_go_on(struct server *s);
/* It has more to do: do not wait. */
bool server_poked(const struct server *s);
/* Called each tick: lets libmicrohttpd see its time-outs. */
void server_tick(struct server *s);
/* Stops listening; what waits in the backlog is accepted first. */
void server_quiesce(struct server *s);
int server_listen_fd(const struct server *s);
unsigned server_connections(const struct server *s);
/* Requests that have begun and whose answers are not sent whole. */
unsigned server_open(const struct server *s);

#endif
