/* A page's cursor (post_json.c): what decodes is an id, and the page that ends at that id hands out
 * the same cursor again. */
#include <string.h>

#include "api/post_json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t id, again;
    if (!post_cursor_decode((const char *)data, size, &id))
        return 0;
    MUST(id >= 1);
    struct buf b = buf_init(4096);
    struct post rows[2] = {{.id = id}, {.id = id - 1}};
    post_json_page(&b, "x", rows, 2, 1);
    MUST(!buf_failed(&b));
    json_error_t error;
    json_t *page = json_loadb(b.data, b.len, 0, &error);
    const char *cursor = json_string_value(json_object_get(page, "proximo"));
    MUST(cursor && post_cursor_decode(cursor, strlen(cursor), &again) && again == id);
    json_decref(page);
    buf_release(&b);
    return 0;
}
