/* Unit tests of file_type. */
#include <check.h>
#include <string.h>

#include "file_type.h"

Suite *suite_file_type(void);

#define OFFICE "application/vnd.openxmlformats-officedocument."
#define ODF    "application/vnd.oasis.opendocument."
/* A local header of ZIP as far as its name: 26 bytes that do not matter here. */
#define ENTRY(name)                                                                                \
    "PK\3\4"                                                                                       \
    "abcdefghijklmnopqrstuvwxyz" name
#define ROW(bytes, type)                                                                           \
    {                                                                                              \
        bytes, sizeof bytes - 1, type                                                              \
    }

static const char *type_of(const void *bytes, size_t len, const char *said, const char *name)
{
    struct file_verdict v = {0};
    const char *why = NULL;
    struct file_claim claim = {said, said ? strlen(said) : 0, name};
    enum status st = file_type(bytes, len, claim, &v, &why);
    ck_assert(st == STATUS_OK ? v.type && !why : st == STATUS_UNSUPPORTED_MEDIA && !v.type && why);
    return v.type;
}

static bool is_type(const char *got, const char *want)
{
    return want ? got && strcmp(got, want) == 0 : !got;
}

struct row {
    const char *bytes;
    size_t len;
    const char *type;
};

static void look_at(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = type_of(rows[i].bytes, rows[i].len, NULL, NULL);
        ck_assert_msg(is_type(got, rows[i].type), "row %zu: %s", i, got ? got : "none");
    }
}

START_TEST(test_types_are_told_by_their_first_bytes)
{
    static const struct row rows[] = {
        ROW("\xff\xd8\xff\xe0", "image/jpeg"),
        ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        ROW("GIF87a\1", "image/gif"),
        ROW("GIF89a\1", "image/gif"),
        ROW("RIFF\1\2\3\4WEBPVP8 ", "image/webp"),
        ROW("%PDF-1.7\n", "application/pdf"),
        ROW("OggS\0", "audio/ogg"),
        ROW("ID3\4", "audio/mpeg"),
        ROW("\0\0\0\x18"
            "ftypheic",
            "image/heic"),
        ROW("\0\0\0\x18"
            "ftypavif",
            "image/avif"),
        ROW("\0\0\0\x18"
            "ftypqt  ",
            "video/quicktime"),
        ROW("\0\0\0\x18"
            "ftypM4A ",
            "audio/mp4"),
        ROW("\0\0\0\x18"
            "ftypmp42",
            "video/mp4"),
    };
    look_at(rows, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) /* cut short, it is none of them */
        for (size_t len = 1; len < 3; len++)
            ck_assert_msg(!is_type(type_of(rows[i].bytes, len, NULL, NULL), rows[i].type),
                          "row %zu, %zu", i, len);
}
END_TEST

