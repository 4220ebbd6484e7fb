/* reply: the only maker of answers. Handlers say what, reply writes it into the request. */
#ifndef ALICERCE_REPLY_H
#define ALICERCE_REPLY_H

#include "jsonget.h"
#include "request.h"
#include "stream.h"

#define REPLY_JSON "application/json; charset=utf-8"
#define REPLY_TEXT "text/plain; charset=utf-8"

/* Static bytes. Returns `st`, so that a handler can end with it. */
enum status reply_constant(struct request *r, enum status st, const char *content_type,
                           const char *data, size_t len);
/* Bytes in the request's arena. */
enum status reply_bytes(struct request *r, enum status st, const char *content_type,
                        const char *data, size_t len);
/* A shared body; takes a reference of its own. NULL (no memory) makes it an overload. */
enum status reply_body(struct request *r, enum status st, const char *content_type,
                       struct body *body);
/* The same with a strong ETag, and 304 when If-None-Match has it (RFC 9110 sections 8.8.3, 13.1.2).
 * if_none_match is a copy in the arena, or absent. */
enum status reply_tagged(struct request *r, struct body *body, struct slice if_none_match);
/* What a buf holds, copied; the buf stays the caller's. */
enum status reply_buf(struct request *r, enum status st, const char *content_type,
                      const struct buf *b);
/* A body that is made while it is sent; `length` in bytes or STREAM_LENGTH_UNKNOWN. The stream is
 * the request's from here on, whatever happens (stream.h). */
enum status reply_stream(struct request *r, enum status st, const char *content_type,
                         struct stream *s, uint64_t length);
/* One more header. Both texts are static or in the arena. */
void reply_header(struct request *r, const char *name, const char *value);
/* A problem document (RFC 9457). detail is Portuguese, for people; NULL for that of the
 * status. */
enum status reply_problem(struct request *r, enum status st, const char *detail);
/* The same with `erros: [{campo, mensagem}]`. */
enum status reply_fields(struct request *r, enum status st, const struct jsonget_error *errors,
                         unsigned n);
/* What jsonget found wrong with the body; without an error there was no memory to read it. */
enum status reply_jsonget(struct request *r, enum status st, const struct jsonget *g);
/* One field. */
__attribute__((format(printf, 4, 5))) enum status reply_field(struct request *r, enum status st,
                                                              const char *field, const char *fmt,
                                                              ...);

/* Takes back what was said so far, but for RateLimit-*. */
void reply_reset(struct request *r);

/* Past the HTTP library: a whole answer with Connection: close, written straight to the socket. For
 * requests so large that the library has no memory left for an answer; the caller closes. id: NULL
 * when no request has one yet. */
void reply_raw(int fd, enum status st, const char *id);

#endif
