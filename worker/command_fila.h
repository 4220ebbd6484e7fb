/* command_fila: `alicerce-worker fila …`: what operators ask of the queue and of the archive. Each
 * word is a row of one table and a function; the longer ones have files of their own.
 *
 * The answer goes to stdout, for people or as JSON; times are UTC. */
#ifndef ALICERCE_COMMAND_FILA_H
#define ALICERCE_COMMAND_FILA_H

#include "config.h"

struct buf;
struct fila_args;
struct pg_text;
struct session;

/* argv begins behind "fila". Nothing is asked of a server before the line is understood. */
enum exit_code command_fila(int argc, char **argv);

/* command_lista: mortas, entregas; eventos. */
enum exit_code command_entregas(struct session *s, const struct fila_args *a);
enum exit_code command_eventos(struct session *s, const struct fila_args *a);
/* command_reenviar */
enum exit_code command_reenviar(struct session *s, const struct fila_args *a);

/* ---- for these ---- */

/* Writes the buffer to stdout and releases it. */
enum exit_code command_print(struct buf *b);
/* `"name":` and the value; null for STORE_NO_TIME, or without data. `first`: no comma before it. */
void command_json_name(struct buf *b, const char *name);
void command_json_int(struct buf *b, const char *name, int64_t value);
void command_json_time(struct buf *b, const char *name, int64_t us);
void command_json_text(struct buf *b, const char *name, struct pg_text text);
/* For people: to the second; "-" for none; on one line and without controls, cut at `max` bytes. */
void command_time(struct buf *b, int64_t us);
void command_text(struct buf *b, struct pg_text text, size_t max);

#endif
