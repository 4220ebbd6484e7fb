/* client_address: who a request comes from, for limits: the peer, or, when TRUSTED_PROXIES has the
 * peer, the last entry of X-Forwarded-For, which is what that proxy has seen itself. */
#ifndef ALICERCE_CLIENT_ADDRESS_H
#define ALICERCE_CLIENT_ADDRESS_H

#include "cidr.h"

struct request;

/* While r->connection is there; all zero when it has no IP address. For limits of an IPv6 address
 * the /64. */
struct cidr_address client_address(const struct request *r);
struct cidr_address client_address_whole(const struct request *r);

#endif
