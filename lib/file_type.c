/* file_type: owns the table of types and the little that has to be known of containers: the brands
 * of ISO media (ISO 14496-12 section 4.3) and the first entries of ZIP (OPC, ODF 1.3 part 2). */
#include "file_type.h"

#include <string.h>
#include <strings.h>

#define DOCX "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define PPTX "application/vnd.openxmlformats-officedocument.presentationml.presentation"
#define ODF  "application/vnd.oasis.opendocument."

/* ---- bytes at a fixed place ---- */

struct magic {
    const char *type, *first, *second;
    unsigned char first_len, second_at, second_len; /* 0: no second mark */
};

static const struct magic magics[] = {
    {"image/jpeg", "\xff\xd8\xff", NULL, 3, 0, 0},
    {"image/png", "\x89PNG\r\n\x1a\n", "IHDR", 8, 12, 4},
    {"image/gif", "GIF87a", NULL, 6, 0, 0},
    {"image/gif", "GIF89a", NULL, 6, 0, 0},
    {"image/webp", "RIFF", "WEBP", 4, 8, 4},
    {"application/pdf", "%PDF-", NULL, 5, 0, 0},
    {"audio/ogg", "OggS", NULL, 4, 0, 0},
    {"audio/mpeg", "ID3", NULL, 3, 0, 0},
};

static bool has(const char *head, size_t len, size_t at, const char *mark, size_t n)
{
    return len >= at + n && memcmp(head + at, mark, n) == 0;
}

static const char *by_magic(const char *head, size_t len)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        const struct magic *m = &magics[i];
        if (has(head, len, 0, m->first, m->first_len) &&
            (m->second_len == 0 || has(head, len, m->second_at, m->second, m->second_len)))
            return m->type;
    }
    return NULL;
}

/* ---- ISO media: "ftyp" and a brand ---- */

static const struct {
    const char *type, *brands; /* four letters each */
} media[] = {
    {"image/heic", "heicheixheimheisheifmif1msf1hevchevx"},
    {"image/avif", "avifavis"},
    {"video/quicktime", "qt  "},
    {"audio/mp4", "M4A M4B "},
    {"video/mp4",
     "isomiso2iso3iso4iso5iso6iso7iso8iso9mp41mp42avc1M4V M4VHM4VPdashmmp4MSNV3gp43gp5"},
};

static const char *by_brand(const char *head, size_t len)
{
    if (!has(head, len, 4, "ftyp", 4) || len < 12)
        return NULL;
    for (size_t i = 0; i < sizeof media / sizeof media[0]; i++)
        for (const char *b = media[i].brands; *b; b += 4)
            if (memcmp(head + 8, b, 4) == 0)
                return media[i].type;
    return NULL;
}

/* ---- ZIP: office documents alone ---- */

static const char *const odf_types[] = {ODF "text", ODF "spreadsheet", ODF "presentation"};

/* ODF: the first entry is "mimetype", stored, and holds the type. */
static const char *by_mimetype_entry(const char *head, size_t len)
{
    if (!has(head, len, 30, "mimetype", 8))
        return NULL;
    for (size_t i = 0; i < sizeof odf_types / sizeof odf_types[0]; i++)
        if (has(head, len, 38, odf_types[i], strlen(odf_types[i])))
            return odf_types[i];
    return NULL;
}

static const struct {
    const char *type, *folder, *extension;
} packages[] = {{DOCX, "word/", ".docx"}, {XLSX, "xl/", ".xlsx"}, {PPTX, "ppt/", ".pptx"}};
enum { PACKAGES = sizeof packages / sizeof packages[0] };

/* The first folder of a known kind among the names of the entries that begin here. */
static const char *by_folder(const char *head, size_t len)
{
    const char *at = head, *end = head + len;
    while ((at = memmem(at, (size_t)(end - at), "PK\3\4", 4))) {
        size_t left = (size_t)(end - at);
        for (size_t i = 0; i < PACKAGES; i++)
            if (has(at, left, 30, packages[i].folder, strlen(packages[i].folder)))
                return packages[i].type;
        at += 4;
    }
    return NULL;
}

static bool ends_with(const char *name, const char *extension)
{
    size_t n = name ? strlen(name) : 0, m = strlen(extension);
    return name && n >= m && strcasecmp(name + n - m, extension) == 0;
}

/* A package begins with its list of types or its relations; which kind it is may stand further back
 * than the first bytes, and then the client's word chooses among the three. */
