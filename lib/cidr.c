/* cidr: owns nothing but its rules. */
#include "cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "text.h"

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct cidr_address *a)
{
    return memcmp(a->byte, MAPPED, sizeof MAPPED) == 0;
}

bool cidr_parse_address(const char *s, size_t len, struct cidr_address *ret)
{
    char text[INET6_ADDRSTRLEN];
    struct cidr_address a;
    if (len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = 0;
    if (strlen(text) != len)
        return false;
    memcpy(a.byte, MAPPED, sizeof MAPPED);
    if (inet_pton(AF_INET, text, a.byte + sizeof MAPPED) != 1 &&
        inet_pton(AF_INET6, text, a.byte) != 1)
        return false;
    *ret = a;
    return true;
}

void cidr_format(const struct cidr_address *a, char ret[CIDR_TEXT_MAX])
{
    static const struct cidr_address none;
    _Static_assert(CIDR_TEXT_MAX >= INET6_ADDRSTRLEN, "what inet_ntop writes");
    *ret = '\0';
    if (is_v4(a))
        inet_ntop(AF_INET, a->byte + sizeof MAPPED, ret, CIDR_TEXT_MAX);
    else if (memcmp(a, &none, sizeof none) != 0)
        inet_ntop(AF_INET6, a->byte, ret, CIDR_TEXT_MAX);
}

static bool parse_net(const char *s, size_t len, struct cidr_address *base, unsigned *bits)
{
    const char *slash = memchr(s, '/', len);
    size_t n = slash ? (size_t)(slash - s) : len;
    int64_t prefix;
    if (!cidr_parse_address(s, n, base))
        return false;
    bool v4 = !memchr(s, ':', n);
    int64_t most = v4 ? 32 : 128;
    prefix = most;
    if (slash && !text_int(slash + 1, len - n - 1, 0, most, &prefix))
        return false;
    *bits = (unsigned)prefix + (v4 ? 96 : 0);
    return true;
}

bool cidr_parse_list(const char *s, struct cidr_list *ret)
{
    ret->n = 0;
    if (strcmp(s, "none") == 0)
        return true;
    for (;;) {
        size_t n = strcspn(s, ",");
        if (ret->n == CIDR_LIST_MAX ||
            !parse_net(s, n, &ret->net[ret->n].base, &ret->net[ret->n].bits))
            return false;
        ret->n++;
        if (!s[n])
            return true;
        s += n + 1;
    }
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool cidr_contains(const struct cidr_list *list, const struct cidr_address *a)
{
    for (unsigned i = 0; i < list->n; i++)
        if (same_prefix(list->net[i].base.byte, a->byte, list->net[i].bits))
            return true;
    return false;
}

bool cidr_of_socket(const struct sockaddr *sa, struct cidr_address *ret)
{
    const struct sockaddr_in *v4 = (const void *)sa;
    const struct sockaddr_in6 *v6 = (const void *)sa;
    if (sa && sa->sa_family == AF_INET) {
        memcpy(ret->byte, MAPPED, sizeof MAPPED);
        memcpy(ret->byte + sizeof MAPPED, &v4->sin_addr, 4);
    } else if (sa && sa->sa_family == AF_INET6) {
        memcpy(ret->byte, &v6->sin6_addr, 16);
    } else {
        return false;
    }
    return true;
}

void cidr_client_of(struct cidr_address *a)
{
    if (!is_v4(a))
        memset(a->byte + 8, 0, 8);
}
