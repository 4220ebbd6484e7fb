/* A form (multipart.c): the first line is its Content-Type, the rest its body. Whatever the pieces
 * are by which it comes, the same part comes out of it, and no byte that was not in it. */
#include <string.h>

#include "file_name.h"
#include "fuzz.h"
#include "multipart.h"

enum { MAX = 1 << 16 };

static bool take(void *ctx, const char *data, size_t len)
{
    MUST(len > 0);
    buf_add(ctx, data, len);
    return true;
}

static struct multipart feed(const char *type, size_t type_len, const char *body, size_t len,
                             size_t piece, struct buf *out)
{
    struct multipart m;
    bool good = multipart_init(&m, type, type_len);
    MUST(good);
    for (size_t at = 0; good && at < len; at += piece)
        good = multipart_feed(&m, body + at, len - at < piece ? len - at : piece, take, out);
    MUST(good == (m.state != MULTIPART_BAD) && good == !m.why);
    MUST(out->len <= len && m.n_frame <= MULTIPART_FRAME_MAX);
    return m;
}

static void look_at_name(const struct multipart *m)
{
    size_t len, again;
    const char *name = file_name_clean(m->name, strlen(m->name), &len);
    if (!name)
        return;
    MUST(len > 0 && !memchr(name, '/', len) && !memchr(name, '\\', len));
    MUST(file_name_clean(name, len, &again) == name && again == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *type = (const char *)data, *line = memchr(data, '\n', size);
    struct multipart m;
    if (!line || size > MAX || !multipart_init(&m, type, (size_t)(line - type)))
        return 0;
    const char *body = line + 1;
    size_t type_len = (size_t)(line - type), len = size - type_len - 1;
    struct buf whole = buf_init(MAX), parts = buf_init(MAX);
    struct multipart a = feed(type, type_len, body, len, len + 1, &whole);
    struct multipart b = feed(type, type_len, body, len, 1 + len % 7, &parts);
    MUST(a.state == b.state && a.why == b.why && a.n_frame == b.n_frame);
    MUST(whole.len == parts.len && (whole.len == 0 || !memcmp(whole.data, parts.data, whole.len)));
    MUST(strcmp(a.name, b.name) == 0 && strcmp(a.type, b.type) == 0);
    MUST(whole.len == 0 || memmem(body, len, whole.data, whole.len));
    if (a.state == MULTIPART_END)
        MUST(whole.len + a.n_frame + a.delimiter_len == len);
    look_at_name(&a);
    buf_release(&whole);
    buf_release(&parts);
    return 0;
}
