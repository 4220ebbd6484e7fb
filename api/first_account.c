/* first_account: owns nothing but its rules. */
#include "first_account.h"

#include <string.h>

#include "hasher.h"
#include "log.h"
#include "store_usuarios.h"

static bool hash(void *ctx, char *ret, size_t size)
{
    const struct config *c = ctx;
    return size >= HASHER_HASH_SIZE &&
           hasher_make(c->admin_password, strlen(c->admin_password), ret);
}

enum status first_account(const struct config *c)
{
    char message[256] = "";
    bool made;
    if (!c->admin_email || !c->admin_password)
        return STATUS_OK;
    enum status st = store_usuarios_first(c->database_url, "Administração", c->admin_email, hash,
                                          (void *)(uintptr_t)c, &made, message);
    if (st == STATUS_OK && made)
        log_info("first_account", NULL, "made the first account, of ADMIN_EMAIL");
    else if (st == STATUS_INTERNAL)
        log_error("first_account", NULL, "cannot make the first account: %s", message);
    return st;
}
