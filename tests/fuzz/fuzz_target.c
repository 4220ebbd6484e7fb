/* "METHOD target": paths, escapes and query strings (router.c). Whatever comes, either a route with
 * parameters that are valid UTF-8 and that it knows, or a refusal with a problem document. */
#include <string.h>

#include "api/reply.h"
#include "api/router.h"
#include "fuzz.h"

static void look_at_params(const struct request *r)
{
    MUST(r->route != NULL && r->n_params <= REQUEST_PARAMS_MAX);
    for (unsigned i = 0; i < r->n_params; i++) {
        const struct param *p = &r->params[i];
        MUST(text_utf8(p->name.data, p->name.len, NULL) && p->name.data[p->name.len] == '\0');
        MUST(text_utf8(p->value.data, p->value.len, NULL) && p->value.data[p->value.len] == '\0');
    }
    if (r->path_param.data)
        MUST(r->path_param.len > 0 && !memchr(r->path_param.data, '/', r->path_param.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "OPTIONS", "PUT"};
    struct request r;
    const char *why;
    if (size == 0 || memchr(data + 1, '\0', size - 1)) /* libmicrohttpd hands over a C string */
        return 0;
    fuzz_request_begin(&r);
    r.target = arena_copy(&r.arena, data + 1, size - 1);
    if (r.target) {
        enum status st = router_find(&r, methods[data[0] % 5], &why);
        if (st == STATUS_OK)
            look_at_params(&r);
        else if (r.reply.http == 0)
            reply_problem(&r, st, why);
        if (st != STATUS_OK && st != STATUS_NO_CONTENT)
            fuzz_must_be_problem(&r);
    }
    fuzz_request_end(&r);
    return 0;
}
