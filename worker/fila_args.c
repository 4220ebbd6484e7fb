/* fila_args: owns the table of options: which words take them, and what they want. */
#include "fila_args.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

enum { WHY_MAX = 200, TEXT_MAX = 1000 };

static const char *const words[FILA_WORDS] = {
    [FILA_STATUS] = "status",  [FILA_PAUSAR] = "pausar",     [FILA_RETOMAR] = "retomar",
    [FILA_MORTAS] = "mortas",  [FILA_REENVIAR] = "reenviar", [FILA_ENTREGAS] = "entregas",
    [FILA_EVENTOS] = "eventos"};

enum kind { FLAG, INTEGER, TIME, TEXT, FIELD };

#define OF(field)   offsetof(struct fila_args, field)
#define IN(word)    (1U << FILA_##word)
#define IN_PAGES    (IN(MORTAS) | IN(ENTREGAS) | IN(EVENTOS))
#define IN_FILTERED (IN_PAGES | IN(REENVIAR))

static const struct option {
    const char *name;
    enum kind kind;
    unsigned words;
    size_t field;
    int64_t max; /* of an integer; it is at least 1 */
    const char *want;
} options[] = {
    {"--json", FLAG, (1U << FILA_WORDS) - 1, OF(json), 0, NULL},
    {"--progresso", FLAG, IN(REENVIAR), OF(progresso), 0, NULL},
    {"--esperar", INTEGER, IN(REENVIAR), OF(esperar_s), FILA_WAIT_MAX_S, "seconds from 1 to 3600"},
    {"--limite", INTEGER, IN_FILTERED, OF(filter.limite), FILA_LIMIT_MAX, "a number from 1"},
    {"--antes", INTEGER, IN_PAGES, OF(filter.antes_id), INT64_MAX, "an id"},
    {"--id", INTEGER, IN(ENTREGAS) | IN(EVENTOS), OF(id), INT64_MAX, "an id"},
    {"--entrega", INTEGER, IN(EVENTOS), OF(filter.entrega_id), INT64_MAX, "an id"},
    {"--desde", TIME, IN_FILTERED, OF(filter.desde_us), 0, "RFC 3339 or YYYY-MM-DD"},
    {"--ate", TIME, IN_FILTERED, OF(filter.ate_us), 0, "RFC 3339 or YYYY-MM-DD"},
    {"--motivo", TEXT, IN(MORTAS) | IN(REENVIAR), OF(filter.motivo), 0, "a reason"},
    {"--estado", TEXT, IN(ENTREGAS) | IN(REENVIAR), OF(filter.estado), 0, "a state"},
    {"--formulario", TEXT, IN(REENVIAR) | IN(EVENTOS), OF(filter.formulario), 0, "a form's id"},
    {"--por", TEXT, IN(PAUSAR), OF(por), 0, "a name"},
    {"--valor", TEXT, IN(EVENTOS), OF(valor), 0, "a value"},
    {"--campo", FIELD, IN(EVENTOS), OF(caminho), 0, "PATH=VALUE, as value.form_id=123"},
};

static bool wrong(char *why, const char *what, const char *got, const char *want)
{
    snprintf(why, WHY_MAX, "%s: got \"%.60s\", want %s", what, got, want);
    return false;
}

/* ---- values ---- */

bool fila_args_time(const char *text, int64_t *ret_us)
{
    char whole[32];
    size_t len = strlen(text);
    if (len != 10)
        return text_time_parse(text, len, ret_us);
    snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
    return text_time_parse(whole, strlen(whole), ret_us);
}

static bool is_text(const char *s)
{
    size_t len = strlen(s);
    return len > 0 && len <= TEXT_MAX && text_utf8(s, len, NULL);
}

static bool set_field(struct fila_args *a, const char *value)
{
    const char *end = strchr(value, '=');
    size_t len = end ? (size_t)(end - value) : 0;
    if (len == 0 || len >= sizeof a->caminho || !is_text(value))
        return false;
    memcpy(a->caminho, value, len);
    a->caminho[len] = '\0';
    a->filter.caminho = a->caminho;
    a->filter.valor = end + 1;
    return true;
}

static bool set(struct fila_args *a, const struct option *o, const char *value)
{
    void *field = (char *)a + o->field;
    switch (o->kind) {
    case FLAG:
        *(bool *)field = true;
        return true;
    case INTEGER:
        return text_int(value, strlen(value), 1, o->max, field);
    case TIME:
        return fila_args_time(value, field);
    case FIELD:
        return set_field(a, value);
    case TEXT:
        *(const char **)field = value;
        return is_text(value);
    }
    return false;
}

/* ---- the line ---- */

static const struct option *find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
            return &options[i];
    return NULL;
}