START_TEST(test_what_is_in_no_table_is_refused)
{
    static const struct row rows[] = {
        ROW("MZ\x90\0\3", NULL),
        ROW("\x7f"
            "ELF\2\1",
            NULL),
        ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDX", NULL),
        ROW("RIFF\1\2\3\4WAVE", NULL),
        ROW("\0\0\0\x18"
            "ftypXXXX",
            NULL),
        ROW("\0\0\0\x18"
            "ftypqt ",
            NULL),
        ROW("\0\0\0\x18"
            "ftypom42",
            NULL), /* not at the border of four letters */
        ROW("PK\3\4\0\0", NULL),
        ROW("PK\5\6\0\0", NULL),
        ROW("\x1f\x8b\x08", NULL),
        ROW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", NULL),
        ROW("\xef\xbb\xbf"
            "a\0b",
            NULL),
    };
    look_at(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(test_markup_is_never_more_than_text)
{
    static const char *const rows[] = {"<html><script>", "<svg xmlns=''/>", "<?xml version='1.0'?>",
                                       "#!/bin/sh\n"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(type_of(rows[i], strlen(rows[i]), NULL, "a.html"), "text/plain");
        ck_assert(!type_of(rows[i], strlen(rows[i]), "text/html", "a.html"));
        ck_assert(!type_of(rows[i], strlen(rows[i]), "image/svg+xml; charset=utf-8", NULL));
    }
}
END_TEST

START_TEST(test_of_zip_only_office_documents_are_kept)
{
    static const struct row rows[] = {
        ROW(ENTRY("mimetype" ODF "text"), ODF "text"),
        ROW(ENTRY("mimetype" ODF "spreadsheet"), ODF "spreadsheet"),
        ROW(ENTRY("mimetype" ODF "presentation"), ODF "presentation"),
        ROW(ENTRY("mimetypeapplication/epub+zip"), NULL),
        ROW(ENTRY("[Content_Types].xml") ENTRY("word/a"), OFFICE "wordprocessingml.document"),
        ROW(ENTRY("_rels/.rels") ENTRY("xl/a"), OFFICE "spreadsheetml.sheet"),
        ROW(ENTRY("docProps/app.xml") ENTRY("ppt/a"), OFFICE "presentationml.presentation"),
        ROW(ENTRY("word/a"), NULL), /* a package begins otherwise */
        ROW(ENTRY("META-INF/MANIFEST.MF"), NULL),
        ROW(ENTRY("[Content_Types].xml") "PK\3\4", NULL),
    };
    look_at(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(test_a_long_package_is_what_its_client_says)
{
    static const char bytes[] = ENTRY("[Content_Types].xml");
    size_t len = sizeof bytes - 1;
    ck_assert_str_eq(type_of(bytes, len, NULL, "a.DOCX"), OFFICE "wordprocessingml.document");
    ck_assert_str_eq(type_of(bytes, len, OFFICE "spreadsheetml.sheet", NULL),
                     OFFICE "spreadsheetml.sheet");
    ck_assert(!type_of(bytes, len, NULL, "a.zip"));
    ck_assert(!type_of(bytes, len, "application/zip", "a.docx"));
    static const char word[] = ENTRY("[Content_Types].xml") ENTRY("word/a");
    ck_assert(!type_of(word, sizeof word - 1, OFFICE "spreadsheetml.sheet", "a.xlsx"));
}
END_TEST

START_TEST(test_a_claim_has_to_agree)
{
    static const struct {
        const char *bytes, *said, *type;
    } rows[] = {
        {"\xff\xd8\xff", "image/jpeg", "image/jpeg"},
        {"\xff\xd8\xff", "IMAGE/JPG; q=1", "image/jpeg"},
        {"\xff\xd8\xff", "application/octet-stream", "image/jpeg"},
        {"\xff\xd8\xff", "", "image/jpeg"},
        {"\xff\xd8\xff", "image/png", NULL},
        {"\xff\xd8\xff", "image/jpegs", NULL},
        {"\xff\xd8\xff", "image", NULL},
        {"%PDF-1.4", "application/x-pdf", "application/pdf"},
        {"%PDF-1.4", "text/plain", NULL},
        {"ID3", "audio/mp3", "audio/mpeg"},
        {"a;b", "text/csv; charset=utf-8", "text/csv"},
        {"a;b", "text/plain", "text/plain"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(is_type(type_of(rows[i].bytes, strlen(rows[i].bytes), rows[i].said, NULL),
                              rows[i].type),
                      "row %zu", i);
    ck_assert_str_eq(type_of("a;b", 3, NULL, "a.CSV"), "text/csv");
    ck_assert_str_eq(type_of("a;b", 3, "text/plain", "a.csv"), "text/plain");
}
END_TEST

static bool is_text(const char *s, size_t len, size_t piece)
{
    struct file_text t = {0};
    for (size_t at = 0; at < len; at += piece)
        file_text_add(&t, s + at, len - at < piece ? len - at : piece);
    return file_text_good(&t);
}

START_TEST(test_text_is_judged_alike_in_any_pieces)
{
    static const struct {
        const char *s;
        bool good;
    } rows[] = {
        {"a\tb\r\n\f", true},
        {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
         true},
        {"\x1b[0m", false},
        {"a\x7f", false},
        {"\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xe2\x82(", false},
        {"\xc3", false}, /* cut short */
        {"\xf0\x9f\x98", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t piece = 1; piece < 6; piece++)
            ck_assert_msg(is_text(rows[i].s, strlen(rows[i].s), piece) == rows[i].good,
                          "row %zu by %zu", i, piece);
    ck_assert(!is_text("a\0b", 3, 3));
}
END_TEST

/* The first bytes may end amid a character: the rest tells. */
START_TEST(test_text_that_goes_on_is_still_open)
{
    struct file_verdict v;
    const char *why;
    ck_assert_int_eq(file_type("a\xc3", 2, (struct file_claim){0}, &v, &why), STATUS_OK);
    ck_assert(v.text);
    ck_assert_int_eq(file_type("%PDF-", 5, (struct file_claim){0}, &v, &why), STATUS_OK);
    ck_assert(!v.text);
}
END_TEST

Suite *suite_file_type(void)
{
    Suite *s = suite_create("file_type");
    TCase *c = tcase_create("bytes");
    tcase_add_test(c, test_types_are_told_by_their_first_bytes);
    tcase_add_test(c, test_what_is_in_no_table_is_refused);
    tcase_add_test(c, test_markup_is_never_more_than_text);
    tcase_add_test(c, test_of_zip_only_office_documents_are_kept);
    suite_add_tcase(s, c);
    c = tcase_create("claims");
    tcase_add_test(c, test_a_long_package_is_what_its_client_says);
    tcase_add_test(c, test_a_claim_has_to_agree);
    suite_add_tcase(s, c);
    c = tcase_create("text");
    tcase_add_test(c, test_text_is_judged_alike_in_any_pieces);
    tcase_add_test(c, test_text_that_goes_on_is_still_open);
    suite_add_tcase(s, c);
    return s;
}
