/* cidr: IP addresses as 16 bytes (IPv4 as ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), and lists of
 * networks (RFC 4632). Pure functions. */
#ifndef ALICERCE_CIDR_H
#define ALICERCE_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cidr_address {
    uint8_t byte[16];
};

enum { CIDR_LIST_MAX = 32 };

struct cidr_list {
    unsigned n;
    struct {
        struct cidr_address base;
        unsigned bits; /* of 128 */
    } net[CIDR_LIST_MAX];
};

struct sockaddr;

/* An IPv4 or IPv6 address as text. */
bool cidr_parse_address(const char *s, size_t len, struct cidr_address *ret);
/* The reverse, with its NUL; "" for all zero. */
enum { CIDR_TEXT_MAX = 46 };
void cidr_format(const struct cidr_address *a, char ret[CIDR_TEXT_MAX]);
/* "10.0.0.0/8,::1": networks or single addresses separated by commas; "none" is the empty list. */
bool cidr_parse_list(const char *s, struct cidr_list *ret);
bool cidr_contains(const struct cidr_list *list, const struct cidr_address *a);
/* Of a connected socket; false for one that is neither IPv4 nor IPv6. */
bool cidr_of_socket(const struct sockaddr *sa, struct cidr_address *ret);
/* Who one client is: an IPv4 address whole, of an IPv6 address the /64 that one household has. */
void cidr_client_of(struct cidr_address *a);

#endif