/* --name value, or --name=value; *i is left at its last word. */
static bool take_option(int argc, char **argv, int *i, struct fila_args *a, char *why)
{
    const char *word = argv[*i];
    size_t len = strcspn(word, "=");
    const struct option *o = find(word, len);
    if (!o || !(o->words & 1U << a->word) || (o->kind == FLAG && word[len])) {
        snprintf(why, WHY_MAX, "fila %s: unknown option \"%.60s\"", words[a->word], word);
        return false;
    }
    if (a->seen & 1U << (o - options))
        return wrong(why, o->name, "it twice", "it once");
    a->seen |= 1U << (o - options);
    const char *value = word[len] ? word + len + 1 : NULL;
    if (o->kind != FLAG && !value)
        value = ++*i < argc ? argv[*i] : NULL;
    if (o->kind != FLAG && !value)
        return wrong(why, o->name, "", o->want);
    return set(a, o, value) || wrong(why, o->name, value, o->want);
}

static bool take_id(struct fila_args *a, char **argv, int word, char *why)
{
    int64_t id;
    if (a->word != FILA_REENVIAR || !text_int(argv[word], strlen(argv[word]), 1, INT64_MAX, &id)) {
        snprintf(why, WHY_MAX, "fila %s: unknown word \"%.60s\"", words[a->word], argv[word]);
        return false;
    }
    argv[a->n_ids++] = argv[word]; /* to the front: what was there has been read */
    a->ids = argv;
    return a->n_ids <= FILA_IDS_MAX || wrong(why, "fila reenviar", "more", "at most 10000 ids");
}

static bool find_word(const char *name, enum fila_word *ret)
{
    for (unsigned i = 0; i < FILA_WORDS; i++) {
        if (strcmp(words[i], name) == 0) {
            *ret = (enum fila_word)i;
            return true;
        }
    }
    return false;
}

/* ---- what has to go together ---- */

static bool check_state(const struct fila_args *a, char *why)
{
    const char *estado = a->filter.estado;
    bool pending = estado && strcmp(estado, "pendente") == 0 && a->word == FILA_ENTREGAS;
    if (!estado || pending || strcmp(estado, "morta") == 0 || strcmp(estado, "processada") == 0)
        return true;
    return wrong(why, "--estado", estado,
                 a->word == FILA_ENTREGAS ? "pendente, processada or morta"
                                          : "morta or processada");
}

static bool check_replay(struct fila_args *a, char *why)
{
    struct arquivo_filter *f = &a->filter;
    bool times = f->desde_us != STORE_NO_TIME || f->ate_us != STORE_NO_TIME;
    bool filtered = times || f->motivo || f->estado || f->formulario;
    if (a->n_ids > 0 ? filtered : !times) {
        snprintf(why, WHY_MAX, "fila reenviar: want ids, or --desde or --ate%s",
                 a->n_ids > 0 ? ", not both" : "");
        return false;
    }
    if (!f->estado)
        f->estado = f->formulario ? "processada" : "morta";
    bool dead = strcmp(f->estado, "morta") == 0;
    if (f->formulario && dead)
        return wrong(why, "--formulario", f->formulario,
                     "--estado processada: of a dead letter no form is known");
    if (f->motivo && !dead)
        return wrong(why, "--motivo", f->motivo, "--estado morta: only dead letters have a reason");
    return true;
}

static bool check_events(struct fila_args *a, char *why)
{
    struct arquivo_filter *f = &a->filter;
    if ((f->valor != NULL) + (a->valor != NULL) + (f->formulario != NULL) + (f->entrega_id != 0) +
            (a->id != 0) >
        1) {
        snprintf(why, WHY_MAX,
                 "fila eventos: want one of --id, --entrega, --campo, --valor, --formulario");
        return false;
    }
    if (a->valor)
        f->valor = a->valor;
    if (f->formulario) { /* as Meta has it in each lead's notification */
        f->caminho = "form_id";
        f->valor = f->formulario;
    }
    return true;
}

static bool check(struct fila_args *a, char *why)
{
    struct arquivo_filter *f = &a->filter;
    if (f->limite == 0)
        f->limite = a->word == FILA_REENVIAR ? 10000 : 50;
    if (a->word != FILA_REENVIAR && f->limite > FILA_PAGE_MAX)
        return wrong(why, "--limite", "more", "a number from 1 to 1000");
    if (a->word == FILA_MORTAS)
        f->estado = "morta";
    if (!check_state(a, why))
        return false;
    if (a->word == FILA_REENVIAR)
        return check_replay(a, why);
    return a->word != FILA_EVENTOS || check_events(a, why);
}

bool fila_args_parse(int argc, char **argv, struct fila_args *ret, char *why)
{
    *ret = (struct fila_args){
        .filter = {.desde_us = STORE_NO_TIME, .ate_us = STORE_NO_TIME, .antes_us = STORE_NO_TIME}};
    if (argc < 1 || !find_word(argv[0], &ret->word)) {
        snprintf(why, WHY_MAX,
                 "fila: got \"%.60s\", want status, pausar, retomar, mortas, "
                 "reenviar, entregas or eventos",
                 argc < 1 ? "" : argv[0]);
        return false;
    }
    for (int i = 1; i < argc; i++) {
        bool good =
            argv[i][0] == '-' ? take_option(argc, argv, &i, ret, why) : take_id(ret, argv, i, why);
        if (!good)
            return false;
    }
    return check(ret, why);
}