static const char *by_package(const char *head, size_t len, struct file_claim claim)
{
    const char *found = by_folder(head, len);
    bool package = has(head, len, 30, "[Content_Types].xml", 19) ||
                   has(head, len, 30, "_rels/.rels", 11) || has(head, len, 30, "docProps/", 9);
    if (!package || found)
        return package ? found : NULL;
    for (size_t i = 0; i < PACKAGES; i++)
        if (file_type_is(claim.type, claim.type_len, packages[i].type) ||
            ends_with(claim.name, packages[i].extension))
            return packages[i].type;
    return NULL;
}

static const char *by_zip(const char *head, size_t len, struct file_claim claim)
{
    if (!has(head, len, 0, "PK\3\4", 4))
        return NULL;
    const char *type = by_mimetype_entry(head, len);
    return type ? type : by_package(head, len, claim);
}

/* ---- text ---- */

/* First bytes of characters, and what may follow them first (RFC 3629 section 4). */
static bool begin_character(struct file_text *t, unsigned char c)
{
    t->low = 0x80;
    t->high = 0xbf;
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\f' || c == '\r';
    if (c < 0x7f)
        return true;
    if (c < 0xc2 || c > 0xf4) /* DEL, continuations, overlong forms */
        return false;
    t->pending = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (c == 0xe0)
        t->low = 0xa0;
    if (c == 0xed) /* surrogates */
        t->high = 0x9f;
    if (c == 0xf0)
        t->low = 0x90;
    if (c == 0xf4)
        t->high = 0x8f;
    return true;
}

void file_text_add(struct file_text *t, const void *data, size_t len)
{
    const unsigned char *s = data;
    for (size_t i = 0; i < len && !t->bad; i++) {
        if (t->pending == 0) {
            t->bad = !begin_character(t, s[i]);
            continue;
        }
        t->bad = s[i] < t->low || s[i] > t->high;
        t->pending--;
        t->low = 0x80;
        t->high = 0xbf;
    }
}

bool file_text_good(const struct file_text *t)
{
    return !t->bad && t->pending == 0;
}

static const char *by_text(const char *head, size_t len, struct file_claim claim)
{
    struct file_text text = {0};
    file_text_add(&text, head, len);
    if (text.bad)
        return NULL;
    bool csv =
        file_type_is(claim.type, claim.type_len, "text/csv") ||
        (!file_type_is(claim.type, claim.type_len, "text/plain") && ends_with(claim.name, ".csv"));
    return csv ? "text/csv" : "text/plain";
}

/* ---- what the client said ---- */

bool file_type_is(const char *type, size_t len, const char *wanted)
{
    size_t n = 0;
    while (type && n < len && !strchr("; \t", type[n]))
        n++;
    return type && n == strlen(wanted) && strncasecmp(type, wanted, n) == 0;
}

/* Names that browsers and systems give to the same thing. */
static const struct {
    const char *said, *is;
} aliases[] = {
    {"image/jpg", "image/jpeg"},
    {"image/pjpeg", "image/jpeg"},
    {"image/heif", "image/heic"},
    {"application/x-pdf", "application/pdf"},
    {"video/mp4", "audio/mp4"},
    {"audio/x-m4a", "audio/mp4"},
    {"audio/mp4", "video/mp4"},
    {"audio/mp3", "audio/mpeg"},
    {"application/ogg", "audio/ogg"},
    {"video/ogg", "audio/ogg"},
    {"application/vnd.ms-excel", "text/csv"},
    {"application/csv", "text/csv"},
};

static bool agrees(struct file_claim claim, const char *type)
{
    if (!claim.type || claim.type_len == 0 || file_type_is(claim.type, claim.type_len, type) ||
        file_type_is(claim.type, claim.type_len, "application/octet-stream"))
        return true;
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (strcmp(aliases[i].is, type) == 0 &&
            file_type_is(claim.type, claim.type_len, aliases[i].said))
            return true;
    return false;
}

enum status file_type(const void *bytes, size_t len, struct file_claim claim,
                      struct file_verdict *ret, const char **ret_why)
{
    const char *head = bytes;
    const char *type = by_magic(head, len);
    if (!type)
        type = by_brand(head, len);
    if (!type)
        type = by_zip(head, len, claim);
    bool text = !type;
    if (!type)
        type = by_text(head, len, claim);
    if (!type) {
        *ret_why = "O conteúdo não é de nenhum tipo aceito.";
        return STATUS_UNSUPPORTED_MEDIA;
    }
    if (!agrees(claim, type)) {
        *ret_why = "O conteúdo não é do tipo que Content-Type diz.";
        return STATUS_UNSUPPORTED_MEDIA;
    }
    *ret = (struct file_verdict){type, text};
    return STATUS_OK;
}
