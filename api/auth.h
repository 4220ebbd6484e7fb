/* auth: between the router and the handlers: may this request do that?
 *
 * What a role may do stands in one table (auth.c); a route names its action. The token itself is
 * checked when the head is here, before any server is asked and any body kept. Whether it was
 * revoked is asked in Redis: all of a loop's questions of a pass are one command in the same write
 * as the requests' own commands. An action that changes nothing runs meanwhile and its answer is
 * withheld until Redis has spoken, so asking costs no time of its own; one that changes something
 * runs after. Without an answer of Redis nothing is believed: 503.
 *
 * All of it on the loop's thread. */
#ifndef ALICERCE_AUTH_H
#define ALICERCE_AUTH_H

#include <stdbool.h>

#include "status.h"
#include "token.h"

struct loop;
struct request;

/* What a route does, as far as rights go; the order is that of the table in auth.c. */
enum action {
    ACTION_OPEN,        /* anybody, no token */
    ACTION_SESSION,     /* one's own: who am I, renew, sign out */
    ACTION_PASSWORD,    /* one's own */
    ACTION_LIVE,        /* events and samples, without personal data */
    ACTION_POST_CREATE, /* open, or with a token: POSTS_WRITE */
    ACTION_POST_CHANGE,
    ACTION_ACCOUNTS_READ,
    ACTION_ACCOUNTS_CHANGE,
    ACTION_ARCHIVE_READ, /* without persons for readers */
    ACTION_RAW_READ,     /* the bytes, which nothing can be taken out of */
    ACTION_QUEUE_READ,   /* its state, and the jobs */
    ACTION_QUEUE_CHANGE, /* pause, resume, send again */
    ACTION_AUDIT_READ,
    ACTION_FILES_READ,
    ACTION_FILES_CHANGE,
    ACTION_COUNT
};

/* "POST_CHANGE": for tests and logs. */
const char *auth_action_name(enum action action);
bool auth_may(enum action action, enum account_role role);

/* What is known of who asks; in the request's arena. */
struct auth {
    struct token_claims claims;
    bool asking, held;    /* Redis has not answered; the answer to the client waits for it */
    struct request *next; /* in the loop's list, then in the flight's */
    size_t question;      /* of the flight; requests with one token share it */
};

/* Of one loop. */
struct auth_gate;
struct auth_gate *auth_gate_new(struct loop *loop);
void auth_gate_free(struct auth_gate *g);

/* Does it go to a route that asks for a token? */
bool auth_guards(const struct request *r);
/* The head is here: STATUS_OK, with r->auth set where the action wants a token; or the refusal, in
 * r->reply. */
enum status auth_check(struct request *r);
/* The whole request is here: runs its handler, now or when Redis has answered. */
enum status auth_dispatch(struct request *r);
/* Is the answer in r->reply to wait? Parks the request then. For request_answer. */
bool auth_withholds(struct request *r);
/* Asks what has gathered: once in every pass, and by a handler whose own command is to come behind
 * the question. */
void auth_send(struct loop *loop);

/* 401 with WWW-Authenticate (RFC 6750 section 3). */
enum status auth_refuse_token(struct request *r, const char *why);
/* 403: the role is what is missing. */
enum status auth_refuse_role(struct request *r, const char *why);

#endif
