/* graph_fields: owns the table of names under which forms ask for a name, an address, a telephone.
 *
 * Meta's own questions have fixed names (full_name, email, phone_number); those that advertisers
 * write get theirs from the text of the question. Compared in small letters, with '_' for spaces
 * and hyphens. Of several fields for the same column the one that stands first in the table counts,
 * an empty one never. */
#include <string.h>

#include "graph_answer.h"

enum column { NOME, PRIMEIRO, ULTIMO, EMAIL, TELEFONE, N_COLUMNS };

static const struct {
    const char *name;
    enum column column;
} table[] = {
    {"full_name", NOME},
    {"nome_completo", NOME},
    {"nome", NOME},
    {"name", NOME},
    {"first_name", PRIMEIRO},
    {"primeiro_nome", PRIMEIRO},
    {"last_name", ULTIMO},
    {"sobrenome", ULTIMO},
    {"último_nome", ULTIMO},
    {"email", EMAIL},
    {"e_mail", EMAIL},
    {"work_email", EMAIL},
    {"email_address", EMAIL},
    {"endereço_de_email", EMAIL},
    {"endereço_de_e_mail", EMAIL},
    {"seu_email", EMAIL},
    {"seu_e_mail", EMAIL},
    {"phone_number", TELEFONE},
    {"telefone", TELEFONE},
    {"whatsapp", TELEFONE},
    {"whatsapp_number", TELEFONE},
    {"celular", TELEFONE},
    {"phone", TELEFONE},
    {"work_phone_number", TELEFONE},
    {"mobile_number", TELEFONE},
    {"número_de_telefone", TELEFONE},
};
enum { N_NAMES = sizeof table / sizeof table[0], NAME_CAP = 64 };

struct found {
    unsigned rank[N_COLUMNS]; /* row of the table; N_NAMES: none */
    struct pg_text text[N_COLUMNS];
};

/* Row of the table, N_NAMES when it has none. */
static unsigned rank_of(struct jsonscan name)
{
    char s[6 * NAME_CAP]; /* an escape has six bytes for a character */
    size_t len;
    if (name.type != JSONSCAN_STRING || name.len > sizeof s || !jsonscan_decode(name, s, &len))
        return N_NAMES;
    for (size_t i = 0; i < len; i++)
        s[i] = (char)(s[i] == ' ' || s[i] == '-'   ? '_'
                      : s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20
                                                   : s[i]);
    unsigned i = 0;
    while (i < N_NAMES && (strlen(table[i].name) != len || memcmp(table[i].name, s, len) != 0))
        i++;
    return i;
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

/* Without blanks around it and controls in it; data NULL when nothing is left or it is too long. */
static struct pg_text clean(struct jsonscan v, struct arena *arena)
{
    struct pg_text none = {NULL, 0};
    size_t len, from = 0;
    if (v.type != JSONSCAN_STRING || v.len > 6 * GRAPH_TEXT_MAX)
        return none;
    char *s = arena_alloc(arena, v.len);
    if (!s || !jsonscan_decode(v, s, &len))
        return none;
    for (size_t i = 0; i < len; i++)
        if (is_blank(s[i]))
            s[i] = ' ';
    while (len > 0 && s[len - 1] == ' ')
        len--;
    while (from < len && s[from] == ' ')
        from++;
    return len > from && len - from <= GRAPH_TEXT_MAX ? (struct pg_text){s + from, len - from}
                                                      : none;
}

/* Meta's Lead Ads Testing Tool makes leads that say "<test lead: dummy data for full_name>". */
static bool is_dummy(struct jsonscan v)
{
    static const char mark[] = "<test lead:";
    char s[6 * GRAPH_TEXT_MAX];
    size_t len;
    return v.type == JSONSCAN_STRING && v.len <= sizeof s && jsonscan_decode(v, s, &len) &&
           len >= sizeof mark - 1 && strncasecmp(s, mark, sizeof mark - 1) == 0;
}

static void note_field(struct found *f, unsigned rank, struct jsonscan value, struct arena *arena)
{
    if (rank == N_NAMES || rank >= f->rank[table[rank].column])
        return;
    struct pg_text text = clean(value, arena);
    if (!text.data)
        return;
    f->rank[table[rank].column] = rank;
    f->text[table[rank].column] = text;
}

static void read_field(struct found *f, struct jsonscan field, struct arena *arena, bool *ret_teste)
{
    static const char *const names[] = {"name", "values"};
    struct jsonscan v[2], value;
    struct jsonscan_walk w = {NULL};
    jsonscan_pick(field, 2, names, v);
    if (!jsonscan_next(v[1], &w, &value)) /* of several answers the first one */
        return;
    *ret_teste |= is_dummy(value);
    note_field(f, rank_of(v[0]), value, arena);
}

/* "first last", where the form did not ask for the whole name. */
static struct pg_text join_names(struct pg_text first, struct pg_text last, struct arena *arena)
{
    if (!first.data || !last.data)
        return first.data ? first : last;
    char *s = arena_alloc(arena, first.len + 1 + last.len);
    if (!s || first.len + 1 + last.len > GRAPH_TEXT_MAX)
        return first;
    memcpy(s, first.data, first.len);
    s[first.len] = ' ';
    memcpy(s + first.len + 1, last.data, last.len);
    return (struct pg_text){s, first.len + 1 + last.len};
}

void graph_fields_read(struct jsonscan field_data, struct arena *arena, struct consulta_answer *ret)
{
    struct found f = {0};
    struct jsonscan_walk w = {NULL};
    struct jsonscan field;
    for (unsigned i = 0; i < N_COLUMNS; i++)
        f.rank[i] = N_NAMES;
    while (jsonscan_next(field_data, &w, &field))
        read_field(&f, field, arena, &ret->teste);
    ret->nome =
        f.text[NOME].data ? f.text[NOME] : join_names(f.text[PRIMEIRO], f.text[ULTIMO], arena);
    ret->email = f.text[EMAIL];
    ret->telefone = f.text[TELEFONE];
}
