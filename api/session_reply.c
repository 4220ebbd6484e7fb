/* session_reply: owns the making of tokens for answers. */
#include "session_reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "account_call.h"
#include "jsonput.h"
#include "loop.h"
#include "reply.h"
#include "text.h"

enum { ANSWER_CAP = 8 * 1024, JTI_BYTES = 16 };

int64_t session_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

enum status session_reply(struct request *r, const char *token, int64_t exp,
                          const struct usuario *u)
{
    struct buf b = buf_init(ANSWER_CAP);
    buf_char(&b, '{');
    if (token) {
        buf_lit(&b, "\"token\":");
        jsonput_string(&b, token, strlen(token));
        buf_char(&b, ',');
    }
    buf_lit(&b, "\"expira_em\":");
    jsonput_time(&b, exp * 1000000);
    buf_lit(&b, ",\"usuario\":");
    account_json(&b, u);
    buf_char(&b, '}');
    enum status st = reply_buf(r, STATUS_OK, REPLY_JSON, &b);
    r->reply.secret = true;
    buf_release(&b);
    return st;
}

enum status session_reply_token(struct request *r, const struct usuario *u, int64_t now,
                                int64_t began)
{
    uint8_t random[JTI_BYTES];
    int64_t exp = now + TOKEN_LIFE_S, end = began + TOKEN_SESSION_S;
    struct token_claims c = {.sub = u->id,
                             .papel = u->papel,
                             .iat = now,
                             .exp = exp < end ? exp : end,
                             .ini = began,
                             .desde = u->tokens_desde};
    char *token = NULL;
    if (getrandom(random, sizeof random, 0) == sizeof random) {
        text_hex(random, sizeof random, c.jti);
        token = token_make(r->loop->app->tokens, &c);
    }
    enum status st = token ? session_reply(r, token, c.exp, u)
                           : reply_problem(r, STATUS_OVERLOADED, "Sem memória para o token.");
    free(token);
    return st;
}
