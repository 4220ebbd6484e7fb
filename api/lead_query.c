/* lead_query: owns the rules of the filters. */
#include "lead_query.h"

#include <string.h>

#include "archive.h"
#include "auth.h"
#include "reply.h"

enum { ID_MAX = 100 };

static enum status read_state(struct request *r, const char **ret)
{
    static const char *const states[] = {"pendente", "completo", "falhou", "teste"};
    *ret = request_param(r, "estado").data;
    for (size_t i = 0; *ret && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], *ret) == 0)
            return STATUS_OK;
    return *ret ? reply_field(r, STATUS_BAD_REQUEST, "estado",
                              "deve ser pendente, completo, falhou ou teste")
                : STATUS_OK;
}

/* Who may not see persons may not ask whether there is one of this name, either. */
static enum status read_search(struct request *r, struct leads_filter *f)
{
    enum status st = archive_read_text(r, "busca", ARCHIVE_TEXT_MAX, &f->busca);
    if (st != STATUS_OK || !f->busca || !archive_redacts(r))
        return st;
    if (f->busca[strspn(f->busca, "0123456789")])
        return auth_refuse_role(r, "O seu papel só busca pelo id exato de um lead.");
    f->id = f->busca;
    f->busca = NULL;
    return STATUS_OK;
}

enum status lead_query(struct request *r, struct leads_filter *ret)
{
    *ret = (struct leads_filter){.desde_us = STORE_NO_TIME, .ate_us = STORE_NO_TIME};
    enum status st = archive_read_text(r, "pagina", ID_MAX, &ret->pagina);
    if (st == STATUS_OK)
        st = archive_read_text(r, "formulario", ID_MAX, &ret->formulario);
    if (st == STATUS_OK)
        st = archive_read_times(r, &ret->desde_us, &ret->ate_us);
    if (st == STATUS_OK)
        st = read_state(r, &ret->estado);
    return st == STATUS_OK ? read_search(r, ret) : st;
}
