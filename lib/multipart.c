/* multipart: owns the reading of parts. A delimiter begins with the only CR that it has, so where a
 * match fails nothing of it can begin another one but the byte in hand. */
#include "multipart.h"

#include <string.h>
#include <strings.h>

#include "file_type.h"
#include "text.h"

static bool bad(struct multipart *m, const char *why)
{
    m->state = MULTIPART_BAD;
    m->why = why;
    return false;
}

/* ---- parameters: "; name=value" and "; name="value"" ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* A quoted value into out. A browser writes the quote as %22 (HTML, "multipart/form-data encoding
 * algorithm"), others as \"; any other backslash is one: old ones send whole paths. */
static const char *read_quoted(const char *at, const char *end, char *out, size_t max)
{
    size_t n = 0;
    for (; at < end && *at != '"'; at++) {
        char c = *at;
        if (c == '\\' && end - at > 1 && at[1] == '"') {
            c = *++at;
        } else if (c == '%' && end - at > 2 && at[1] == '2' && at[2] == '2') {
            c = '"';
            at += 2;
        }
        if (n == max)
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return at < end ? at + 1 : NULL;
}

static const char *read_plain(const char *at, const char *end, char *out, size_t max)
{
    size_t n = 0;
    for (; at < end && *at != ';' && !is_space(*at); at++) {
        if (n == max)
            return NULL;
        out[n++] = *at;
    }
    out[n] = '\0';
    return at;
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* What begins at a ";": its name in *ret_word, its value in `value`. Returns what follows it; NULL
 * when it is malformed or too long. A ";" at the very end is a name of no letters. */
static const char *read_param(const char *at, const char *end, const char **ret_word,
                              size_t *ret_len, char value[MULTIPART_NAME_MAX + 1])
{
    if (*at != ';')
        return NULL;
    *ret_word = at = skip_spaces(at + 1, end);
    while (at < end && *at != '=' && *at != ';')
        at++;
    *ret_len = (size_t)(at - *ret_word);
    if (at == end || *at != '=')
        return *ret_len == 0 && at == end ? end : NULL;
    at++;
    at = at < end && *at == '"' ? read_quoted(at + 1, end, value, MULTIPART_NAME_MAX)
                                : read_plain(at, end, value, MULTIPART_NAME_MAX);
    return at ? skip_spaces(at, end) : NULL;
}

/* The parameter of this name behind a header's first word. 1: found; 0: there is none; -1: it came
 * twice, is too long, or the line is malformed. */
static int find_param(const char *at, const char *end, const char *name, char *out, size_t max)
{
    char value[MULTIPART_NAME_MAX + 1];
    int found = 0;
    while (at < end && *at != ';')
        at++;
    while (at < end) {
        const char *word;
        size_t n;
        at = read_param(at, end, &word, &n, value);
        if (!at)
            return -1;
        if (n != strlen(name) || strncasecmp(word, name, n) != 0)
            continue;
        if (found || strlen(value) > max)
            return -1;
        memcpy(out, value, strlen(value) + 1);
        found = 1;
    }
    return found;
}

/* RFC 2046: what a boundary may be made of; no blank at its end. */
static bool is_boundary(const char *s, size_t n)
{
    static const char others[] = "'()+_,-./:=? ";
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && !strchr(others, c))
            return false;
    }
    return n > 0 && s[n - 1] != ' ';
}

bool multipart_init(struct multipart *m, const char *content_type, size_t len)
{
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    *m = (struct multipart){.state = MULTIPART_START, .n_held = 2}; /* as if behind a line's end */
    if (!file_type_is(content_type, len, "multipart/form-data") ||
        find_param(content_type, content_type + len, "boundary", boundary, sizeof boundary - 1) !=
            1 ||
        !is_boundary(boundary, strlen(boundary)))
        return false;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary, strlen(boundary));
    m->delimiter_len = 4 + strlen(boundary);
    return true;
}

/* ---- a part's head ---- */

static bool read_disposition(struct multipart *m, const char *value, const char *end)
{
    char field[sizeof MULTIPART_FIELD + 8];
    if (!file_type_is(value, (size_t)(end - value), "form-data") ||
        find_param(value, end, "name", field, sizeof field - 1) != 1)
        return bad(m, "A parte não tem o nome 'arquivo'.");
    if (strcmp(field, MULTIPART_FIELD) != 0)
        return bad(m, "O formulário deve ter uma só parte, de nome 'arquivo'.");
    if (find_param(value, end, "filename", m->name, MULTIPART_NAME_MAX) < 0)
        return bad(m, "O nome do arquivo na parte está malformado ou é longo demais.");
    m->found = true;
    return true;
}

static bool read_type(struct multipart *m, const char *value, const char *end)
{
    size_t n = (size_t)(end - value);
    if (n > MULTIPART_TYPE_MAX)
        return bad(m, "O Content-Type da parte é longo demais.");
    memcpy(m->type, value, n);
    m->type[n] = '\0';
    return true;
}

static bool read_encoding(struct multipart *m, const char *value, const char *end)
{
    size_t n = (size_t)(end - value);
    bool plain = file_type_is(value, n, "binary") || file_type_is(value, n, "8bit") ||
                 file_type_is(value, n, "7bit");
    return plain || bad(m, "Content-Transfer-Encoding não é aceito: envie os bytes como são.");
}

