/* file_name: owns what may stand in a name and how it goes into a header. */
#include "file_name.h"

#include <string.h>

#include "text.h"

/* Code points that show nothing and mislead: C1 controls, marks and overrides of direction, line
 * and paragraph separators, the byte order mark. The sequence is valid UTF-8. */
static bool misleads(const unsigned char *s, size_t left)
{
    if (*s < 0x20 || *s == 0x7f)
        return true;
    if (left >= 2 && s[0] == 0xc2 && s[1] < 0xa0)
        return true;
    if (left < 3)
        return false;
    unsigned point = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    return (s[0] & 0xf0) == 0xe0 &&
           ((point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
            (point >= 0x2060 && point <= 0x206f) || point == 0xfeff);
}

static bool is_showable(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (misleads((const unsigned char *)s + i, len - i))
            return false;
    return true;
}

const char *file_name_clean(const char *s, size_t len, size_t *ret_len)
{
    size_t chars;
    if (!text_utf8(s, len, NULL))
        return NULL;
    for (size_t i = len; i-- > 0;)
        if (s[i] == '/' || s[i] == '\\') {
            s += i + 1;
            len -= i + 1;
            break;
        }
    while (len && *s == ' ') {
        s++;
        len--;
    }
    while (len && s[len - 1] == ' ')
        len--;
    bool dots = (len == 1 && *s == '.') || (len == 2 && memcmp(s, "..", 2) == 0);
    if (len == 0 || dots || !text_utf8(s, len, &chars) || chars > FILE_NAME_MAX ||
        !is_showable(s, len))
        return NULL;
    *ret_len = len;
    return s;
}

/* For those who do not read filename*: what is not ASCII, or would need escapes that clients read
 * differently, as an underscore. */
static void put_plain(struct buf *b, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if ((c & 0xc0) == 0x80)
            continue; /* one for a whole character */
        bool plain = c < 0x80 && c != '"' && c != '\\' && c != '%';
        buf_add(b, plain ? name + i : "_", 1);
    }
}

/* RFC 8187 section 3.2.1, attr-char. */
static void put_extended(struct buf *b, const char *name, size_t len)
{
    static const char digits[] = "0123456789ABCDEF", others[] = "!#$&+-.^_`|~";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (alnum || (c < 0x80 && strchr(others, c))) {
            buf_char(b, (char)c);
            continue;
        }
        buf_char(b, '%');
        buf_char(b, digits[c >> 4]);
        buf_char(b, digits[c & 15]);
    }
}

void file_name_disposition(struct buf *b, const char *name, size_t len)
{
    buf_lit(b, "attachment; filename=\"");
    put_plain(b, name, len);
    buf_lit(b, "\"; filename*=UTF-8''");
    put_extended(b, name, len);
}
