/* redact: what comes out of JSON is JSON, and holds no text or number that the allowlist does not
 * cover. */

#include "buf.h"
#include "fuzz.h"
#include "jsonscan.h"
#include "redact.h"

static void look(struct jsonscan v, bool shown)
{
    struct jsonscan_walk w = {NULL};
    struct jsonscan key, value;
    while (jsonscan_next_member(v, &w, &key, &value))
        look(value, redact_key(key.text + 1, key.len - 2));
    while (jsonscan_next(v, &w, &value))
        look(value, shown && value.type != JSONSCAN_OBJECT);
    if (v.type == JSONSCAN_STRING || v.type == JSONSCAN_NUMBER)
        MUST(shown || jsonscan_equals(v, REDACT_MARK));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jsonscan root;
    struct buf once = buf_init(1 << 22);
    bool json = !jsonscan_check((const char *)data, size, &root);
    MUST(redact_json(&once, (const char *)data, size) == json);
    if (json && !buf_failed(&once)) {
        MUST(!jsonscan_check(once.data, once.len, &root));
        look(root, false);
    } else if (!json) {
        MUST(once.len == 0);
    }
    buf_release(&once);
    return 0;
}