static bool read_line(struct multipart *m, const char *line, const char *end)
{
    static const struct {
        const char *name;
        bool (*read)(struct multipart *m, const char *value, const char *end);
    } known[] = {{"Content-Disposition", read_disposition},
                 {"Content-Type", read_type},
                 {"Content-Transfer-Encoding", read_encoding}};
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (!colon || !text_http_token(line, (size_t)(colon - line)))
        return bad(m, "Cabeçalho malformado na parte.");
    size_t n = (size_t)(colon - line);
    const char *value = colon + 1;
    while (value < end && is_space(*value))
        value++;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (n == strlen(known[i].name) && strncasecmp(line, known[i].name, n) == 0)
            return known[i].read(m, value, end);
    return true; /* others say nothing that matters (RFC 7578 section 4.8) */
}

static bool read_head(struct multipart *m)
{
    const char *at = m->held, *end = m->held + m->n_held;
    if (memchr(at, '\0', m->n_held) || !text_utf8(at, m->n_held, NULL))
        return bad(m, "Cabeçalho malformado na parte.");
    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (!stop || !read_line(m, at, stop))
            return m->state == MULTIPART_BAD ? false : bad(m, "Cabeçalho malformado na parte.");
        at = stop + 2;
    }
    if (!m->found)
        return bad(m, "A parte não tem Content-Disposition.");
    m->n_held = 0;
    m->state = MULTIPART_BODY;
    return true;
}

/* ---- the stages; each takes what it can and returns how much ---- */

static size_t in_start(struct multipart *m, const char *data, size_t len)
{
    static const char line_end[] = "\r\n";
    size_t n = 0;
    while (n < len && m->n_held < m->delimiter_len + 2) {
        const char *wanted = m->n_held < m->delimiter_len ? m->delimiter : line_end;
        size_t at = m->n_held < m->delimiter_len ? m->n_held : m->n_held - m->delimiter_len;
        if (data[n] != wanted[at]) {
            bad(m, "O corpo não começa com o delimitador que Content-Type diz.");
            return n;
        }
        n++;
        m->n_held++;
    }
    if (m->n_held == m->delimiter_len + 2) {
        m->state = MULTIPART_HEAD;
        m->n_held = 0;
    }
    return n;
}

static size_t in_head(struct multipart *m, const char *data, size_t len)
{
    for (size_t n = 0; n < len; n++) {
        if (m->n_held == sizeof m->held) {
            bad(m, "O cabeçalho da parte é longo demais.");
            return n;
        }
        m->held[m->n_held++] = data[n];
        if (m->n_held == 2 && memcmp(m->held, "\r\n", 2) == 0) {
            bad(m, "A parte não tem Content-Disposition.");
            return n;
        }
        if (m->n_held >= 4 && memcmp(m->held + m->n_held - 4, "\r\n\r\n", 4) == 0) {
            m->n_held -= 2;
            read_head(m);
            return n + 1;
        }
    }
    return len;
}

/* Behind a delimiter: "--", and then an end of line at most. */
static size_t in_tail(struct multipart *m, const char *data, size_t len)
{
    static const char end[] = "--\r\n";
    size_t n = 0;
    while (n < len && m->n_held < sizeof end - 1 && data[n] == end[m->n_held]) {
        n++;
        m->n_held++;
    }
    if (m->n_held >= 2)
        m->state = MULTIPART_END;
    if (n < len)
        bad(m, m->n_held < 2 && data[n] == '\r'
                   ? "O formulário deve ter uma só parte, de nome 'arquivo'."
                   : "Há bytes a mais depois do delimitador.");
    return n;
}

struct sink {
    bool (*body)(void *ctx, const char *data, size_t len);
    void *ctx;
    bool stopped;
};

static void emit(struct sink *s, const char *data, size_t len)
{
    if (len > 0 && !s->stopped)
        s->stopped = !s->body(s->ctx, data, len);
}

/* m->n_held: how much of the delimiter is matched. */
static size_t in_body(struct multipart *m, const char *data, size_t len, struct sink *sink)
{
    if (m->n_held > 0) {
        if (*data != m->delimiter[m->n_held]) {
            emit(sink, m->delimiter, m->n_held);
            m->n_held = 0;
            return 0;
        }
        if (++m->n_held == m->delimiter_len) {
            m->state = MULTIPART_TAIL;
            m->n_held = 0;
        }
        return 1;
    }
    const char *cr = memchr(data, '\r', len);
    size_t n = cr ? (size_t)(cr - data) : len;
    emit(sink, data, n);
    m->n_held = cr != NULL;
    return n + (cr != NULL);
}

static size_t in_frame(struct multipart *m, const char *data, size_t len)
{
    size_t n = m->state == MULTIPART_START  ? in_start(m, data, len)
               : m->state == MULTIPART_HEAD ? in_head(m, data, len)
                                            : in_tail(m, data, len);
    m->n_frame += n;
    return n;
}

bool multipart_feed(struct multipart *m, const char *data, size_t len,
                    bool (*body)(void *ctx, const char *data, size_t len), void *ctx)
{
    struct sink sink = {body, ctx, false};
    while (len > 0 && m->state != MULTIPART_BAD && !sink.stopped) {
        size_t n =
            m->state == MULTIPART_BODY ? in_body(m, data, len, &sink) : in_frame(m, data, len);
        data += n;
        len -= n;
    }
    return m->state != MULTIPART_BAD && !sink.stopped;
}
